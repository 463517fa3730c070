"""Faults of answers: what a caller in the same process, and one behind a socket, gets to see."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

from simulator.faults.carrier import CarriedTransport, cut_broken
from simulator.faults.fault import WfmFault
from simulator.faults.registry import all_faults, read_fault
from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app

OPTIONS = WfmOptions(access_key="KEY", secret_key="SECRET")
STATES = {
    "acdType": "TWILIO_FLEX",
    "agentStates": [
        {
            "agentId": f"WK{number}",
            "agentValue": "Ana",
            "eventId": "AVAILABLE",
            "eventReason": "",
            "startTime": "2026-01-05T08:00:00Z",
        }
        for number in range(200)
    ],
}
OF_WFM = sorted(name for name, kind in all_faults().items() if issubclass(kind, WfmFault))


class Caller:
    """Sends states to a fake WFM in this process, as the connector does."""

    def __init__(self) -> None:
        app = create_wfm_app(OPTIONS, now_ms=lambda: 1_767_600_000_000)
        self.wfm: FakeWfm = app.extensions["fake_wfm"]
        self.http = httpx.Client(transport=CarriedTransport(app), base_url="http://wfm", timeout=10.0)
        endpoints = self.wfm.profile.endpoints
        body = self.wfm.profile.encode(
            endpoints["token"].request or "",
            {"access_key_token_request": {"access_key": "KEY", "secret_key": "SECRET"}},
        )
        token = self.http.post(endpoints["token"].path, json=body).json()
        plain = self.wfm.profile.decode(endpoints["token"].response or "", token)
        self.headers = {"Authorization": f"Bearer {plain['access_token']}"}
        self.path = endpoints["agent_states"].path

    def send(self, **more: Any) -> httpx.Response:
        self.wfm.faults.set([read_fault({"times": 1, **more})], 1_767_600_000_000)
        return self.http.post(self.path, json=STATES, headers=self.headers)

    def rejected(self, answer: httpx.Response) -> list[Any]:
        """The rows that an answer names as refused."""
        named: list[Any] = self.wfm.profile.decode("WFMReportResponseDTO", answer.json()).get("rejected", [])
        return named

    @property
    def taken(self) -> int:
        return self.wfm.inbox.counters()["states"]


@pytest.fixture
def caller() -> Caller:
    """A caller with a token."""
    return Caller()


@pytest.mark.parametrize("name", OF_WFM)
def test_each_fault_strikes_once_and_then_all_is_well(caller: Caller, name: str) -> None:
    """Something goes wrong, or comes late; the next request is taken."""
    more = {"status": 503} if name == "wfm-answer" else {}
    try:
        answer = caller.send(fault=name, **more)
    except httpx.TransportError:
        answer = None
    if name in ("token-expiry", "refresh-refused"):
        assert answer is not None
        assert answer.status_code == 401
        assert caller.taken == 0
        return
    if answer is not None and answer.status_code == 200 and name != "wfm-wrong-schema":
        assert caller.taken == 200 - len(caller.rejected(answer))
    again = caller.http.post(caller.path, json=STATES, headers=caller.headers)
    assert again.status_code == 200
    assert caller.wfm.inbox.counters()["mishaps"] == 1


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("wfm-down", httpx.ConnectError), ("wfm-tls", httpx.ConnectError), ("wfm-reset", httpx.ReadError),
        ("wfm-hang", httpx.ReadTimeout), ("wfm-half-answer", httpx.RemoteProtocolError),
    ],
)  # fmt: skip
def test_connections_break_as_httpx_tells_it(caller: Caller, name: str, error: type[Exception]) -> None:
    """And what was carried out before that is kept."""
    with pytest.raises(error):
        caller.send(fault=name)
    if name in ("wfm-down", "wfm-tls"):
        assert caller.taken == 0
    if name == "wfm-half-answer":
        assert caller.taken == 200


def test_a_wait_beyond_the_callers_patience_is_a_timeout_that_takes_no_time(caller: Caller) -> None:
    """The work is done all the same."""
    with pytest.raises(httpx.ReadTimeout):
        caller.send(fault="wfm-slow", wait_s=60.0)
    assert caller.taken == 200
    assert caller.send(fault="wfm-slow", wait_s=9.0).status_code == 200


def test_rows_are_refused_by_name(caller: Caller) -> None:
    """About the share, and the others are taken."""
    rejected = caller.rejected(caller.send(fault="wfm-partial-reject", rows_share=0.2))
    assert 20 < len(rejected) < 60
    assert caller.taken == 200 - len(rejected)


def test_only_requests_to_its_endpoint_are_struck(caller: Caller) -> None:
    """The others are answered as ever."""
    assert caller.send(fault="wfm-500", endpoint="heartbeat").status_code == 200
    assert caller.wfm.faults.on()[0].struck == 0


@pytest.fixture
def served(caller: Caller) -> Iterator[str]:
    """The same fake WFM behind a socket."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def log_exception(self, *_: object) -> None:
            pass

    application = cut_broken(caller.http._transport.app)  # type: ignore[attr-defined]
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", ["wfm-down", "wfm-tls", "wfm-reset", "wfm-half-answer"])
def test_a_socket_ends_too_soon(caller: Caller, served: str, name: str) -> None:
    """Whatever breaks, no whole answer comes over a real connection."""
    caller.wfm.faults.set([read_fault({"fault": name, "times": 1})], 1_767_600_000_000)
    with httpx.Client(base_url=served, trust_env=False, timeout=5.0) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(caller.path, json=STATES, headers=caller.headers)
        assert http.post(caller.path, json=STATES, headers=caller.headers).status_code == 200

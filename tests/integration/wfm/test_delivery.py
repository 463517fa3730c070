"""The three services: what they send, and what they make of every kind of answer and failure on the way."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from flex_plugin_backend.wfm import (
    AgentActivity,
    AgentActivityReportDTO,
    AgentPerformanceRow,
    AgentQueueRow,
    AgentState,
    AgentStateListDTO,
    AgentStatesService,
    CXoneWfmException,
    FailureKind,
    QueueRow,
    RejectedRow,
    ReportDTO,
    ReportService,
    WFMConnection,
    WFMConnectionConfigBuilder,
)
from flex_plugin_backend.wfm.contract import load_profile

from .conftest import SECRET, START_MS, Wfm

STATES = AgentStateListDTO(
    agent_states=(
        AgentState(agent_id="WK1", event_id="UNAVAILABLE", event_reason="Lunch", start_ms=START_MS + 750),
        AgentState(agent_id="WK2", agent_value="Ana", event_id="AVAILABLE", start_ms=START_MS),
    )
)
ACTIVITY = AgentActivityReportDTO(
    start_ms=START_MS,
    end_ms=START_MS + 900_000,
    report_data=(AgentActivity(agent_id="WK1", event_id="WRAPUP", start_ms=START_MS - 1, end_ms=START_MS + 60_000),),
)
QUEUES = ReportDTO(
    start_ms=START_MS,
    end_ms=START_MS + 900_000,
    queue_report=(
        QueueRow(queue_id="WQ1", queue_name="Sales", contacts_received=2, contacts_handled=1, handle_time_s=90),
    ),
    agent_queue_report=(AgentQueueRow(queue_id="WQ1", agent_id="WK1", contacts_handled=1, handle_time_s=90),),
    agent_system_performance_report=(AgentPerformanceRow(agent_id="WK1", ready_time_s=10, login_time_s=900),),
)


def test_states_go_out_as_the_profile_says(wfm: Wfm, connection: WFMConnection) -> None:
    """States carry the ACD type, both identifiers, event id, reason and a start in whole seconds."""
    response = AgentStatesService(connection).process_agent_states(STATES)
    assert (response.status, response.message, response.rejected) == (200, "accepted", ())
    assert wfm.calls[-1] == (
        "agent_states",
        "access-1",
        {
            "acdType": "TWILIO",
            "agentStates": [
                {
                    "agentId": "WK1",
                    "agentValue": "WK1",
                    "eventId": "UNAVAILABLE",
                    "eventReason": "Lunch",
                    "startTime": "2026-03-02T09:15:00Z",
                },
                {
                    "agentId": "WK2",
                    "agentValue": "Ana",
                    "eventId": "AVAILABLE",
                    "eventReason": "",
                    "startTime": "2026-03-02T09:15:00Z",
                },
            ],
        },
    )


def test_everything_that_is_sent_is_valid(wfm: Wfm, connection: WFMConnection) -> None:
    """What the services send passes shape and meaning of the profile."""
    AgentStatesService(connection).process_agent_states(STATES)
    ReportService(connection).process_agent_activity_report(ACTIVITY)
    ReportService(connection).process_queue_report(QUEUES)
    profile = load_profile()
    for name, _, payload in wfm.calls:
        request = profile.endpoint(name).request
        if request is not None:
            assert profile.validate(request, payload) == []
    assert wfm.names()[2:] == ["agent_states", "agent_activity", "queue_report"]


def test_empty_parts_are_sent_as_empty_lists(wfm: Wfm, connection: WFMConnection) -> None:
    """A report of an interval without any activity has all its lists, empty."""
    ReportService(connection).process_queue_report(ReportDTO(start_ms=START_MS, end_ms=START_MS + 900_000))
    body = wfm.calls[-1][2]
    assert (body["queueReport"], body["agentQueueReport"], body["agentSystemPerformanceReport"]) == ([], [], [])
    assert (body["startDate"], body["endDate"]) == ("2026-03-02T09:15:00Z", "2026-03-02T09:30:00Z")


def test_given_values_beat_defaults(wfm: Wfm, connection: WFMConnection) -> None:
    """An ACD type and report version in the DTO are sent as they are, and no lookup is made."""
    report = ACTIVITY.model_copy(update={"acd_type": "OTHER", "report_version": "2.7"})
    ReportService(connection).process_agent_activity_report(report)
    assert (wfm.calls[-1][2]["acdType"], wfm.calls[-1][2]["reportVersion"]) == ("OTHER", "2.7")
    assert "acd_details" not in wfm.names()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207, 299])
@pytest.mark.parametrize("body", ["", "<html>ok</html>", '{"message": "accepted"', "[]"])
def test_any_2xx_is_success(wfm: Wfm, connection: WFMConnection, status: int, body: str) -> None:
    """Every 2xx is success, whatever its body holds."""
    wfm.script("agent_states", wfm.answer(status, body))
    assert AgentStatesService(connection).process_agent_states(STATES).status == status


def test_a_partial_success_names_the_rejected_rows(wfm: Wfm, connection: WFMConnection) -> None:
    """Rejected rows of a 2xx come back with their position; one outside the batch is only counted."""
    rows = [{"index": 1, "code": "UNKNOWN_AGENT", "message": "who?"}, {"index": 2}]
    wfm.script("agent_states", wfm.answer(200, {"acceptedRows": 1, "rejectedRows": rows}))
    response = AgentStatesService(connection).process_agent_states(STATES)
    assert response.rejected == (RejectedRow(index=1, code="UNKNOWN_AGENT", message="who?"),)
    assert response.unplaced_rejections == 1


FAILURES = [
    (403, FailureKind.FORBIDDEN),
    (408, FailureKind.PASSING),
    (425, FailureKind.PASSING),
    (429, FailureKind.PASSING),
    (500, FailureKind.PASSING),
    (502, FailureKind.PASSING),
    (503, FailureKind.PASSING),
    (504, FailureKind.PASSING),
    (400, FailureKind.CONTENT),
    (404, FailureKind.CONTENT),
    (413, FailureKind.CONTENT),
    (422, FailureKind.CONTENT),
    (418, FailureKind.CONTENT),
]


@pytest.mark.parametrize(("status", "kind"), FAILURES)
def test_failures(wfm: Wfm, connection: WFMConnection, status: int, kind: FailureKind) -> None:
    """Each answer outside 2xx becomes an exception of its kind that carries the answer, after one try."""
    body = {"code": "E7", "details": "because", "hostName": "h", "entityType": "AgentState", "errors": []}
    wfm.script("agent_states", wfm.answer(status, body, {"Retry-After": "30"}))
    with pytest.raises(CXoneWfmException, match="because") as caught:
        AgentStatesService(connection).process_agent_states(STATES)
    error = caught.value
    assert (error.kind, error.status, error.retry_after_s) == (kind, status, 30.0)
    assert (error.response.status, error.response.code, error.response.details) == (status, "E7", "because")
    assert wfm.names().count("agent_states") == 1


REDIRECTS = [
    (301, FailureKind.FORBIDDEN),
    (308, FailureKind.FORBIDDEN),
    (302, FailureKind.PASSING),
    (307, FailureKind.PASSING),
]


@pytest.mark.parametrize(("status", "kind"), REDIRECTS)
def test_redirects_are_not_followed(wfm: Wfm, connection: WFMConnection, status: int, kind: FailureKind) -> None:
    """A redirect is never followed, for the token would go along."""
    wfm.script("agent_states", wfm.answer(status, "", {"Location": f"{wfm.url}{wfm.PATHS['heartbeat']}"}))
    with pytest.raises(CXoneWfmException) as caught:
        AgentStatesService(connection).process_agent_states(STATES)
    assert caught.value.kind is kind
    assert "heartbeat" not in wfm.names()


def test_a_message_in_the_header(wfm: Wfm, connection: WFMConnection) -> None:
    """CXone's ACD APIs put the message into a header; it is found there."""
    wfm.script("agent_states", wfm.answer(400, "", {"icStatusDescription": "agent unknown"}))
    with pytest.raises(CXoneWfmException, match="agent unknown"):
        AgentStatesService(connection).process_agent_states(STATES)


def test_a_lone_surrogate_reaches_the_service(wfm: Wfm, connection: WFMConnection) -> None:
    """Half a character in a name does not break the sender; the service judges it."""
    state = AgentState.model_construct(agent_id="\ud83d", agent_value=None, event_id="A", event_reason="é", start_ms=0)
    connection.send("agent_states", {"acd_type": "T", "agent_states": [state.to_plain()]})
    assert wfm.calls[-1][2]["agentStates"][0]["agentId"] == "\ud83d"


def test_a_broken_encoding_of_a_2xx_is_success(wfm: Wfm, connection: WFMConnection) -> None:
    """A 200 whose body cannot be decompressed still is a 200."""
    wfm.script("agent_states", wfm.answer(200, b"this is no gzip", {"Content-Encoding": "gzip"}))
    response = AgentStatesService(connection).process_agent_states(STATES)
    assert (response.status, response.raw) == (200, "")


def test_a_compressed_answer_is_read(wfm: Wfm, connection: WFMConnection) -> None:
    """A gzip body is unpacked and read."""
    packed = gzip.compress(json.dumps({"message": "packed"}).encode())
    wfm.script("agent_states", wfm.answer(200, packed, {"Content-Encoding": "gzip"}))
    assert AgentStatesService(connection).process_agent_states(STATES).message == "packed"


# --------------------------------------------------------------------------------- failures on the way


def _read_request(client: socket.socket) -> None:
    client.recv(65536)


def _reset(client: socket.socket) -> None:
    _read_request(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def _hang(client: socket.socket) -> None:
    _read_request(client)
    client.recv(1)  # until the client gives up


def _babble(client: socket.socket) -> None:
    _read_request(client)
    client.sendall(b"EHLO wfm.example\r\n\r\n")


def _hang_up(client: socket.socket) -> None:
    _read_request(client)


def _break_off(client: socket.socket) -> None:
    _read_request(client)
    client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"access_token"')


def _drip(client: socket.socket) -> None:
    _read_request(client)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    try:
        for _ in range(50):
            client.sendall(b" ")
            client.settimeout(0.1)
            try:
                client.recv(1)
                return
            except TimeoutError:
                continue
    except OSError:
        return


WAYS = {
    "reset": _reset,
    "timeout": _hang,
    "no HTTP": _babble,
    "hung up": _hang_up,
    "body broken off": _break_off,
    "drip": _drip,
}


@pytest.mark.parametrize("way", WAYS)
def test_no_answer_passes(
    way: str, raw_server: Callable[[Callable[[socket.socket], None]], str], builder: WFMConnectionConfigBuilder
) -> None:
    """Whatever happens to the connection, it is PASSING, without status and with an empty response."""
    config = builder.set_service_url(raw_server(WAYS[way])).set_timeout_s(0.5).build()
    with (
        WFMConnection.get_connection(config) as connection,
        pytest.raises(CXoneWfmException, match="no answer") as caught,
    ):
        connection.connect()
    error = caught.value
    assert (error.kind, error.status, error.retry_after_s) == (FailureKind.PASSING, None, None)
    assert (error.response.status, error.response.rejected) == (0, ())
    assert SECRET not in f"{error} {error!r} {error.__cause__!r}"


def test_a_refused_connection_passes(builder: WFMConnectionConfigBuilder) -> None:
    """Nobody listens: PASSING."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    config = builder.set_service_url(f"http://127.0.0.1:{port}").build()
    with WFMConnection.get_connection(config) as connection, pytest.raises(CXoneWfmException) as caught:
        connection.connect()
    assert caught.value.kind is FailureKind.PASSING


def test_a_tls_failure_passes(httpserver: HTTPServer, builder: WFMConnectionConfigBuilder) -> None:
    """Speaking TLS to a server that has none: PASSING."""
    config = builder.set_service_url(f"https://127.0.0.1:{httpserver.port}").build()
    with WFMConnection.get_connection(config) as connection, pytest.raises(CXoneWfmException) as caught:
        connection.connect()
    assert caught.value.kind is FailureKind.PASSING


RAISED = [
    httpx.ConnectError("[Errno -2] Name or service not known"),
    httpx.ConnectTimeout("too slow"),
    httpx.WriteError("broken pipe"),
    httpx.PoolTimeout("busy"),
    httpx.ProxyError("407"),
    httpx.RemoteProtocolError("rubbish"),
    httpx.LocalProtocolError("rubbish"),
]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_transport_errors_pass(builder: WFMConnectionConfigBuilder, raised: httpx.TransportError) -> None:
    """A name that is not found and every other error of the transport is PASSING and keeps its cause."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise raised

    connection = WFMConnection.get_connection(builder.build(), transport=httpx.MockTransport(fail))
    with connection, pytest.raises(CXoneWfmException) as caught:
        connection.connect()
    assert caught.value.kind is FailureKind.PASSING
    assert caught.value.__cause__ is raised


def test_a_huge_answer_is_not_read_to_its_end(builder: WFMConnectionConfigBuilder) -> None:
    """An answer without end costs bounded memory and is still an answer."""
    sent = 0

    def endless() -> Any:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    transport = httpx.MockTransport(lambda _: httpx.Response(500, content=endless()))
    connection = WFMConnection.get_connection(builder.build(), transport=transport)
    with connection, pytest.raises(CXoneWfmException) as caught:
        connection.connect()
    assert (caught.value.kind, caught.value.status) == (FailureKind.PASSING, 500)
    assert sent < 8 * 1024 * 1024

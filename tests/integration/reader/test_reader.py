"""The reader against an HTTP server that answers as Twilio does, and as Twilio does on a bad day."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION, SNAPSHOT_WORKER, Route
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.settings import TwilioSettings
from flex_plugin_backend.taskrouter.http_client import PatientHttpClient
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

WS = "WS1"
BASE = f"/v1/Workspaces/{WS}"
TOKEN = "auth-token-1"


class Pauses:
    """Takes the place of waiting and notes how long it would have been."""

    def __init__(self, stop: bool = False) -> None:
        self.seconds: list[float] = []
        self.stop = stop

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.stop


def access(httpserver: HTTPServer, **changes: Any) -> TwilioSettings:
    return TwilioSettings(
        account_sid="AC1",
        workspace_sid=WS,
        auth_token=SecretStr(TOKEN),
        **{"api_base_url": httpserver.url_for("/"), "timeout_s": 2, **changes},
    )


@pytest.fixture
def pauses() -> Pauses:
    """Waits that take no time."""
    return Pauses()


@pytest.fixture
def reader(httpserver: HTTPServer, pauses: Pauses) -> TaskRouterReader:
    """A reader of that server, agent ids at wfm.id."""
    return TaskRouterReader(access(httpserver), ("wfm", "id"), wait=pauses)


def rows(key: str, *rows: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"meta": {"key": key, "page": 0, "page_size": 1000, "next_page_url": following}, key: list(rows)}


def serve(httpserver: HTTPServer, path: str, key: str, *found: dict[str, Any], **query: str) -> None:
    httpserver.expect_request(BASE + path, query_string=query or None).respond_with_json(rows(key, *found))


def activity(sid: str, name: str, available: bool) -> dict[str, Any]:
    return {"sid": sid, "friendly_name": name, "available": available, "workspace_sid": WS}


def serve_catalogue(httpserver: HTTPServer, flex: Response | dict[str, Any], default: str = "WA1") -> None:
    serve(
        httpserver,
        "/Activities",
        "activities",
        activity("WA1", "Logged off", False),
        activity("WA2", "Available", True),
        activity("WA3", "Offline", False),
    )
    serve(httpserver, "/TaskQueues", "task_queues", {"sid": "WQ1", "friendly_name": "Support"})
    serve(httpserver, "/TaskChannels", "channels", {"sid": "TC1", "unique_name": "voice"})
    httpserver.expect_request(BASE).respond_with_json({"sid": WS, "default_activity_sid": default})
    handler = httpserver.expect_request("/v1/Configuration")
    if isinstance(flex, Response):
        handler.respond_with_response(flex)
    else:
        handler.respond_with_json(flex)


def error(status: int, code: int, **headers: str) -> Response:
    body = {"code": code, "message": "about Zoë", "more_info": "", "status": status}
    return Response(json.dumps(body), status=status, content_type="application/json", headers=headers)


# -- catalogue ------------------------------------------------------------------------------------------------------


def test_catalogue_has_activities_queues_and_channels(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """The names of the workspace, the logged-out activity out of the Flex configuration and not by its name."""
    serve_catalogue(httpserver, {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": "WA1"}, "WA3")
    found = reader.catalogue()
    assert found.offline_activity_sid == "WA1"
    assert found.offline_source == "flex configuration"
    assert found.activities["WA2"].name == "Available"
    assert found.activities["WA2"].available is True
    assert found.activities["WA1"].available is False
    assert (found.queues, found.task_channels) == ({"WQ1": "Support"}, {"TC1": "voice"})


@pytest.mark.parametrize(
    "flex",
    [
        {"taskrouter_workspace_sid": "WS9", "taskrouter_offline_activity_sid": "WA3"},
        {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": None},
        {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": "WA9"},
        {},
        error(404, 20404),
        error(403, 20003),
    ],
)
def test_without_flex_configuration_the_default_activity_counts(
    httpserver: HTTPServer, reader: TaskRouterReader, flex: Any
) -> None:
    """Another workspace's configuration, an unknown activity, no Flex or no right to read it: the workspace decides."""
    serve_catalogue(httpserver, flex)
    assert (reader.catalogue().offline_activity_sid, reader.catalogue().offline_source) == ("WA1", "workspace default")


def test_passing_failure_of_the_flex_configuration_is_no_reason_to_guess(
    httpserver: HTTPServer, reader: TaskRouterReader
) -> None:
    """A 503 is not the same as having no Flex."""
    serve_catalogue(httpserver, error(503, 20503))
    with pytest.raises(TwilioUnavailable, match="Flex configuration"):
        reader.catalogue()


def test_unknown_default_activity_is_none(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """A default activity that is not in the catalogue decides nothing."""
    serve_catalogue(httpserver, error(404, 20404), default="WA77")
    assert reader.catalogue().offline_activity_sid is None


# -- snapshot -------------------------------------------------------------------------------------------------------


def worker(sid: str, **changes: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "friendly_name": f"{sid}@example.com",
        "activity_sid": "WA2",
        "activity_name": "Available",
        "available": True,
        "attributes": json.dumps({"wfm": {"id": f"agent-{sid}"}, "full_name": "Zoë"}),
        "date_status_changed": "2026-01-05T10:00:45Z",
        "date_created": "2025-01-01T00:00:00Z",
        "date_updated": "2026-01-05T09:00:00Z",
        **changes,
    }


def task(sid: str, **changes: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "assignment_status": "assigned",
        "attributes": '{"direction": "inbound", "channelType": "web", "customerName": "Ann"}',
        "task_queue_sid": "WQ1",
        "task_queue_friendly_name": "Support",
        "task_queue_entered_date": "2026-01-05T09:58:00Z",
        "task_channel_unique_name": "chat",
        "workflow_sid": "WW1",
        "date_created": "2026-01-05T09:57:59Z",
        "date_updated": "2026-01-05T10:00:00Z",
        **changes,
    }


def reservation(sid: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "reservation_status": status,
        "worker_sid": "WK1",
        "worker_name": "WK1@example.com",
        "date_created": "2026-01-05T09:59:00Z",
        "date_updated": "2026-01-05T09:59:30Z",
        **changes,
    }


NO_WORKERS = ("/Workers", "workers")


def test_snapshot_tells_every_worker_s_activity(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """One event per worker, at the time the activity began, with the agent id and nothing else of the attributes."""
    serve(httpserver, *NO_WORKERS, worker("WK1"), worker("WK2", attributes=None, activity_sid="WA1"))
    serve(httpserver, "/Tasks", "tasks")
    snapshot = reader.snapshot()
    assert snapshot.worker_sids == {"WK1", "WK2"}
    first, second = snapshot.events
    assert (first.type, first.route, first.worker_sid) == (SNAPSHOT_WORKER, Route.SNAPSHOT, "WK1")
    assert (first.activity_sid, first.activity_name, first.agent_key) == ("WA2", "Available", "agent-WK1")
    assert first.occurred_ms == 1767607245000
    assert (second.activity_sid, second.agent_key) == ("WA1", None)
    assert "Zoë" not in str(first.to_record())


def test_snapshot_tells_open_work(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Pending from its creation, accepted and wrapping from their last change; what has ended is left out."""
    serve(httpserver, *NO_WORKERS, worker("WK1"))
    serve(httpserver, "/Tasks", "tasks", task("WT1"), task("WT2"))
    serve(
        httpserver,
        "/Tasks/WT1/Reservations",
        "reservations",
        reservation("WR1", "pending"),
        reservation("WR2", "accepted"),
        reservation("WR3", "wrapping"),
        reservation("WR4", "completed"),
        reservation("WR5", "rejected"),
    )
    serve(httpserver, "/Tasks/WT2/Reservations", "reservations")
    snapshot = reader.snapshot()
    found = {event.reservation_sid: event for event in snapshot.events if event.type == SNAPSHOT_RESERVATION}
    assert snapshot.open_reservation_sids == set(found) == {"WR1", "WR2", "WR3"}
    assert {sid: event.reservation_status for sid, event in found.items()} == {
        "WR1": "pending",
        "WR2": "accepted",
        "WR3": "wrapping",
    }
    assert found["WR1"].occurred_ms == 1767607140000
    assert found["WR2"].occurred_ms == found["WR3"].occurred_ms == 1767607170000
    event = found["WR2"]
    assert (event.worker_sid, event.task_sid, event.task_queue_sid, event.task_queue_name) == (
        "WK1",
        "WT1",
        "WQ1",
        "Support",
    )
    assert (event.task_channel, event.channel_type, event.direction) == ("chat", "web", "inbound")
    assert (event.task_created_ms, event.queue_entered_ms) == (1767607079000, 1767607080000)
    assert "Ann" not in str(event.to_record())


def test_open_work_is_asked_for_by_status(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Only open tasks are listed, with the key repeated as Twilio's client does it, in large pages."""
    asked: list[list[str]] = []

    def answer(request: Request) -> Response:
        asked.append([*request.args.getlist("AssignmentStatus"), request.args["PageSize"]])
        return Response(json.dumps(rows("tasks")), content_type="application/json")

    serve(httpserver, *NO_WORKERS)
    httpserver.expect_request(f"{BASE}/Tasks").respond_with_handler(answer)
    reader.snapshot()
    assert asked == [["reserved", "assigned", "wrapping", "1000"]]


def test_same_floor_gives_the_same_events(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """A second snapshot of an unchanged floor has the same identities, so the ledger takes nothing twice."""
    serve(httpserver, *NO_WORKERS, worker("WK1"))
    serve(httpserver, "/Tasks", "tasks", task("WT1"))
    serve(httpserver, "/Tasks/WT1/Reservations", "reservations", reservation("WR1", "accepted"))
    first = reader.snapshot()
    assert reader.snapshot() == first
    assert all(event.sid.startswith("SN") and len(event.sid) == 34 for event in first.events)


def test_task_that_ends_meanwhile_is_no_failure(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """A task that is gone when its reservations are asked for has simply ended."""
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks", task("WT1"), task("WT2"))
    httpserver.expect_request(f"{BASE}/Tasks/WT1/Reservations").respond_with_response(error(404, 20404))
    serve(httpserver, "/Tasks/WT2/Reservations", "reservations", reservation("WR2", "accepted"))
    assert reader.snapshot().open_reservation_sids == {"WR2"}


def test_failure_of_one_task_fails_the_snapshot(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Half a snapshot would end work that goes on, so there is none."""
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks", task("WT1"))
    httpserver.expect_request(f"{BASE}/Tasks/WT1/Reservations").respond_with_response(error(500, 20500))
    with pytest.raises(TwilioUnavailable, match="500"):
        reader.snapshot()


def test_many_open_tasks_keep_their_own_reservations(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Several tasks are asked at a time; no answer ends up at another task."""
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks", *(task(f"WT{n}") for n in range(60)))
    for n in range(60):
        serve(httpserver, f"/Tasks/WT{n}/Reservations", "reservations", reservation(f"WR{n}", "accepted"))
    found = {event.reservation_sid: event.task_sid for event in reader.snapshot().events}
    assert found == {f"WR{n}": f"WT{n}" for n in range(60)}


def test_partial_bodies_and_fractions_are_read(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Missing fields, null attributes and dates with fractions do not stop a snapshot; a worker without any date
    is known but tells nothing."""
    serve(
        httpserver,
        *NO_WORKERS,
        {"sid": "WK1", "date_status_changed": "2026-01-05T10:00:45.250Z"},
        {"sid": "WK2"},
        {"friendly_name": "no sid"},
    )
    serve(httpserver, "/Tasks", "tasks")
    snapshot = reader.snapshot()
    assert snapshot.worker_sids == {"WK1", "WK2"}
    assert [(event.worker_sid, event.occurred_ms) for event in snapshot.events] == [("WK1", 1767607245250)]


# -- pages ----------------------------------------------------------------------------------------------------------


def paged(httpserver: HTTPServer, first_url: Callable[[str], str]) -> None:
    following = first_url(f"{BASE}/Workers?PageSize=1000&Page=1&PageToken=PAWK2")
    httpserver.expect_ordered_request(f"{BASE}/Workers", query_string="PageSize=1000").respond_with_json(
        rows("workers", worker("WK1"), worker("WK2"), following=following)
    )
    httpserver.expect_ordered_request(
        f"{BASE}/Workers", query_string="PageSize=1000&Page=1&PageToken=PAWK2"
    ).respond_with_json(rows("workers", worker("WK2"), worker("WK3")))
    httpserver.expect_ordered_request(f"{BASE}/Tasks").respond_with_json(rows("tasks"))


def test_pages_follow_the_address_given(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """The next page is asked for by its own address, page token included; a row on both pages counts once."""
    paged(httpserver, lambda path: httpserver.url_for(path))
    assert [event.worker_sid for event in reader.snapshot().events] == ["WK1", "WK2", "WK3"]
    httpserver.check_assertions()


def test_pages_of_twilio_s_own_host_are_asked_here(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """With another base address, also a next page on taskrouter.twilio.com is asked for there."""
    paged(httpserver, lambda path: f"https://taskrouter.twilio.com{path}")
    assert len(reader.snapshot().events) == 3
    assert {request.headers.get("X-Forwarded-Host") for request, _ in httpserver.log} == {"taskrouter.twilio.com"}


def test_pages_elsewhere_are_not_followed(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """Credentials do not go to a host that a page happens to name."""
    serve(httpserver, "/Tasks", "tasks")
    httpserver.expect_request(f"{BASE}/Workers").respond_with_json(
        rows("workers", following="http://127.0.0.1:9/v1/Workspaces/WS1/Workers")
    )
    with pytest.raises(TwilioUnavailable, match="host"):
        reader.snapshot()


def test_without_base_address_only_twilio_is_asked() -> None:
    """Twilio's own hosts by TLS, and nothing else."""
    client = PatientHttpClient(timeout_s=1)
    assert client.target_of("https://flex-api.twilio.com/v1/Configuration")
    for url in (
        "http://taskrouter.twilio.com/v1",
        "https://taskrouter.twilio.com.example.com/",
        "https://twilio.com@x/",
    ):
        with pytest.raises(TwilioUnavailable):
            client.target_of(url)


# -- bad days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(
    httpserver: HTTPServer, reader: TaskRouterReader, pauses: Pauses, status: int
) -> None:
    """Two failures in a row are waited out with growing pauses."""
    for _ in range(2):
        httpserver.expect_oneshot_request(f"{BASE}/Workers").respond_with_response(error(status, status))
    serve(httpserver, *NO_WORKERS, worker("WK1"))
    serve(httpserver, "/Tasks", "tasks")
    assert reader.snapshot().worker_sids == {"WK1"}
    first_s, second_s = pauses.seconds
    assert 0.25 <= first_s <= 0.5 <= second_s <= 1.0


def test_retry_after_is_obeyed_within_bounds(httpserver: HTTPServer, reader: TaskRouterReader, pauses: Pauses) -> None:
    """Twilio's own wish counts, but not a wish for an hour; the form with a date falls back to our pause."""
    httpserver.expect_oneshot_request(f"{BASE}/Workers").respond_with_response(
        error(429, 20429, **{"Retry-After": "7"})
    )
    httpserver.expect_oneshot_request(f"{BASE}/Workers").respond_with_response(
        error(429, 20429, **{"Retry-After": "3600"})
    )
    httpserver.expect_oneshot_request(f"{BASE}/Tasks").respond_with_response(
        error(503, 20503, **{"Retry-After": "Mon, 05 Jan 2026 10:00:00 GMT"})
    )
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks")
    reader.snapshot()
    assert pauses.seconds[:2] == [7, 30]
    assert pauses.seconds[2] <= 0.5


def test_lasting_failure_names_status_and_what_was_read(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """After the last attempt the error of a list, which the SDK leaves bare, comes out with its status."""
    httpserver.expect_request(f"{BASE}/Workers").respond_with_response(error(503, 20503))
    with pytest.raises(TwilioUnavailable, match=r"workers.*503") as caught:
        reader.snapshot()
    assert caught.value.facts["status"] == 503
    assert len(httpserver.log) == 3


def test_wrong_credentials_are_not_tried_again(httpserver: HTTPServer, reader: TaskRouterReader) -> None:
    """A 401 names the settings to look at; neither the token nor names from the answer are in the message."""
    httpserver.expect_request(f"{BASE}/Activities").respond_with_response(error(401, 20003))
    with pytest.raises(TwilioUnavailable, match="auth_token") as caught:
        reader.catalogue()
    assert len(httpserver.log) == 1
    assert TOKEN not in str(caught.value)
    assert "Zoë" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["", "<html>proxy</html>", "[]", "null", "{}", '{"meta": {"key": "workers"}}', '{"meta": null}', '{"a":1,"b":2}'],
)
def test_bodies_that_are_no_list_are_a_clear_failure(
    httpserver: HTTPServer, reader: TaskRouterReader, body: str
) -> None:
    """Whatever a proxy puts in place of Twilio's answer, the failure is TwilioUnavailable."""
    httpserver.expect_request(f"{BASE}/Workers").respond_with_data(body, content_type="application/json")
    with pytest.raises(TwilioUnavailable, match="workers"):
        reader.snapshot()


def test_refused_connection_is_tried_again_and_then_reported(pauses: Pauses) -> None:
    """Nobody listens: a few attempts, then a clear error."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        settings = TwilioSettings(
            account_sid="AC1", workspace_sid=WS, auth_token=SecretStr(TOKEN), api_base_url=url, timeout_s=1
        )
        with pytest.raises(TwilioUnavailable, match="3 attempts"):
            TaskRouterReader(settings, wait=pauses).catalogue()
    assert len(pauses.seconds) == 2


def test_silent_server_runs_into_the_timeout(pauses: Pauses) -> None:
    """A server that accepts and says nothing does not hold the reader for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = TwilioSettings(
            account_sid="AC1",
            workspace_sid=WS,
            auth_token=SecretStr(TOKEN),
            api_base_url=f"http://127.0.0.1:{server.getsockname()[1]}",
            timeout_s=0.1,
        )
        with pytest.raises(TwilioUnavailable, match="Timeout"):
            TaskRouterReader(settings, wait=pauses, attempts=2).catalogue()


def test_shutting_down_ends_the_attempts(httpserver: HTTPServer) -> None:
    """A wait that is interrupted ends the reading at once."""
    httpserver.expect_request(f"{BASE}/Activities").respond_with_response(error(503, 20503))
    with pytest.raises(TwilioUnavailable, match="stopped"):
        TaskRouterReader(access(httpserver), wait=Pauses(stop=True)).catalogue()
    assert len(httpserver.log) == 1


# -- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, f"AC1:{TOKEN}"),
        ({"rest_key_sid": "SK1", "rest_key_secret": SecretStr("key-secret")}, "SK1:key-secret"),
    ],
)
def test_reads_with_the_key_if_there_is_one(httpserver: HTTPServer, changes: dict[str, Any], expected: str) -> None:
    """The API key reads where one is configured, else the account with its token."""
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks")
    TaskRouterReader(access(httpserver, **changes), wait=Pauses()).snapshot()
    sent = {request.headers["Authorization"] for request, _ in httpserver.log}
    assert sent == {"Basic " + base64.b64encode(expected.encode()).decode()}


def test_nothing_of_a_read_is_logged(
    httpserver: HTTPServer, reader: TaskRouterReader, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK's own lines with addresses and parameters stay out, even at debug level."""
    serve(httpserver, *NO_WORKERS)
    serve(httpserver, "/Tasks", "tasks")
    with caplog.at_level(logging.DEBUG):
        reader.snapshot()
    assert not [record for record in caplog.records if record.name.startswith("twilio")]

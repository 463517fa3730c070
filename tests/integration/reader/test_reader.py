"""The reader on good days: the catalogue, the snapshot and lists of several pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug import Request, Response

from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION, SNAPSHOT_WORKER, Route
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.http_client import PatientHttpClient
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

WS = "WS1"


def activity(sid: str, name: str, available: bool) -> dict[str, Any]:
    return {"sid": sid, "friendly_name": name, "available": available, "workspace_sid": WS}


def serve_catalogue(rest: Any, flex: int | Response | dict[str, Any], default: str = "WA1") -> None:
    rest.serve(
        "/Activities",
        "activities",
        activity("WA1", "Logged off", False),
        activity("WA2", "Available", True),
        activity("WA3", "Offline", False),
    )
    rest.server.expect_request(rest.base).respond_with_json({"sid": WS, "default_activity_sid": default})
    handler = rest.server.expect_request("/v1/Configuration")
    if isinstance(flex, int):
        flex = rest.error(flex, flex)
    if isinstance(flex, Response):
        handler.respond_with_response(flex)
    else:
        handler.respond_with_json(flex)


# -- catalogue ------------------------------------------------------------------------------------------------------


def test_catalogue_has_the_activities(rest: Any, reader: TaskRouterReader) -> None:
    """The logged-out activity is the Flex configuration's, not found by its name; a key needs no right to read more."""
    serve_catalogue(rest, {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": "WA1"}, "WA3")
    found = reader.catalogue()
    assert found.offline_activity_sid == "WA1"
    assert found.offline_source == "flex configuration"
    assert found.activities["WA2"].name == "Available"
    assert found.activities["WA2"].available is True
    assert found.activities["WA1"].available is False
    asked = {request.path.rpartition("/")[2] for request, _ in rest.server.log}
    assert asked == {"Activities", "Configuration"}


@pytest.mark.parametrize(
    "flex",
    [
        {"taskrouter_workspace_sid": "WS9", "taskrouter_offline_activity_sid": "WA3"},
        {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": None},
        {"taskrouter_workspace_sid": WS, "taskrouter_offline_activity_sid": "WA9"},
        {},
        404,
        403,
    ],
)
def test_without_flex_configuration_the_default_activity_counts(rest: Any, reader: TaskRouterReader, flex: Any) -> None:
    """Another workspace's configuration, an unknown activity, no Flex or no right to read it: the workspace decides."""
    serve_catalogue(rest, flex)
    assert (reader.catalogue().offline_activity_sid, reader.catalogue().offline_source) == ("WA1", "workspace default")


def test_passing_failure_of_the_flex_configuration_is_no_reason_to_guess(rest: Any, reader: TaskRouterReader) -> None:
    """A 503 is not the same as having no Flex."""
    serve_catalogue(rest, rest.error(503, 20503))
    with pytest.raises(TwilioUnavailable, match="Flex configuration"):
        reader.catalogue()


def test_unknown_default_activity_is_none(rest: Any, reader: TaskRouterReader) -> None:
    """A default activity that is not in the catalogue decides nothing."""
    serve_catalogue(rest, rest.error(404, 20404), default="WA77")
    assert reader.catalogue().offline_activity_sid is None


# -- snapshot -------------------------------------------------------------------------------------------------------


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


def test_snapshot_tells_every_worker_s_activity(rest: Any, reader: TaskRouterReader) -> None:
    """One event per worker, at the time the activity began, with the agent id and nothing else of the attributes."""
    rest.serve("/Workers", "workers", rest.worker("WK1"), rest.worker("WK2", attributes=None, activity_sid="WA1"))
    rest.serve("/Tasks", "tasks")
    snapshot = reader.snapshot()
    assert snapshot.worker_sids == {"WK1", "WK2"}
    first, second = snapshot.events
    assert (first.type, first.route, first.worker_sid) == (SNAPSHOT_WORKER, Route.SNAPSHOT, "WK1")
    assert (first.activity_sid, first.activity_name, first.agent_key) == ("WA2", "Available", "agent-WK1")
    assert first.occurred_ms == 1767607245000
    assert (second.activity_sid, second.agent_key) == ("WA1", None)
    assert "Zoë" not in str(first.to_record())


def test_snapshot_tells_open_work(rest: Any, reader: TaskRouterReader) -> None:
    """Pending from its creation, accepted and wrapping from their last change; what has ended is left out."""
    rest.serve("/Workers", "workers", rest.worker("WK1"))
    rest.serve("/Tasks", "tasks", task("WT1"), task("WT2"))
    rest.serve(
        "/Tasks/WT1/Reservations",
        "reservations",
        reservation("WR1", "pending"),
        reservation("WR2", "accepted"),
        reservation("WR3", "wrapping"),
        reservation("WR4", "completed"),
        reservation("WR5", "rejected"),
    )
    rest.serve("/Tasks/WT2/Reservations", "reservations")
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


def test_open_work_is_asked_for_by_status(rest: Any, reader: TaskRouterReader) -> None:
    """Only open tasks are listed, with the key repeated as Twilio's client does it, in large pages."""
    asked: list[list[str]] = []

    def answer(request: Request) -> Response:
        asked.append([*request.args.getlist("AssignmentStatus"), request.args["PageSize"]])
        return Response(json.dumps(rest.rows("tasks")), content_type="application/json")

    rest.serve("/Workers", "workers")
    rest.server.expect_request(f"{rest.base}/Tasks").respond_with_handler(answer)
    reader.snapshot()
    assert asked == [["reserved", "assigned", "wrapping", "1000"]]


def test_same_floor_gives_the_same_events(rest: Any, reader: TaskRouterReader) -> None:
    """A second snapshot of an unchanged floor has the same identities, so the ledger takes nothing twice."""
    rest.serve("/Workers", "workers", rest.worker("WK1"))
    rest.serve("/Tasks", "tasks", task("WT1"))
    rest.serve("/Tasks/WT1/Reservations", "reservations", reservation("WR1", "accepted"))
    first = reader.snapshot()
    assert reader.snapshot() == first
    assert all(event.sid.startswith("SN") and len(event.sid) == 34 for event in first.events)


def test_task_that_ends_meanwhile_is_no_failure(rest: Any, reader: TaskRouterReader) -> None:
    """A task that is gone when its reservations are asked for has simply ended."""
    rest.serve("/Workers", "workers")
    rest.serve("/Tasks", "tasks", task("WT1"), task("WT2"))
    rest.server.expect_request(f"{rest.base}/Tasks/WT1/Reservations").respond_with_response(rest.error(404, 20404))
    rest.serve("/Tasks/WT2/Reservations", "reservations", reservation("WR2", "accepted"))
    assert reader.snapshot().open_reservation_sids == {"WR2"}


def test_failure_of_one_task_fails_the_snapshot(rest: Any, reader: TaskRouterReader) -> None:
    """Half a snapshot would end work that goes on, so there is none."""
    rest.serve("/Workers", "workers")
    rest.serve("/Tasks", "tasks", task("WT1"))
    rest.server.expect_request(f"{rest.base}/Tasks/WT1/Reservations").respond_with_response(rest.error(500, 20500))
    with pytest.raises(TwilioUnavailable, match="500"):
        reader.snapshot()


def test_many_open_tasks_keep_their_own_reservations(rest: Any, reader: TaskRouterReader) -> None:
    """Several tasks are asked at a time; no answer ends up at another task."""
    rest.serve("/Workers", "workers")
    rest.serve("/Tasks", "tasks", *(task(f"WT{n}") for n in range(60)))
    for n in range(60):
        rest.serve(f"/Tasks/WT{n}/Reservations", "reservations", reservation(f"WR{n}", "accepted"))
    found = {event.reservation_sid: event.task_sid for event in reader.snapshot().events}
    assert found == {f"WR{n}": f"WT{n}" for n in range(60)}


def test_partial_bodies_and_fractions_are_read(rest: Any, reader: TaskRouterReader) -> None:
    """Missing fields, null attributes and dates with fractions do not stop a snapshot; a worker without any date
    is known but tells nothing."""
    rest.serve(
        "/Workers",
        "workers",
        {"sid": "WK1", "date_status_changed": "2026-01-05T10:00:45.250Z"},
        {"sid": "WK2"},
        {"friendly_name": "no sid"},
    )
    rest.serve("/Tasks", "tasks")
    snapshot = reader.snapshot()
    assert snapshot.worker_sids == {"WK1", "WK2"}
    assert [(event.worker_sid, event.occurred_ms) for event in snapshot.events] == [("WK1", 1767607245250)]


# -- pages ----------------------------------------------------------------------------------------------------------


def paged(rest: Any, first_url: Callable[[str], str]) -> None:
    following = first_url(f"{rest.base}/Workers?PageSize=1000&Page=1&PageToken=PAWK2")
    rest.server.expect_ordered_request(f"{rest.base}/Workers", query_string="PageSize=1000").respond_with_json(
        rest.rows("workers", rest.worker("WK1"), rest.worker("WK2"), following=following)
    )
    rest.server.expect_ordered_request(
        f"{rest.base}/Workers", query_string="PageSize=1000&Page=1&PageToken=PAWK2"
    ).respond_with_json(rest.rows("workers", rest.worker("WK2"), rest.worker("WK3")))
    rest.server.expect_ordered_request(f"{rest.base}/Tasks").respond_with_json(rest.rows("tasks"))


def test_pages_follow_the_address_given(rest: Any, reader: TaskRouterReader) -> None:
    """The next page is asked for by its own address, page token included; a row on both pages counts once."""
    paged(rest, lambda path: rest.server.url_for(path))
    assert [event.worker_sid for event in reader.snapshot().events] == ["WK1", "WK2", "WK3"]
    rest.server.check_assertions()


def test_pages_of_twilio_s_own_host_are_asked_here(rest: Any, reader: TaskRouterReader) -> None:
    """With another base address, also a next page on taskrouter.twilio.com is asked for there."""
    paged(rest, lambda path: f"https://taskrouter.twilio.com{path}")
    assert len(reader.snapshot().events) == 3
    assert {request.headers.get("X-Forwarded-Host") for request, _ in rest.server.log} == {"taskrouter.twilio.com"}


def test_pages_elsewhere_are_not_followed(rest: Any, reader: TaskRouterReader) -> None:
    """Credentials do not go to a host that a page happens to name."""
    rest.serve("/Tasks", "tasks")
    rest.server.expect_request(f"{rest.base}/Workers").respond_with_json(
        rest.rows("workers", following="http://127.0.0.1:9/v1/Workspaces/WS1/Workers")
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

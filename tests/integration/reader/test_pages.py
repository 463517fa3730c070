"""Lists page by page: what is asked, what a page gives, and what a failure says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug import Request, Response

from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION, SNAPSHOT_WORKER
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.pages import TaskRouterPages

T0 = 1_767_607_200_000  # 2026-01-05T10:00:00Z


@pytest.fixture
def pages(rest: Any) -> TaskRouterPages:
    """The lists of that workspace, agent ids at wfm.id."""
    return TaskRouterPages(rest.access(), ("wfm", "id"))


def test_the_events_of_a_span_are_asked_for_in_whole_seconds(rest: Any, pages: TaskRouterPages) -> None:
    """The ends are rounded outwards, so that no event can be left out; pages are as large as they can be."""
    rest.serve("/Events", "events", {"sid": "EV1"})
    assert pages.events(T0 + 123, T0 + 900_001).rows == ({"sid": "EV1"},)
    request, _ = rest.server.log[0]
    assert request.args.to_dict() == {
        "StartDate": "2026-01-05T10:00:00Z", "EndDate": "2026-01-05T10:15:01Z", "PageSize": "1000"
    }  # fmt: skip


def test_the_next_page_is_the_address_that_the_page_before_gave(rest: Any, pages: TaskRouterPages) -> None:
    """Nothing is added and no number is made up: a page is named by its token."""
    following = f"https://taskrouter.twilio.com{rest.base}/Events?PageSize=2&Page=1&PageToken=PAabc"

    def answer(request: Request) -> Response:
        last = "PageToken" in request.args
        body = rest.rows("events", {"sid": "EV2" if last else "EV1"}, following=None if last else following)
        return Response(json.dumps(body), content_type="application/json")

    rest.server.expect_request(f"{rest.base}/Events").respond_with_handler(answer)
    first = pages.events(T0, T0 + 1)
    second = pages.events(T0, T0 + 1, first.next_url)
    assert (first.next_url, second.rows[0]["sid"], second.next_url) == (following, "EV2", None)
    assert rest.server.log[1][0].query_string == b"PageSize=2&Page=1&PageToken=PAabc"


def test_a_page_elsewhere_is_not_asked_for(rest: Any, pages: TaskRouterPages) -> None:
    """Our credentials do not go to a host that an answer names."""
    with pytest.raises(TwilioUnavailable, match="not configured"):
        pages.events(T0, T0 + 1, "https://example.com/v1/Events")


@pytest.mark.parametrize(
    ("headers", "wish_s"), [({}, None), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None)]
)
def test_a_failure_tells_status_code_and_wish(
    rest: Any, pages: TaskRouterPages, headers: dict[str, str], wish_s: float | None
) -> None:
    """One attempt, and everything that the caller needs to decide what to do."""
    rest.server.expect_request(f"{rest.base}/Events").respond_with_response(rest.error(429, 20429, **headers))
    with pytest.raises(TwilioUnavailable, match="limits the rate") as caught:
        pages.events(T0, T0 + 1)
    facts = caught.value.facts
    assert (facts["status"], facts["code"], facts["retry_after_s"]) == (429, 20429, wish_s)
    assert len(rest.server.log) == 1
    assert "Zoë" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "{}", '{"meta": {}}', '{"events": {}, "meta": {}}', '{"events": [7], "meta": {}}',
     '{"events": [], "meta": {"next_page_url": 7}}', '{"events": []}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_list_is_a_clear_failure(rest: Any, pages: TaskRouterPages, body: str) -> None:
    """A proxy's page or half an answer never counts as an empty history."""
    rest.server.expect_request(f"{rest.base}/Events").respond_with_data(body, content_type="application/json")
    with pytest.raises(TwilioUnavailable, match="not a list"):
        pages.events(T0, T0 + 1)


def test_workers_and_reservations_become_the_findings_of_a_snapshot(rest: Any, pages: TaskRouterPages) -> None:
    """The same events that the start makes of them, so that a finding is told once however often it is made."""
    rest.serve("/Workers", "workers", rest.worker("WK1"))
    rest.serve("/Tasks", "tasks", {"sid": "WT1", "assignment_status": "assigned", "task_channel_unique_name": "voice"})
    rest.serve(
        "/Tasks/WT1/Reservations",
        "reservations",
        {"sid": "WR1", "reservation_status": "accepted", "worker_sid": "WK1", "date_created": "2026-01-05T10:00:00Z"},
        {"sid": "WR2", "reservation_status": "rejected", "worker_sid": "WK2", "date_created": "2026-01-05T10:00:00Z"},
    )
    worker = pages.worker_finding(pages.workers().rows[0])
    assert worker is not None
    assert (worker.type, worker.activity_sid, worker.agent_key) == (SNAPSHOT_WORKER, "WA2", "agent-WK1")
    [task] = pages.open_tasks().rows
    assert rest.server.log[-1][0].args.getlist("AssignmentStatus") == ["reserved", "assigned", "wrapping"]
    found = [one for row in pages.task_reservations("WT1").rows for one in pages.reservation_findings(row, task)]
    assert [(one.type, one.reservation_status) for one in found] == [
        (SNAPSHOT_RESERVATION, "pending"), (SNAPSHOT_RESERVATION, "accepted")
    ]  # fmt: skip
    assert pages.worker_finding({"sid": "WK1"}) is None
    assert pages.worker_finding({}) is None


def test_statistics_end_with_the_second_before(rest: Any, pages: TaskRouterPages) -> None:
    """Twilio's end is inclusive, ours is not."""
    rest.serve("/TaskQueues/Statistics", "task_queues_statistics", {"task_queue_sid": "WQ1"})
    assert pages.queue_statistics(T0, T0 + 900_000).rows == ({"task_queue_sid": "WQ1"},)
    assert rest.server.log[0][0].args["EndDate"] == "2026-01-05T10:14:59Z"


def test_identity_is_read_without_the_rest(rest: Any, pages: TaskRouterPages) -> None:
    """Most rows are known already, so only what tells them apart is looked at first."""
    row = {"sid": "EV1", "event_type": "Task.Created", "event_date": "2026-01-05T10:00:00Z", "event_data": "{"}
    assert pages.identity(row) == ("EV1", "task.created", T0)
    assert pages.identity({}) == (None, None, None)

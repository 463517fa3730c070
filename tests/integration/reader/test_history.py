"""The Events list: every page, each event in the normal form, and nothing that moves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

FROM_MS, TO_MS = 1_767_607_200_123, 1_767_608_100_999  # 10:00:00.123 to 10:15:00.999


def entry(number: int, kind: str = "worker.activity.update", **data: Any) -> dict[str, Any]:
    """One row as TaskRouter gives it: an object of texts."""
    return {
        "sid": f"EV{number}",
        "event_type": kind,
        "event_date": "2026-01-05T10:00:45Z",
        "event_date_ms": 1_767_607_245_123 + number,
        "event_data": {"worker_sid": "WK1", "worker_activity_sid": "WA2", "worker_activity_name": "Available", **data},
        "resource_sid": "WK1",
        "resource_type": "worker",
        "account_sid": "AC1",
        "workspace_sid": "WS1",
        "description": "about a person",
    }


def read(reader: TaskRouterReader) -> list[TaskRouterEvent]:
    return [event for page in reader.history(FROM_MS, TO_MS) for event in page]


def test_an_entry_is_the_event_that_a_callback_would_have_been(rest: Any, reader: TaskRouterReader) -> None:
    """Names, texts of numbers and the attributes' agent id are read as on the other routes."""
    previous = {"worker_previous_activity_sid": "WA1", "worker_time_in_previous_activity_ms": "845412"}
    attributes = '{"wfm": {"id": "agent-7"}}'
    rest.serve("/Events", "events", entry(1, worker_version="17", worker_attributes=attributes, **previous))
    (event,) = read(reader)
    assert (event.sid, event.type, event.route) == ("EV1", "worker.activity.update", Route.REST)
    assert event.occurred_ms == 1_767_607_245_124
    assert (event.worker_sid, event.worker_version, event.agent_key) == ("WK1", 17, "agent-7")
    assert (event.activity_sid, event.previous_activity_sid, event.previous_activity_ms) == ("WA2", "WA1", 845_412)


def test_the_window_is_asked_for_in_whole_seconds_of_utc(
    rest: Any, reader: TaskRouterReader, httpserver: HTTPServer
) -> None:
    """Both ends are inclusive seconds, the window lies within them, and the largest page is asked for."""
    rest.serve("/Events", "events")
    assert read(reader) == []
    asked = httpserver.log[-1][0].args
    assert asked["StartDate"] == "2026-01-05T10:00:00Z"
    assert asked["EndDate"] == "2026-01-05T10:15:01Z"
    assert asked["PageSize"] == "1000"


def test_pages_are_followed_by_their_address_and_rows_that_moved_count_once_a_page(
    rest: Any, reader: TaskRouterReader, httpserver: HTTPServer
) -> None:
    """The next page is what the answer names; a row that stands twice in a page is one event."""
    following = httpserver.url_for("/v1/next?PageToken=abc")
    rest.serve_page("/Events", rest.rows("events", entry(1), entry(1), entry(2), following=following))
    further = httpserver.expect_request("/v1/next", query_string={"PageToken": "abc"})
    further.respond_with_json(rest.rows("events", entry(3)))
    assert [event.sid for event in read(reader)] == ["EV1", "EV2", "EV3"]


def test_what_moves_nothing_and_what_is_no_event_are_left_out(rest: Any, reader: TaskRouterReader) -> None:
    """Workflow steps are most of the volume and are not kept; an entry without time or type hides no other."""
    broken = {**entry(3), "event_date_ms": None, "event_date": None}
    rest.serve("/Events", "events", entry(1, "workflow.entered"), {**entry(2), "event_type": None}, broken, entry(4))
    assert [event.sid for event in read(reader)] == ["EV4"]


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_event_data_of_another_shape_is_empty(rest: Any, reader: TaskRouterReader, data: Any) -> None:
    """An entry whose data is no object still tells its type, time and resource."""
    rest.serve("/Events", "events", {**entry(1), "event_data": data})
    (event,) = read(reader)
    assert (event.sid, event.worker_sid, event.activity_sid) == ("EV1", "WK1", None)


def test_a_page_that_fails_says_so_after_the_good_ones(
    rest: Any, reader: TaskRouterReader, httpserver: HTTPServer
) -> None:
    """The pages before a failing one are given out; then the failure comes with its status."""
    following = httpserver.url_for("/v1/next")
    httpserver.expect_request("/v1/next").respond_with_response(rest.error(400, 70002))
    rest.serve_page("/Events", rest.rows("events", entry(1), following=following))
    pages = reader.history(FROM_MS, TO_MS)
    assert [event.sid for event in next(pages)] == ["EV1"]
    with pytest.raises(TwilioUnavailable) as failure:
        next(pages)
    assert failure.value.facts["status"] == 400

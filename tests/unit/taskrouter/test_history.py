"""REST events -> the normal form: the same event by any route says the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flex_plugin_backend.domain.events import Route
from flex_plugin_backend.errors import MalformedEvent
from flex_plugin_backend.taskrouter.callbacks import FormFields, event_from_form
from flex_plugin_backend.taskrouter.history import event_from_history, occurred_ms
from simulator.twilio.account import TwilioAccount
from simulator.twilio.resources import Resources
from simulator.world.engine import World
from simulator.world.events import callback_parameters
from simulator.world.scenario import Scenario


def row(**changes: Any) -> dict[str, Any]:
    """A reservation's event as the Events list has it."""
    return {
        "sid": "EV1",
        "event_type": "reservation.accepted",
        "event_date": "2026-01-05T10:00:45Z",
        "event_date_ms": 1_767_607_245_123,
        "resource_sid": "WR1",
        "resource_type": "reservation",
        "account_sid": "AC1",
        "workspace_sid": "WS1",
        "description": "about Zoë",
        "event_data": {
            "worker_sid": "WK1",
            "worker_name": "zoe@example.com",
            "worker_attributes": '{"wfm": {"id": 17}, "full_name": "Zoë"}',
            "worker_activity_sid": "WA2",
            "reservation_sid": "WR1",
            "reservation_version": "2",
            "task_sid": "WT1",
            "task_version": "4",
            "task_queue_sid": "WQ1",
            "task_queue_entered_date": "1767607200",
            "task_channel_unique_name": "voice",
            "task_attributes": '{"direction": "inbound", "from": "+15551234567"}',
        },
        **changes,
    }


def test_a_row_becomes_the_event_that_a_callback_would_have_brought() -> None:
    """Names in snake case, values as texts, the resource's own fields: all of it lands in the one normal form."""
    event = event_from_history(row(), ("wfm", "id"))
    assert (event.sid, event.type, event.occurred_ms, event.route) == (
        "EV1", "reservation.accepted", 1_767_607_245_123, Route.REST
    )  # fmt: skip
    assert (event.worker_sid, event.activity_sid, event.agent_key) == ("WK1", "WA2", "17")
    assert (event.reservation_sid, event.reservation_version, event.task_version) == ("WR1", 2, 4)
    assert (event.queue_entered_ms, event.task_channel, event.direction) == (1_767_607_200_000, "voice", "inbound")
    assert "Zoë" not in json.dumps(event.to_record(), ensure_ascii=False)


def test_every_event_of_a_floor_says_the_same_by_callback_and_by_history() -> None:
    """An hour of a simulated floor: only the route differs."""
    world = World(Scenario(agents=8, seed=3))
    events = world.advance_to(world.now_ms + 3_600_000)
    account = TwilioAccount.of(world.scenario)
    resources = Resources(account, "http://twilio.localhost")
    assert len(events) > 200
    for one in events:
        form = callback_parameters(
            one,
            account_sid=account.account_sid,
            workspace_sid=account.workspace_sid,
            workspace_name=account.workspace_name,
        )
        by_history = event_from_history(resources.event(one))
        assert replace(by_history, route=Route.CALLBACK) == event_from_form(FormFields(form.items()))


def test_event_data_may_come_as_a_text() -> None:
    """An object or the JSON of one is the same."""
    data = row()["event_data"]
    assert event_from_history(row(event_data=json.dumps(data))) == event_from_history(row())


@pytest.mark.parametrize("data", [None, "", "no JSON", [], 7])
def test_a_row_without_readable_data_still_tells_what_it_can(data: object) -> None:
    """The resource's own fields are an event already."""
    event = event_from_history(row(event_data=data))
    assert (event.type, event.reservation_sid, event.worker_sid) == ("reservation.accepted", "WR1", None)


def test_without_milliseconds_the_date_counts() -> None:
    """`event_date` has whole seconds only."""
    bare = row(event_date_ms=None)
    assert event_from_history(bare).occurred_ms == occurred_ms(bare) == 1_767_607_245_000


@pytest.mark.parametrize(
    "broken",
    [
        {"event_type": None},
        {"event_date_ms": None, "event_date": None},
        {"event_date_ms": "soon", "event_date": "soon"},
        {"sid": None, "resource_sid": None, "event_data": {}},
    ],
)
def test_a_row_that_is_no_event_is_refused(broken: dict[str, Any]) -> None:
    """No type, no time, or nothing to tell it from another."""
    with pytest.raises(MalformedEvent):
        event_from_history(row(**broken))

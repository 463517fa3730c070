"""Customers on hold: what conferences tell of it, and how long it truly was, worked out by hand."""

from __future__ import annotations

from typing import Any

from world_bench import FloorBench

from simulator.twilio.cloud_event import cloud_event
from simulator.world.figures import Figures
from simulator.world.figures_rules import FigureRules

# Ana answers at 14 and puts the customer on hold from 34 to 64.
HOLD = ((20_000, 30_000),)


def _floor(*, second: float = 400, **plan: Any) -> FloorBench:
    floor = FloorBench()
    floor.call(10, **{"talk": 100, "wrap": 20, "holds": HOLD, **plan})
    floor.run(second)
    return floor


def _told(floor: FloorBench) -> list[str]:
    """Second and kind of each event of a conference."""
    return [f"{(event.ms - floor.start_ms) / 1000:g} {event.type}" for event in floor.world.conferences]


def _held_s(floor: FloorBench) -> dict[str, int]:
    """Each agent's seconds of hold."""
    figures = Figures(floor.world.truth.ledger, FigureRules(), until_ms=floor.world.now_ms)
    rows = figures.total(floor.start_ms, floor.world.now_ms // 1000 * 1000)["agent_queue_report"]
    return {floor.names[row["agent_id"]]: row["hold_time_s"] for row in rows}


def test_a_hold_is_told_by_the_conference_and_not_by_taskrouter() -> None:
    """Put on hold at 34, taken back at 64; the log of TaskRouter has no word of it."""
    floor = _floor()
    assert _told(floor) == ["34 participant-hold", "64 participant-unhold"]
    assert not [event for event in floor.world.log if event.type.startswith("participant")]
    assert _held_s(floor) == {"Ana": 30}


def test_the_conference_bears_the_name_of_its_task() -> None:
    """So the connector finds the contact; the sid is that in the task's attributes."""
    floor = _floor()
    hold = next(iter(floor.world.conferences))
    (task,) = floor.world.tasks(floor.world.now_ms)
    told = cloud_event(hold, account_sid="AC1", workspace_sid="WS1")["data"]["request"]["parameters"]
    assert told == {
        "AccountSid": "AC1", "ConferenceSid": task.conference_sid, "FriendlyName": task.sid,
        "StatusCallbackEvent": "participant-hold", "Hold": "true",
    }  # fmt: skip
    assert f'"conference":{{"sid":"{task.conference_sid}"' in task.attributes_json


def test_who_hangs_up_on_hold_is_not_taken_back() -> None:
    """The call ends at 44 with the customer on hold: ten seconds, and no other event."""
    floor = _floor(talk=30)
    assert _told(floor) == ["34 participant-hold"]
    assert _held_s(floor) == {"Ana": 10}


def test_before_there_is_a_conference_nobody_is_put_on_hold() -> None:
    """The agent's leg joins 150 ms after the acceptance at the earliest, here exactly so."""
    floor = FloorBench()
    floor.world._transitions.gap_ms = lambda low=0, high=8: low
    floor.call(10, talk=100, holds=((50, 30_000), (40_000, 10_000)))
    floor.run(400)
    assert [told.split()[1] for told in _told(floor)] == ["participant-hold", "participant-unhold"]
    assert _held_s(floor) == {"Ana": 10}


def test_an_agent_who_leaves_in_a_transfer_takes_the_customer_off_hold() -> None:
    """Handed on at 54, cold, while on hold: the hold ends there and is none of the second agent's."""
    floor = _floor(transfer="worker", transfer_after=40, second_talk=60)
    assert _told(floor) == ["34 participant-hold", "54 participant-unhold"]
    assert _held_s(floor) == {"Ana": 20, "Ben": 0}


def test_the_second_agent_takes_the_customer_off_hold_by_answering() -> None:
    """Warm: Ana stays, Ben answers at 58."""
    floor = _floor(transfer="worker", warm=True, transfer_after=40, second_talk=60, overlap=20)
    assert _told(floor) == ["34 participant-hold", "58 participant-unhold"]
    assert _held_s(floor) == {"Ana": 24, "Ben": 0}


def test_a_browser_that_closes_on_a_transferred_call_ends_the_hold_too() -> None:
    """The call goes on without the agent: at 50 Ana's leg drops, Ben answers at 52."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20, holds=HOLD, transfer="worker", warm=True, transfer_after=34, second_talk=60)
    floor.close_browser(floor.ana, 50)
    floor.run(400)
    assert _told(floor) == ["34 participant-hold", "50 participant-unhold"]
    assert _held_s(floor) == {"Ben": 0}  # Ana's wrap-up goes on


def test_an_agent_who_is_gone_from_before_a_hold_has_none() -> None:
    """Deleted at 50 with the stamp of the creation: gone since the acceptance, whatever was told in between."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20, holds=HOLD)
    floor.delete(floor.ana, 50, stamped_with_creation=True)
    floor.run(400)
    assert _told(floor) == ["34 participant-hold"]
    assert _held_s(floor) == {"Ana": 0}

"""Contacts handed on: warm and cold, to queue and colleague, refused, recalled and lost, worked out by hand."""

from __future__ import annotations

from typing import Any

from world_bench import FloorBench

QUEUES: dict[str, Any] = {
    "teams": [{"name": "All", "skills": ["calls", "second"]}],
    "queues": [{"name": "Calls", "skill": "calls"}, {"name": "Second", "skill": "second"}],
}
# Ana answers at 14 and hands on at 64; the second talk lasts 40 s, paperwork 20 s.
PLAN: dict[str, Any] = {"talk": 100, "wrap": 20, "transfer_after": 50, "second_talk": 40, "overlap": 10}
FIRST = {
    "received": 1, "handled": 1, "answered_in_sl": 1, "handle_time_s": 70, "work_time_s": 20, "queue_delay_s": 4,
}  # fmt: skip


def _floor(**plan: Any) -> FloorBench:
    floor = FloorBench(**QUEUES)
    floor.call(10, **PLAN, **plan)
    return floor


def test_cold_to_a_queue_the_first_agent_is_gone_at_once() -> None:
    """Each leg is a received and handled contact of its queue; the second waits from the entry there."""
    floor = _floor(transfer="queue")
    floor.run(400)
    assert floor.story()[4:] == [
        "64 task.transfer-initiated", "64 task-queue.entered Second", "64 reservation.wrapup Ana",
        "64 reservation.created Ben", "68 reservation.accepted Ben", "68 task.transfer-completed",
        "84 reservation.completed Ana", "108 reservation.wrapup Ben", "108 task.wrapup", "128 task.completed",
        "128 reservation.completed Ben",
    ]  # fmt: skip
    assert floor.states(floor.ana)[3:] == ["64 WRAPUP", "84 AVAILABLE"]
    assert floor.states(floor.ben)[1:] == ["64 RESERVED", "68 CONTACT voice", "108 WRAPUP", "128 AVAILABLE"]
    assert floor.figures() == {"Calls": FIRST, "Second": {**FIRST, "handle_time_s": 60}}


def test_warm_to_a_queue_the_first_agent_stays_for_a_while() -> None:
    """Until ten seconds after somebody answered."""
    floor = _floor(transfer="queue", warm=True)
    floor.run(400)
    assert "78 reservation.wrapup Ana" in floor.story()
    assert floor.figures() == {"Calls": {**FIRST, "handle_time_s": 84}, "Second": {**FIRST, "handle_time_s": 70}}
    (completed,) = floor.events("task.transfer-completed")
    assert (completed.extra["transfer_mode"], completed.extra["transfer_type"]) == ("WARM", "QUEUE")


def test_cold_to_a_colleague_both_legs_are_of_the_same_queue() -> None:
    """The second waits from the moment it was handed on."""
    floor = _floor(transfer="worker")
    floor.run(400)
    assert floor.story()[4:8] == [
        "64 task.transfer-initiated", "64 reservation.created Ben", "64 reservation.wrapup Ana",
        "68 reservation.accepted Ben",
    ]  # fmt: skip
    assert floor.figures() == {
        "Calls": {
            "received": 2, "handled": 2, "answered_in_sl": 2, "handle_time_s": 70 + 60, "work_time_s": 40,
            "queue_delay_s": 8,
        }
    }  # fmt: skip


def test_warm_to_a_colleague_both_talk_for_a_while() -> None:
    """Two accepted reservations on one task; each is wrapped up on its own."""
    floor = _floor(transfer="worker", warm=True)
    floor.run(400)
    assert floor.states(floor.ana)[2:] == ["14 CONTACT voice", "78 WRAPUP", "98 AVAILABLE"]
    assert floor.states(floor.ben)[1:] == ["64 RESERVED", "68 CONTACT voice", "118 WRAPUP", "138 AVAILABLE"]
    assert floor.figures()["Calls"]["handle_time_s"] == 84 + 70
    (accepted,) = [event for event in floor.events("reservation.accepted") if event.extra.get("transfer_mode")]
    assert accepted.extra["transfer_to"] == floor.ben.sid


def test_a_recalled_transfer_counts_nothing() -> None:
    """The offer is withdrawn, and the first agent goes on talking."""
    floor = _floor(transfer="worker", warm=True, recalled=2)
    floor.run(400)
    assert floor.story()[4:10] == [
        "64 task.transfer-initiated", "64 reservation.created Ben", "66 reservation.canceled Ben",
        "66 task.transfer-canceled", "106 reservation.wrapup Ana", "106 task.wrapup",
    ]  # fmt: skip
    assert floor.states(floor.ben) == ["0 AVAILABLE", "64 RESERVED", "66 AVAILABLE"]
    assert floor.figures() == {"Calls": {**FIRST, "handle_time_s": 112}}


def test_a_warm_transfer_that_is_refused_leaves_the_caller_with_the_first_agent() -> None:
    """The attempt failed, and with it the transfer; the visit is dropped."""
    floor = _floor(transfer="worker", warm=True)
    floor.refuse(floor.ben, 66)
    floor.run(400)
    assert floor.story()[6:9] == [
        "66 reservation.rejected Ben", "66 task.transfer-attempt-failed", "66 task.transfer-failed",
    ]  # fmt: skip
    assert floor.figures() == {"Calls": {**FIRST, "handle_time_s": 112}}


def test_a_cold_transfer_that_is_refused_is_an_abandon() -> None:
    """The first agent has left: the caller is lost after two seconds of waiting."""
    floor = _floor(transfer="worker")
    floor.refuse(floor.ben, 66)
    floor.run(400)
    assert floor.story()[-3:] == ["66 task.transfer-failed", "84 task.completed", "84 reservation.completed Ana"]
    assert floor.figures() == {
        "Calls": {
            **FIRST, "received": 2, "abandoned": 1, "abandoned_in_sl": 1, "abandoned_short": 1, "unserved_delay_s": 2,
        }
    }  # fmt: skip


def test_a_caller_who_leaves_during_a_cold_transfer_abandons_the_queue_it_waits_in() -> None:
    """15 s after it was handed on; the first agent's paperwork ends the task."""
    floor = _floor(transfer="queue", patience=15)
    floor.away(floor.ben, floor.eva)
    floor.run(400)
    assert floor.story()[-3:] == ["79 task.transfer-failed", "84 task.completed", "84 reservation.completed Ana"]
    assert floor.figures() == {
        "Calls": FIRST,
        "Second": {"received": 1, "abandoned": 1, "abandoned_in_sl": 1, "abandoned_long": 1, "unserved_delay_s": 15},
    }


def test_a_caller_who_leaves_during_a_warm_transfer_was_with_the_first_agent_all_the_time() -> None:
    """The visit of the second queue is dropped; the talk ends with the call."""
    floor = _floor(transfer="queue", warm=True, patience=15)
    floor.away(floor.ben, floor.eva)
    floor.run(400)
    assert floor.story()[-5:-3] == ["79 task.transfer-failed", "79 reservation.wrapup Ana"]
    assert floor.figures() == {"Calls": {**FIRST, "handle_time_s": 85}}


def test_a_refused_transfer_to_a_queue_is_offered_to_the_next() -> None:
    """The attempt failed, the transfer goes on."""
    floor = _floor(transfer="queue")
    floor.refuse(floor.ben, 66)
    floor.run(400)
    assert floor.story()[8:12] == [
        "66 reservation.rejected Ben", "66 task.transfer-attempt-failed", "66 reservation.created Eva",
        "70 reservation.accepted Eva",
    ]  # fmt: skip
    assert floor.figures()["Second"]["queue_delay_s"] == 6


def test_where_nobody_is_there_the_talk_goes_on() -> None:
    """A transfer to a colleague needs one."""
    floor = _floor(transfer="worker")
    floor.away(floor.ben, floor.eva)
    floor.run(400)
    assert not floor.events("task.transfer-initiated")
    assert floor.figures() == {"Calls": {**FIRST, "handle_time_s": 50 + 40 + 20}}

"""What is told of a contact, and what is true of it: each way through queues and rings, worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from world_bench import FloorBench

TWO_QUEUES: dict[str, Any] = {
    "teams": [{"name": "All", "skills": ["calls", "second"]}],
    "queues": [
        {"name": "Calls", "skill": "calls", "overflow_to": "Second", "overflow_after_s": 30.0},
        {"name": "Second", "skill": "second", "timeout_s": 60.0},
    ],
}


def test_a_call_is_answered_talked_and_wrapped_up() -> None:
    """Four seconds of ringing, 100 of talk, 20 of paperwork: handle time 120, of which 20 are work."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20)
    floor.run(300)
    assert floor.story(without="") == [
        "10 task.created", "10 workflow.entered", "10 task-queue.entered Calls", "10 workflow.target-matched",
        "10 reservation.created Ana", "14 reservation.accepted Ana", "14 task.updated", "114 reservation.wrapup Ana",
        "114 task.wrapup", "134 task.completed", "134 reservation.completed Ana", "134 task.updated",
    ]  # fmt: skip
    assert floor.states(floor.ana) == ["0 AVAILABLE", "10 RESERVED", "14 CONTACT voice", "114 WRAPUP", "134 AVAILABLE"]
    assert floor.figures() == {
        "Calls": {
            "received": 1, "handled": 1, "answered_in_sl": 1, "handle_time_s": 120, "work_time_s": 20,
            "queue_delay_s": 4,
        }
    }  # fmt: skip


def test_without_wrap_up_a_call_is_completed_at_once() -> None:
    """No wrap-up event, no work time."""
    floor = FloorBench()
    floor.call(10, talk=100)
    floor.run(300)
    assert not floor.events("reservation.wrapup", "task.wrapup")
    assert floor.figures()["Calls"]["handle_time_s"] == 100
    assert "work_time_s" not in floor.figures()["Calls"]


def test_whoever_hangs_up_while_it_rings_abandons() -> None:
    """After two seconds of ringing: a short abandon."""
    floor = FloorBench()
    floor.call(10, hangs_up_after_ring=2)
    floor.run(300)
    assert floor.story()[2:] == ["10 reservation.created Ana", "12 task.canceled hangup", "12 reservation.canceled Ana"]
    assert floor.states(floor.ana) == ["0 AVAILABLE", "10 RESERVED", "12 AVAILABLE"]
    assert floor.figures() == {
        "Calls": {"received": 1, "abandoned": 1, "abandoned_in_sl": 1, "abandoned_short": 1, "unserved_delay_s": 2}
    }


def test_whoever_loses_patience_calls_again() -> None:
    """30 s of waiting, 100 s later the same customer with another task; two received contacts, one lost."""
    floor = FloorBench()
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10, patience=30, again=100)
    floor.back(floor.eva, 200)
    floor.run(60)
    assert floor.story()[3:] == ["10 task.created", "10 task-queue.entered Calls", "40 task.canceled hangup"]
    floor.run(5_000)
    first, second = floor.events("task.created")
    assert (second.ms - first.ms, second.task_sid != first.task_sid) == (130_000, True)
    assert floor.figures()["Calls"]["received"] == 2
    assert floor.figures()["Calls"]["abandoned"] >= 1


@pytest.mark.parametrize(("way", "reason"), [("callback", "Callback requested"), ("voicemail", "voicemail")])
def test_who_asks_for_a_callback_is_diverted_and_called_back(way: str, reason: str) -> None:
    """The task is cancelled with a reason that is no abandon; another, which never loses patience, calls back."""
    floor = FloorBench()
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10, patience=30, gives_up=way, again=100)
    floor.run(100_000)
    assert floor.story()[5:] == [f"40 task.canceled {reason}", "140 task.created", "140 task-queue.entered Calls"]
    back = floor.events("task.created")[1]
    assert json.loads(back.data()["task_attributes"])["taskType"] == way
    # Received when diverted; the callback waits for good, and long past its threshold.
    assert floor.figures() == {
        "Calls": {"received": 1, "diverted": 1, "unserved_delay_s": 30, "backlog": 1, "backlog_expired": 1}
    }


@pytest.mark.parametrize("event", ["moved", "timeout"])
def test_who_waits_too_long_overflows_into_the_next_queue(event: str) -> None:
    """The first queue counts nothing; the second starts its own clock: entered at 40, answered at 59."""
    floor = FloorBench(**TWO_QUEUES, queues__0__overflow_event=event)
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10, talk=60)
    floor.back(floor.ana, 55)
    floor.run(300)
    assert floor.story()[3:] == [
        "10 task.created", "10 task-queue.entered Calls",
        f"40 task-queue.{event} Calls", "40 task-queue.entered Second",
        "55 worker.activity.update Ana Available", "55.001 reservation.created Ana", "59 reservation.accepted Ana",
        "119 task.completed", "119 reservation.completed Ana",
    ]  # fmt: skip
    assert floor.figures() == {
        "Second": {"received": 1, "handled": 1, "answered_in_sl": 1, "handle_time_s": 60, "queue_delay_s": 19}
    }
    (moved,) = floor.events("task-queue.moved") or [None]
    assert event == "timeout" or moved.data()["previous_task_queue_name"] == "Calls"


def test_the_backlog_follows_an_overflowing_contact() -> None:
    """It waits in the queue in which it is."""
    floor = FloorBench(**TWO_QUEUES)
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10)
    floor.run(39)
    assert floor.figures() == {"Calls": {"backlog": 1, "backlog_expired": 1}}
    floor.run(41)
    assert floor.figures() == {"Second": {"backlog": 1, "backlog_not_expired": 1}}


def test_the_workflow_gives_up_what_waits_in_its_last_queue_for_too_long() -> None:
    """Abandoned in the last queue, its wait from the entry there to the cancel: 40 to 100."""
    floor = FloorBench(**TWO_QUEUES)
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10)
    floor.run(300)
    assert floor.story()[-3:] == [
        "100 task-queue.timeout Second", "100 workflow.timeout",
        "100 task.canceled Task canceled on Workflow timeout",
    ]  # fmt: skip
    assert floor.figures() == {"Second": {"received": 1, "abandoned": 1, "abandoned_long": 1, "unserved_delay_s": 60}}


def test_a_task_that_rings_is_not_moved_until_it_is_refused() -> None:
    """Assumed: the overflow waits for the answer; refused, the task moves a second later at the latest."""
    floor = FloorBench(**TWO_QUEUES, answering__answers={"kind": "constant", "seconds": 20.0})
    floor.away(floor.ben, floor.eva)
    floor.away(floor.ana)
    floor.call(10, talk=60)
    floor.back(floor.ana, 35)
    floor.refuse(floor.ana, 44.5)
    floor.away(floor.ana, second=44.5)
    floor.run(60)
    assert [line for line in floor.story() if "queue" in line] == [
        "10 task-queue.entered Calls", "45 task-queue.timeout Calls", "45 task-queue.entered Second",
    ]  # fmt: skip


def test_offered_to_two_the_first_to_answer_has_it() -> None:
    """Both ring; the other reservation is rescinded, which is no contact."""
    floor = FloorBench(queues=[{"name": "Calls", "skill": "calls", "offers": 2}])
    floor.call(10, talk=60)
    floor.run(300)
    assert floor.story()[2:6] == [
        "10 reservation.created Ana", "10 reservation.created Ben", "14 reservation.accepted Ana",
        "14 reservation.rescinded Ben",
    ]  # fmt: skip
    assert floor.states(floor.ben) == ["0 AVAILABLE", "10 RESERVED", "14 AVAILABLE"]
    assert floor.figures()["Calls"]["handled"] == 1


def test_offered_to_two_a_refusal_leaves_it_reserved() -> None:
    """The task goes back to pending only when nobody is left; the third is offered what the first refused."""
    floor = FloorBench(queues=[{"name": "Calls", "skill": "calls", "offers": 2}])
    floor.call(10, talk=60)
    floor.refuse(floor.ana, 12)
    floor.run(300)
    assert floor.story()[4:7] == [
        "12 reservation.rejected Ana", "12 reservation.created Eva", "14 reservation.accepted Ben",
    ]  # fmt: skip
    assert floor.events("reservation.rejected")[0].data()["task_assignment_status"] == "reserved"


def test_a_call_for_one_agent_has_no_queue() -> None:
    """No queue in any event; counted in the pseudo-queue, its wait from its creation. Cancelled it is no contact."""
    floor = FloorBench()
    floor.call_directly(10, floor.ana, talk=60)
    floor.call_directly(200, floor.ben, patience=2)
    floor.run(300)
    assert floor.story() == [
        "10 task.created", "10 reservation.created Ana", "14 reservation.accepted Ana", "74 task.completed",
        "74 reservation.completed Ana", "200 task.created", "200 reservation.created Ben", "202 task.canceled hangup",
        "202 reservation.canceled Ben",
    ]  # fmt: skip
    assert not [key for event in floor.events() for key in event.data() if key.startswith("task_queue_")]
    assert {event.data()["task_ignore_capacity"] for event in floor.events("reservation.created")} == {"true"}
    assert floor.figures() == {
        "NO_QUEUE": {"received": 1, "handled": 1, "answered_in_sl": 1, "handle_time_s": 60, "queue_delay_s": 4},
        "not reportable": {"never queued": 1},
    }


def test_a_direct_call_rings_again_where_it_was_refused() -> None:
    """There is nobody else to offer it to."""
    floor = FloorBench()
    floor.call_directly(10, floor.ana, talk=60)
    floor.refuse(floor.ana, 12)
    floor.run(300)
    assert floor.story()[1:5] == [
        "10 reservation.created Ana", "12 reservation.rejected Ana", "15 reservation.created Ana",
        "19 reservation.accepted Ana",
    ]  # fmt: skip
    assert floor.figures()["NO_QUEUE"]["queue_delay_s"] == 9


@pytest.mark.parametrize("medium", ["email", "fax"])
def test_mail_and_fax_are_handled_and_not_reportable(medium: str) -> None:
    """The agent is on a contact of that channel; no queue row counts it, and what was withdrawn counts there too."""
    floor = FloorBench(queues=[{"name": "Paper", "skill": "calls", "channel": medium}])
    floor.call(10, "Paper", talk=60)
    floor.run(100)
    floor.away(floor.ana, floor.ben, floor.eva, second=110)
    floor.call(120, "Paper", patience=5)
    floor.run(300)
    assert floor.events("task.created")[0].data()["task_channel_unique_name"] == medium
    assert f"14 CONTACT {medium}" in floor.states(floor.ana)
    assert floor.figures() == {"not reportable": {medium: 2}}


def test_chats_come_until_the_agent_has_enough_of_them_and_calls_come_all_the_same() -> None:
    """Capacity three for chats, one for calls, each on its own; the call is what the agent is seen to do."""
    floor = FloorBench(
        agents=3, channels__chat__capacity=3, channels__chat__per_agent_hour=0.0,
        queues=[{"name": "Calls", "skill": "calls"}, {"name": "Chat", "skill": "calls", "channel": "chat"}],
    )  # fmt: skip
    floor.away(floor.ben, floor.eva)
    for second in (10, 20, 30, 40):
        floor.call(second, "Chat", talk=200)
    floor.call(50, talk=30)
    floor.run(100)
    assert [line for line in floor.story() if "reservation.created" in line] == [
        "10 reservation.created Ana", "20 reservation.created Ana", "30 reservation.created Ana",
        "50 reservation.created Ana",
    ]  # fmt: skip
    assert floor.states(floor.ana)[1:] == ["10 RESERVED", "14 CONTACT chat", "54 CONTACT voice", "84 CONTACT chat"]
    assert floor.figures()["Chat"] == {"backlog": 1, "backlog_expired": 1}


def test_the_more_urgent_queue_is_served_first() -> None:
    """By priority, then by age."""
    floor = FloorBench(
        teams=[{"name": "All", "skills": ["calls", "vip"]}],
        queues=[{"name": "Calls", "skill": "calls"}, {"name": "VIP", "skill": "vip", "priority": 10}],
    )
    floor.away(floor.ana, floor.ben, floor.eva)
    floor.call(10, "Calls")
    floor.call(20, "VIP")
    floor.back(floor.ana, 30)
    floor.run(60)
    assert floor.events("reservation.created")[0].data()["task_queue_name"] == "VIP"


def test_what_nobody_closes_in_wrap_up_counts_for_an_hour() -> None:
    """The state ends with the cap, the figures are booked there, and TaskRouter deletes the task a day after."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20, never_ends=True)
    floor.run(90_000)
    assert floor.story()[-1] == "86414 task.system-deleted"
    assert floor.states(floor.ana)[-2:] == ["114 WRAPUP", "3714 AVAILABLE"]
    assert floor.figures()["Calls"]["work_time_s"] == 3_600
    assert floor.figures()["Calls"]["handle_time_s"] == 3_700
    assert floor.ana.load == {"voice": 0}


def test_what_nobody_closes_in_conversation_ends_with_its_task_after_a_day() -> None:
    """The agent is on contact all the time, and it is one handled contact of 86,400 s."""
    floor = FloorBench(
        queues=[{"name": "Chat", "skill": "calls", "channel": "chat"}], channels__chat__per_agent_hour=0.0
    )
    floor.call(10, "Chat", never_ends=True)
    floor.run(90_000)
    assert floor.story()[-1] == "86414 task.system-deleted"
    assert floor.states(floor.ana)[-2:] == ["14 CONTACT chat", "86414 AVAILABLE"]
    assert floor.figures()["Chat"]["handle_time_s"] == 86_400


def test_holds_are_noted_within_the_talk() -> None:
    """TaskRouter tells nothing of them; a hold that the end of the talk cuts short ends there."""
    floor = FloorBench()
    floor.call(10, talk=100, holds=((20_000, 15_000), (90_000, 60_000)))
    floor.run(300)
    ((stint, *_), *_) = [found for found in floor.world.truth.ledger.stints.values() if found]
    start_ms = floor.start_ms
    assert [(a - start_ms, b - start_ms) for a, b in stint.holds] == [(34_000, 49_000), (104_000, 114_000)]
    assert {event.type.partition(".")[0] for event in floor.events()} == {
        "task", "workflow", "task-queue", "reservation",
    }  # fmt: skip

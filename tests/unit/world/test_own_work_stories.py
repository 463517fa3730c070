"""What agents begin themselves, and what they do when a break falls due: told by hand."""

from __future__ import annotations

from typing import Any

import pytest
from world_bench import FloorBench, plan_of

from simulator.world.entities import Task, Worker
from simulator.world.floor import BREAK
from simulator.world.minds import Errand


def _task(floor: FloorBench, worker: Worker, direction: str, medium: str = "voice", **plan: Any) -> Task:
    world, now_ms = floor.world, floor.world.now_ms
    return Task(
        world._transitions._sids.new("WT"), world.floor.channels[medium], medium, direction, world.floor.everyone,
        world.floor.workflow, f'{{"direction":"{direction}"}}', plan_of(plan), now_ms, now_ms, now_ms,
        routing_target=worker.sid,
    )  # fmt: skip


def _dial(floor: FloorBench, second: float, *, answered: bool, medium: str = "voice") -> None:
    """Ana calls a customer whose phone rings for ten seconds."""

    def dial() -> None:
        task = _task(floor, floor.ana, "outbound", medium, talk=60, wrap=20, patience=10)
        floor.world._contacts.agent_dials(task, floor.ana, answered=answered)

    floor.at(second, dial)


@pytest.mark.parametrize("medium", ["voice", "sms"])
def test_an_outbound_contact_is_dialled_then_talked(medium: str) -> None:
    """Pending while it rings there; 60 s of talk and 20 of paperwork, in no queue's row but in the agent's."""
    floor = FloorBench()
    _dial(floor, 10, answered=True, medium=medium)
    floor.run(200)
    assert floor.story(without="task.updated workflow.entered workflow.target-matched task-queue.entered") == [
        "10 task.created", "10 reservation.created Ana", "20.06 reservation.accepted Ana",
        "80.06 reservation.wrapup Ana", "80.06 task.wrapup", "100.06 task.completed",
        "100.06 reservation.completed Ana",
    ]  # fmt: skip
    assert floor.states(floor.ana) == [
        "0 AVAILABLE", "10 DIALLING", f"20.06 CONTACT {medium}", "80.06 WRAPUP", "100.06 AVAILABLE",
    ]  # fmt: skip
    assert floor.figures() == {}
    assert floor.performance(floor.ana) == {"out_calls": 1, "out_time_s": 80}


def test_a_customer_who_does_not_answer_is_no_contact() -> None:
    """The task is cancelled after ten seconds of ringing, and nothing is counted."""
    floor = FloorBench()
    _dial(floor, 10, answered=False)
    floor.run(200)
    assert "20.06 task.canceled no-answer" in floor.story()
    assert floor.states(floor.ana) == ["0 AVAILABLE", "10 DIALLING", "20.06 AVAILABLE"]
    assert floor.performance(floor.ana) == {}


def _call_colleague(floor: FloorBench, second: float) -> None:
    """Ana calls Ben; they talk for 30 s."""

    def call() -> None:
        calling = _task(floor, floor.ana, "internal", talk=30, wrap=4, patience=0.5)
        called = _task(floor, floor.ben, "internal", talk=30, wrap=4, patience=0.5)
        floor.world._contacts.agents_talk(calling, floor.ana, called, floor.ben)

    floor.at(second, call)


def test_two_agents_who_talk_have_a_task_each() -> None:
    """Ben answers at 14; both talk until 44, and each has paperwork of four seconds."""
    floor = FloorBench()
    _call_colleague(floor, 10)
    floor.run(100)
    assert floor.states(floor.ben) == ["0 AVAILABLE", "10 RESERVED", "14 CONTACT voice", "44 WRAPUP", "48 AVAILABLE"]
    assert floor.states(floor.ana)[1:] == ["10 RESERVED", "10.5 CONTACT voice", "44 WRAPUP", "48 AVAILABLE"]
    assert len({event.task_sid for event in floor.events("task.completed")}) == 2
    assert floor.figures() == {}
    assert floor.performance(floor.ben) == {"internal_calls": 1, "internal_time_s": 34}


def test_a_colleague_who_refuses_ends_the_call_for_both() -> None:
    """Ben rejects at 12; Ana, who had been put through, hangs up and has her paperwork."""
    floor = FloorBench()
    _call_colleague(floor, 10)
    floor.refuse(floor.ben, 12)
    floor.run(100)
    assert floor.states(floor.ben)[-1] == "12 AVAILABLE"
    assert floor.states(floor.ana)[-2:] == ["12 WRAPUP", "16 AVAILABLE"]
    assert "12 task.canceled internal call ended" in floor.story()


# -- breaks that fall due


def _break_falls_due(floor: FloorBench, second: float, minutes: float = 5) -> None:
    """A planned break of Ana's."""
    attendance = floor.world._agents._attendance
    errand = Errand(floor.world.floor.activities[BREAK], round(minutes * 60_000))
    floor.at(second, attendance._fall_due, floor.ana, attendance.minds[floor.ana.index].shift, errand)


def test_a_break_that_falls_due_on_a_call_waits_for_its_end() -> None:
    """Due at 50, taken a millisecond after the paperwork, back five minutes later."""
    floor = FloorBench(adherence__changes_on_contact_share=0.0)
    floor.call(10, talk=100, wrap=20)
    _break_falls_due(floor, 50)
    floor.run(1_000)
    assert floor.states(floor.ana)[3:] == [
        "114 WRAPUP", "134 AVAILABLE", "134.001 UNAVAILABLE Break", "434 AVAILABLE",
    ]  # fmt: skip


def test_some_set_the_break_while_they_are_still_on_the_call() -> None:
    """The activity changes at 50, which moves nothing before the call is over."""
    floor = FloorBench(adherence__changes_on_contact_share=1.0)
    floor.call(10, talk=100, wrap=20)
    _break_falls_due(floor, 50)
    floor.run(1_000)
    assert "50 worker.activity.update Ana Break" in floor.story()
    assert floor.states(floor.ana)[2:] == ["14 CONTACT voice", "114 WRAPUP", "134 UNAVAILABLE Break", "350 AVAILABLE"]


@pytest.mark.parametrize("parks", [True, False])
def test_a_chat_is_parked_or_finished_first(parks: bool) -> None:
    """Parked, the agent goes at 50 and the chat goes on alone; else the break begins when it is over."""
    floor = FloorBench(
        queues=[{"name": "Chat", "skill": "calls", "channel": "chat"}], channels__chat__per_agent_hour=0.0,
        adherence__parks_chats_share=float(parks),
    )  # fmt: skip
    floor.call(10, "Chat", talk=100, wrap=20)
    _break_falls_due(floor, 50)
    floor.run(1_000)
    (gone,) = [line for line in floor.story() if line.endswith("Ana Break")]
    assert gone.split()[0] == ("50" if parks else "134.001")
    assert floor.states(floor.ana)[2:4] == ["14 CONTACT chat", "114 WRAPUP"]
    assert floor.states(floor.ana)[-2].endswith("UNAVAILABLE Break")

"""A floor of three agents on which nothing happens but what a test writes down, to the millisecond."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world.attributes import Attributes
from simulator.world.entities import ContactPlan, Reservation, Task, TaskQueue, Transfer, Worker
from simulator.world.events import EventLog
from simulator.world.figures import Figures
from simulator.world.figures_rules import FigureRules
from simulator.world.floor import build_floor
from simulator.world.people import Crowd
from simulator.world.scenario import Scenario
from simulator.world.sids import SidFactory, Streams
from simulator.world.transitions import Transitions
from simulator.world.truth import Truth

_PLAN = ContactPlan(talk_ms=1, wrap_ms=1, patience_ms=1)


class Hand:
    """Moves the model by hand; times are written 09:10:00 or 09:10:00.250, of 5 January 2026, UTC."""

    def __init__(self) -> None:
        scenario = Scenario(agents=3, seed=1)
        self.sids, streams = SidFactory(1), Streams(1)
        crowd = Crowd(1, scenario.people)
        self.floor = build_floor(scenario, self.sids, streams, crowd)
        self.attributes = Attributes("AC", crowd.customers(1), self.sids)
        self.truth = Truth(self.floor.offline.sid)
        self.model = Transitions(self.floor, self.sids, streams, EventLog(), self.truth)
        self.model.gap_ms = lambda low=0, high=8: 0  # the instants of one moment fall together
        self.ana, self.ben, self.eva = self.floor.workers
        self.support, self.sales = self.floor.queues[:2]
        for worker in self.floor.workers:
            worker.last_event_ms = 0
            self.truth.begin(worker, self.at("08:00:00"))

    @staticmethod
    def at(text: str) -> int:
        hours, minutes, seconds = text.split(":")
        return 1_767_571_200_000 + (int(hours) * 3600 + int(minutes) * 60) * 1000 + round(float(seconds) * 1000)

    def activity(self, worker: Worker, name: str, at: str) -> None:
        self.model.set_activity(worker, self.floor.activities[name], self.at(at))

    def task(self, at: str, queue: TaskQueue, medium: str = "voice", direction: str = "inbound") -> Task:
        ms = self.at(at)
        channel = self.floor.channels.get(medium, self.floor.channels["default"])
        task = Task(
            self.sids.new("WT"), channel, medium, direction, queue, self.floor.workflow,
            self.attributes.inbound_voice(0, queue.name), _PLAN, ms, ms, ms,
        )  # fmt: skip
        self.model.create_task(task)
        return task

    def ring(self, task: Task, worker: Worker, at: str, transfer: Transfer | None = None) -> Reservation:
        return self.model.offer(task, worker, self.at(at), transfer)

    def answer(self, reservation: Reservation, at: str) -> None:
        self.model.accept(reservation, self.at(at))

    def wrap(self, reservation: Reservation, at: str) -> None:
        self.model.wrap(reservation, self.at(at))

    def done(self, reservation: Reservation, at: str) -> None:
        self.model.complete(reservation, self.at(at))

    def contact(
        self, worker: Worker, queue: TaskQueue, entered: str, rings: str, answered: str, wrapped: str, done: str,
        medium: str = "voice", direction: str = "inbound",
    ) -> Reservation:  # fmt: skip
        """A whole contact; `wrapped` empty: no wrap-up."""
        reservation = self.ring(self.task(entered, queue, medium, direction), worker, rings)
        self.answer(reservation, answered)
        if wrapped:
            self.wrap(reservation, wrapped)
        self.done(reservation, done)
        return reservation

    def figures(self, until: str = "18:00:00", known_from: str = "", **rules: Any) -> Figures:
        known_from_ms = self.at(known_from) if known_from else None
        return Figures(self.truth.ledger, FigureRules.of(rules), until_ms=self.at(until), known_from_ms=known_from_ms)

    def interval(self, start: str, **options: Any) -> dict[str, Any]:
        """The figures of the quarter of an hour that starts then."""
        ms = self.at(start)
        (found,) = self.figures(**options).intervals(ms, ms + 900_000)
        return found

    def queue(self, start: str, queue: TaskQueue, **options: Any) -> dict[str, Any]:
        """A queue's row without its zeros and names, {} if there is none."""
        rows = [row for row in self.interval(start, **options)["queue_report"] if row["queue_id"] == queue.sid]
        return _figures(rows[0]) if rows else {}

    def agent(self, start: str, worker: Worker, **options: Any) -> dict[str, Any]:
        """An agent's system performance row without its zeros."""
        found = self.interval(start, **options)["agent_system_performance_report"]
        rows = [row for row in found if row["agent_id"] == worker.sid]
        return _figures(rows[0]) if rows else {}

    def activities(self, start: str, worker: Worker, **options: Any) -> list[tuple[str, str, str, int]]:
        """Event id, start and end (hh:mm:ss.mmm) and seconds of an agent's rows in the activity report."""
        rows = self.interval(start, **options)["report_data"]
        return [
            (f"{row['event_id']} {row['event_reason']}".strip(), _time(row["start_ms"]), _time(row["end_ms"]),
             row["duration_s"])
            for row in rows if row["agent_id"] == worker.sid
        ]  # fmt: skip


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    words = ("queue_id", "queue_name", "channels", "agent_id")
    return {name: value for name, value in row.items() if value and name not in words}


def _time(ms: int) -> str:
    ms -= 1_767_571_200_000
    text = f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"
    return text if ms % 1000 == 0 else f"{text}.{ms % 1000:03}"


@pytest.fixture
def hand() -> Hand:
    """A floor where everybody is logged out at 08:00."""
    return Hand()

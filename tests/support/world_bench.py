"""A floor on which nothing happens by chance: contacts come when a test says so and go as their plans say."""

from __future__ import annotations

from functools import partial
from typing import Any

from simulator.world.engine import World
from simulator.world.entities import Activity, ContactPlan, ReservationStatus, Task, TaskQueue, Worker
from simulator.world.events import Event
from simulator.world.figures import Figures
from simulator.world.figures_rules import FigureRules
from simulator.world.floor import NO_QUEUE
from simulator.world.scenario.files import load_scenario

DAY_S = 86_400
_QUIET: dict[str, Any] = {
    "agents": 3,
    "start": "2026-01-05T08:00:00Z",
    "channels.voice.per_agent_hour": 0.0,
    "answering.answers": {"kind": "constant", "seconds": 4.0},
}


class FloorBench:
    """Three agents who are always there and answer after four seconds; times are seconds since 08:00.

    The few milliseconds between the events of one instant are left out, so that whole seconds tell the order.
    """

    def __init__(self, **changes: Any) -> None:
        dotted = {name.replace("__", "."): value for name, value in changes.items()}
        self.scenario = load_scenario("single-queue", {**_QUIET, **dotted})
        self.world = World(self.scenario)
        self.world._transitions.gap_ms = lambda low=0, high=8: 0
        self.start_ms = self.scenario.start_ms
        self.ana, self.ben, self.eva, *self.others = self.world.floor.workers

    def queue(self, name: str) -> TaskQueue:
        """A queue by its name; empty: none."""
        return next((one for one in self.world.floor.queues if one.name == name), NO_QUEUE)

    def at(self, second: float, action: Any, *arguments: Any) -> None:
        """Let something be done."""
        self.world._agenda.at(self.start_ms + round(second * 1000), action, *arguments)

    def call(self, second: float, queue: str = "Calls", **plan: Any) -> None:
        """A contact comes; lengths of the plan are in seconds."""
        self.at(second, self._come, self.queue(queue), plan)

    def call_directly(self, second: float, worker: Worker, **plan: Any) -> None:
        """A contact comes for one worker, past all queues."""
        self.at(second, self._come_to, worker, plan)

    # -- what agents do

    def away(self, *workers: Worker, second: float = 0.0) -> None:
        """They go on a break and stay there."""
        rest = self.world.floor.activities["Break"]
        for worker in workers:
            self.at(second, self._set, worker, rest)

    def back(self, worker: Worker, second: float) -> None:
        """The agent is available again."""
        self.at(second, self.world._agents._attendance.make_available, worker)

    def _set(self, worker: Worker, activity: Activity) -> None:
        self.world._transitions.set_activity(worker, activity, self.world.now_ms)

    def refuse(self, worker: Worker, second: float) -> None:
        """Whatever rings at the agent is rejected."""
        self.at(second, self._refuse, worker)

    def _refuse(self, worker: Worker) -> None:
        for reservation in [one for one in worker.open.values() if one.status is ReservationStatus.PENDING]:
            self.world._transitions.reject(reservation, self.world.now_ms)
            self.world._contacts.refused(reservation)

    def close_browser(self, worker: Worker, second: float, opened: float | None = None) -> None:
        """The agent's browser closes, and opens again."""
        browsers = self.world._agents._browsers
        self.at(second, browsers._close, worker)
        if opened is not None:
            shift = self.world._agents._attendance.minds[worker.index].shift
            self.at(opened, browsers._come_back, worker, shift)

    def delete(self, worker: Worker, second: float, *, stamped_with_creation: bool) -> None:
        """The agent is deleted."""
        self.at(second, partial(self.world._contacts.worker_goes, stamped_with_creation=stamped_with_creation), worker)

    def _come(self, queue: TaskQueue, plan: dict[str, Any]) -> None:
        self.world._contacts.customer_arrives(self._task(queue, plan))

    def _come_to(self, worker: Worker, plan: dict[str, Any]) -> None:
        task = self._task(NO_QUEUE, plan)
        task.routing_target = worker.sid
        self.world._contacts.customer_calls(task, worker)

    def _task(self, queue: TaskQueue, plan: dict[str, Any]) -> Task:
        world, now_ms = self.world, self.world.now_ms
        new = world._transitions._sids.new
        channel = world.floor.channels[queue.channels[0] if queue.channels else "voice"]
        body = f'{{"direction":"inbound","channelType":"{queue.medium or "voice"}","call_sid":"{new("CA")}"}}'
        return Task(
            new("WT"), channel, queue.medium or "voice", "inbound", queue, world.floor.workflow, body, plan_of(plan),
            now_ms, now_ms, now_ms, priority=queue.priority, customer=0,
        )  # fmt: skip

    def run(self, second: float) -> None:
        """Go on until then."""
        self.world.advance_to(self.start_ms + round(second * 1000))

    # -- what was told

    def events(self, *kinds: str) -> list[Event]:
        """The events so far; those of these types, or all."""
        return [event for event in self.world.log if not kinds or event.type in kinds]

    def story(self, *, without: str = "task.updated workflow.entered workflow.target-matched") -> list[str]:
        """The events so far in words: second, type, agent or queue."""
        return [self._words(event) for event in self.world.log if event.type not in without.split()]

    def _words(self, event: Event) -> str:
        data = event.data()
        who = ""
        if event.worker_sid:
            who = self.names[event.worker_sid]
            if event.type == "worker.activity.update":
                who += f" {data['worker_activity_name']}"
        elif event.type.startswith("task-queue."):
            who = data.get("task_queue_name", "")
        elif event.type == "task.canceled":
            who = data["task_canceled_reason"]
        return f"{self._second(event.ms)} {event.type} {who}".rstrip()

    @property
    def names(self) -> dict[str, str]:
        """Workers' sids as short names."""
        short = ["Ana", "Ben", "Eva", *(f"agent {number}" for number in range(4, 99))]
        return {worker.sid: name for worker, name in zip(self.world.floor.workers, short, strict=False)}

    def _second(self, ms: int) -> str:
        return f"{(ms - self.start_ms) / 1000:.6g}"

    # -- what is true

    def states(self, worker: Worker) -> list[str]:
        """An agent's states: second, state, and what goes with it."""
        return [
            f"{self._second(state.start_ms)} {state.state} {state.channel}{state.reason}".rstrip()
            for state in self.world.truth.until(worker, self.world.now_ms)
        ]

    def performance(self, worker: Worker) -> dict[str, int]:
        """An agent's contacts that belong to no queue, without zeros."""
        figures = Figures(self.world.truth.ledger, FigureRules(), until_ms=self.world.now_ms)
        rows = figures.total(self.start_ms, self.world.now_ms // 1000 * 1000)["agent_system_performance_report"]
        own = next((row for row in rows if row["agent_id"] == worker.sid), {})
        names = ("out_calls", "out_time_s", "internal_calls", "internal_time_s")
        return {name: own[name] for name in names if own.get(name)}

    def figures(self, **rules: Any) -> dict[str, Any]:
        """The report of everything so far: queue rows by name without their zeros, and what is not reportable."""
        now_ms = self.world.now_ms // 1000 * 1000
        figures = Figures(self.world.truth.ledger, FigureRules.of(rules), until_ms=self.world.now_ms)
        whole = figures.total(self.start_ms, now_ms)
        found = {row["queue_name"] or row["queue_id"]: _figures(row) for row in whole["queue_report"]}
        return {**found, **({"not reportable": whole["not_reportable"]} if whole["not_reportable"] else {})}


def plan_of(plan: dict[str, Any]) -> ContactPlan:
    """A plan from lengths in seconds; 60 s of talk and endless patience unless it says otherwise."""
    lengths = ("talk", "wrap", "patience", "again", "hangs_up_after_ring", "transfer_after", "recalled", "second_talk")
    given: dict[str, Any] = {"talk": 60.0, "wrap": 0.0, "patience": 10 * DAY_S, **plan}
    known = {f"{name}_ms": round(given.pop(name) * 1000) for name in (*lengths, "overlap") if name in given}
    if not known["wrap_ms"]:
        given.setdefault("skips_wrap_up", True)
    return ContactPlan(**known, **given)


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    words = ("queue_id", "queue_name", "channels", "service_level")
    return {name.removeprefix("contacts_"): value for name, value in row.items() if value and name not in words}

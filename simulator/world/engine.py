"""The world: wires floor, people, router and truth together and moves them through virtual time."""

from __future__ import annotations

from simulator.world.agenda import Agenda
from simulator.world.agents import Agents
from simulator.world.arrivals import Arrivals
from simulator.world.contacts import Contacts
from simulator.world.entities import Task
from simulator.world.events import Event, EventLog
from simulator.world.floor import build_floor
from simulator.world.people import People
from simulator.world.router import Router
from simulator.world.scenario import Scenario
from simulator.world.sids import SidFactory, Streams
from simulator.world.transitions import KEEPS_ENDED_TASKS_MS, Transitions
from simulator.world.truth import Truth


class World:
    """A contact centre that runs by itself; how far it is advanced at once makes no difference to what happens."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        streams = Streams(scenario.seed)
        sids = SidFactory(scenario.seed)
        people = People(scenario.seed)
        self.customers = people.customers(scenario.customers)
        self.floor = build_floor(scenario, sids, streams, people.staff(scenario.agents))
        self.log = EventLog()
        self.truth = Truth(self.floor.offline.sid)
        self._agenda = Agenda(scenario.start_ms)
        self._transitions = Transitions(self.floor, sids, streams, self.log, self.truth)
        router = Router(self._agenda, self._transitions)
        agents = Agents(self.floor, self._agenda, self._transitions, router, streams)
        self._contacts = Contacts(self.floor, self._agenda, self._transitions, router, agents, sids, streams)
        router.on_offer = self._contacts.offered
        agents.desk = self._contacts
        agents.begin()
        agents.plan_administration("attributes", scenario.attribute_updates_per_hour)
        agents.plan_administration("capacity", scenario.capacity_updates_per_hour)
        Arrivals(self.floor, self._agenda, self._contacts, self.customers, sids, streams).begin()
        self.workers = {worker.sid: worker for worker in self.floor.workers}
        for worker in self.floor.workers:
            self.truth.begin(worker, scenario.start_ms)

    @property
    def now_ms(self) -> int:
        """How far the world has come."""
        return self._agenda.now_ms

    @property
    def contact_count(self) -> int:
        """Contacts that have begun so far."""
        return self._contacts.count

    def next_ms(self) -> int | None:
        """When something happens next."""
        planned, staged = self._agenda.next_ms(), self.log.next_ms()
        if planned is None or staged is None:
            return planned if staged is None else staged
        return min(planned, staged)

    def advance_to(self, until_ms: int) -> list[Event]:
        """Let everything happen up to and including `until_ms`; gives the new events, oldest first."""
        self._agenda.run_until(until_ms)
        return self.log.settle(until_ms)

    def forget_before(self, ms: int) -> None:
        """Let go of events, states, contacts and reservations that were over by then, so that memory is bounded."""
        self.log.forget_before(ms)
        self.truth.forget_before(ms)
        for worker in self.floor.workers:
            worker.history = [one for one in worker.history if one.is_open or one.updated_ms >= ms]

    def tasks(self, now_ms: int) -> list[Task]:
        """The tasks that REST still knows, oldest first."""
        return [task for task in self._transitions.tasks.values() if _is_known(task, now_ms)]

    def task(self, sid: str, now_ms: int) -> Task | None:
        """One task, unless it ended more than five minutes ago."""
        task = self._transitions.tasks.get(sid)
        return task if task is not None and _is_known(task, now_ms) else None


def _is_known(task: Task, now_ms: int) -> bool:
    return task.terminal_ms is None or now_ms - task.terminal_ms <= KEEPS_ENDED_TASKS_MS

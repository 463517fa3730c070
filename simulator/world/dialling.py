"""Work that agents begin or that is meant for one of them: outbound contacts, calls to colleagues, direct calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from simulator.world.agenda import Agenda
from simulator.world.arrivals import demand_of, rate_of
from simulator.world.attributes import Attributes
from simulator.world.contacts import Contacts
from simulator.world.entities import ContactPlan, Task, TaskQueue, Worker
from simulator.world.floor import NO_QUEUE, Floor
from simulator.world.plans import Planner
from simulator.world.sids import SidFactory, Streams, below

_LOOKS = 40  # so many workers are looked at to find one who is free


class Dialling:
    """Makes tasks with a routing target at random times, as often as the hour of the first site has it."""

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        contacts: Contacts,
        attributes: Attributes,
        planner: Planner,
        sids: SidFactory,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._agenda = agenda
        self._contacts = contacts
        self._attributes = attributes
        self._planner = planner
        self._sids = sids
        self._streams = streams
        self._demand = demand_of(floor.scenario, "voice")
        self._texts = any(queue.medium == "sms" for queue in floor.queues)
        self._calls = any(queue.medium == "voice" for queue in floor.queues)

    def begin(self) -> None:
        """Plan the first of each kind."""
        scenario = self._floor.scenario
        if self._calls:
            self._plan("outbound", rate_of(scenario, scenario.outbound.per_agent_hour), self._dial_out)
            self._plan("internal", rate_of(scenario, scenario.internal.per_agent_hour), self._call_colleague)
            self._plan("direct", rate_of(scenario, scenario.direct.per_agent_hour), self._call_somebody)

    def _plan(self, kind: str, per_ms: float, action: Callable[[Random], None]) -> None:
        if per_ms > 0:
            work = -math.log(1.0 - self._streams.of("arrivals", kind).random()) / per_ms
            due_ms = self._demand.arrivals_until(self._agenda.now_ms, work)
            self._agenda.at(due_ms, self._happen, kind, per_ms, action)

    def _happen(self, kind: str, per_ms: float, action: Callable[[Random], None]) -> None:
        action(self._streams.of("contacts", kind))
        self._plan(kind, per_ms, action)

    def _dial_out(self, rng: Random) -> None:
        rules = self._floor.scenario.outbound
        customer = self._attributes.somebody(rng)
        by_text = rng.random() < rules.by_text_share and self._texts
        worker = self._somebody_free(rng, must_be_available=rng.random() >= rules.from_unavailable_share)
        medium = "sms" if by_text else "voice"
        plan = self._planner.outbound(medium, rng)
        answered = rng.random() < rules.answered_share
        if worker is None:
            return
        write = self._attributes.outbound_message if by_text else self._attributes.outbound_voice
        task = self._task(medium, "outbound", self._floor.everyone, write(customer), plan, worker, customer)
        self._contacts.agent_dials(task, worker, answered=answered or by_text)

    def _call_colleague(self, rng: Random) -> None:
        caller = self._somebody_free(rng, must_be_available=True)
        callee = self._somebody_free(rng, must_be_available=True)
        plan = self._planner.internal(rng)
        if caller is None or callee is None or caller is callee:
            return
        everyone, write = self._floor.everyone, self._attributes.internal_voice
        calling = self._task("voice", "internal", everyone, write(callee.full_name), plan, caller)
        called = self._task("voice", "internal", everyone, write(caller.full_name), plan, callee)
        self._contacts.agents_talk(calling, caller, called, callee)

    def _call_somebody(self, rng: Random) -> None:
        """A customer calls an agent's own number: the task has a routing target and no queue."""
        customer = self._attributes.somebody(rng)
        worker = self._somebody_free(rng, must_be_available=True)
        queue = next(one for one in self._floor.queues if one.medium == "voice")
        plan = self._planner.inbound(queue, rng)
        if worker is not None:
            body = self._attributes.inbound_voice(customer, "")
            plan = plan._replace(transfer="", gives_up="hangup", again_ms=None)
            task = self._task("voice", "inbound", NO_QUEUE, body, plan, worker, customer)
            self._contacts.customer_calls(task, worker)

    def _somebody_free(self, rng: Random, *, must_be_available: bool) -> Worker | None:
        workers, offline = self._floor.workers, self._floor.offline
        for _ in range(_LOOKS):
            worker = workers[below(rng, len(workers))]
            activity = worker.activity
            if (
                activity.available is must_be_available
                and activity is not offline
                and not worker.open
                and not worker.held
                and worker.connected
                and worker.deleted_ms is None
            ):
                return worker
        return None

    def _task(
        self,
        medium: str,
        direction: str,
        queue: TaskQueue,
        body: str,
        plan: ContactPlan,
        worker: Worker,
        customer: int = -1,
    ) -> Task:
        now_ms = self._agenda.now_ms
        return Task(
            sid=self._sids.new("WT"),
            channel=self._floor.channels[self._floor.scenario.channels.of(medium).task_channel],
            medium=medium,
            direction=direction,
            queue=queue,
            workflow=self._floor.workflow,
            attributes_json=body,
            plan=plan,
            created_ms=now_ms,
            updated_ms=now_ms,
            queue_entered_ms=now_ms,
            routing_target=worker.sid,
            customer=customer,
        )

"""Where work comes from: customers who call or write, agents who dial out, agents who call each other."""

from __future__ import annotations

import math
import random

from simulator.world import attributes
from simulator.world.agenda import Agenda
from simulator.world.blocks import as_json
from simulator.world.contacts import Contacts
from simulator.world.entities import ContactPlan, Task, TaskQueue, Worker
from simulator.world.floor import Floor
from simulator.world.people import Customer
from simulator.world.scenario import Scenario
from simulator.world.sids import SidFactory, Streams

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_OPEN_HOURS_MS = 9.5 * _HOUR_MS
_MEDIA = ("voice", "chat", "sms", "web")
_LEAST_TALK_MS = {"voice": 8_000, "chat": 20_000, "sms": 15_000, "web": 15_000}


class Arrivals:
    """Makes tasks at random times; every draw about a contact is made when it arrives."""

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        contacts: Contacts,
        customers: list[Customer],
        sids: SidFactory,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._scenario = floor.scenario
        self._agenda = agenda
        self._contacts = contacts
        self._customers = customers
        self._sids = sids
        self._streams = streams

    def begin(self) -> None:
        """Plan the first contact of each kind."""
        for medium in _MEDIA:
            self._plan(medium, self._scenario.arrivals.get(medium, 0.0))
        self._plan("outbound", self._scenario.outbound_per_hour)
        self._plan("internal", self._scenario.internal_per_hour)

    def _plan(self, kind: str, per_agent_hour: float) -> None:
        per_ms = per_agent_hour * self._scenario.agents / _HOUR_MS * busyness(self._scenario, self._agenda.now_ms)
        if per_ms > 0:
            gap_ms = self._streams.of("arrivals", kind).expovariate(per_ms)
            # A quiet night must not reach into the next morning.
            self._agenda.after(min(gap_ms, _HOUR_MS), self._arrive, kind, per_agent_hour, gap_ms <= _HOUR_MS)

    def _arrive(self, kind: str, per_agent_hour: float, real: bool) -> None:
        if real:
            if kind == "outbound":
                self._dial_out()
            elif kind == "internal":
                self._call_colleague()
            else:
                self._come_in(kind)
        self._plan(kind, per_agent_hour)

    # -- customers

    def _come_in(self, medium: str) -> None:
        rng = self._streams.of("contacts", medium)
        customer = rng.choice(self._customers)
        queue = rng.choice([queue for queue in self._floor.queues if queue.medium == medium])
        if medium == "voice":
            body = attributes.inbound_voice(customer, queue.name, self._scenario.account_sid, self._sids)
            channel = "voice"
        else:
            body = attributes.inbound_message(customer, medium, self._sids, rng)
            # SMS conversations arrive on either channel, depending on how Flex was set up.
            channel = "sms" if medium == "sms" and rng.random() < 0.7 else "chat"
        task = self._task(channel, medium, "inbound", queue, body, self._inbound_plan(medium, rng))
        self._contacts.customer_arrives(task)

    def _inbound_plan(self, medium: str, rng: random.Random) -> ContactPlan:
        scenario = self._scenario
        talk_ms = max(_LEAST_TALK_MS[medium], _around(rng, scenario.talk_s[medium], 0.6))
        wrap_ms = max(1_000, _around(rng, scenario.wrap_s[medium], 0.7))
        if rng.random() < scenario.forgets_wrap_up:
            wrap_ms = rng.randrange(300_000, 1_500_000)
        choice = rng.random()
        transfer = ""
        if medium == "voice":
            if choice < scenario.transfers_to_queue:
                transfer = "queue"
            elif choice < scenario.transfers_to_queue + scenario.transfers_to_worker:
                transfer = "worker"
        hangs_up = rng.random() < scenario.hangs_up_ringing
        return ContactPlan(
            talk_ms=talk_ms,
            wrap_ms=wrap_ms,
            patience_ms=max(5_000, _around(rng, scenario.patience_s[medium], 0.7)),
            hangs_up_after_ring_ms=rng.randrange(300, 3_000) if hangs_up else None,
            transfer=transfer,
            transfer_after_ms=max(5_000, talk_ms // 3),
            second_talk_ms=max(10_000, talk_ms // 2),
            skips_wrap_up=rng.random() < scenario.skips_wrap_up,
        )

    # -- agents

    def _dial_out(self) -> None:
        rng = self._streams.of("contacts", "outbound")
        customer = rng.choice(self._customers)
        worker = self._somebody_free(rng, must_be_available=rng.random() < 0.85)
        if worker is None:
            return
        by_text = rng.random() < 0.15
        medium = "sms" if by_text else "voice"
        plan = ContactPlan(
            talk_ms=_around(rng, self._scenario.talk_s[medium], 0.7),
            wrap_ms=max(1_000, _around(rng, self._scenario.wrap_s[medium], 0.7)),
            patience_ms=rng.randrange(300, 1_500) if by_text else rng.randrange(3_000, 24_000),
        )
        if by_text:
            body = attributes.outbound_message(customer, self._sids)
        else:
            body = attributes.outbound_voice(customer, self._sids)
        task = self._task(medium, medium, "outbound", self._floor.everyone, body, plan)
        answered = by_text or rng.random() < self._scenario.outbound_answered
        self._contacts.agent_dials(task, worker, answered=answered)

    def _call_colleague(self) -> None:
        rng = self._streams.of("contacts", "internal")
        caller = self._somebody_free(rng, must_be_available=True)
        callee = self._somebody_free(rng, must_be_available=True)
        if caller is None or callee is None or caller is callee:
            return
        plan = ContactPlan(
            talk_ms=_around(rng, 75.0, 0.6), wrap_ms=rng.randrange(1_000, 9_000), patience_ms=rng.randrange(60, 600)
        )
        sides = [
            self._task(
                "voice",
                "voice",
                "internal",
                self._floor.everyone,
                attributes.internal_voice(other.full_name, self._sids),
                plan,
            )
            for other in (callee, caller)
        ]
        self._contacts.agents_talk(sides[0], caller, sides[1], callee)

    def _somebody_free(self, rng: random.Random, *, must_be_available: bool) -> Worker | None:
        free = [
            worker
            for worker in self._floor.workers
            if not worker.open
            and not worker.held
            and worker.activity is not self._floor.offline
            and worker.activity.available is must_be_available
        ]
        return rng.choice(free) if free else None

    def _task(
        self,
        channel: str,
        medium: str,
        direction: str,
        queue: TaskQueue,
        body: dict[str, object],
        plan: ContactPlan,
    ) -> Task:
        now_ms = self._agenda.now_ms
        return Task(
            sid=self._sids.new("WT"),
            channel=self._floor.channels[channel],
            medium=medium,
            direction=direction,
            queue=queue,
            workflow=self._floor.workflow,
            attributes=body,
            attributes_json=as_json(body),
            plan=plan,
            created_ms=now_ms,
            updated_ms=now_ms,
            queue_entered_ms=now_ms,
        )


def busyness(scenario: Scenario, ms: int) -> float:
    """How busy this time of day is, about 1 while the floor is open."""
    hour_ms = (ms - scenario.start_ms) % _DAY_MS
    if hour_ms >= _OPEN_HOURS_MS:
        return 0.02
    return 1.0 + 0.25 * math.sin(2 * math.pi * hour_ms / (5 * _HOUR_MS))


def _around(rng: random.Random, median_s: float, spread: float) -> int:
    """A log-normal time in milliseconds."""
    return round(rng.lognormvariate(0, spread) * median_s * 1000)

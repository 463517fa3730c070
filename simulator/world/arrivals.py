"""Customers who call or write: a Poisson process for each queue, and those who try again."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulator.world.agenda import Agenda
from simulator.world.attributes import Attributes
from simulator.world.calendar import HOUR_MS, MINUTE_MS, Demand, Dent, LocalClock
from simulator.world.entities import ContactPlan, Task, TaskQueue
from simulator.world.floor import Floor
from simulator.world.plans import Planner
from simulator.world.scenario import Scenario
from simulator.world.scenario.work import Queue
from simulator.world.sids import SidFactory, Streams

_TASK_TYPES = {"callback": "callback", "voicemail": "voicemail"}


class Arrivals:
    """Lets contacts come to the queues; `on_arrival` takes each, `on_first_attempt` hears of those that come anew."""

    on_arrival: Callable[[Task], None]
    on_first_attempt: Callable[[Task], None]

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        attributes: Attributes,
        planner: Planner,
        sids: SidFactory,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._agenda = agenda
        self._attributes = attributes
        self._planner = planner
        self._new_task_sid = sids.walk("WT")
        self._messages = streams.of("messages")
        self._again_draws = streams.of("contacts", "again")
        self._sources = [
            _Source(queue, rules, floor.scenario, streams)
            for queue, rules in zip(floor.queues, floor.scenario.queues, strict=True)
        ]

    def begin(self) -> None:
        """Plan the first contact of each queue."""
        for source in self._sources:
            self._plan(source)

    def _plan(self, source: _Source) -> None:
        if source.per_ms > 0:
            work = -math.log(1.0 - source.gaps.random()) / source.per_ms
            self._agenda.at(source.demand.arrivals_until(self._agenda.now_ms, work), self._arrive, source)

    def _arrive(self, source: _Source) -> None:
        queue, rng = source.queue, source.draws
        customer = self._attributes.somebody(rng)
        on_other_channel = len(queue.channels) > 1 and rng.random() < source.also_share
        plan = self._planner.inbound(queue, rng)
        self.on_first_attempt(self._come_in(queue, queue.channels[on_other_channel], customer, plan))
        self._plan(source)

    def try_again(self, task: Task) -> None:
        """A customer who gave up does so another time, or is called back, as the contact's plan has it."""
        if task.plan.again_ms is not None:
            self._agenda.after(task.plan.again_ms, self._again, task)

    def _again(self, task: Task) -> None:
        kind = _TASK_TYPES.get(task.plan.gives_up, "")
        plan = self._planner.inbound(task.queue, self._again_draws, called_back=bool(kind))
        self._come_in(task.queue, task.channel.unique_name, task.customer, plan, kind)

    def _come_in(self, queue: TaskQueue, channel: str, customer: int, plan: ContactPlan, task_type: str = "") -> Task:
        if queue.medium == "voice":
            body = self._attributes.inbound_voice(customer, queue.name, task_type)
        else:
            body = self._attributes.inbound_message(customer, queue.medium, self._messages)
        now_ms = self._agenda.now_ms
        task = Task(
            sid=self._new_task_sid(),
            channel=self._floor.channels[channel],
            medium=queue.medium,
            direction="inbound",
            queue=queue,
            workflow=self._floor.workflow,
            attributes_json=body,
            plan=plan,
            created_ms=now_ms,
            updated_ms=now_ms,
            queue_entered_ms=now_ms,
            priority=queue.priority,
            customer=customer,
        )
        self.on_arrival(task)
        return task


class _Source:
    """Where one queue's contacts come from: its rate where the curve is 1, and the curve."""

    def __init__(self, queue: TaskQueue, rules: Queue, scenario: Scenario, streams: Streams) -> None:
        channel = scenario.channels.of(rules.channel)
        self.queue = queue
        self.gaps = streams.of("arrivals", queue.name)
        self.draws = streams.of("contacts", queue.name)
        self.also_share = channel.also_share
        self.per_ms = rate_into(scenario, rules)
        self.demand = demand_of(scenario, rules.channel, rules.site)


def rate_of(scenario: Scenario, per_agent_hour: float) -> float:
    """Contacts per millisecond where the curve is 1."""
    return per_agent_hour * scenario.agents / HOUR_MS


def rate_into(scenario: Scenario, queue: Queue) -> float:
    """The part of its channel's rate that comes into a queue."""
    total = sum(other.weight for other in scenario.queues if other.channel == queue.channel)
    rate = rate_of(scenario, scenario.channels.of(queue.channel).per_agent_hour)
    return rate * queue.weight / total if total else 0.0


def demand_of(scenario: Scenario, medium: str, site: str = "", *, foreseen: bool = False) -> Demand:
    """The curve of a medium's contacts by the clock of a site, the first one unless it is named.

    What is `foreseen` of it is the curve alone, without rushes and failures.
    """
    zone = next((one.time_zone for one in scenario.sites if one.name == site), scenario.sites[0].time_zone)
    if foreseen:
        return Demand(scenario.channels.of(medium).curve, LocalClock(zone), (), ())
    spikes = tuple(spike for spike in scenario.spikes if not spike.channels or medium in spike.channels)
    dents = []
    for outage in scenario.outages:
        start_ms = scenario.start_ms + round(outage.starts_min * MINUTE_MS)
        length_ms = round(outage.minutes * MINUTE_MS)
        dents.append(Dent(start_ms, start_ms + length_ms, outage.arrivals_factor))
        dents.append(Dent(start_ms + length_ms, start_ms + 2 * length_ms, outage.echo_factor))
    return Demand(scenario.channels.of(medium).curve, LocalClock(zone), spikes, tuple(dents))

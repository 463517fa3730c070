"""What is seen of a running world for the comparison with theory: arrivals, plans, waits, talks, and who waits when."""

from __future__ import annotations

from collections import defaultdict

from simulator.world.calendar import HOUR_MS, MINUTE_MS
from simulator.world.engine import World
from simulator.world.entities import Task
from simulator.world.figures_ledger import Fate, Stay
from simulator.world.run import run_world
from simulator.world.scenario import Scenario


class Observation:
    """A run as it is seen; the queues by name. It watches a run (`run_world`).

    Attributes:
        from_ms, to_ms: the time that counts; what happens in the warm-up does not.
        arrivals: when first attempts came, epoch milliseconds, in order.
        plans: of each of these contacts: talk, wrap-up and patience as drawn, seconds.
        looks: how many waited at each whole minute.
    """

    step_ms = MINUTE_MS
    world: World

    def __init__(self, from_ms: int, to_ms: int) -> None:
        self.from_ms = from_ms
        self.to_ms = to_ms
        self.arrivals: dict[str, list[int]] = defaultdict(list)
        self.plans: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        self.looks: dict[str, list[int]] = defaultdict(list)

    def begin(self, world: World) -> None:
        """Watch this world."""
        self.world = world
        world.on_first_attempt = self._note

    def _note(self, task: Task) -> None:
        if self.from_ms <= task.created_ms < self.to_ms:
            plan = task.plan
            self.arrivals[task.queue.name].append(task.created_ms)
            self.plans[task.queue.name].append((plan.talk_ms / 1000, plan.wrap_ms / 1000, plan.patience_ms / 1000))

    def look(self, at_ms: int) -> None:
        """Count who waits."""
        if self.from_ms < at_ms <= self.to_ms:
            for queue in self.world.floor.queues:
                self.looks[queue.name].append(self.world.waiting_in(queue))

    def stays(self, queue: str) -> list[Stay]:
        """The stays in a queue that began and ended within the time that counts."""
        return [
            stay
            for stay in self.world.truth.ledger.stays
            if stay.queue_name == queue
            and self.from_ms <= stay.start_ms
            and stay.end_ms is not None
            and stay.end_ms <= self.to_ms
        ]

    def waited_by_hour(self, queue: str) -> list[float]:
        """The mean number of waiting calls in each whole hour, by when each came and went."""
        hours = (self.to_ms - self.from_ms) // HOUR_MS
        sums = [0.0] * hours
        for stay in self.world.truth.ledger.stays:
            if stay.queue_name == queue:
                end_ms = self.to_ms if stay.end_ms is None else stay.end_ms
                for hour in range(max(0, (stay.start_ms - self.from_ms) // HOUR_MS), hours):
                    start_ms = self.from_ms + hour * HOUR_MS
                    if start_ms >= end_ms:
                        break
                    sums[hour] += max(0, min(end_ms, start_ms + HOUR_MS) - max(stay.start_ms, start_ms)) / HOUR_MS
        return sums

    def seen_by_hour(self, queue: str) -> list[float]:
        """The same by looking at the queue once a minute."""
        looks = self.looks[queue]
        return [sum(looks[at : at + 60]) / 60 for at in range(0, len(looks) - 59, 60)]

    def talks_s(self, queue: str) -> list[float]:
        """How long agents talked to the callers of a queue, of contacts that nobody handed on."""
        stints = (stint for stints in self.world.truth.ledger.stints.values() for stint in stints)
        return [
            ((stint.ended_ms if stint.wrapped_ms is None else stint.wrapped_ms) - stint.accepted_ms) / 1000
            for stint in stints
            if stint.queue_name == queue
            and stint.accepted_ms is not None
            and stint.ended_ms is not None
            and self.from_ms <= stint.accepted_ms
        ]


def abandoned(stay: Stay) -> bool:
    """Whether the caller gave up."""
    return stay.fate in (Fate.CANCELED, Fate.LEFT)


def observe(scenario: Scenario, *, warm_up_ms: int = 0) -> Observation:
    """Run a scenario to its end and look at it on the way."""
    seen = Observation(scenario.start_ms + warm_up_ms, scenario.end_ms)
    run_world(scenario, keeps_truth=True, watch=seen)
    return seen

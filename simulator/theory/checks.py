"""The comparisons: of a textbook queue with Erlang's formulas, and of any run with what its scenario says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.theory.fit import Check, counts_check, distribution_check, mean_check, total_check
from simulator.theory.observe import Observation, abandoned, observe
from simulator.theory.queues import Queue
from simulator.world.arrivals import demand_of, rate_into
from simulator.world.calendar import HOUR_MS
from simulator.world.scenario import Exponential, Scenario
from simulator.world.scenario.files import load_scenario
from simulator.world.scenario.work import Queue as QueueRules

_QUARTER_MS = HOUR_MS // 4
_LEAST_ARRIVALS = 30  # with less there is nothing to test
_ROUTING_S = 0.2  # what TaskRouter needs to find a free agent is no waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Textbook:
    """A queue that theory can solve, and how it is to be simulated.

    Attributes:
        calls_per_hour, talk_s, patience_s: of the queue; no patience given: the callers wait for good.
        runs: independent runs with one seed after the other; the means of the runs are what is tested.
        hours, warm_up_hours: of each run; the warm-up, in which the empty queue fills, does not count.
    """

    agents: int = 8
    calls_per_hour: float = 136.0
    talk_s: float = 180.0
    patience_s: float | None = 120.0
    runs: int = 8
    hours: float = 24.0
    warm_up_hours: float = 2.0
    seed: int = 1

    @property
    def name(self) -> str:
        """Which formula it is compared with."""
        return "Erlang C" if self.patience_s is None else "Erlang A"

    def queue(self) -> Queue:
        """The queue as theory has it."""
        patience_s = math.inf if self.patience_s is None else self.patience_s
        return Queue(agents=self.agents, per_s=self.calls_per_hour / 3600, talk_s=self.talk_s, patience_s=patience_s)

    def scenario(self, run: int) -> Scenario:
        """The queue as a scenario."""
        patience = {"kind": "never"}
        return load_scenario(
            "single-queue",
            {
                "agents": self.agents,
                "seed": self.seed + run,
                "hours": self.hours + self.warm_up_hours,
                "channels.voice.per_agent_hour": self.calls_per_hour / self.agents,
                "channels.voice.talk.mean_s": self.talk_s,
                "channels.voice.patience": patience if self.patience_s is None else Exponential(mean_s=self.patience_s),
            },
        )


def textbook_checks(textbook: Textbook, tell: Callable[[int], None] | None = None) -> list[Check]:
    """Simulate a textbook queue and compare it with theory.

    `tell` hears of each run that is done.
    """
    queue = textbook.queue()
    solution = queue.solve()
    runs: list[_Measured] = []
    little: list[float] = []
    talks: list[float] = []
    gaps: list[float] = []
    patience: list[float] = []
    for run in range(textbook.runs):
        seen = observe(textbook.scenario(run), warm_up_ms=round(textbook.warm_up_hours * HOUR_MS))
        runs.append(_measure(seen, "Calls", textbook.agents))
        little += [a - b for a, b in zip(seen.seen_by_hour("Calls"), seen.waited_by_hour("Calls"), strict=True)]
        talks += seen.talks_s("Calls")
        gaps += [(b - a) / 1000 for a, b in pairwise([seen.from_ms, *seen.arrivals["Calls"]])]
        patience += [plan[2] for plan in seen.plans["Calls"]]
        if tell is not None:
            tell(run + 1)
    subject = f"{textbook.name}: {textbook.agents} agents, {queue.load:.2f} Erlang"
    expected = textbook.runs * textbook.hours * textbook.calls_per_hour
    checks = [
        total_check(subject, "calls", len(gaps), expected),
        distribution_check(
            subject, "gaps between calls, s", gaps, Exponential(mean_s=1 / queue.per_s).below, 1 / queue.per_s
        ),
        mean_check(subject, "share of calls that wait", [one.waits for one in runs], solution.waits),
        mean_check(subject, "mean wait, s", [one.wait_s for one in runs], solution.mean_wait_s),
        mean_check(subject, "mean number of waiting calls", [one.queue for one in runs], solution.mean_queue),
        mean_check(subject, "share of time agents talk", [one.busy for one in runs], solution.busy),
        mean_check(subject, "Little's law: waiting calls less rate times wait", little, 0.0),
        distribution_check(subject, "talk, s", talks, Exponential(mean_s=textbook.talk_s).below, textbook.talk_s),
    ]
    if textbook.patience_s is not None:
        checks += [
            mean_check(subject, "share of calls that give up", [one.lost for one in runs], solution.abandons),
            distribution_check(
                subject, "patience, s", patience, Exponential(mean_s=textbook.patience_s).below, textbook.patience_s
            ),
        ]
    return checks


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one run showed."""

    waits: float
    lost: float
    wait_s: float
    queue: float
    busy: float


def _measure(seen: Observation, queue: str, agents: int) -> _Measured:
    stays = seen.stays(queue)
    waits = [((stay.end_ms or stay.start_ms) - stay.start_ms) / 1000 for stay in stays]
    looks = seen.looks[queue]
    talked_ms = sum(
        max(0, min(stint.ended_ms or seen.to_ms, seen.to_ms) - max(stint.accepted_ms, seen.from_ms))
        for stints in seen.world.truth.ledger.stints.values()
        for stint in stints
        if stint.accepted_ms is not None
    )
    return _Measured(
        waits=sum(wait > _ROUTING_S for wait in waits) / len(waits),
        lost=sum(abandoned(stay) for stay in stays) / len(stays),
        wait_s=sum(waits) / len(waits),
        queue=sum(looks) / len(looks),
        busy=talked_ms / (seen.to_ms - seen.from_ms) / agents,
    )


# -- any run


def scenario_checks(seen: Observation) -> list[Check]:
    """Compare a run with what its scenario says: arrivals, talks, wrap-ups, patience, and Little's law.

    Queue by queue, and all queues of a channel together: what is a little off everywhere shows there first.
    """
    parts = [_Part.of(seen, queue) for queue in seen.world.scenario.queues]
    parts = [part for part in parts if part.count >= _LEAST_ARRIVALS]
    checks = [check for part in parts for check in (*part.checks(), *_littles_law(seen, part.name))]
    for channel in dict.fromkeys(part.channel for part in parts):
        alike = [part for part in parts if part.channel == channel]
        if len(alike) > 1:
            checks += _Part.together(alike).checks()
    return checks


def _littles_law(seen: Observation, queue: str) -> Iterable[Check]:
    pairs = zip(seen.seen_by_hour(queue), seen.waited_by_hour(queue), strict=False)
    differences = [a - b for a, b in pairs]
    if len(differences) > 2 and any(differences):
        yield mean_check(queue, "Little's law: waiting less rate times wait", differences, 0.0)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Lengths that were drawn from one distribution, in seconds."""

    values: Sequence[float]
    below: Callable[[float], float]
    mean: float


@dataclass(frozen=True, slots=True)
class _Part:
    """What came into one queue, or into all of a channel, beside what was expected.

    Attributes:
        counts, expected: arrivals by quarter of an hour.
        gaps: between arrivals, each divided by its mean.
        drawn: talk, wrap-up and patience, in `unit`.
    """

    name: str
    channel: str
    counts: Sequence[int]
    expected: Sequence[float]
    gaps: Sequence[float]
    drawn: Mapping[str, _Drawn]
    unit: str = "s"

    @property
    def count(self) -> int:
        return sum(self.counts)

    @classmethod
    def of(cls, seen: Observation, queue: QueueRules) -> _Part:
        scenario, arrivals = seen.world.scenario, seen.arrivals[queue.name]
        demand, per_ms = demand_of(scenario, queue.channel, queue.site), rate_into(scenario, queue)
        starts = range(seen.from_ms, seen.to_ms, _QUARTER_MS)
        counts = [0] * len(starts)
        for ms in arrivals:
            counts[(ms - seen.from_ms) // _QUARTER_MS] += 1
        expected = [per_ms * demand.work_between(ms, min(ms + _QUARTER_MS, seen.to_ms)) for ms in starts]
        gaps = [per_ms * demand.work_between(a, b) for a, b in pairwise([seen.from_ms, *arrivals])]
        return cls(queue.name, queue.channel, counts, expected, gaps, _drawn(scenario, queue, seen.plans[queue.name]))

    @classmethod
    def together(cls, parts: Sequence[_Part]) -> _Part:
        """All as one; a length counts by which share of its own distribution is shorter."""
        names = dict.fromkeys(name for part in parts for name in part.drawn)
        shares = {
            name: [one.below(value) for part in parts if (one := part.drawn.get(name)) for value in one.values]
            for name in names
        }
        return cls(
            f"All {parts[0].channel} queues",
            parts[0].channel,
            [sum(counts) for counts in zip(*(part.counts for part in parts), strict=True)],
            [sum(expected) for expected in zip(*(part.expected for part in parts), strict=True)],
            [gap for part in parts for gap in part.gaps],
            {name: _Drawn(values, _itself, 0.5) for name, values in shares.items()},
            "share that is shorter",
        )

    def checks(self) -> Iterable[Check]:
        """Arrivals and what was drawn."""
        yield total_check(self.name, "arrivals", self.count, sum(self.expected))
        yield counts_check(self.name, "arrivals by quarter of an hour", self.counts, self.expected)
        yield distribution_check(self.name, "gaps between arrivals, in mean gaps", self.gaps, _MEMORYLESS.below, 1.0)
        for name, one in self.drawn.items():
            yield distribution_check(self.name, f"{name}, {self.unit}", one.values, one.below, one.mean)
            # A shift shows here before it shows in the shape.
            shares = [one.below(value) for value in one.values]
            yield mean_check(self.name, f"{name}: share that is shorter, mean", shares, 0.5)


_MEMORYLESS = Exponential(mean_s=1.0)


def _drawn(scenario: Scenario, queue: QueueRules, plans: Sequence[tuple[float, float, float]]) -> dict[str, _Drawn]:
    """What customers and agents were planned to do; lengths that do not vary are left out."""
    channel = scenario.channels.of(queue.channel)
    talk, wrap_up, patience = (
        queue.talk or channel.talk, queue.wrap_up or channel.wrap_up, queue.patience or channel.patience,
    )  # fmt: skip
    forgets, forgotten = scenario.wrap_up.forgets_share, scenario.wrap_up.forgotten

    def wrap_up_below(length_s: float) -> float:
        return (1 - forgets) * wrap_up.below(length_s) + forgets * forgotten.below(length_s)

    mean_wrap_s = (1 - forgets) * wrap_up.mean_s + forgets * forgotten.mean_s
    found = {
        "talk": (talk.kind, _Drawn([plan[0] for plan in plans], talk.below, talk.mean_s)),
        "wrap-up": (wrap_up.kind, _Drawn([plan[1] for plan in plans], wrap_up_below, mean_wrap_s)),
        "patience": (patience.kind, _Drawn([plan[2] for plan in plans], patience.below, patience.mean_s)),
    }
    return {name: one for name, (kind, one) in found.items() if kind not in ("constant", "never")}


def _itself(value: float) -> float:
    return value

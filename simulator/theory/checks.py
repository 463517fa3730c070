"""The comparisons: of a textbook queue with Erlang's formulas, and of any run with what its scenario says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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
    for run in range(textbook.runs):
        seen = observe(textbook.scenario(run), warm_up_ms=round(textbook.warm_up_hours * HOUR_MS))
        runs.append(_measure(seen, "Calls", textbook.agents))
        little += [a - b for a, b in zip(seen.seen_by_hour("Calls"), seen.waited_by_hour("Calls"), strict=True)]
        talks += seen.talks_s("Calls")
        if tell is not None:
            tell(run + 1)
    subject = f"{textbook.name}: {textbook.agents} agents, {queue.load:.2f} Erlang"
    checks = [
        mean_check(subject, "share of calls that wait", [one.waits for one in runs], solution.waits),
        mean_check(subject, "mean wait, s", [one.wait_s for one in runs], solution.mean_wait_s),
        mean_check(subject, "mean number of waiting calls", [one.queue for one in runs], solution.mean_queue),
        mean_check(subject, "share of time agents talk", [one.busy for one in runs], solution.busy),
        mean_check(subject, "Little's law: waiting calls less rate times wait", little, 0.0),
        distribution_check(subject, "talk, s", talks, Exponential(mean_s=textbook.talk_s).below, textbook.talk_s),
    ]
    if textbook.patience_s is not None:
        checks.insert(
            1, mean_check(subject, "share of calls that give up", [one.lost for one in runs], solution.abandons)
        )
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
    """Compare a run with what its scenario says: arrivals, talks, wrap-ups, patience, and Little's law."""
    scenario = seen.world.scenario
    return [check for queue in scenario.queues for check in _queue_checks(seen, scenario, queue)]


def _queue_checks(seen: Observation, scenario: Scenario, queue: QueueRules) -> Iterable[Check]:
    arrivals, plans = seen.arrivals[queue.name], seen.plans[queue.name]
    if len(arrivals) < _LEAST_ARRIVALS:
        return
    channel = scenario.channels.of(queue.channel)
    demand, per_ms = demand_of(scenario, queue.channel, queue.site), rate_into(scenario, queue)
    starts = range(seen.from_ms, seen.to_ms, _QUARTER_MS)
    counts = [0] * len(starts)
    for ms in arrivals:
        counts[(ms - seen.from_ms) // _QUARTER_MS] += 1
    expected = [per_ms * demand.work_between(ms, min(ms + _QUARTER_MS, seen.to_ms)) for ms in starts]
    yield total_check(queue.name, "arrivals", len(arrivals), sum(expected))
    yield counts_check(queue.name, "arrivals by quarter of an hour", counts, expected)
    before = [seen.from_ms, *arrivals[:-1]]
    gaps = [per_ms * demand.work_between(a, b) for a, b in zip(before, arrivals, strict=True)]
    yield distribution_check(
        queue.name, "gaps between arrivals, in mean gaps", gaps, Exponential(mean_s=1.0).below, 1.0
    )
    talk, wrap_up, patience = (
        queue.talk or channel.talk, queue.wrap_up or channel.wrap_up, queue.patience or channel.patience,
    )  # fmt: skip
    forgets, forgotten = scenario.wrap_up.forgets_share, scenario.wrap_up.forgotten

    def wrap_up_below(length_s: float) -> float:
        return (1 - forgets) * wrap_up.below(length_s) + forgets * forgotten.below(length_s)

    drawn: list[tuple[str, Sequence[float], Callable[[float], float], float, str]] = [
        ("talk, s", [plan[0] for plan in plans], talk.below, talk.mean_s, talk.kind),
        (
            "wrap-up, s",
            [plan[1] for plan in plans],
            wrap_up_below,
            (1 - forgets) * wrap_up.mean_s + forgets * forgotten.mean_s,
            wrap_up.kind,
        ),
        ("patience, s", [plan[2] for plan in plans], patience.below, patience.mean_s, patience.kind),
    ]
    for name, values, below, mean, kind in drawn:
        if kind not in ("constant", "never"):
            yield distribution_check(queue.name, name, values, below, mean)
    pairs = zip(seen.seen_by_hour(queue.name), seen.waited_by_hour(queue.name), strict=False)
    differences = [a - b for a, b in pairs]
    if len(differences) > 2 and any(differences):
        yield mean_check(queue.name, "Little's law: waiting less rate times wait", differences, 0.0)

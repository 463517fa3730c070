"""What came out of a load run, and what that means."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from simulator.harness.result import versions
from simulator.load.delivery import Delivery
from simulator.load.histogram import Latencies
from simulator.load.plan import LoadPlan
from simulator.load.records import Records
from simulator.load.series import Slice, slices_of
from simulator.load.verdict import Fitness


class Ending(IntEnum):
    """Exit codes of the command."""

    CLEAN = 0
    NOT_CLEAN = 1
    NOT_CARRIED_OUT = 3
    GENERATOR_TOO_SLOW = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """The outcome of one run.

    Attributes:
        planned: callbacks of the plan; where the run was interrupted, those whose turn had come.
        latency: from the planned time to the whole answer, of callbacks that were taken.
        from_sending: the same from the actual time of sending; it leaves out what waited, and is here to compare.
        waited: how long callbacks waited for their order or for a free connection.
        to_wfm: from the planned time of the causing callback to acceptance by the WFM; None where no WFM was read.
        delivery: what the WFM holds; None where no WFM was read.
        clock_step_ms: how far the machine's clock was set during the run; it touches `to_wfm` alone.
        started_s: when the first callback was due, wall epoch seconds.
    """

    plan: LoadPlan
    agents: int
    planned: int
    outcomes: dict[str, int]
    taken: int
    resent: int
    latency: Latencies
    from_sending: Latencies
    waited: Latencies
    to_wfm: Latencies | None
    delivery: Delivery | None
    fitness: Fitness
    slices: tuple[Slice, ...]
    interrupted: bool
    clock_step_ms: float
    started_s: float
    wall_s: float
    machine: str
    directory: Path | None = None

    @property
    def rate(self) -> float:
        """Callbacks that were due a second, on average."""
        length_s = self.wall_s if self.interrupted else self.plan.duration_s
        return self.planned / length_s if length_s > 0 else 0.0

    @property
    def reasons(self) -> list[str]:
        """Why the run is not clean, one sentence each; empty if it is."""
        found = []
        if not self.planned:
            found.append("no callback was due, so nothing was proved")
        if self.taken < self.planned:
            outcomes = ", ".join(f"{count:,} x {what}" for what, count in self.outcomes.items() if not _is_taken(what))
            found.append(f"{self.planned - self.taken:,} of {self.planned:,} callbacks were not taken: {outcomes}")
        if self.delivery is not None:
            verdict = self.delivery.verdict
            faults = [f"{count:,} {name.replace('_', ' ')}" for name, count in verdict.failures.items()]
            if faults:
                found.append(f"states at the WFM: {', '.join(faults)}")
            elif verdict.counts.expected == 0:
                found.append("no state was expected at the WFM, so nothing was proved of it")
            if not self.delivery.drained:
                found.append("states were still on their way to the WFM when the waiting ended")
        return found

    @property
    def ending(self) -> Ending:
        """What the command ends with."""
        if self.interrupted:
            return Ending.INTERRUPTED
        if self.reasons:
            return Ending.NOT_CLEAN
        return Ending.GENERATOR_TOO_SLOW if self.fitness.is_bottleneck else Ending.CLEAN

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types; times in milliseconds where the name says so."""
        secret = ("auth_token", "directory")
        fitness = self.fitness
        return {
            "clean": self.ending is Ending.CLEAN,
            "exit_code": int(self.ending),
            "reasons": self.reasons,
            "generator_is_bottleneck": fitness.is_bottleneck,
            "generator": {
                "reasons": list(fitness.reasons),
                "late": fitness.late.to_dict(),
                "loop_late": fitness.loop_late.to_dict(),
                "cpu_share": round(fitness.cpu_share, 3),
                "starved": fitness.starved,
            },
            "interrupted": self.interrupted,
            "plan": {name: value for name, value in asdict(self.plan).items() if name not in secret},
            "command": self.plan.command,
            "agents": self.agents,
            "target": self.plan.target,
            "started": f"{datetime.fromtimestamp(self.started_s, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "wall_s": round(self.wall_s, 3),
            "callbacks": {
                "planned": self.planned,
                "taken": self.taken,
                "outcomes": self.outcomes,
                "resent": self.resent,
                "rate": round(self.rate, 3),
            },
            "latency": self.latency.to_dict(),
            "from_sending": self.from_sending.to_dict(),
            "waited": self.waited.to_dict(),
            "to_wfm": None if self.to_wfm is None else self.to_wfm.to_dict(),
            "delivery": None if self.delivery is None else self.delivery.verdict.to_dict(),
            "drained": None if self.delivery is None else self.delivery.drained,
            "clock_step_ms": round(self.clock_step_ms, 3),
            "slices": [one.to_dict() for one in self.slices],
            "machine": self.machine,
            "versions": versions(),
            "directory": None if self.directory is None else str(self.directory),
        }


def result_of(
    records: Records,
    *,
    begin: float,
    wall_offset_s: float,
    delivery: Delivery | None,
    fitness: Fitness,
    **facts: Any,
) -> LoadResult:
    """Put a result together.

    Args:
        begin: the beginning of the run, in the records' clock.
        wall_offset_s: what has to be added to the records' clock for wall epoch seconds.
        facts: the fields of LoadResult that stand for themselves.
    """
    taken = [number for number in range(len(records)) if records.taken(number)]
    begin_wall_s = begin + wall_offset_s
    told = () if delivery is None else delivery.told
    ends = [one for one in records.answered if not math.isnan(one)]
    return LoadResult(
        planned=len(records),
        outcomes=records.outcomes(),
        taken=len(taken),
        resent=records.resent,
        latency=latency_of_taken(records),
        from_sending=Latencies(records.answered[one] - records.sent[one] for one in taken),
        waited=Latencies(max(0.0, records.sent[one] - records.woke[one]) for one in taken),
        to_wfm=None if delivery is None else Latencies(max(0.0, accepted - due) for due, accepted in told),
        delivery=delivery,
        fitness=fitness,
        slices=tuple(slices_of(records, begin, [(due - begin_wall_s, at - begin_wall_s) for due, at in told])),
        started_s=begin_wall_s,
        wall_s=max(ends, default=begin) - begin,
        **facts,
    )


def latency_of_taken(records: Records) -> Latencies:
    """From the planned time to the whole answer, of what was taken."""
    return Latencies(records.answered[one] - records.due[one] for one in range(len(records)) if records.taken(one))


def _is_taken(outcome: str) -> bool:
    return outcome.isdigit() and outcome.startswith("2")

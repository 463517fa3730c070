"""The fault matrix: each fault alone, and mixtures of them, on a virtual floor; each run must end well by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.faults.fault import Fault, HostFault, LetterFault, Side
from simulator.faults.registry import all_faults
from simulator.harness.matrix_judge import Trial, judge
from simulator.harness.virtual import VirtualFloor
from simulator.world.scenario import Scenario

_MINUTE_MS = 60_000
_BEFORE_MINUTES = 10.0
# Two intervals for holes to be found and healed, and one for what was late by an hour at most.
_SETTLE_MINUTES = 45.0
_CALM_MINUTES = 45.0
_DRAIN_MINUTES = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run.

    Attributes:
        trouble_minutes: how long the trouble lasts, late letters and restarts included.
    """

    name: str
    faults: tuple[Fault, ...]
    seed: int = 1
    agents: int = 6
    trouble_minutes: float = 40.0
    settle_minutes: float = _SETTLE_MINUTES

    @property
    def hides(self) -> bool:
        """Whether the connector can know less than what happened while it lasts."""
        return any(isinstance(one, LetterFault | HostFault) for one in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        problems: what was wrong, and how often; empty if all was well.
        struck: how often each fault struck.
        deaths, commits: of the connector's process, and of transactions.
    """

    case: Case
    problems: dict[str, int]
    details: dict[str, list[Any]] = field(repr=False)
    struck: dict[str, int]
    deaths: int
    wall_s: float

    @property
    def clean(self) -> bool:
        """All was well."""
        return not self.problems


def run_case(case: Case, directory: Path) -> Outcome:
    """Let a floor live through the trouble and some calm afterwards, and judge what is left of it."""
    began_s = time.perf_counter()
    directory.mkdir(parents=True, exist_ok=True)
    with VirtualFloor(Scenario(agents=case.agents, seed=case.seed), directory, warm_up_ms=30 * _MINUTE_MS) as floor:
        floor.set_faults(case.faults)
        calm_ms = floor.start_ms + round((_BEFORE_MINUTES + case.trouble_minutes + case.settle_minutes) * _MINUTE_MS)
        end_ms = calm_ms + round(_CALM_MINUTES * _MINUTE_MS)
        floor.service.end_ms = end_ms
        floor.run_to(calm_ms)
        seq_at_calm = max((row["seq"] for row in floor.wfm.inbox.states(0, 1_000_000)["rows"]), default=0)
        floor.run_to(end_ms + round(_DRAIN_MINUTES * _MINUTE_MS))
        trial = Trial(
            floor=floor,
            ledger=directory / "ledger.sqlite3",
            from_ms=floor.start_ms,
            end_ms=end_ms,
            calm_ms=calm_ms,
            seq_at_calm=seq_at_calm,
            knew=not case.hides,
        )
        problems = judge(trial)
        boards = (*floor.faults.on(), *floor.wfm.faults.on())
        return Outcome(
            case=case,
            problems=dict(problems.counts),
            details=problems.details,
            struck={one.fault.name: one.struck for one in boards},
            deaths=floor.host.deaths,
            wall_s=time.perf_counter() - began_s,
        )


# What a fault is like in the matrix, where its defaults are not: how likely it strikes, and what would last too long.
_SHARES = {Side.EVENTS: 0.2, Side.REST: 0.5, Side.WFM: 0.5, Side.HOST: 1.0}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "delay": {"most_s": 1800.0},
    "replayed": {"least_s": 300.0, "most_s": 1800.0},
    "duplicate": {"within_s": 1800.0},
    "burst": {"share": 1.0},
    "wfm-answer": {"status": 503, "times": None},
    "wfm-down": {"share": 1.0},
    "wfm-tls": {"share": 1.0},
    "rest-down": {"share": 1.0},
}


def single(name: str, seed: int = 1, **more: Any) -> Case:
    """A fault alone."""
    kind = all_faults()[name]
    minutes = kind.model_fields["minutes"].default or 30.0
    given = {"share": _SHARES[kind.side], "from_minutes": _BEFORE_MINUTES, "minutes": minutes}
    fault = kind.model_validate({**given, **_PARAMETERS.get(name, {})})
    return Case(name=name, faults=(fault,), seed=seed, **more)

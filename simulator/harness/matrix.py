"""The fault matrix: on a virtual floor each case must end well by itself once its trouble is over."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import leash
from simulator.harness.config import clean_environment
from simulator.harness.matrix_cases import BEFORE_MINUTES, Case
from simulator.harness.matrix_judge import Trial, judge
from simulator.harness.virtual import VirtualFloor

_MINUTE_MS = 60_000
_WARM_UP_MINUTES = 30
_DRAIN_MINUTES = 45.0
_COMMAND_S = 60.0
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  only files with names of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case ended.

    Attributes:
        problems: what was wrong, and how often; empty if all was well.
        details: the first of each, as text.
        struck: how often each fault struck.
        deaths: how often the connector died.
        commits: transactions of the ledger in the whole run.
    """

    case: Case
    problems: dict[str, int]
    details: dict[str, list[str]] = field(repr=False)
    struck: dict[str, int]
    deaths: int
    commits: int
    wall_s: float

    @property
    def clean(self) -> bool:
        """All was well."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "case": self.case.name,
            "clean": self.clean,
            "faults": [one.to_table() for one in self.case.faults],
            "seed": self.case.seed,
            "problems": self.problems,
            "details": self.details,
            "struck": self.struck,
            "deaths": self.deaths,
            "commits": self.commits,
            "wall_s": round(self.wall_s, 2),
        }


def run_case(case: Case, directory: Path) -> Outcome:
    """Let a floor live through the trouble and some calm afterwards, and judge what is left of it."""
    began_s = time.perf_counter()
    directory.mkdir(parents=True, exist_ok=True)
    with VirtualFloor(case.floor, directory, warm_up_ms=_WARM_UP_MINUTES * _MINUTE_MS, faults=case.faults) as floor:
        over_ms = floor.start_ms + round((BEFORE_MINUTES + case.trouble_minutes) * _MINUTE_MS)
        calm_ms = over_ms + round(case.settle_minutes * _MINUTE_MS)
        end_ms = calm_ms + round(case.calm_minutes * _MINUTE_MS)
        floor.service.end_ms = end_ms
        floor.run_to(over_ms + _MINUTE_MS)
        if case.refuses:
            _replay_dead_letters(floor, directory)
        floor.run_to(calm_ms)
        seq_at_calm = floor.wfm.inbox.counters()["states"]
        floor.run_to(end_ms + round(_DRAIN_MINUTES * _MINUTE_MS))
        trial = Trial(
            floor=floor,
            ledger=directory / "ledger.sqlite3",
            from_ms=floor.start_ms,
            end_ms=end_ms,
            calm_ms=calm_ms,
            seq_at_calm=seq_at_calm,
            knew=not case.hides,
            coarse=case.coarse,
        )
        problems = judge(trial)
        struck: dict[str, int] = {}
        for one in (*floor.faults.on(), *floor.wfm.faults.on()):
            struck[one.fault.name] = struck.get(one.fault.name, 0) + one.struck
        return Outcome(
            case=case,
            problems=dict(problems.counts),
            details={kind: [str(one) for one in shown] for kind, shown in problems.details.items()},
            struck=struck,
            deaths=floor.host.deaths,
            commits=floor.host.disk.commits,
            wall_s=time.perf_counter() - began_s,
        )


def _replay_dead_letters(floor: VirtualFloor, directory: Path) -> None:
    """What an operator does when the WFM takes again what it refused: one command."""
    config = directory / "connector.toml"
    floor.write_config(config)
    command = [sys.executable, "-m", "flex_plugin_backend", "dead-letters", "--config", str(config), "replay"]
    subprocess.run(command, check=True, capture_output=True, timeout=_COMMAND_S, env=clean_environment())  # noqa: S603
    floor.host.look()


def run_matrix(cases: Sequence[Case], *, jobs: int) -> Iterator[Outcome]:
    """The outcomes of the cases, each as soon as it is there; `jobs` of them at a time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker, initargs=(os.getpid(),)) as pool:
        try:
            for done in as_completed([pool.submit(_run_apart, case) for case in cases]):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run_apart(case: Case) -> Outcome:
    # A disk in memory, where there is one: power cuts are simulated, and nothing must outlive the case.
    base = str(_IN_MEMORY) if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="flex-wfm-matrix-", dir=base) as directory:
        try:
            return run_case(case, Path(directory))
        except Exception as error:  # noqa: BLE001 a run that breaks off is an outcome, and the others go on
            problem = f"the run broke off: {type(error).__name__}"
            return Outcome(
                case=case, problems={problem: 1}, details={problem: [str(error)]}, struck={}, deaths=0, commits=0,
                wall_s=0.0,
            )  # fmt: skip


def _begin_worker(parent: int) -> None:
    """End with the program that began it; and be quiet, as the log of all that goes wrong would drown what is told."""
    os.environ[leash.VARIABLE] = str(parent)
    leash.leave_with_parent()
    logging.disable(logging.CRITICAL)
    logging.disable(logging.CRITICAL)

"""Virtual time in one process: what a day of a whole floor costs, judged, by the batched streams and by callbacks.

    python benchmarks/soak.py [--agents 1000] [--hours 24] [--callback-hours 1] [--write]

Method: `flex-wfm-sim soak` itself (`simulator.harness.soak`): world, fake Twilio, connector with its ledger on disk,
fake CXone WFM and the audit of every state and report, in one process on a clock that jumps. The connector runs with
its default settings, so its repair reads every event once more by REST. Each run has a process of its own. The wall
time is that of the run with its audit, without the building of the floor and the connector's start; the processor's
time and the memory are those of the whole process. Memory is the most that was resident up to each eighth of the
virtual time. Rows of one run compare; runs on different days or machines do not, and a busy machine slows them all, so
its load is told. `--write` puts the table into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from parts import machine, write_part

from simulator.harness.soak import RouteName, SoakPlan, SoakProgress, run_soak

HEADER = (
    "| route | virtual time | events | requests | wall time | faster than life | processor | per event | verdict |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
EIGHTHS = 8


@dataclass(frozen=True)
class Run:
    """One run, measured by its own process; memory in MB at its highest up to each eighth of the virtual time."""

    route: str
    hours: float
    events: int
    requests: int
    build_s: float
    wall_s: float
    processor_s: float
    load: float
    memory_mb: tuple[int, ...]
    clean: bool

    @property
    def row(self) -> str:
        """One line of the table."""
        speed = self.hours * 3600 / self.wall_s
        each_us = self.processor_s / max(1, self.events) * 1e6
        verdict = "clean" if self.clean else "NOT CLEAN"
        return (
            f"| {self.route} | {self.hours:g} h | {self.events} | {self.requests} | {self.wall_s:.1f} s "
            f"| {speed:.0f} times | {self.processor_s:.1f} s | {each_us:.0f} us | {verdict} |"
        )


def measure(agents: int, hours: float, route: RouteName) -> Run:
    """Run once, in this process."""
    memory: list[int] = []

    def tell(progress: SoakProgress) -> None:
        while len(memory) < EIGHTHS and progress.share * EIGHTHS >= len(memory) + 1 - 1e-9:
            memory.append(_memory_mb())

    with tempfile.TemporaryDirectory(prefix="flex-wfm-soak-") as directory:
        began_s = time.process_time()
        result = run_soak(SoakPlan(agents=agents, days=hours / 24, route=route, directory=Path(directory)), tell=tell)
        return Run(
            route=route,
            hours=hours,
            events=result.events,
            requests=result.requests,
            build_s=result.build_s,
            wall_s=result.wall_s,
            processor_s=time.process_time() - began_s,
            load=os.getloadavg()[1],
            memory_mb=tuple(memory),
            clean=result.clean,
        )


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def alone(agents: int, hours: float, route: RouteName) -> Run:
    """The same in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, agents, hours, route).result()


def main() -> int:
    """Run both routes; 1 if a verdict was not clean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--callback-hours", type=float, default=1, help="callbacks are slower; 0 leaves them out")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    runs = [alone(given.agents, given.hours, "streams")]
    if given.callback_hours:
        runs.append(alone(given.agents, given.callback_hours, "callbacks"))
    loads = ", ".join(f"{one.load:.1f}" for one in runs)
    curves = (f"{one.route}: {', '.join(str(mb) for mb in one.memory_mb)} MB" for one in runs)
    text = "\n".join(
        [
            f"{given.agents} agents, seed 1; {machine()}.",
            f"The machine's load over the last five minutes of each run: {loads}.",
            "",
            HEADER,
            *(one.row for one in runs),
            "",
            f"Memory up to each eighth of the virtual time, by {'; by '.join(curves)}.",
        ]
    )
    print(text)
    if given.write:
        intro = "`python benchmarks/soak.py --write` wrote this; its text says how it is measured."
        write_part("Virtual time in one process", f"{intro}\n\n{text}")
    return 0 if all(one.clean for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main())

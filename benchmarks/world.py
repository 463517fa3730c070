"""How fast the simulated world runs on its own, and how much memory it takes over a virtual month.

    python benchmarks/world.py [--agents 1000] [--runs 2] [--days 30] [--month-agents 300] [--week-agents 5000]
                               [--write]

Method: each run is a process of its own. Speed: the default floor for 24 virtual hours, once without and once with its
event log made and hashed (written nowhere); the least processor time of `--runs` counts, building the floor included.
Memory: a floor of `--month-agents` for `--days`, and one of `--week-agents` for a week; at the end of each virtual day
the pages that the process really holds are read from the operating system (so Linux only). On weekends few of the
default floor are at work. Rows of one run compare; runs on different days or machines do not. `--write` puts the tables
into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from parts import machine, write_part

from simulator.world.engine import World
from simulator.world.run import run_world
from simulator.world.scenario import Scenario

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SOAK_TARGET_S = 60.0  # of the same day with connector, WFM and audit


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class _Scale:
    """Weighs the process at the end of each virtual day."""

    step_ms = HOUR_MS

    def __init__(self) -> None:
        self.days: list[float] = []
        self._next_ms = 0

    def begin(self, world: World) -> None:
        self._next_ms = world.scenario.start_ms + DAY_MS

    def look(self, at_ms: int) -> None:
        if at_ms >= self._next_ms:
            self._next_ms += DAY_MS
            self.days.append(round(_memory_mb(), 1))


def one_run(kind: str, agents: int, days: float) -> dict[str, Any]:
    """One run in this process."""
    scenario = Scenario(agents=agents, hours=24 * days)
    scale = _Scale() if kind == "memory" else None
    began_s = time.process_time()
    result = run_world(scenario, write=(lambda _text: None) if kind == "log" else None, watch=scale)
    cpu_s = time.process_time() - began_s
    return {"events": result.events, "cpu_s": cpu_s, "days": scale.days if scale else []}


def _child(kind: str, agents: int, days: float) -> dict[str, Any]:
    words = [sys.executable, __file__, "--one", kind, "--agents", str(agents), "--days", str(days)]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found


def speed(agents: int, runs: int) -> list[str]:
    """A day without and with its log."""
    lines = ["| 24 hours | events | processor time | events/s |", "|---|---|---|---|"]
    for kind, words in (("plain", "the world and its truth"), ("log", "and the event log, hashed")):
        best = min((_child(kind, agents, 1.0) for _ in range(runs)), key=lambda one: one["cpu_s"])
        lines.append(
            f"| {words} | {best['events']:,} | {best['cpu_s']:.1f} s | {best['events'] / best['cpu_s']:,.0f} |"
        )
        print(lines[-1], flush=True)
    return lines


def memory(floors: list[tuple[int, int]]) -> list[str]:
    """The curves, a row each."""
    lines = [
        "| agents | virtual days | events | after day 1 | day 5 | day 7 | half | the end | most |",
        "|" + "---|" * 9,
    ]
    for agents, days in floors:
        found = _child("memory", agents, days)
        curve = found["days"]
        marks = [curve[0], curve[min(4, len(curve) - 1)], curve[min(6, len(curve) - 1)], curve[len(curve) // 2]]
        shown = " | ".join(f"{one:.0f} MB" for one in (*marks, curve[-1], max(curve)))
        lines.append(f"| {agents:,} | {days} | {found['events']:,} | {shown} |")
        print(lines[-1], flush=True)
        print(f"  each day: {curve}", flush=True)
    return lines


def main() -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--month-agents", type=int, default=300)
    parser.add_argument("--week-agents", type=int, default=5000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", choices=("plain", "log", "memory"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one_run(given.one, given.agents, given.days)))
        return 0
    if given.days < 7 or given.runs < 1:
        parser.error("--days must be at least 7, and --runs at least 1")
    lines = [
        f"{given.agents:,} agents, seed 1; {machine()}.",
        "",
        *speed(given.agents, given.runs),
        "",
        f"The same day with the connector, the fake WFM and the audit is to take less than {SOAK_TARGET_S:.0f} s.",
        "",
        *memory([(given.month_agents, int(given.days)), (given.week_agents, 7)]),
    ]
    text = "\n".join(lines)
    print(f"\n{text}")
    if given.write:
        intro = "`python benchmarks/world.py --write` wrote this; its text says how it is measured."
        write_part("The simulated world on its own", f"{intro}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The real-time path under load: one floor at several speeds, each judged, with latency and the load it meant.

    python benchmarks/realtime_path.py [--agents 100] [--minutes 60] [--speeds 30,120,240] [--write]

Method: the demo itself (`simulator.harness`): floor, connector and fake CXone WFM as three processes on loopback.
Latency counts from the planned send time of the callback to the WFM's acceptance, so a queue in front of the connector
counts too. Rows of one run compare; runs on different days or machines do not. `--write` puts the table into
BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import sys

from parts import machine, write_part

from simulator.harness import DemoPlan, DemoResult, run_demo

HEADER = "| virtual speed | callbacks/s | states/s | latency p50 | p95 | p99 | verdict |\n|---|---|---|---|---|---|---|"


def row(result: DemoResult) -> str:
    """One line of the table."""
    plan, latency = result.plan, result.verdict.latency
    run_s = plan.run_s
    shown = (
        "none | none | none"
        if latency is None
        else " | ".join(f"{value:.0f} ms" for value in (latency.p50_ms, latency.p95_ms, latency.p99_ms))
    )
    rates = f"{int(result.floor['callbacks_sent']) / run_s:.0f} | {result.verdict.counts.rows / run_s:.0f}"
    return f"| {plan.speed:g}x | {rates} | {shown} | {'clean' if result.clean else 'NOT CLEAN'} |"


def main() -> int:
    """Run every speed; 1 if a verdict was not clean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--speeds", default="30,120,240")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    speeds = [float(speed) for speed in given.speeds.split(",")]
    results = [run_demo(DemoPlan(agents=given.agents, minutes=given.minutes, speed=speed)) for speed in speeds]
    text = "\n".join(
        [
            f"{given.agents} agents, {given.minutes:g} virtual minutes, seed 1; {machine()}.",
            "",
            HEADER,
            *(row(result) for result in results),
        ]
    )
    print(text)
    if given.write:
        intro = (
            "`python benchmarks/realtime_path.py --write` wrote this; its text says how it is measured. "
            "Three processes share the machine with the measurement."
        )
        write_part("The real-time path", f"{intro}\n\n{text}")
    return 0 if all(result.clean for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())

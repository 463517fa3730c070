"""What building the reports of an interval from the ledger costs: by the size of the floor, and by the ledger's age.

    python benchmarks/reports.py [--agents 125,250,500,1000] [--hours 1.5] [--age-agents 50] [--age-hours 6,24]
                                 [--write]

Method: a floor is simulated in this process, and its events go through the connector's own door into a ledger on
disk. Then each whole interval is rebuilt from that ledger as `flex-wfm report` does it, both reports encoded, three
times; the least of each interval counts. Times are the processor's, of the one process that does it. By size: floors
of several sizes over the same hours, and what an interval costs for each event that happened in it. By age: one floor
runs on, and the same intervals of its first hours are built again each time. Rows of one run compare; runs on
different days or machines do not. `--write` puts the tables into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from parts import machine, write_part
from sqlalchemy import func, select

from flex_plugin_backend.domain.intervals import Interval, owner
from flex_plugin_backend.flow.buildreports import activity_report, content_hash, queue_report
from flex_plugin_backend.flow.rebuild import ReportDesk, each
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import events
from flex_plugin_backend.web.state import EXTENSION
from flex_plugin_backend.wfm.contract import load_profile
from simulator.harness.config import TENANT
from simulator.harness.virtual import VirtualFloor, stream_route
from simulator.world.scenario import Scenario

HOUR_MS = 3_600_000
RUNS = 3


@dataclass(frozen=True)
class Cost:
    """What the intervals of a span cost.

    Attributes:
        kept: events in the ledger.
        intervals: how many were built.
        events: how many happened in them.
        seconds: of the processor, for all of them, each at its best.
        start_s: what reading on from the stored state costs before the first, once.
    """

    kept: int
    intervals: int
    events: int
    seconds: float
    start_s: float

    @property
    def interval_ms(self) -> float:
        """One interval."""
        return self.seconds * 1000 / self.intervals

    @property
    def event_us(self) -> float:
        """For each event of the interval."""
        return self.seconds * 1e6 / self.events


@contextmanager
def floor_of(agents: int) -> Iterator[VirtualFloor]:
    """A floor whose connector knows it by events alone."""
    with (
        tempfile.TemporaryDirectory() as folder,
        VirtualFloor(Scenario(agents=agents, hours=24 * 14), Path(folder), route=stream_route, repair=False) as floor,
    ):
        yield floor


def measure(floor: VirtualFloor, from_ms: int, to_ms: int) -> Cost:
    """Build every whole interval of a span from the floor's ledger."""
    settings = floor.host.connectors[-1].app.extensions[EXTENSION].settings
    tenant = settings.tenants[TENANT]
    profile = load_profile(tenant.wfm.profile)
    ledger = Ledger(settings.ledger.url)
    try:
        began = time.process_time()
        desk = ReportDesk(TENANT, tenant, ledger)
        desk.rows(owner(from_ms), floor.now_ms)
        start_s = time.process_time() - began
        intervals = [one for one in each(from_ms, to_ms) if from_ms <= one.start_ms and one.end_ms <= to_ms]

        def build(interval: Interval) -> float:
            began = time.process_time()
            rows = desk.rows(interval, floor.now_ms)
            for report in (activity_report(rows), queue_report(rows)):
                content_hash(report, profile)
            return time.process_time() - began

        seconds = sum(min(build(interval) for _ in range(RUNS)) for interval in intervals)
        with ledger.read() as connection:
            span = (events.c.occurred_ms >= intervals[0].start_ms) & (events.c.occurred_ms < intervals[-1].end_ms)
            inside = connection.execute(select(func.count()).where(span)).scalar_one()
            kept = connection.execute(select(func.count()).select_from(events)).scalar_one()
    finally:
        ledger.close()
    return Cost(kept=kept, intervals=len(intervals), events=inside, seconds=seconds, start_s=start_s)


def by_size(agents: int, hours: float) -> Cost:
    """The second half of the hours, when the floor is busy."""
    with floor_of(agents) as floor:
        end_ms = floor.start_ms + round(hours * HOUR_MS)
        floor.run_to(end_ms)
        return measure(floor, owner(floor.start_ms + round(hours * HOUR_MS / 2)).start_ms, end_ms)


def by_age(agents: int, ages: list[float]) -> Iterator[tuple[float, Cost]]:
    """The same two hours while the ledger grows."""
    with floor_of(agents) as floor:
        from_ms = floor.start_ms + HOUR_MS
        for hours in ages:
            floor.run_to(floor.start_ms + round(hours * HOUR_MS))
            yield hours, measure(floor, from_ms, from_ms + 2 * HOUR_MS)


def main() -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", default="125,250,500,1000")
    parser.add_argument("--hours", type=float, default=1.5)
    parser.add_argument("--age-agents", type=int, default=50)
    parser.add_argument("--age-hours", default="6,24")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    sizes = [int(one) for one in given.agents.split(",")]
    ages = [float(one) for one in given.age_hours.split(",")]
    if given.hours < 0.5 or min(ages) < 3:
        parser.error("--hours must be at least 0.5 and each of --age-hours at least 3")
    lines = [
        f"{given.hours:g} busy hours, of which the second half is built; seed 1; {machine()}.",
        "",
        "| agents | events in an interval | one interval | per event | whole day, 96 such intervals |",
        "|---|---|---|---|---|",
    ]
    costs = []
    for agents in sizes:
        cost = by_size(agents, given.hours)
        costs.append(cost.event_us)
        lines.append(
            f"| {agents} | {cost.events / cost.intervals:.0f} | {cost.interval_ms:.0f} ms | {cost.event_us:.0f} us "
            f"| {cost.interval_ms * 96 / 1000:.1f} s |"
        )
        print(lines[-1], flush=True)
    lines += [
        "",
        f"The cost per event differs by a factor of {max(costs) / min(costs):.2f} from cheapest to dearest.",
        "",
        f"The same two hours of {given.age_agents} agents, built from an ever older ledger:",
        "",
        "| age of the ledger | events in it | one interval | beside the youngest | first reading |",
        "|---|---|---|---|---|",
    ]
    first: list[float] = []
    for hours, cost in by_age(given.age_agents, ages):
        first.append(cost.interval_ms)
        lines.append(
            f"| {hours:g} h | {cost.kept} | {cost.interval_ms:.1f} ms | {cost.interval_ms / first[0]:.2f} "
            f"| {cost.start_s * 1000:.0f} ms |"
        )
        print(lines[-1], flush=True)
    text = "\n".join(lines)
    print(f"\n{text}\n\nmedian per event: {statistics.median(costs):.0f} us")
    if given.write:
        intro = "`python benchmarks/reports.py --write` wrote this; its text says how it is measured."
        write_part("Building reports from the ledger", f"{intro}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

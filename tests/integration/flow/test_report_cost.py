"""What building an interval reads does not grow with the ledger's age, counted in steps of SQLite's own machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flow_bench import T0, TENANT, Bench, tenant_settings
from histories import AVAILABLE, activity, reservation, task
from sqlalchemy import event

from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval, owner
from flex_plugin_backend.flow.rebuild import ReportDesk
from flex_plugin_backend.ledger.store import Ledger

BEGIN = owner(T0).next.start_ms
MINUTE = 60_000
STEPS = 5


class Counter:
    """Counts what SQLite does, `STEPS` of its instructions at a time."""

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self) -> int:
        """Asked for by SQLite; zero lets it go on."""
        self.ticks += 1
        return 0

    @contextmanager
    def watching(self, ledger: Ledger) -> Iterator[None]:
        """Watch every connection that is in use within."""
        engines = (ledger._durable, ledger._relaxed)

        def watch(connection: object, *_: object) -> None:
            connection.set_progress_handler(self.tick, STEPS)  # type: ignore[attr-defined]

        for engine in engines:
            event.listen(engine, "checkout", watch)
        try:
            yield
        finally:
            for engine in engines:
                event.remove(engine, "checkout", watch)


def calls(bench: Bench, first: int, count: int) -> None:
    """Calls of eight minutes, one every ten."""
    told: list[object] = []
    for number in range(first, first + count):
        at_ms = BEGIN + number * 10 * MINUTE
        queue = {"task_queue_sid": "WQ1", "task_queue_name": "Support"}
        told += [
            task("created", at_ms, number),
            reservation("created", at_ms + 1_000, number, **queue),
            reservation("accepted", at_ms + 2_000, number, **queue),
            reservation("wrapup", at_ms + 7 * MINUTE, number, **queue),
            reservation("completed", at_ms + 8 * MINUTE, number, **queue),
            task("completed", at_ms + 8 * MINUTE, number),
        ]
    bench.tell(*told)
    bench.clock.set_ms(BEGIN + (first + count) * 10 * MINUTE)
    bench.project()


def steps(bench: Bench, interval: Interval) -> tuple[int, int]:
    """How much is done for one interval, and how many agents' rows it has."""
    desk = ReportDesk(TENANT, tenant_settings(), bench.ledger)
    now_ms = bench.clock.now_ms()
    desk.rows(interval, now_ms)  # what was not worked in yet is; that is paid once, not by each interval
    counter = Counter()
    with counter.watching(bench.ledger):
        rows = desk.rows(interval, now_ms)
    return counter.ticks, len(rows.activities)


def test_the_same_interval_costs_the_same_in_an_old_ledger_and_a_late_one_no_more(tmp_path: Path) -> None:
    """Three days later there are 25 times as many events; the interval reads as much as it did."""
    bench = Bench(tmp_path)
    try:
        bench.tell(activity(T0, AVAILABLE, worker_name="ana"))
        early = Interval(BEGIN + 4 * INTERVAL_MS)
        calls(bench, 0, 18)
        young, activities = steps(bench, early)
        assert activities > 0
        assert young > 5
        calls(bench, 18, 430)
        old, same_activities = steps(bench, early)
        assert same_activities == activities
        assert old <= 1.2 * young, (young, old)
        late, _ = steps(bench, Interval(early.start_ms + 250 * INTERVAL_MS))
        assert late <= 1.5 * young, (young, late)
    finally:
        bench.close()

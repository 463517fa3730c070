"""What pruning costs the intake: acknowledgement times while old events are let go of, and while they are not.

    python benchmarks/retention.py [--old 200000] [--rate 200] [--seconds 4] [--rounds 4] [--write]

Method: a ledger on disk is filled with events of forty days ago and with the lines of states that they make. Then
events come at a steady rate, each in a request of its own, through the connector's intake (a synced group commit),
from threads that keep to their plan whatever the answers take; a time counts from the planned instant to the
acknowledgement. Rounds with and without pruning alternate on the same file, so that rows compare whatever the machine
does besides; runs on different days or machines do not. `--write` puts the table into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from parts import machine, write_part
from sqlalchemy import insert

from flex_plugin_backend.clock import SystemClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.projector import CURSOR
from flex_plugin_backend.flow.retention import Horizon, Retention, RetentionRules
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import segments, state_changes

TENANT, WORKERS = "main", 500
DAY_MS = 86_400_000
THREADS = 16


def event(number: int, at_ms: int) -> TaskRouterEvent:
    """A change of activity."""
    return TaskRouterEvent(
        sid=f"EV{number:032d}",
        type="worker.activity.update",
        occurred_ms=at_ms,
        worker_sid=f"WK{number % WORKERS:032d}",
        worker_name=f"agent-{number % WORKERS}@example.com",
        activity_sid=f"WA{number % 5:032d}",
        activity_name="Available",
        account_sid="AC" + "1" * 32,
        workspace_sid="WS" + "1" * 32,
    )


def fill(ledger: Ledger, number: int, old_ms: int) -> None:
    """So many old events, and a state and a state change for each."""
    for first in range(0, number, 5_000):
        some = [event(one, old_ms + one) for one in range(first, min(number, first + 5_000))]
        common = [{"tenant": TENANT, "worker_sid": one.worker_sid, "start_ms": one.occurred_ms} for one in some]
        with ledger.write() as connection:
            eventlog.append(connection, [Arrival(TENANT, one, one.occurred_ms) for one in some])
            connection.execute(insert(segments), [{**one, "state": "AVAILABLE"} for one in common])
            told = {"state": "AVAILABLE", "kind": "change", "status": "delivered", "event_id": "A", "reason": ""}
            connection.execute(
                insert(state_changes), [{**one, **told, "recorded_ms": one["start_ms"]} for one in common]
            )
    with ledger.write() as connection:
        eventlog.set_cursor(connection, TENANT, CURSOR, eventlog.last_seq(connection, TENANT))


class Pruning:
    """Goes on with one pass of pruning for as long as it is let."""

    def __init__(self, retention: Retention) -> None:
        self._course: Iterator[object] = self._for_ever(retention)

    @staticmethod
    def _for_ever(retention: Retention) -> Iterator[object]:
        while True:
            yield from retention.once()

    def run(self, until: threading.Event) -> None:
        """Portions, each with its pause."""
        while not until.is_set():
            pause = next(self._course)
            until.wait(getattr(pause, "seconds", 0.0))


def round_of(intake: Intake, first: int, rate: float, seconds: float) -> list[float]:
    """Acknowledgement times in milliseconds of events at a steady rate."""
    clock, begin_s = SystemClock(), time.perf_counter() + 0.2
    number = int(rate * seconds)

    def submit(index: int) -> float:
        planned_s = begin_s + index / rate
        time.sleep(max(0.0, planned_s - time.perf_counter()))
        intake.submit(TENANT, (event(first + index, clock.now_ms()),))
        return (time.perf_counter() - planned_s) * 1000

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(submit, range(number)))


def row(name: str, times: list[float], pruned: int, seconds: float) -> str:
    """One line of the table."""
    cuts = statistics.quantiles(times, n=100)
    return f"| {name} | {cuts[49]:.1f} ms | {cuts[94]:.1f} ms | {cuts[98]:.1f} ms | {pruned / seconds:.0f} |"


def main() -> int:
    """Rounds with and without."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--old", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    clock = SystemClock()
    counted = [0]

    def count(_table: str, rows: int) -> None:
        counted[0] += rows

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'ledger.sqlite3'}")
        fill(ledger, given.old, clock.now_ms() - 40 * DAY_MS)
        intake = Intake(ledger, clock, ack_timeout_s=10, on_stored=lambda *_: None)
        intake.start()
        rules = RetentionRules(keep_s=35 * 86_400, reports=False)
        horizon = Horizon(TENANT, ledger, clock)
        pruning = Pruning(Retention(TENANT, ledger, clock, rules, horizon, on_pruned=count))
        times: dict[bool, list[float]] = {False: [], True: []}
        number = given.old
        for index in range(2 * given.rounds):
            prunes = index % 2 == 1
            over = threading.Event()
            thread = threading.Thread(target=pruning.run, args=(over,), daemon=True)
            if prunes:
                thread.start()
            times[prunes] += round_of(intake, number, given.rate, given.seconds)
            number += int(given.rate * given.seconds)
            over.set()
            if prunes:
                thread.join()
        intake.stop()
        ledger.close()
    whole_s = given.rounds * given.seconds
    text = "\n".join(
        [
            f"{given.old:,} old events, {given.rate:g} new ones a second; {machine()}.",
            "",
            "| | acknowledged p50 | p95 | p99 | rows pruned/s |",
            "|---|---|---|---|---|",
            row("without pruning", times[False], 0, whole_s),
            row("while it prunes", times[True], counted[0], whole_s),
        ]
    )
    print(text)
    if given.write:
        intro = "`python benchmarks/retention.py --write` wrote this; its text says how it is measured."
        write_part("Pruning beside the intake", f"{intro}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

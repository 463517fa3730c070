"""A connector's ledger and reconciler beside Twilio's history, stepped by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fake_history import FakeHistory
from flow_bench import T0, TENANT
from histories import AVAILABLE, BREAK, activity

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.drive import ManualDrive
from flex_plugin_backend.flow.intake import Along
from flex_plugin_backend.flow.reconciler import Reconciler, RepairRules
from flex_plugin_backend.ledger import eventlog, gaps, spans
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.gaps import Gap
from flex_plugin_backend.ledger.store import Ledger

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
EVERY, SETTLE = 5 * MINUTE, MINUTE


class Site:
    """A connector's ledger and reconciler beside Twilio's history, on a clock that is moved by hand."""

    def __init__(self, path: Path, **rules: Any) -> None:
        self.path = path
        self.rules = {"requests_per_minute": 6_000.0, "reports": False, **rules}
        self.history = FakeHistory()
        self.drive = ManualDrive(T0)
        self.refusals = 0
        self.recovered = 0
        self.projected: int | None = None
        self.open()

    def open(self) -> None:
        self.ledger = Ledger(f"sqlite:///{self.path}")
        self.reconciler = Reconciler(
            TENANT,
            self.ledger,
            self.drive.clock,
            self.history,
            RepairRules(**self.rules),
            submit=self.submit,
            projected=lambda: self.last_seq() if self.projected is None else self.projected,
            on_recovered=self._count,
        )
        self.reconciler.begin()
        self.drive.start(self.reconciler.duty)

    def crash(self, away_ms: int = 0) -> None:
        """The process ends at once, and another starts later."""
        self.drive.abandon()
        self.ledger.close()
        self.drive.step_to(self.now_ms + away_ms)
        self.open()

    def _count(self, number: int) -> None:
        self.recovered += number

    @property
    def now_ms(self) -> int:
        return self.drive.now_ms

    def submit(self, events: Any, along: Along | None = None) -> int:
        if self.refusals:
            self.refusals -= 1
            raise IntakeUnavailable(problem="the disk is full")
        arrivals = [Arrival(TENANT, one, self.now_ms) for one in events]
        with self.ledger.write_durably() as connection:
            new = eventlog.append(connection, arrivals)
            if along is not None:
                along(connection, frozenset(sid for _, sid in new))
        return len(new)

    def happen(self, *events: TaskRouterEvent, lost: bool = False) -> None:
        """These happen, and unless they are lost they arrive."""
        self.history.happened.extend(events)
        if not lost:
            self.submit(events)

    def run(self, for_ms: int) -> None:
        self.drive.step_to(self.now_ms + for_ms)

    def stored(self) -> list[TaskRouterEvent]:
        with self.ledger.read() as connection:
            return [one for _, one in eventlog.after(connection, TENANT, 0, 100_000)]

    def last_seq(self) -> int:
        with self.ledger.read() as connection:
            return eventlog.last_seq(connection, TENANT)

    def gaps(self) -> list[Gap]:
        with self.ledger.read() as connection:
            return gaps.listed(connection, TENANT, 1_000)[::-1]

    def verified(self) -> list[Span]:
        with self.ledger.read() as connection:
            return spans.covered(connection, TENANT)

    def pass_through(self) -> None:
        """States and tasks have seen every event."""
        with self.ledger.write() as connection:
            for name in ("states", "tasks"):
                eventlog.set_cursor(connection, TENANT, name, self.last_seq())


def steady(site: Site, until_ms: int, every_ms: int = 20_000, **lost: bool) -> list[TaskRouterEvent]:
    """Activity changes in a row until then, while the reconciler works."""
    told: list[TaskRouterEvent] = []
    while site.now_ms + every_ms <= until_ms:
        site.run(every_ms)
        told.append(activity(site.now_ms, BREAK if len(told) % 2 else AVAILABLE))
        site.happen(told[-1], **lost)
    site.run(until_ms - site.now_ms)
    return told

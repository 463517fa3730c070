"""Weeks of a small floor for tests of retention: chosen by chance, told in time or late, on a ledger of its own."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow_bench import FULL, TENANT, projector_on, tenant_settings
from histories import AVAILABLE, BREAK, LUNCH, OFFLINE, activity, event, reservation, task

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import Interval, owner
from flex_plugin_backend.domain.reports import IntervalRows
from flex_plugin_backend.flow.floor import LONGEST_CONTACT_MS
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rebuild import ReportDesk
from flex_plugin_backend.flow.retention import Horizon, Retention, RetentionRules
from flex_plugin_backend.ledger import eventlog, outbox
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.store import Ledger

DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
BEGIN_MS = 1_767_571_200_000  # 2026-01-05T00:00Z


@dataclass(frozen=True)
class Told:
    """An event and when it comes."""

    at_ms: int
    event: TaskRouterEvent


def weeks(days: int, seed: int, workers: int = 3) -> list[Told]:
    """What happens in so many days, in order of arrival; some workers rest for weeks, some events come days late."""
    chance = random.Random(seed)
    told: list[Told] = []
    number = 0
    for index in range(workers):
        worker = f"WK{index}"
        told.append(Told(BEGIN_MS, activity(BEGIN_MS, OFFLINE, worker=worker, worker_name=worker)))
        day = 0
        while day < days:
            shift_ms = BEGIN_MS + day * DAY_MS + chance.randrange(6, 12) * HOUR_MS + chance.randrange(3_600_000)
            number += 10
            told += _late(chance, _shift(chance, worker, shift_ms, number))
            day += chance.choice((1, 1, 1, 2, 3, 12))
        if chance.random() < 0.3:
            at_ms = BEGIN_MS + chance.randrange(days) * DAY_MS
            told = [one for one in told if one.event.worker_sid != worker or one.event.occurred_ms < at_ms]
            # Its stamp is that of the worker's creation (Twilio reference 13, row 1).
            told.append(Told(at_ms, event("worker.deleted", BEGIN_MS - 90 * DAY_MS, worker_sid=worker)))
    return sorted(told, key=lambda one: (one.at_ms, one.event.occurred_ms, one.event.sid))


def _shift(chance: random.Random, worker: str, start_ms: int, number: int) -> Iterator[TaskRouterEvent]:
    """Some hours of work; a chat may last into the night."""
    named = {"worker": worker, "worker_name": worker}
    at_ms = start_ms
    yield activity(at_ms, AVAILABLE, **named)
    for step in range(chance.randrange(1, 4)):
        at_ms += chance.randrange(MINUTE_MS, HOUR_MS)
        if chance.random() < 0.3:
            yield activity(at_ms, chance.choice((BREAK, LUNCH)), **named)
            at_ms += chance.randrange(1_000, HOUR_MS)
            yield activity(at_ms, AVAILABLE, **named)
        talk_ms = chance.randrange(1_000, chance.choice((HOUR_MS, HOUR_MS, 20 * HOUR_MS)))
        yield from _contact(worker, at_ms, talk_ms, number + step)
    at_ms += chance.randrange(MINUTE_MS, HOUR_MS)
    yield activity(at_ms, OFFLINE, **named)


def _contact(worker: str, at_ms: int, talk_ms: int, number: int) -> Iterator[TaskRouterEvent]:
    queue: dict[str, Any] = {"task_queue_sid": "WQ1", "task_queue_name": "Support"}
    yield task("created", at_ms, number)
    yield event("task-queue.entered", at_ms, task_sid=f"WT{number}", task_channel="voice", direction="inbound", **queue)
    yield reservation("created", at_ms + 5_000, number, worker=worker, **queue)
    yield reservation("accepted", at_ms + 9_000, number, worker=worker, **queue)
    yield reservation("wrapup", at_ms + 9_000 + talk_ms, number, worker=worker, **queue)
    end_ms = at_ms + 69_000 + talk_ms
    yield reservation("completed", end_ms, number, worker=worker, **queue)
    yield task("completed", end_ms, number, **queue)


def _late(chance: random.Random, events: Iterable[TaskRouterEvent]) -> Iterator[Told]:
    for one in events:
        late_ms = chance.choice((2, 30, 5 * 24 * 60)) * MINUTE_MS if chance.random() < 0.05 else 200
        yield Told(one.occurred_ms + chance.randrange(late_ms), one)


class Life:
    """One ledger through those weeks, pruned once a day or never."""

    def __init__(self, folder: Path, *, keep_days: float | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.clock = ManualClock(BEGIN_MS - DAY_MS)
        self.horizon = Horizon(TENANT, self.ledger, self.clock)
        self.intake = Intake(
            self.ledger,
            self.clock,
            ack_timeout_s=1,
            on_stored=lambda *_: None,
            is_past=lambda _tenant, one: self.horizon.is_past(one),
            by_hand=True,
        )
        self.intake.start()
        self.projector: Projector = projector_on(
            self.ledger, self.clock, complete_from_ms=lambda: self.horizon.complete_from_ms
        )
        self.projector.set_catalogue(FULL)
        self.settings = tenant_settings(
            repair={"enabled": False}, reports={"correct_for_days": 0, "service_level_s": 20}
        )
        rules = RetentionRules(keep_s=(keep_days or 0) * 86_400, reports=True)
        self.retention = Retention(TENANT, self.ledger, self.clock, rules, self.horizon) if keep_days else None

    def close(self) -> None:
        """Let go of the ledger."""
        self.ledger.close()

    def tell(self, *events: TaskRouterEvent) -> None:
        """Events arrive now and are projected."""
        self.intake.submit(TENANT, events)
        self.project()

    def project(self) -> None:
        """Project until nothing is left."""
        while self.projector.step():
            pass

    def live(self, told: Iterable[Told], until_ms: int) -> None:
        """Everything comes at its time; each night the tasks are worked in and what is old goes."""
        night_ms = self.clock.now_ms() + DAY_MS
        waiting = sorted(told, key=lambda one: one.at_ms)
        at = 0
        while night_ms <= until_ms:
            day = []
            while at < len(waiting) and waiting[at].at_ms <= night_ms:
                day.append(waiting[at])
                at += 1
            for first in range(0, len(day), 7):
                some = day[first : first + 7]
                self.clock.set_ms(max(self.clock.now_ms(), some[-1].at_ms))
                self.tell(*(one.event for one in some))
            self.clock.set_ms(night_ms)
            self.project()
            self.desk().catch_up(night_ms)
            self.deliver()
            self.prune()
            night_ms += DAY_MS

    def derive(self, other: Life) -> None:
        """Everything that another ledger still has comes at once."""
        self.clock.set_ms(other.clock.now_ms())
        self.tell(*other.events())

    def deliver(self) -> None:
        """The WFM takes everything."""
        with self.ledger.write() as connection:
            waiting = outbox.pending(connection, TENANT, 100_000)
            outbox.mark_delivered(connection, [one.id for one in waiting], self.clock.now_ms(), 0)

    def prune(self) -> None:
        """Let go of everything that is old now."""
        if self.retention is not None:
            for _ in self.retention.once():
                pass

    def restart(self) -> None:
        """What is in memory is read from the ledger again."""
        self.projector.load()

    def desk(self) -> ReportDesk:
        """Builds reports out of this ledger."""
        return ReportDesk(TENANT, self.settings, self.ledger)

    def rows(self, interval: Interval) -> IntervalRows:
        """What an interval's reports would say."""
        return self.desk().rows(interval, self.clock.now_ms())

    def events(self) -> list[TaskRouterEvent]:
        """What is left of the event log, in order of arrival."""
        with self.ledger.read() as connection:
            return [one for _, one in eventlog.after(connection, TENANT, 0, 1_000_000)]

    def present(self) -> dict[str, Any]:
        """Each worker's state: of the raw line, and as the WFM is told it."""
        with self.ledger.read() as connection:
            raw = segment_rows.last_of_all(connection, TENANT)
            told = outbox.last_of_all(connection, TENANT)
        return {
            sid: (raw[sid].state, raw[sid].start_ms, told[sid].pair, told[sid].start_ms) for sid in raw if sid in told
        }

    def line(self, worker: str, from_ms: int) -> list[Any]:
        """The worker's raw line from the state in force at this instant on."""
        with self.ledger.read() as connection:
            found = segment_rows.line(connection, TENANT, worker, from_ms, 2**62, 1)
        return [replace(one, start_ms=max(one.start_ms, from_ms)) for one in found]


def busy_intervals(told: Iterable[Told], from_ms: int, to_ms: int) -> list[Interval]:
    """The intervals in which something happened."""
    starts = {owner(one.event.occurred_ms).start_ms for one in told}
    return [Interval(start_ms) for start_ms in sorted(starts) if from_ms <= start_ms < to_ms]


__all__ = ["LONGEST_CONTACT_MS", "Life", "Told", "busy_intervals", "weeks"]

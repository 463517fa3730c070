"""What a backfill would change, worked out on copies of the ledger by the code that would change it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.intervals import Interval, owner
from flex_plugin_backend.domain.reports import IntervalRows
from flex_plugin_backend.errors import LedgerError
from flex_plugin_backend.flow.buildreports import activity_report, content_hash, queue_report
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rebuild import ReportDesk, each
from flex_plugin_backend.flow.rules import derive_rules
from flex_plugin_backend.ledger import receipts
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm import AgentActivityReportDTO, ReportDTO
from flex_plugin_backend.wfm.contract import load_profile

Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One interval whose reports would be others.

    Attributes:
        figures: what differs: name -> (before, after); sums over all rows of the interval.
        rows: rows that would be added, changed or gone, in both reports.
        fate: what a connector would do about it.
    """

    start_ms: int
    figures: Mapping[str, tuple[int, int]]
    rows: int
    fate: str


class Rehearsal:
    """Two copies of a ledger: one as it is, one to try on; `changes` compares them afterwards."""

    def __init__(self, tenant: str, settings: TenantSettings, ledger: Ledger, folder: Path, clock: Clock) -> None:
        """Copy the ledger into this folder, and bring the copies up to the events they hold."""
        self._tenant = tenant
        self._settings = settings
        self._clock = clock
        self._profile = load_profile(settings.wfm.profile)
        self._before = _copy(ledger, folder / "before.sqlite3")
        self._project(self._before)
        self.ledger = _copy(self._before, folder / "after.sqlite3")

    def close(self) -> None:
        """Let go of both copies."""
        self._before.close()
        self.ledger.close()

    def changes(self, from_ms: int) -> Iterator[Change | None]:
        """The intervals that differ, oldest first; None for one that was looked at and is the same.

        What happened from `from_ms` (epoch ms) on has been stored in `ledger` meanwhile.
        """
        now_ms = self._clock.now_ms()
        self._watch(from_ms, now_ms)
        self._project(self.ledger)
        before, after = (ReportDesk(self._tenant, self._settings, one) for one in (self._before, self.ledger))
        known = before.receipts(0, now_ms)
        with self.ledger.read() as connection:
            starts = sorted({start_ms for _, start_ms in receipts.dirty(connection, self._tenant, 0)})
        for start_ms in starts:
            interval = Interval(start_ms)
            yield self._compare(before.rows(interval, now_ms), after.rows(interval, now_ms), known, now_ms)

    def _project(self, ledger: Ledger) -> None:
        projector = Projector(
            self._tenant,
            ledger,
            self._clock,
            rules_for=lambda catalogue: derive_rules(self._settings, self._profile, catalogue),
            reorder_window_s=self._settings.states.reorder_window_s,
            on_changes=lambda: None,
        )
        projector.load()
        while projector.step():
            pass
        ReportDesk(self._tenant, self._settings, ledger).catch_up(self._clock.now_ms())

    def _watch(self, from_ms: int, now_ms: int) -> None:
        """Nothing of the copy is dirty, and every interval that has ended can become so, reported or not."""
        with self.ledger.write() as connection:
            for kind, start_ms in receipts.dirty(connection, self._tenant, 0):
                receipts.clean(connection, self._tenant, kind, start_ms)
            known = {(one.kind, one.start_ms) for one in receipts.between(connection, self._tenant, 0, now_ms)}
            for interval in each(owner(from_ms).start_ms, owner(now_ms).start_ms):
                for kind in receipts.KINDS:
                    if (kind, interval.start_ms) not in known:
                        never = Receipt(
                            kind=kind, start_ms=interval.start_ms, revision=0, hash="", status=ReceiptStatus.ACCEPTED
                        )
                        receipts.save(connection, self._tenant, never)

    def _compare(
        self, before: IntervalRows, after: IntervalRows, known: Mapping[tuple[str, int], Receipt], now_ms: int
    ) -> Change | None:
        kinds = []
        if self._hash(activity_report(before)) != self._hash(activity_report(after)):
            kinds.append(receipts.ACTIVITY)
        if self._hash(queue_report(before)) != self._hash(queue_report(after)):
            kinds.append(receipts.QUEUE)
        if not kinds:
            return None
        start_ms = after.interval.start_ms
        old, new = _figures(before), _figures(after)
        figures = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
        return Change(start_ms, figures, _rows_changed(before, after), self._fate(start_ms, kinds, known, now_ms))

    def _hash(self, report: AgentActivityReportDTO | ReportDTO) -> str:
        return content_hash(report, self._profile)

    def _fate(self, start_ms: int, kinds: list[str], known: Mapping[tuple[str, int], Receipt], now_ms: int) -> str:
        sent = [one.revision for kind in kinds if (one := known.get((kind, start_ms))) is not None]
        reports = self._settings.reports
        if not reports.enabled:
            return "reports are switched off"
        if not sent:
            newest_ms = max((one_ms for _, one_ms in known), default=0)
            return "reported when due" if start_ms > newest_ms else "never reported; flex-wfm report --send sends it"
        if start_ms < now_ms - round(reports.correct_for_days * 86_400_000):
            return "too old to be sent again by itself; flex-wfm report --send sends it"
        return f"sent again as revision {max(sent) + 1}"


def _copy(ledger: Ledger, path: Path) -> Ledger:
    """A copy of the ledger as it is at one moment, while others write to it."""
    try:
        with closing(sqlite3.connect(ledger.path)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise LedgerError(problem=f"it cannot be copied ({error})", repair="Make room for two copies of it.") from error
    return Ledger(f"sqlite:///{path}")


def _figures(rows: IntervalRows) -> Figures:
    return {
        "received": sum(one.contacts_received for one in rows.queues),
        "handled": sum(one.contacts_handled for one in rows.queues),
        "abandoned": sum(one.contacts_abandoned for one in rows.queues),
        "handle s": sum(one.handle_time_s for one in rows.queues),
        "delay s": sum(one.queue_delay_s for one in rows.queues),
        "login s": sum(one.login_time_s for one in rows.performance),
        "ready s": sum(one.ready_time_s for one in rows.performance),
        "states": len(rows.activities),
    }


def _rows_changed(before: IntervalRows, after: IntervalRows) -> int:
    """Rows of one side that the other does not have alike; a changed one counts once."""
    changed = 0
    for name in ("activities", "queues", "agent_queues", "performance"):
        old, new = set(getattr(before, name)), set(getattr(after, name))
        changed += max(len(old - new), len(new - old))
    return changed

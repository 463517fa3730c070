"""The reports of any interval out of a ledger alone, beside a running connector or without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from flex_plugin_backend.domain.agents import AgentTimeline, Segment
from flex_plugin_backend.domain.contacts import HandledContact, QueueVisit
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval, first_whole
from flex_plugin_backend.domain.reports import IntervalRows
from flex_plugin_backend.errors import HistoryPruned
from flex_plugin_backend.flow.buildreports import ReportBuilder
from flex_plugin_backend.flow.rules import StoredCatalogue, derive_report_rules, derive_rules, derive_state_rules
from flex_plugin_backend.flow.taskbook import TaskBook
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import eventlog, prune, receipts
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.receipts import Receipt
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm.contract import load_profile


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind an agent's or a queue's figures in an interval."""

    visits: tuple[QueueVisit, ...]
    contacts: tuple[HandledContact, ...]
    segments: tuple[Segment, ...]
    events: tuple[TaskRouterEvent, ...]


class ReportDesk:
    """Rebuilds a tenant's intervals from the ledger, and tells what was sent of them."""

    def __init__(self, tenant: str, settings: TenantSettings, ledger: Ledger) -> None:
        self._tenant = tenant
        self._ledger = ledger
        with ledger.read() as connection:
            stored = agent_rows.catalogue(connection, tenant)
            workers = list(agent_rows.load(connection, tenant))
            self._before_ms = prune.before_ms(connection, tenant)
        catalogue = StoredCatalogue.from_record(stored) if stored else StoredCatalogue()
        timelines = [AgentTimeline.from_record(record) for _, _, record in workers]
        gone = {one.worker_sid: at_ms for one in timelines if (at_ms := one.deleted_ms) is not None}
        self._workers_of: dict[str, list[str]] = {}
        for worker_sid, agent_id, record in workers:
            for name in {worker_sid, agent_id, record.get("worker_name")} - {None}:
                self._workers_of.setdefault(str(name), []).append(worker_sid)
        mapping = derive_rules(settings, load_profile(settings.wfm.profile), catalogue).mapping
        rules = derive_report_rules(settings, derive_state_rules(settings))
        self._book = TaskBook(tenant, ledger, mapping=lambda: mapping, rules=rules, gone=lambda: gone)
        self._builder = ReportBuilder(tenant, ledger, self._book, mapping=lambda: mapping, rules=rules)

    def catch_up(self, now_ms: int) -> None:
        """Take every event of the ledger into the tasks' facts."""
        self._book.catch_up(now_ms)

    def rows(self, interval: Interval, now_ms: int) -> IntervalRows:
        """The rows of an interval by all that the ledger holds.

        Raises:
            HistoryPruned: it does not hold everything of so long ago any more.
        """
        if self._before_ms and interval.start_ms < self._before_ms + INTERVAL_MS:
            since = first_whole(self._before_ms + INTERVAL_MS)
            raise HistoryPruned(since=f"{datetime.fromtimestamp(since.start_ms / 1000, UTC):%Y-%m-%dT%H:%MZ}")
        self.catch_up(now_ms)
        return self._builder.rows(interval, now_ms)

    def receipts(self, from_ms: int, to_ms: int) -> dict[tuple[str, int], Receipt]:
        """What was sent: by kind and start of the interval."""
        with self._ledger.read() as connection:
            found = receipts.between(connection, self._tenant, from_ms, to_ms)
        return {(one.kind, one.start_ms): one for one in found}

    def evidence(self, interval: Interval, name: str) -> Evidence:
        """What stands behind the figures of an agent (id, worker sid or name) or of a queue (sid or name)."""
        workers = set(self._workers_of.get(name, ()))
        facts = self._book.facts_between(interval.start_ms, interval.end_ms)
        visits = [one for task in facts for one in task.visits if name in (one.queue_sid, one.queue_name)]
        contacts = [
            one
            for task in facts
            for one in task.contacts
            if one.worker_sid in workers or name in (one.queue_sid, one.queue_name)
        ]
        with self._ledger.read() as connection:
            segments = [
                one
                for worker_sid in sorted(workers)
                for one in segment_rows.line(
                    connection, self._tenant, worker_sid, interval.start_ms, interval.end_ms, 1
                )
            ]
            tasks = sorted({one.task_sid for one in visits} | {one.task_sid for one in contacts})
            events = [one for sid in tasks for one in eventlog.of_task(connection, self._tenant, sid)]
        return Evidence(
            tuple(sorted(visits, key=lambda one: one.start_ms)),
            tuple(sorted(contacts, key=lambda one: one.accepted_ms)),
            tuple(segments),
            tuple(events),
        )


def each(from_ms: int, to_ms: int) -> Iterator[Interval]:
    """The whole intervals that begin in `[from_ms, to_ms)`."""
    one = Interval(from_ms)
    while one.start_ms < to_ms:
        yield one
        one = one.next

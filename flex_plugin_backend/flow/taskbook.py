"""The tasks' facts, kept up with the event log; a late event marks the intervals that it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection

from flex_plugin_backend.domain.contacts import TaskFacts, TaskStory
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import INTERVAL_MS
from flex_plugin_backend.domain.mapping import MappingRules
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reports import touched_by_task
from flex_plugin_backend.ledger import eventlog, receipts
from flex_plugin_backend.ledger import tasks as task_rows
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tasks import TaskRow

CURSOR = "tasks"
MOST_PER_STEP = 1_000
# So long after its end a task's facts stay in memory: until its interval has been reported and first corrected.
KEPT_MS = 4 * INTERVAL_MS

Stories = dict[str, TaskStory]


class TaskBook:
    """One tenant's tasks. It reads on when asked to, so real time never waits for it.

    What a task is stands in the event log; the ledger keeps only when each counts. In memory are the open ones and
    those that ended lately; older ones are read from the log when an interval of theirs is built.
    """

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        *,
        mapping: Callable[[], MappingRules],
        rules: ReportRules,
        gone: Callable[[], dict[str, int]],
    ) -> None:
        """`gone` tells which workers are deleted, and when (ms) they left."""
        self._tenant = tenant
        self._ledger = ledger
        self._mapping = mapping
        self._rules = rules
        self._gone = gone
        self._cursor: int | None = None  # nothing is in memory yet
        self._stories: Stories = {}
        self._rows: dict[str, TaskRow] = {}
        self._whole_from_ms = 0  # memory holds every task that has counted since then

    def catch_up(self, now_ms: int) -> int:
        """Apply every event that has arrived; returns how many."""
        total = 0
        while applied := self._step(now_ms):
            total += applied
        self._forget(now_ms - KEPT_MS)
        return total

    def _step(self, now_ms: int) -> int:
        with self._ledger.read() as connection:
            cursor = eventlog.cursor(connection, self._tenant, CURSOR)
            if cursor != self._cursor:
                self._load(connection, cursor, now_ms)
            arrivals = eventlog.after(connection, self._tenant, cursor, MOST_PER_STEP, self._ledger.recent)
            if not arrivals:
                return 0
            events = [event for _, event in arrivals]
            named = {event.task_sid for event in events if event.task_sid is not None}
            stories = self._known(connection, named, cursor)
            sent_ms = receipts.last_start_ms(connection, self._tenant, receipts.QUEUE)
        # Nothing changes memory before the ledger has taken it: a step that fails is taken again from the beginning.
        self._cursor = None
        dirty = self._apply(events, stories, 0 if sent_ms is None else sent_ms + INTERVAL_MS, now_ms)
        gone = self._gone()
        rows = {sid: self._row(story, gone) for sid, story in stories.items()}
        with self._ledger.write() as connection:
            task_rows.save(connection, self._tenant, [one for sid, one in rows.items() if self._rows.get(sid) != one])
            receipts.mark_dirty(connection, self._tenant, sorted(dirty), (receipts.QUEUE,))
            eventlog.set_cursor(connection, self._tenant, CURSOR, arrivals[-1][0])
        self._stories.update(stories)
        self._rows.update(rows)
        self._cursor = arrivals[-1][0]
        return len(arrivals)

    def _load(self, connection: Connection, cursor: int, now_ms: int) -> None:
        """Memory is new, or another process has read on: begin again with what is open."""
        opened = task_rows.open_ones(connection, self._tenant)
        self._stories = self._read(connection, opened, cursor)
        gone = self._gone()
        self._rows = {sid: self._row(story, gone) for sid, story in self._stories.items()}
        self._whole_from_ms = now_ms
        self._cursor = cursor

    def _known(self, connection: Connection, named: Iterable[str], cursor: int) -> Stories:
        """These tasks as they were told up to now; one that nobody knows is new."""
        found = {sid: self._stories[sid] for sid in named if sid in self._stories}
        missing = [sid for sid in named if sid not in found]
        older = self._read(connection, missing, cursor)
        return {**found, **{sid: older.get(sid) or TaskStory(sid) for sid in missing}}

    def _read(self, connection: Connection, sids: Iterable[str], cursor: int) -> Stories:
        mapping, stories = self._mapping(), {}
        for sid, events in eventlog.of_tasks(connection, self._tenant, sids, cursor).items():
            story = stories[sid] = TaskStory(sid)
            for event in events:
                story.apply(event, mapping)
        return stories

    def _apply(self, events: Iterable[TaskRouterEvent], stories: Stories, reported_ms: int, now_ms: int) -> set[int]:
        """Let the events happen; returns the starts of the intervals, of those reported already, that may change."""
        events = list(events)
        # What began before may have looked otherwise then; as a rule its facts of then are at hand.
        late = {event.task_sid for event in events if event.occurred_ms < reported_ms}
        late |= {sid for sid in stories if sid in self._rows and self._rows[sid].opened_ms < reported_ms}
        deleted = {event.worker_sid for event in events if event.type == "worker.deleted"}
        if deleted:
            late |= {sid for sid, story in self._stories.items() if story.workers() & deleted}
            stories.update({sid: self._stories[sid] for sid in late if sid in self._stories})
        gone = self._gone()
        # What a deletion changes is found by taking the deleted worker as still there before.
        kept = {worker_sid: at_ms for worker_sid, at_ms in gone.items() if worker_sid not in deleted}
        before = {sid: story.facts(self._rules, kept) for sid, story in stories.items() if sid in late}
        mapping = self._mapping()
        for event in events:
            if event.task_sid is not None:
                stories[event.task_sid].apply(event, mapping)
        dirty: set[int] = set()
        for sid, story in stories.items():
            # What is new may say of itself that it began earlier.
            if sid in before or story.begun_ms < reported_ms:
                touched = touched_by_task(before.get(sid), story.facts(self._rules, gone), now_ms)
                dirty.update(one.start_ms for one in touched)
        return dirty

    def _row(self, story: TaskStory, gone: Mapping[str, int]) -> TaskRow:
        first_ms, last_ms = story.told_ms
        if story.is_open:
            return TaskRow(story.task_sid, first_ms, None)
        return TaskRow(story.task_sid, *story.facts(self._rules, gone).span((first_ms, last_ms)))

    def _forget(self, before_ms: int) -> None:
        """Let go of what counts no more since then."""
        self._whole_from_ms = max(self._whole_from_ms, before_ms)
        for sid in [sid for sid, row in self._rows.items() if row.closed_ms is not None and row.closed_ms < before_ms]:
            del self._rows[sid]
            del self._stories[sid]

    def facts_between(self, from_ms: int, to_ms: int) -> list[TaskFacts]:
        """The facts of every task of which something was open, or ended, in `[from_ms, to_ms)`, by sid."""
        gone = self._gone()
        if self._cursor is not None and from_ms >= self._whole_from_ms:
            return [self._stories[sid].facts(self._rules, gone) for sid in sorted(self._counting(from_ms, to_ms))]
        with self._ledger.read() as connection:
            sids = task_rows.between(connection, self._tenant, from_ms, to_ms)
            cursor = eventlog.cursor(connection, self._tenant, CURSOR)
            stories: Mapping[str, TaskStory] = self._read(connection, sids, cursor)
        return [stories[sid].facts(self._rules, gone) for sid in sids if sid in stories]

    def _counting(self, from_ms: int, to_ms: int) -> Iterable[str]:
        for sid, row in self._rows.items():
            if row.opened_ms < to_ms and (row.closed_ms is None or row.closed_ms >= from_ms):
                yield sid

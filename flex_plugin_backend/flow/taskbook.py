"""The tasks' facts, kept up with the event log; a late event marks the intervals that it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flex_plugin_backend.domain.contacts import TaskFacts, TaskStory
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import MappingRules
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reports import touched_by_task
from flex_plugin_backend.ledger import eventlog, receipts
from flex_plugin_backend.ledger import tasks as task_rows
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tasks import TaskRow

CURSOR = "tasks"
MOST_PER_STEP = 1_000


class TaskBook:
    """One tenant's tasks. It reads on when asked to, so real time never waits for it."""

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

    def catch_up(self, now_ms: int) -> int:
        """Apply every event that has arrived; returns how many."""
        total = 0
        while applied := self._step(now_ms):
            total += applied
        return total

    def _step(self, now_ms: int) -> int:
        with self._ledger.read() as connection:
            cursor = eventlog.cursor(connection, self._tenant, CURSOR)
            arrivals = eventlog.after(connection, self._tenant, cursor, MOST_PER_STEP)
            if not arrivals:
                return 0
            named = {event.task_sid for _, event in arrivals if event.task_sid is not None}
            stories = {
                sid: TaskStory.from_record(record)
                for sid, record in task_rows.load(connection, self._tenant, sorted(named)).items()
            }
            deleted = {event.worker_sid for _, event in arrivals if event.type == "worker.deleted"}
            if deleted:
                for record in task_rows.between(connection, self._tenant, now_ms, now_ms + 1):
                    story = TaskStory.from_record(record)
                    if story.workers() & deleted:
                        stories.setdefault(story.task_sid, story)
        gone = self._gone()
        # What a deletion changes is found by taking the deleted worker as still there before.
        kept = {worker_sid: at_ms for worker_sid, at_ms in gone.items() if worker_sid not in deleted}
        before = {sid: story.facts(self._rules, kept) for sid, story in stories.items()}
        self._apply((event for _, event in arrivals), stories)
        after = {sid: story.facts(self._rules, gone) for sid, story in stories.items()}
        dirty = {
            one.start_ms for sid, facts in after.items() for one in touched_by_task(before.get(sid), facts, now_ms)
        }
        with self._ledger.write() as connection:
            task_rows.save(connection, self._tenant, [_row(story, after[sid]) for sid, story in stories.items()])
            receipts.mark_dirty(connection, self._tenant, sorted(dirty), (receipts.QUEUE,))
            eventlog.set_cursor(connection, self._tenant, CURSOR, arrivals[-1][0])
        return len(arrivals)

    def _apply(self, events: Iterable[TaskRouterEvent], stories: dict[str, TaskStory]) -> None:
        mapping = self._mapping()
        for event in events:
            if event.task_sid is None:
                continue
            story = stories.get(event.task_sid)
            if story is None:
                story = stories[event.task_sid] = TaskStory(event.task_sid)
            story.apply(event, mapping)

    def facts_between(self, from_ms: int, to_ms: int) -> list[TaskFacts]:
        """The facts of every task of which something was open, or ended, in `[from_ms, to_ms)`."""
        with self._ledger.read() as connection:
            records = list(task_rows.between(connection, self._tenant, from_ms, to_ms))
        gone = self._gone()
        return [TaskStory.from_record(record).facts(self._rules, gone) for record in records]


def _row(story: TaskStory, facts: TaskFacts) -> TaskRow:
    """The task as it is stored, with the span in which it matters to an interval."""
    starts = [one.start_ms for one in facts.visits] + [one.accepted_ms for one in facts.contacts]
    ends = [one.end_ms for one in facts.visits] + [one.end_ms for one in facts.contacts]
    seen_ms = [one.at_ms for one in story.seen] or [0]
    closed = [end_ms for end_ms in ends if end_ms is not None]
    return TaskRow(
        story.task_sid,
        story.to_record(),
        opened_ms=min([*starts, seen_ms[0]]),
        closed_ms=None if len(closed) < len(ends) else max([*closed, seen_ms[-1]]),
    )

"""Lets go of what is older than the ledger has to remember, in small portions between which everybody else writes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.agents import AgentTimeline
from flex_plugin_backend.domain.events import FINDING, TaskRouterEvent
from flex_plugin_backend.flow.duty import Duty, Pause, retraced
from flex_plugin_backend.flow.floor import LONGEST_CONTACT_MS
from flex_plugin_backend.flow.projector import CURSOR as STATES
from flex_plugin_backend.flow.taskbook import CURSOR as TASKS
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import eventlog, prune
from flex_plugin_backend.ledger import tasks as task_rows
from flex_plugin_backend.ledger.prune import Needed
from flex_plugin_backend.ledger.store import Ledger

# A start has better things to do; then so often.
FIRST_S, EVERY_S = 60.0, 3_600.0
# One portion holds the ledger for some milliseconds; the pause leaves it to others for longer than that.
MOST_ROWS, PAUSE_S = 100, 0.2
# Workers who are looked at in one portion.
MOST_WORKERS = 10
# A file that is free for a quarter is given back to a tenth, so many pages at a time; less is filled again soon.
MUCH_FREE, ENOUGH_FREE, PAGES, LEAST_PAGES = 0.25, 0.1, 64, 512
# An interval that has not been reported needs what led to it.
LEAD_MS = 2 * 86_400_000
_READ_EVERY_MS = 600_000

_log = structlog.get_logger(__name__)


class Horizon:
    """Since when the ledger's history of a tenant is complete; several processes may ask.

    What happened before and comes now (a stream that is read from its oldest record, a request that somebody has
    recorded and repeats) cannot be told from what was there and was let go, and what it changed is gone.
    """

    def __init__(self, tenant: str, ledger: Ledger, clock: Clock) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._before_ms = 0
        self._read_ms: int | None = None

    @property
    def complete_from_ms(self) -> int:
        """From here on every event, and everything that was open then, is there (epoch ms); 0: from the beginning."""
        now_ms = self._clock.now_ms()
        if self._read_ms is None or not 0 <= now_ms - self._read_ms < _READ_EVERY_MS:
            try:
                with self._ledger.read() as connection:
                    self._before_ms = prune.before_ms(connection, self._tenant)
                self._read_ms = now_ms
            except SQLAlchemyError as error:
                # Whoever asks is about to write there, and will tell; until then what was read before holds.
                _log.warning("retention.horizon_unread", tenant=self._tenant, problem=type(error).__name__)
        return self._before_ms + LONGEST_CONTACT_MS if self._before_ms else 0

    def moved(self, before_ms: int) -> None:
        """Everything from before this is let go of."""
        self._before_ms = max(self._before_ms, before_ms)

    def is_past(self, event: TaskRouterEvent) -> bool:
        """Does the event come too late to be understood.

        What a snapshot finds begins when it began, and a deletion bears the worker's first hour as its stamp (Twilio
        reference 13, row 1): both are about the present.
        """
        return (
            event.occurred_ms < self.complete_from_ms
            and event.type != "worker.deleted"
            and not event.sid.startswith(FINDING)
        )


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long (seconds) everything is kept, and whether interval reports are made of it."""

    keep_s: float
    reports: bool


class Retention:
    """One tenant's pruning, a duty of whoever holds the tenant's lease."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        rules: RetentionRules,
        horizon: Horizon,
        *,
        on_pruned: Callable[[str, int], None] = lambda _table, _rows: None,
    ) -> None:
        """`on_pruned` is told the table and the number of rows of each portion."""
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self._horizon = horizon
        self._on_pruned = on_pruned
        self._done: Counter[str] = Counter()
        self.duty = Duty.of_course(f"retention-{tenant}", retraced(self._for_ever))

    def _for_ever(self) -> Iterator[Pause]:
        yield Pause(FIRST_S, firm=True)
        while True:
            yield from self.once()
            yield Pause(EVERY_S, firm=True)

    def once(self) -> Iterator[Pause]:
        """Let go of everything that is old now; pauses after each portion."""
        self._done.clear()
        horizon_ms = self._horizon_ms()
        needed = Needed()
        yield from self._look_up(needed, horizon_ms)
        yield from self._events(needed, horizon_ms)
        yield from self._workers(needed, horizon_ms)
        yield from self._answers(horizon_ms)
        for table, drop in _BY_AGE.items():
            portion = partial(drop, tenant=self._tenant, horizon_ms=horizon_ms, most=MOST_ROWS)
            while self._drop(table, horizon_ms, portion):
                yield Pause(PAUSE_S, firm=True)
        yield from self._give_back()
        if self._done:
            rows = dict(sorted(self._done.items()))
            _log.info("retention.pruned", tenant=self._tenant, before_ms=horizon_ms, rows=rows)

    def _horizon_ms(self) -> int:
        """What is older is let go of; what has not been reported yet, and what led to it, is kept whatever its age."""
        horizon_ms = self._clock.now_ms() - round(self._rules.keep_s * 1000)
        if self._rules.reports:
            with self._ledger.read() as connection:
                unsent_ms = prune.least_unsent_ms(connection, self._tenant)
            if unsent_ms is not None:
                horizon_ms = min(horizon_ms, unsent_ms - LEAD_MS)
        return horizon_ms

    def _look_up(self, needed: Needed, horizon_ms: int) -> Iterator[Pause]:
        """What is older than the horizon and needed all the same."""
        with self._ledger.read() as connection:
            needed.tasks.update(task_rows.between(connection, self._tenant, horizon_ms, horizon_ms + 1))
            for worker_sid, _, record in agent_rows.load(connection, self._tenant):
                timeline = AgentTimeline.from_record(record)
                left = timeline.deleted and timeline.newest_ms < horizon_ms
                if left and not prune.is_waited_for(connection, self._tenant, worker_sid):
                    needed.gone.add(worker_sid)
                else:
                    needed.workers.add(worker_sid)
                    held = (one for one in timeline.reservations.values() if (one.ended_ms or horizon_ms) >= horizon_ms)
                    needed.tasks |= {one.task_sid for one in held if one.task_sid}
        workers = sorted(needed.workers)
        for at in range(0, len(workers), MOST_WORKERS):
            with self._ledger.read() as connection:
                for worker_sid in workers[at : at + MOST_WORKERS]:
                    seq = prune.activity_event(connection, self._tenant, worker_sid, horizon_ms)
                    if seq is not None:
                        needed.events.add(seq)
            yield Pause(PAUSE_S, firm=True)

    def _events(self, needed: Needed, horizon_ms: int) -> Iterator[Pause]:
        with self._ledger.read() as connection:
            names = (STATES, TASKS) if self._rules.reports else (STATES,)
            up_to = min(eventlog.cursor(connection, self._tenant, name) for name in names)
        after: int | None = 0
        while after is not None:
            with self._ledger.read() as connection:
                found = prune.old_events(
                    connection,
                    self._tenant,
                    horizon_ms=horizon_ms,
                    after=after,
                    up_to=up_to,
                    needed=needed,
                    most=MOST_ROWS,
                )
            if found.seqs or found.task_sids:
                portion = partial(prune.drop_events, tenant=self._tenant, found=found, horizon_ms=horizon_ms)
                self._drop("events", horizon_ms, portion)
            after = found.next_after
            yield Pause(PAUSE_S, firm=True)

    def _workers(self, needed: Needed, horizon_ms: int) -> Iterator[Pause]:
        """The lines of states of every worker; who left before the horizon is forgotten."""
        waiting = deque(sorted(needed.workers | needed.gone))
        while waiting:
            counts: Counter[str] = Counter()
            with self._ledger.write() as connection:
                for _ in range(min(MOST_WORKERS, len(waiting))):
                    found = self._worker(connection, waiting[0], horizon_ms)
                    counts += found
                    if not found:
                        worker_sid = waiting.popleft()
                        if worker_sid in needed.gone:
                            counts["agents"] += prune.forget_worker(connection, self._tenant, worker_sid)
                    if counts.total() >= MOST_ROWS:
                        break
                if counts:
                    prune.note_before(connection, self._tenant, horizon_ms)
            self._count(counts, horizon_ms)
            yield Pause(PAUSE_S, firm=True)

    def _worker(self, connection: Connection, worker_sid: str, horizon_ms: int) -> Counter[str]:
        """A portion of one worker's states; empty once nothing of it is old any more."""
        dropped = Counter(
            segments=prune.drop_segments(connection, self._tenant, worker_sid, horizon_ms, MOST_ROWS),
            state_changes=prune.drop_state_changes(connection, self._tenant, worker_sid, horizon_ms, MOST_ROWS),
        )
        return +dropped

    def _answers(self, horizon_ms: int) -> Iterator[Pause]:
        after: int | None = 0
        while after is not None:
            with self._ledger.read() as connection:
                found = prune.old_answers(connection, self._tenant, horizon_ms=horizon_ms, after=after, most=MOST_ROWS)
            if found.ids:
                self._drop("answers", horizon_ms, partial(prune.drop_answers, ids=found.ids))
            after = found.next_after
            yield Pause(PAUSE_S, firm=True)

    def _drop(self, table: str, horizon_ms: int, portion: Callable[[Connection], int]) -> int:
        """Delete one portion, and note from when on everything is there, in one transaction."""
        with self._ledger.write() as connection:
            rows = portion(connection)
            if rows:
                prune.note_before(connection, self._tenant, horizon_ms)
        self._count(Counter({table: rows}), horizon_ms)
        return rows

    def _count(self, counts: Counter[str], horizon_ms: int) -> None:
        for table, rows in counts.items():
            if rows:
                self._horizon.moved(horizon_ms)
                self._done[table] += rows
                self._on_pruned(table, rows)

    def _give_back(self) -> Iterator[Pause]:
        """Shorten the file where much of it is free."""
        with self._ledger.read() as connection:
            free, pages = prune.free_pages(connection)
        if pages < LEAST_PAGES or free < pages * MUCH_FREE:
            return
        while free > pages * ENOUGH_FREE:
            with self._ledger.write() as connection:
                prune.give_back(connection, PAGES)
                left, pages = prune.free_pages(connection)
            if left >= free:
                return  # a file of an older version; docs/ledger.md says how it is made smaller
            free = left
            yield Pause(PAUSE_S, firm=True)


# What goes by its age alone.
_BY_AGE = {
    "tasks": prune.drop_tasks,
    "report_runs": prune.drop_receipts,
    "gaps": prune.drop_gaps,
    "read_spans": prune.drop_spans,
    "queue_checks": prune.drop_checks,
}

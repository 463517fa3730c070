"""Queries that let go of what is older than a horizon, a small portion at a time; what is still needed stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select

from flex_plugin_backend.domain.events import FINDING
from flex_plugin_backend.ledger import eventlog, outbox
from flex_plugin_backend.ledger import tasks as task_rows
from flex_plugin_backend.ledger.gaps import GapState
from flex_plugin_backend.ledger.outbox import IN_LINE, Delivery, Kind
from flex_plugin_backend.ledger.receipts import KINDS
from flex_plugin_backend.ledger.tables import (
    agents,
    answers,
    events,
    gaps,
    queue_checks,
    read_spans,
    report_runs,
    segments,
    state_changes,
    tasks,
)

# The cursor that tells from when on (epoch ms) everything is still there.
BEFORE = "retention.before"
# What nobody waits for any more: neither to be sent nor to be decided.
_DECIDED = (Delivery.DELIVERED, Delivery.SKIPPED, Delivery.LATE, Delivery.REPLACED)
_OVER = (GapState.CLEAR, GapState.HEALED, GapState.LOST)
_PAGE_COUNTS = ("freelist_count", "page_count")
_DELETIONS = ("worker.deleted", "snapshot.worker-gone")
# So many of a worker's events are looked at together for the newest that tells its activity.
_FEW = 20


@dataclass(slots=True)
class Needed:
    """What has to stay, however old it is: without it what is younger could not be told.

    Attributes:
        tasks: those of which something was open at the horizon or later.
        events: the numbers of single events: for each worker, what tells its activity at the horizon.
        workers: those that are known; the event of a deletion stays with its worker.
        gone: those who left before the horizon; nothing of them is needed.
    """

    tasks: set[str] = field(default_factory=set)
    events: set[int] = field(default_factory=set)
    workers: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class OldEvents:
    """What can go in a stretch of the event log: single events, and all those of some tasks.

    `next_after` is the number after which the next stretch begins; None: nothing after it is old.
    """

    seqs: tuple[int, ...]
    task_sids: tuple[str, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class OldAnswers:
    """The answers in a stretch that can go, and after which number the next begins; None: nothing there is old."""

    ids: tuple[int, ...]
    next_after: int | None


def before_ms(connection: Connection, tenant: str) -> int:
    """What is younger than this (epoch ms) is complete; 0: nothing was ever pruned."""
    return eventlog.cursor(connection, tenant, BEFORE)


def note_before(connection: Connection, tenant: str, horizon_ms: int) -> None:
    """From now on only what is younger is complete."""
    if horizon_ms > before_ms(connection, tenant):
        eventlog.set_cursor(connection, tenant, BEFORE, horizon_ms)


def least_unsent_ms(connection: Connection, tenant: str) -> int | None:
    """The start of the oldest interval of which a report was never sent, if reports have begun."""
    begin_ms = eventlog.cursor(connection, tenant, "reports.begin")
    if not begin_ms:
        return None
    last = select(func.max(report_runs.c.start_ms)).where(report_runs.c.tenant == tenant)
    ends = [connection.execute(last.where(report_runs.c.kind == kind)).scalar() for kind in KINDS]
    return min(begin_ms if one is None else int(one) for one in ends)


def activity_event(connection: Connection, tenant: str, worker_sid: str, horizon_ms: int) -> int | None:
    """The number of the newest event before the horizon that tells a worker's activity."""
    mine = (events.c.tenant == tenant, events.c.worker_sid == worker_sid, events.c.occurred_ms < horizon_ms)
    query = select(events.c.seq, events.c.body).where(*mine)
    query = query.order_by(events.c.occurred_ms.desc(), events.c.seq.desc())
    at = 0
    while rows := connection.execute(query.limit(_FEW).offset(at)).all():
        for row in rows:
            if _tells_activity(row.body):
                return int(row.seq)
        at += _FEW
    return None


def old_events(
    connection: Connection, tenant: str, *, horizon_ms: int, after: int, up_to: int, needed: Needed, most: int
) -> OldEvents:
    """Look at the next events in order of arrival, none after number `up_to`.

    An event is old when it happened before the horizon. What only a snapshot or a deletion tells bears an old stamp
    from the beginning; of them the receipt counts.
    """
    rows = connection.execute(
        select(
            events.c.seq,
            events.c.sid,
            events.c.type,
            events.c.occurred_ms,
            events.c.received_ms,
            events.c.worker_sid,
            events.c.task_sid,
        )
        .where(events.c.tenant == tenant, events.c.seq > after, events.c.seq <= up_to)
        .order_by(events.c.seq)
        .limit(most)
    ).all()
    gone, tasks_gone, any_old = [], set(), False
    for row in rows:
        if max(row.occurred_ms, row.received_ms if _is_stamped_old(row.type, row.sid) else 0) >= horizon_ms:
            continue
        any_old = True
        if row.seq in needed.events or row.task_sid in needed.tasks:
            continue
        if row.type in _DELETIONS and row.worker_sid in needed.workers:
            continue
        if row.task_sid is None:
            gone.append(row.seq)
        else:
            tasks_gone.add(row.task_sid)
    more = any_old and len(rows) == most
    return OldEvents(tuple(gone), tuple(sorted(tasks_gone)), rows[-1].seq if more else None)


def drop_events(connection: Connection, tenant: str, found: OldEvents, horizon_ms: int) -> int:
    """Delete these events; of a task all at once, so that no half of it is left to be misread."""
    mine = (events.c.tenant == tenant, events.c.task_sid.in_(found.task_sids), events.c.occurred_ms < horizon_ms)
    single = connection.execute(delete(events).where(events.c.seq.in_(found.seqs))).rowcount
    return single + connection.execute(delete(events).where(*mine)).rowcount


def drop_segments(connection: Connection, tenant: str, worker_sid: str, horizon_ms: int, most: int) -> int:
    """Delete a worker's oldest states, except the one in force at the horizon."""
    mine = (segments.c.tenant == tenant, segments.c.worker_sid == worker_sid)
    in_force = select(func.max(segments.c.start_ms)).where(*mine, segments.c.start_ms < horizon_ms).scalar_subquery()
    oldest = select(segments.c.start_ms).where(*mine, segments.c.start_ms < in_force).order_by(segments.c.start_ms)
    return connection.execute(delete(segments).where(*mine, segments.c.start_ms.in_(oldest.limit(most)))).rowcount


def drop_state_changes(connection: Connection, tenant: str, worker_sid: str, horizon_ms: int, most: int) -> int:
    """Delete a worker's oldest state changes.

    What waits, dead letters, the state in force at the horizon, and what the WFM was told last all stay.
    """
    table = state_changes.c
    mine = (table.tenant == tenant, table.worker_sid == worker_sid)
    oldest = connection.execute(
        select(table.id)
        .where(*mine, table.start_ms < horizon_ms, table.recorded_ms < horizon_ms, table.status.in_(_DECIDED))
        .order_by(table.start_ms)
        .limit(most + 3)
    ).scalars()
    ids = set(oldest)
    if not ids:
        return 0
    in_force = connection.execute(
        select(table.id)
        .where(*mine, table.kind == Kind.CHANGE, table.status.in_(IN_LINE), table.start_ms < horizon_ms)
        .order_by(table.start_ms.desc(), table.id.desc())
        .limit(1)
    ).scalar()
    told = [outbox.last_sent(connection, tenant, worker_sid), outbox.last_told(connection, tenant, worker_sid)]
    ids -= {in_force, *(one.id for one in told if one is not None)}
    return connection.execute(delete(state_changes).where(table.id.in_(sorted(ids)[:most]))).rowcount


def is_waited_for(connection: Connection, tenant: str, worker_sid: str) -> bool:
    """Is anything of this worker neither delivered nor decided."""
    table = state_changes.c
    waiting = select(func.count()).where(
        table.tenant == tenant, table.worker_sid == worker_sid, table.status.not_in(_DECIDED)
    )
    return bool(connection.execute(waiting).scalar_one())


def forget_worker(connection: Connection, tenant: str, worker_sid: str) -> int:
    """Let go of the last rows of a worker who left long ago."""
    rows = 0
    for table in (state_changes, segments, agents):
        mine = (table.c.tenant == tenant, table.c.worker_sid == worker_sid)
        rows += connection.execute(delete(table).where(*mine)).rowcount
    return rows


def drop_tasks(connection: Connection, tenant: str, horizon_ms: int, most: int) -> int:
    """Delete tasks that ended before the horizon."""
    for level in range(task_rows.LEVELS):
        old = (tasks.c.tenant == tenant, tasks.c.span_level == level, tasks.c.opened_ms < horizon_ms)
        oldest = (
            select(tasks.c.task_sid).where(*old, tasks.c.closed_ms < horizon_ms).order_by(tasks.c.opened_ms).limit(most)
        )
        done = connection.execute(delete(tasks).where(tasks.c.tenant == tenant, tasks.c.task_sid.in_(oldest)))
        if done.rowcount:
            return done.rowcount
    return 0


def old_answers(connection: Connection, tenant: str, *, horizon_ms: int, after: int, most: int) -> OldAnswers:
    """Look at the next answers of the WFM; those to dead letters stay."""
    rows = connection.execute(
        select(answers.c.id, answers.c.at_ms)
        .where(answers.c.tenant == tenant, answers.c.id > after)
        .order_by(answers.c.id)
        .limit(most)
    ).all()
    old = [row.id for row in rows if row.at_ms < horizon_ms]
    dead = connection.execute(
        select(state_changes.c.answer_id).where(
            state_changes.c.tenant == tenant,
            state_changes.c.status == Delivery.DEAD,
            state_changes.c.answer_id.in_(old),
        )
    ).scalars()
    gone = set(old).difference(dead)
    return OldAnswers(tuple(sorted(gone)), rows[-1].id if old and len(rows) == most else None)


def drop_answers(connection: Connection, ids: Sequence[int]) -> int:
    """Delete these answers."""
    return connection.execute(delete(answers).where(answers.c.id.in_(ids))).rowcount


def drop_receipts(connection: Connection, tenant: str, horizon_ms: int, most: int) -> int:
    """Delete the receipts of old reports."""
    return _drop_oldest(
        connection, report_runs, report_runs.c.start_ms, tenant, report_runs.c.start_ms < horizon_ms, most
    )


def drop_gaps(connection: Connection, tenant: str, horizon_ms: int, most: int) -> int:
    """Delete holes that were closed one way or another."""
    old = and_(gaps.c.state.in_(_OVER), gaps.c.to_ms < horizon_ms, gaps.c.found_ms < horizon_ms)
    return _drop_oldest(connection, gaps, gaps.c.id, tenant, old, most)


def drop_spans(connection: Connection, tenant: str, horizon_ms: int, most: int) -> int:
    """Delete what was compared with Twilio longer ago than Twilio itself remembers."""
    return _drop_oldest(connection, read_spans, read_spans.c.start_ms, tenant, read_spans.c.end_ms < horizon_ms, most)


def drop_checks(connection: Connection, tenant: str, horizon_ms: int, most: int) -> int:
    """Delete old differences from Twilio's totals."""
    return _drop_oldest(
        connection, queue_checks, queue_checks.c.day_ms, tenant, queue_checks.c.day_ms < horizon_ms, most
    )


def free_pages(connection: Connection) -> tuple[int, int]:
    """How many pages of the file hold nothing, and how many there are."""
    free, pages = (int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0) for name in _PAGE_COUNTS)
    return free, pages


def give_back(connection: Connection, pages: int) -> None:
    """Shorten the file by so many free pages; a file that was made by an older version stays as it is."""
    # It frees a page for each row that is asked for, of a result without columns; that only the driver itself gives.
    connection.connection.cursor().execute(f"PRAGMA incremental_vacuum({pages})").fetchall()


def _drop_oldest(
    connection: Connection, table: Table, key: ColumnElement[Any], tenant: str, old: ColumnElement[bool], most: int
) -> int:
    mine = and_(table.c.tenant == tenant, old)
    oldest = select(key).where(mine).order_by(key).limit(most)
    return connection.execute(delete(table).where(mine, key.in_(oldest))).rowcount


def _is_stamped_old(kind: str, sid: str) -> bool:
    return kind in _DELETIONS or sid.startswith(FINDING)


def _tells_activity(body: str) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and bool(found.get("activity_sid"))

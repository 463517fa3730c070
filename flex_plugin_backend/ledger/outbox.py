"""Queries on state changes: record, claim for sending, mark what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Exists, Row, Select, bindparam, func, insert, select, update

from flex_plugin_backend.ledger.bulk import Bulk, chunks
from flex_plugin_backend.ledger.tables import agents, answers, state_changes

_table = state_changes.c


class Delivery(StrEnum):
    """What became of a state change.

    PENDING waits; SENDING is in a request whose outcome is not known yet; DELIVERED was accepted; SKIPPED was
    superseded before it could be sent; LATE became known after a later state had been sent; REPLACED was corrected
    before it was sent; UNMAPPED and DEAD are the dead letters: no name for it, or refused by the WFM.
    """

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    LATE = "late"
    REPLACED = "replaced"
    UNMAPPED = "unmapped"
    DEAD = "dead"


class Kind(StrEnum):
    """Why a row was made: a change, or a repetition of the present state after a start or an outage.

    A change that a late event proved wrong becomes WITHDRAWN: it keeps its delivery, but leaves the agent's line.
    """

    CHANGE = "change"
    SNAPSHOT = "snapshot"
    WITHDRAWN = "withdrawn"


# On a state that waits: it was in a request whose outcome nobody knows.
PERHAPS_TOLD = "perhaps told already"
SENT = (Delivery.SENDING, Delivery.DELIVERED)
WAITING = (Delivery.PENDING, Delivery.UNMAPPED)
# A present state in one of these does not go out by itself any more.
_REPEATABLE = (Delivery.DELIVERED, Delivery.SKIPPED, Delivery.LATE, Delivery.DEAD)
# What stands in an agent's line of states; the rest was corrected away or only repeats.
IN_LINE = (
    Delivery.PENDING,
    Delivery.SENDING,
    Delivery.DELIVERED,
    Delivery.SKIPPED,
    Delivery.LATE,
    Delivery.UNMAPPED,
    Delivery.DEAD,
)


# The statements of the hot path are built once: building one costs more than running it.
_RECORD = Bulk(insert(state_changes))
_ANSWER = insert(answers)
_PENDING = (
    select(state_changes)
    .where(_table.tenant == bindparam("of_tenant"), _table.status == Delivery.PENDING)
    .order_by(_table.id)
    .limit(bindparam("most"))
)
_ANY_PENDING = (
    select(_table.id).where(_table.tenant == bindparam("of_tenant"), _table.status == Delivery.PENDING).limit(1)
)
_ROW = _table.id == bindparam("row_id")
_MARK = Bulk(update(state_changes).where(_ROW).values(status=bindparam("to_status"), note=bindparam("to_note")))
_DELIVERED = Bulk(
    update(state_changes)
    .where(_ROW)
    .values(status=Delivery.DELIVERED, delivered_ms=bindparam("at_ms"), answer_id=bindparam("answer"), note=None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One state of one agent, to be told to the WFM. `id` is 0 until it is stored; times are epoch milliseconds."""

    worker_sid: str
    agent_id: str | None
    start_ms: int
    event_id: str | None
    reason: str
    state: str
    recorded_ms: int
    kind: Kind = Kind.CHANGE
    cause_sid: str | None = None
    status: Delivery = Delivery.PENDING
    note: str | None = None
    id: int = 0

    @property
    def pair(self) -> tuple[str | None, str]:
        """(event id, reason): what the WFM tells states apart by."""
        return self.event_id, self.reason


def record(connection: Connection, tenant: str, changes: Sequence[StateChange]) -> None:
    """Store new state changes in the order in which they are to be sent."""
    _RECORD.run(connection, [_values(tenant, one) for one in changes])


def last_of_worker(connection: Connection, tenant: str, worker_sid: str) -> StateChange | None:
    """The newest state in the worker's line of states."""
    query = (
        _of_worker(tenant, worker_sid)
        .where(_table.kind == Kind.CHANGE)
        .order_by(_table.start_ms.desc(), _table.id.desc())
    )
    row = connection.execute(query.limit(1)).first()
    return _change(row) if row else None


def last_of_all(connection: Connection, tenant: str) -> dict[str, StateChange]:
    """The newest state in each worker's line of states."""
    workers = select(agents.c.worker_sid).where(agents.c.tenant == tenant)
    found = (last_of_worker(connection, tenant, sid) for sid in connection.execute(workers).scalars().all())
    return {one.worker_sid: one for one in found if one is not None}


def line_from(connection: Connection, tenant: str, worker_sid: str, from_ms: int) -> list[StateChange]:
    """The worker's line of states from the one in force just before `from_ms` on, oldest first."""
    before = connection.execute(
        _of_worker(tenant, worker_sid)
        .where(_table.kind == Kind.CHANGE, _table.start_ms < from_ms)
        .order_by(_table.start_ms.desc(), _table.id.desc())
        .limit(1)
    ).first()
    since = connection.execute(
        _of_worker(tenant, worker_sid)
        .where(_table.kind == Kind.CHANGE, _table.start_ms >= from_ms)
        .order_by(_table.start_ms, _table.id)
    )
    return [_change(row) for row in ([before] if before else []) + list(since)]


def last_sent(connection: Connection, tenant: str, worker_sid: str) -> StateChange | None:
    """The state of this worker that the WFM holds or is about to hold."""
    row = connection.execute(
        select(state_changes)
        .where(_table.tenant == tenant, _table.worker_sid == worker_sid, _table.status.in_(SENT))
        .order_by(_table.id.desc())
        .limit(1)
    ).first()
    return _change(row) if row else None


def last_told(connection: Connection, tenant: str, worker_sid: str) -> StateChange | None:
    """The state of this worker that the WFM will hold when everything that waits has been sent."""
    row = connection.execute(
        select(state_changes)
        .where(_table.tenant == tenant, _table.worker_sid == worker_sid)
        .where(_table.status.in_((Delivery.PENDING, *SENT)))
        .order_by(_table.id.desc())
        .limit(1)
    ).first()
    return _change(row) if row else None


def pending(connection: Connection, tenant: str, limit: int) -> list[StateChange]:
    """The oldest changes that wait to be sent, in sending order."""
    found = connection.execute(_PENDING, {"of_tenant": tenant, "most": limit})
    return [_change(row) for row in found]


def any_pending(connection: Connection, tenant: str) -> bool:
    """Does a change wait to be sent."""
    return connection.execute(_ANY_PENDING, {"of_tenant": tenant}).first() is not None


def mark(connection: Connection, ids: Iterable[int], status: Delivery, note: str | None = None) -> None:
    """Set the status of these rows."""
    rows = [{"row_id": one, "to_status": status, "to_note": note} for one in ids]
    _MARK.run(connection, rows)


def withdraw(connection: Connection, ids: Iterable[int]) -> None:
    """These were never so: take them out of the agent's line of states."""
    for some in chunks(ids):
        connection.execute(update(state_changes).where(_table.id.in_(some)).values(kind=Kind.WITHDRAWN))


def mark_delivered(connection: Connection, ids: Iterable[int], at_ms: int, answer_id: int) -> None:
    """These were accepted by the WFM."""
    rows = [{"row_id": one, "at_ms": at_ms, "answer": answer_id} for one in ids]
    _DELIVERED.run(connection, rows)


def mark_dead(connection: Connection, change_id: int, note: str, answer_id: int) -> None:
    """The WFM refused this one; it becomes a dead letter with the answer."""
    connection.execute(
        update(state_changes).where(_table.id == change_id).values(status=Delivery.DEAD, note=note, answer_id=answer_id)
    )


def release_unfinished(connection: Connection, tenant: str) -> int:
    """Requests whose outcome died with the last process: send those rows again. Returns how many."""
    done = connection.execute(
        update(state_changes)
        .where(_table.tenant == tenant, _table.status == Delivery.SENDING)
        .values(status=Delivery.PENDING, note=PERHAPS_TOLD)
    )
    return done.rowcount


def release(connection: Connection, ids: Iterable[int]) -> None:
    """Of these, send again what is still marked as being sent."""
    for some in chunks(ids):
        connection.execute(
            update(state_changes)
            .where(_table.id.in_(some), _table.status == Delivery.SENDING)
            .values(status=Delivery.PENDING, note=PERHAPS_TOLD)
        )


def skip_superseded_before(connection: Connection, tenant: str, before_ms: int, note: str) -> int:
    """Catch-up rule: give up every waiting state older than `before_ms` that is not the agent's newest."""
    superseded = _superseded(tenant)
    done = connection.execute(
        update(state_changes)
        .where(_table.tenant == tenant, _table.status == Delivery.PENDING, _table.start_ms < before_ms)
        .where(superseded)
        .values(status=Delivery.SKIPPED, note=note)
    )
    return done.rowcount


def skip_past_findings(connection: Connection, tenant: str, ids: Iterable[int], note: str) -> set[int]:
    """Of these rows, give up what only a snapshot told and is over: when it began and what was between is unknown.

    Returns the ids given up.
    """
    gone: set[int] = set()
    for some in chunks(ids):
        over = select(_table.id).where(_table.id.in_(some), _superseded(tenant))
        found = connection.execute(over).scalars().all()
        mark(connection, found, Delivery.SKIPPED, note)
        gone.update(found)
    return gone


def map_worker(connection: Connection, tenant: str, worker_sid: str, agent_id: str) -> int:
    """This is the worker's agent id now: what was held for want of it is sent, and what waits goes out under it.

    Returns how many rows were held.
    """
    connection.execute(
        update(state_changes)
        .where(_table.tenant == tenant, _table.worker_sid == worker_sid, _table.status == Delivery.PENDING)
        .values(agent_id=agent_id)
    )
    done = connection.execute(
        update(state_changes)
        .where(_table.tenant == tenant, _table.worker_sid == worker_sid, _table.status == Delivery.UNMAPPED)
        .where(_table.event_id.is_not(None))
        .values(status=Delivery.PENDING, agent_id=agent_id, note=None)
    )
    return done.rowcount


def repeat_present_states(
    connection: Connection, tenant: str, recorded_ms: int, agent_ids: Mapping[str, str | None]
) -> int:
    """Queue the present state of every agent once more, unless it waits to be sent anyway. Returns how many.

    `agent_ids` tells what each worker is called now.
    """
    repeats = [
        StateChange(
            worker_sid=one.worker_sid,
            agent_id=agent_ids.get(one.worker_sid),
            start_ms=one.start_ms,
            event_id=one.event_id,
            reason=one.reason,
            state=one.state,
            recorded_ms=recorded_ms,
            kind=Kind.SNAPSHOT,
            cause_sid=one.cause_sid,
        )
        for one in last_of_all(connection, tenant).values()
        if one.status in _REPEATABLE and agent_ids.get(one.worker_sid) is not None and one.event_id is not None
    ]
    record(connection, tenant, repeats)
    return len(repeats)


def keep_answer(
    connection: Connection, tenant: str, *, at_ms: int, what: str, status: int | None, rows: int, body: str | None
) -> int:
    """Store what the WFM answered; returns its number."""
    values = {"tenant": tenant, "at_ms": at_ms, "what": what, "status": status, "rows": rows, "body": body}
    done = connection.execute(_ANSWER, values)
    key = done.inserted_primary_key
    return int(key[0]) if key else 0


def number(connection: Connection, tenant: str, statuses: Iterable[Delivery]) -> int:
    """How many state changes stand in one of these."""
    query = select(func.count()).where(_table.tenant == tenant, _table.status.in_(list(statuses)))
    return int(connection.execute(query).scalar_one())


def first_unnamed(connection: Connection, tenant: str) -> dict[str, int]:
    """Workers with states that no event id could be found for, and the start (ms) of the earliest such state."""
    found = connection.execute(
        select(_table.worker_sid, func.min(_table.start_ms))
        .where(_table.tenant == tenant, _table.status == Delivery.UNMAPPED, _table.event_id.is_(None))
        .group_by(_table.worker_sid)
    )
    return {worker: start_ms for worker, start_ms in found}  # noqa: C416 (rows are not tuples to the type checker)


def unmapped_workers(connection: Connection, tenant: str) -> dict[str, tuple[int, str]]:
    """Workers with held states: how many, and the newest reason."""
    found = connection.execute(
        select(_table.worker_sid, func.count(), func.max(_table.note))
        .where(_table.tenant == tenant, _table.status == Delivery.UNMAPPED)
        .group_by(_table.worker_sid)
    )
    return {worker: (number, note or "") for worker, number, note in found}


def _superseded(tenant: str) -> Exists:
    """Does a later state of the same worker stand, or wait, behind the row."""
    later = state_changes.alias("later")
    return (
        select(later.c.id)
        .where(later.c.tenant == tenant, later.c.worker_sid == _table.worker_sid, later.c.id > _table.id)
        .where(later.c.status.in_((*WAITING, *SENT)), later.c.start_ms >= _table.start_ms)
        .exists()
    )


def _of_worker(tenant: str, worker_sid: str) -> Select[Any]:
    return select(state_changes).where(
        _table.tenant == tenant, _table.worker_sid == worker_sid, _table.status.in_(IN_LINE)
    )


def _values(tenant: str, one: StateChange) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "worker_sid": one.worker_sid,
        "agent_id": one.agent_id,
        "start_ms": one.start_ms,
        "event_id": one.event_id,
        "reason": one.reason,
        "state": one.state,
        "kind": one.kind,
        "cause_sid": one.cause_sid,
        "status": one.status,
        "note": one.note,
        "recorded_ms": one.recorded_ms,
    }


def _change(row: Row[Any]) -> StateChange:
    return StateChange(
        id=row.id,
        worker_sid=row.worker_sid,
        agent_id=row.agent_id,
        start_ms=row.start_ms,
        event_id=row.event_id,
        reason=row.reason,
        state=row.state,
        recorded_ms=row.recorded_ms,
        kind=Kind(row.kind),
        cause_sid=row.cause_sid,
        status=Delivery(row.status),
        note=row.note,
    )

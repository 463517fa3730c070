"""Queries that look things up for a human: what the WFM was told of an agent, and what stands behind it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.ledger.eventlog import event_of
from flex_plugin_backend.ledger.outbox import IN_LINE, Delivery, Kind
from flex_plugin_backend.ledger.tables import answers, events, state_changes

_table = state_changes.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """One row of the outbox with all that became of it; times are epoch milliseconds."""

    id: int
    worker_sid: str
    agent_id: str | None
    start_ms: int
    event_id: str | None
    reason: str
    state: str
    kind: Kind
    cause_sid: str | None
    status: Delivery
    note: str | None
    recorded_ms: int
    delivered_ms: int | None
    answer_id: int | None

    @property
    def pair(self) -> tuple[str | None, str]:
        """(event id, reason): what the WFM tells states apart by."""
        return self.event_id, self.reason


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the WFM answered to one request of `rows` rows; `body` is as kept, cut and without secrets."""

    id: int
    at_ms: int
    what: str
    status: int | None
    rows: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """One event of the log, its number in the order of arrival, and when it arrived (epoch ms)."""

    seq: int
    event: TaskRouterEvent
    received_ms: int


def state(connection: Connection, tenant: str, change_id: int) -> StoredState | None:
    """The row of this number."""
    row = connection.execute(select(state_changes).where(_table.tenant == tenant, _table.id == change_id)).first()
    return _state(row) if row else None


def states_in(connection: Connection, tenant: str, statuses: Collection[Delivery]) -> list[StoredState]:
    """The rows that stand in one of these, newest first."""
    found = connection.execute(
        select(state_changes)
        .where(_table.tenant == tenant, _table.status.in_(list(statuses)))
        .order_by(_table.id.desc())
    )
    return [_state(row) for row in found]


def in_force(connection: Connection, tenant: str, worker_sid: str, at_ms: int) -> StoredState | None:
    """The state of a worker's line that was in force at an instant, whatever became of it."""
    row = connection.execute(
        select(state_changes)
        .where(_table.tenant == tenant, _table.worker_sid == worker_sid, _table.status.in_(IN_LINE))
        .where(_table.kind == Kind.CHANGE, _table.start_ms <= at_ms)
        .order_by(_table.start_ms.desc(), _table.id.desc())
        .limit(1)
    ).first()
    return _state(row) if row else None


def told(
    connection: Connection, tenant: str, worker_sids: Collection[str], agent_id: str | None, by_ms: int
) -> StoredState | None:
    """What the WFM held of an agent at an instant: the last row of these workers that it had accepted under this id.

    `agent_id` None: under whatever id.
    """
    query = select(state_changes).where(_table.tenant == tenant, _table.worker_sid.in_(worker_sids))
    if agent_id is not None:
        query = query.where(_table.agent_id == agent_id)
    row = connection.execute(
        query.where(_table.status == Delivery.DELIVERED, _table.delivered_ms <= by_ms)
        .order_by(_table.delivered_ms.desc(), _table.id.desc())
        .limit(1)
    ).first()
    return _state(row) if row else None


def first_ms(connection: Connection, tenant: str, worker_sid: str) -> int | None:
    """When the first state that is known of a worker began."""
    return connection.execute(
        select(func.min(_table.start_ms)).where(_table.tenant == tenant, _table.worker_sid == worker_sid)
    ).scalar()


def number_before(connection: Connection, tenant: str, change_id: int) -> int:
    """How many states wait to be sent before this one."""
    waiting = (Delivery.PENDING, Delivery.SENDING)
    query = select(func.count()).where(_table.tenant == tenant, _table.status.in_(waiting), _table.id < change_id)
    return int(connection.execute(query).scalar_one())


def workers_once_called(connection: Connection, tenant: str, agent_id: str) -> list[str]:
    """The workers of which something was ever recorded under this agent id; reads every state, so ask rarely."""
    query = select(_table.worker_sid).where(_table.tenant == tenant, _table.agent_id == agent_id).distinct()
    return list(connection.execute(query).scalars())


def answer(connection: Connection, answer_id: int) -> StoredAnswer | None:
    """The answer of this number."""
    row = connection.execute(select(answers).where(answers.c.id == answer_id)).first()
    return StoredAnswer(row.id, row.at_ms, row.what, row.status, row.rows, row.body) if row else None


def received(connection: Connection, tenant: str, sid: str) -> Received | None:
    """The event of this sid, if the log still has it."""
    row = connection.execute(select(events).where(events.c.tenant == tenant, events.c.sid == sid)).first()
    return _received(row) if row else None


def of_worker_at(connection: Connection, tenant: str, worker_sid: str, at_ms: int) -> list[Received]:
    """A worker's events of one instant, in the order of arrival."""
    found = connection.execute(
        select(events)
        .where(events.c.tenant == tenant, events.c.worker_sid == worker_sid, events.c.occurred_ms == at_ms)
        .order_by(events.c.seq)
    )
    return [_received(row) for row in found]


def of_task_at(connection: Connection, tenant: str, task_sid: str, at_ms: int) -> list[Received]:
    """A task's events of one instant, in the order of arrival."""
    found = connection.execute(
        select(events)
        .where(events.c.tenant == tenant, events.c.task_sid == task_sid, events.c.occurred_ms == at_ms)
        .order_by(events.c.seq)
    )
    return [_received(row) for row in found]


def newest_of_types(connection: Connection, tenant: str, worker_sid: str, types: Collection[str]) -> Received | None:
    """The worker's event of one of these types that arrived last."""
    row = connection.execute(
        select(events)
        .where(events.c.tenant == tenant, events.c.worker_sid == worker_sid, events.c.type.in_(types))
        .order_by(events.c.seq.desc())
        .limit(1)
    ).first()
    return _received(row) if row else None


def next_activity_change(connection: Connection, tenant: str, worker_sid: str, after_ms: int) -> Received | None:
    """The worker's first activity change after an instant."""
    row = connection.execute(
        select(events)
        .where(events.c.tenant == tenant, events.c.worker_sid == worker_sid, events.c.occurred_ms > after_ms)
        .where(events.c.type == "worker.activity.update")
        .order_by(events.c.occurred_ms, events.c.seq)
        .limit(1)
    ).first()
    return _received(row) if row else None


def unapplied(connection: Connection, tenant: str, worker_sid: str, seq: int) -> int:
    """How many events of a worker arrived after this number."""
    query = select(func.count()).where(events.c.tenant == tenant, events.c.worker_sid == worker_sid, events.c.seq > seq)
    return int(connection.execute(query).scalar_one())


def _state(row: Row[Any]) -> StoredState:
    known = {name: getattr(row, name) for name in StoredState.__slots__}
    return StoredState(**{**known, "kind": Kind(row.kind), "status": Delivery(row.status)})


def _received(row: Row[Any]) -> Received:
    return Received(row.seq, event_of(row.body), row.received_ms)

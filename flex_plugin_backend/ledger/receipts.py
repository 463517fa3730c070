"""Queries on the receipts of interval reports: what was sent, in which revision, and what must be built again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Insert, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.tables import report_runs

ACTIVITY, QUEUE = "activity", "queue"
KINDS = (ACTIVITY, QUEUE)

_table = report_runs.c
_SAVE: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(report_runs)), ("postgresql", postgresql.insert(report_runs))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "kind", "start_ms"],
        set_={
            name: _insert.excluded[name]
            for name in ("revision", "hash", "status", "dirty", "note", "sent_ms", "answer_id")
        },
    )


class ReceiptStatus(StrEnum):
    """ACCEPTED: the WFM took it whole. PARTIAL: without the rows that it refused. REFUSED: not at all.

    DISCARDED: somebody gave this revision up.
    """

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    REFUSED = "refused"
    DISCARDED = "discarded"


# Nothing is to be sent of these any more, unless the figures change.
DONE = (ReceiptStatus.ACCEPTED, ReceiptStatus.DISCARDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One interval's report of one kind: the newest revision, its content's hash, what the WFM said; times in ms."""

    kind: str
    start_ms: int
    revision: int
    hash: str
    status: ReceiptStatus
    dirty: bool = False
    note: str | None = None
    sent_ms: int | None = None
    answer_id: int | None = None


def find(connection: Connection, tenant: str, kind: str, start_ms: int) -> Receipt | None:
    """The receipt of an interval, if it was ever sent."""
    row = connection.execute(
        select(report_runs).where(_table.tenant == tenant, _table.kind == kind, _table.start_ms == start_ms)
    ).first()
    return _receipt(row) if row else None


def save(connection: Connection, tenant: str, one: Receipt) -> None:
    """Store a receipt in place of the one before it."""
    connection.execute(
        _SAVE[connection.dialect.name],
        {
            "tenant": tenant,
            "kind": one.kind,
            "start_ms": one.start_ms,
            "revision": one.revision,
            "hash": one.hash,
            "status": one.status,
            "dirty": int(one.dirty),
            "note": one.note,
            "sent_ms": one.sent_ms,
            "answer_id": one.answer_id,
        },
    )


def clean(connection: Connection, tenant: str, kind: str, start_ms: int) -> None:
    """Looked at again, and nothing has changed."""
    connection.execute(
        update(report_runs)
        .where(_table.tenant == tenant, _table.kind == kind, _table.start_ms == start_ms)
        .values(dirty=0)
    )


def mark_dirty(connection: Connection, tenant: str, starts: Collection[int], kinds: Collection[str]) -> None:
    """These intervals may have changed since they were sent."""
    if starts:
        connection.execute(
            update(report_runs)
            .where(_table.tenant == tenant, _table.start_ms.in_(starts), _table.kind.in_(kinds), _table.dirty == 0)
            .values(dirty=1)
        )


def dirty(connection: Connection, tenant: str, not_before_ms: int) -> list[tuple[str, int]]:
    """(kind, start) of what must be built again, oldest first."""
    found = connection.execute(
        select(_table.kind, _table.start_ms)
        .where(_table.tenant == tenant, _table.dirty == 1, _table.start_ms >= not_before_ms)
        .order_by(_table.start_ms, _table.kind)
    )
    return [(row.kind, row.start_ms) for row in found]


def refused(connection: Connection, tenant: str, not_before_ms: int) -> list[Receipt]:
    """What the WFM did not take, or not whole, oldest first."""
    found = connection.execute(
        select(report_runs)
        .where(_table.tenant == tenant, _table.status.not_in(DONE), _table.start_ms >= not_before_ms)
        .order_by(_table.start_ms, _table.kind)
    )
    return [_receipt(row) for row in found]


def sent_again(connection: Connection, tenant: str, since_ms: int, before_ms: int) -> list[tuple[str, int]]:
    """(kind, start) of the intervals from before `before_ms` that got another revision since `since_ms`."""
    found = connection.execute(
        select(_table.kind, _table.start_ms).where(
            _table.tenant == tenant,
            _table.revision > 1,
            _table.sent_ms >= since_ms,
            _table.start_ms < before_ms,
        )
    )
    return [(row.kind, row.start_ms) for row in found]


def last_start_ms(connection: Connection, tenant: str, kind: str) -> int | None:
    """The newest interval of this kind that has a receipt."""
    return connection.execute(
        select(func.max(_table.start_ms)).where(_table.tenant == tenant, _table.kind == kind)
    ).scalar()


def between(connection: Connection, tenant: str, from_ms: int, to_ms: int) -> list[Receipt]:
    """The receipts of the intervals that begin in `[from_ms, to_ms)`, oldest first."""
    found = connection.execute(
        select(report_runs)
        .where(_table.tenant == tenant, _table.start_ms >= from_ms, _table.start_ms < to_ms)
        .order_by(_table.start_ms, _table.kind)
    )
    return [_receipt(row) for row in found]


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        kind=row.kind,
        start_ms=row.start_ms,
        revision=row.revision,
        hash=row.hash,
        status=ReceiptStatus(row.status),
        dirty=bool(row.dirty),
        note=row.note,
        sent_ms=row.sent_ms,
        answer_id=row.answer_id,
    )

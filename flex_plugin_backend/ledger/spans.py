"""Queries on the spans of time that were compared with Twilio's own list."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from flex_plugin_backend.domain.spans import Span, joined, without
from flex_plugin_backend.ledger.tables import read_spans

VERIFIED = "verified"
_table = read_spans.c


def covered(connection: Connection, tenant: str, purpose: str = VERIFIED) -> list[Span]:
    """What was read for this purpose, oldest first."""
    found = connection.execute(
        select(_table.start_ms, _table.end_ms)
        .where(_table.tenant == tenant, _table.purpose == purpose)
        .order_by(_table.start_ms)
    )
    return [Span(row.start_ms, row.end_ms) for row in found]


def cover(connection: Connection, tenant: str, spans: Iterable[Span], purpose: str = VERIFIED) -> None:
    """These were read, too."""
    for span in joined(spans):
        near = _touching(connection, tenant, purpose, span)
        _replace(connection, tenant, purpose, near, joined([span, *near]))


def uncover(connection: Connection, tenant: str, span: Span, purpose: str = VERIFIED) -> None:
    """This one must be read again."""
    near = _touching(connection, tenant, purpose, span)
    _replace(connection, tenant, purpose, near, [part for one in near for part in without(one, [span])])


def forget(connection: Connection, tenant: str, purpose: str) -> None:
    """Let go of everything that was read for this purpose."""
    connection.execute(delete(read_spans).where(_table.tenant == tenant, _table.purpose == purpose))


def _touching(connection: Connection, tenant: str, purpose: str, span: Span) -> list[Span]:
    found = connection.execute(
        select(_table.start_ms, _table.end_ms).where(
            _table.tenant == tenant,
            _table.purpose == purpose,
            _table.start_ms <= span.end_ms,
            _table.end_ms >= span.start_ms,
        )
    )
    return [Span(row.start_ms, row.end_ms) for row in found]


def _replace(connection: Connection, tenant: str, purpose: str, old: list[Span], new: list[Span]) -> None:
    mine = (_table.tenant == tenant, _table.purpose == purpose)
    connection.execute(delete(read_spans).where(*mine, _table.start_ms.in_([one.start_ms for one in old])))
    if new:
        connection.execute(
            insert(read_spans),
            [{"tenant": tenant, "purpose": purpose, "start_ms": one.start_ms, "end_ms": one.end_ms} for one in new],
        )

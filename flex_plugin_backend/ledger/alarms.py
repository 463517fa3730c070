"""Queries on alarms: those that stand, those whose end is still to be told, and the latest for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.tables import alarms

_table = alarms.c
_KEY = ("tenant", "cause", "since_ms")
_SAVE = {
    name: insert.on_conflict_do_update(
        index_elements=list(_KEY), set_={one.name: insert.excluded[one.name] for one in _table if one.name not in _KEY}
    )
    for name, insert in (("sqlite", sqlite.insert(alarms)), ("postgresql", postgresql.insert(alarms)))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm; times are epoch milliseconds.

    Attributes:
        condition, cause, witness: as the operator sees them.
        ended_ms: None while it stands.
        begin_told_ms, end_told_ms: when the webhook took the message; None: it did not, or not yet.
    """

    condition: str
    cause: str
    witness: str
    since_ms: int
    detail: str = ""
    ended_ms: int | None = None
    begin_told_ms: int | None = None
    end_told_ms: int | None = None


def save(connection: Connection, tenant: str, found: Iterable[Alarm]) -> None:
    """Store these in place of what was known of them."""
    rows = [{"tenant": tenant, **asdict(one)} for one in found]
    if rows:
        connection.execute(_SAVE[connection.dialect.name], rows)


def unfinished(connection: Connection, tenant: str) -> list[Alarm]:
    """Those that stand, or whose begin was told and whose end was not; the oldest first."""
    to_tell = (_table.begin_told_ms.is_not(None)) & (_table.end_told_ms.is_(None))
    found = connection.execute(
        select(alarms).where(_table.tenant == tenant, or_(_table.ended_ms.is_(None), to_tell)).order_by(_table.since_ms)
    )
    return [_alarm(row) for row in found]


def latest(connection: Connection, tenant: str, limit: int) -> list[Alarm]:
    """The newest alarms, the newest first."""
    found = connection.execute(
        select(alarms).where(_table.tenant == tenant).order_by(_table.since_ms.desc()).limit(limit)
    )
    return [_alarm(row) for row in found]


def forget(connection: Connection, tenant: str, before_ms: int) -> None:
    """Let go of those that ended before this instant."""
    connection.execute(delete(alarms).where(_table.tenant == tenant, _table.ended_ms < before_ms))


def _alarm(row: Row[Any]) -> Alarm:
    values = row._asdict()
    del values["tenant"]
    return Alarm(**values)

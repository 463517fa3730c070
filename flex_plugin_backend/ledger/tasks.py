"""Queries on the span of time in which each task counts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Insert, bindparam, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.bulk import Bulk
from flex_plugin_backend.ledger.tables import tasks

# Tasks are filed by how long they were open: less than 15 minutes, 1 hour, 4 hours, ... 42 days, or longer (levels 0 to
# 7). Of each level only what opened a little before an interval can reach into it, so what came later is never read.
_SPANS_MS = tuple(900_000 * 4**level for level in range(7))
LEVELS = len(_SPANS_MS) + 1
_table = tasks.c
_SAVE: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(tasks)), ("postgresql", postgresql.insert(tasks))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "task_sid"],
        set_={name: _insert.excluded[name] for name in ("opened_ms", "closed_ms", "span_level")},
    )
_SAVE_ALL = Bulk(_SAVE)
_MINE = select(_table.task_sid).where(_table.tenant == bindparam("of_tenant"))
_OPEN = _MINE.where(_table.span_level.is_(None))
_CLOSED = [
    _MINE.where(
        _table.span_level == level, _table.opened_ms < bindparam("to_ms"), _table.closed_ms >= bindparam("from_ms")
    )
    for level in range(LEVELS)
]
_BETWEEN = union_all(
    _OPEN.where(_table.opened_ms < bindparam("to_ms")),
    *(one.where(_table.opened_ms > bindparam("from_ms") - most) for one, most in zip(_CLOSED, _SPANS_MS, strict=False)),
    _CLOSED[-1],
)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task: since when anything of it counts, and until when (None: still); epoch milliseconds."""

    task_sid: str
    opened_ms: int
    closed_ms: int | None


def save(connection: Connection, tenant: str, rows: Sequence[TaskRow]) -> None:
    """Store these tasks."""
    if rows:
        _SAVE_ALL.run(
            connection,
            [
                {
                    "tenant": tenant,
                    "task_sid": one.task_sid,
                    "opened_ms": one.opened_ms,
                    "closed_ms": one.closed_ms,
                    "span_level": None
                    if one.closed_ms is None
                    else bisect_right(_SPANS_MS, one.closed_ms - one.opened_ms),
                }
                for one in rows
            ],
        )


def open_ones(connection: Connection, tenant: str) -> list[str]:
    """The tasks of which something is open."""
    return list(connection.execute(_OPEN, {"of_tenant": tenant}).scalars())


def between(connection: Connection, tenant: str, from_ms: int, to_ms: int) -> list[str]:
    """The tasks of which something was open, or ended, in `[from_ms, to_ms)`."""
    found = connection.execute(_BETWEEN, {"of_tenant": tenant, "from_ms": from_ms, "to_ms": to_ms})
    return sorted(found.scalars())

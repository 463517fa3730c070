"""Queries on the projection per task."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.tables import tasks

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# Tasks are filed by how long they were open: less than 15 minutes, 1 hour, 4 hours, ... 42 days, or longer (levels 0 to
# 7). Of each level only what opened a little before an interval can reach into it, so what came later is never read.
_SPANS_MS = tuple(900_000 * 4**level for level in range(7))
_SAVE: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(tasks)), ("postgresql", postgresql.insert(tasks))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "task_sid"],
        set_={name: _insert.excluded[name] for name in ("story", "opened_ms", "closed_ms", "span_level")},
    )


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task: its story (domain.contacts), since when anything of it counts, and until when (None: still)."""

    task_sid: str
    story: dict[str, Any]
    opened_ms: int
    closed_ms: int | None


def load(connection: Connection, tenant: str, task_sids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The stories of these tasks, of those that are known."""
    sids = list(task_sids)
    stories: dict[str, dict[str, Any]] = {}
    for at in range(0, len(sids), 500):
        found = connection.execute(
            select(tasks.c.task_sid, tasks.c.story).where(
                tasks.c.tenant == tenant, tasks.c.task_sid.in_(sids[at : at + 500])
            )
        )
        stories.update({row.task_sid: json.loads(row.story) for row in found})
    return stories


def save(connection: Connection, tenant: str, rows: Sequence[TaskRow]) -> None:
    """Store these tasks."""
    if rows:
        connection.execute(
            _SAVE[connection.dialect.name],
            [
                {
                    "tenant": tenant,
                    "task_sid": one.task_sid,
                    "story": _encode(one.story),
                    "opened_ms": one.opened_ms,
                    "closed_ms": one.closed_ms,
                    "span_level": None
                    if one.closed_ms is None
                    else bisect_right(_SPANS_MS, one.closed_ms - one.opened_ms),
                }
                for one in rows
            ],
        )


def between(connection: Connection, tenant: str, from_ms: int, to_ms: int) -> Iterator[dict[str, Any]]:
    """The stories of the tasks of which something was open, or ended, in `[from_ms, to_ms)`."""
    mine = select(tasks.c.task_sid, tasks.c.story).where(tasks.c.tenant == tenant, tasks.c.opened_ms < to_ms)
    parts = [mine.where(tasks.c.span_level.is_(None))]
    for level in range(len(_SPANS_MS) + 1):
        closed = mine.where(tasks.c.span_level == level, tasks.c.closed_ms >= from_ms)
        if level < len(_SPANS_MS):
            closed = closed.where(tasks.c.opened_ms > from_ms - _SPANS_MS[level])
        parts.append(closed)
    for row in sorted(connection.execute(union_all(*parts)), key=lambda row: str(row.task_sid)):
        yield json.loads(row.story)

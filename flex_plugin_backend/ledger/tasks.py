"""Queries on the projection per task."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.tables import tasks

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SAVE: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(tasks)), ("postgresql", postgresql.insert(tasks))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "task_sid"],
        set_={name: _insert.excluded[name] for name in ("story", "opened_ms", "closed_ms")},
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
                }
                for one in rows
            ],
        )


def between(connection: Connection, tenant: str, from_ms: int, to_ms: int) -> Iterator[dict[str, Any]]:
    """The stories of the tasks of which something was open, or ended, in `[from_ms, to_ms)`."""
    found = connection.execute(
        select(tasks.c.story)
        .where(tasks.c.tenant == tenant, tasks.c.opened_ms < to_ms)
        .where(or_(tasks.c.closed_ms.is_(None), tasks.c.closed_ms >= from_ms))
        .order_by(tasks.c.task_sid)
    )
    for row in found:
        yield json.loads(row.story)

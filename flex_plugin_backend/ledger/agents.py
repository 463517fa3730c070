"""Queries on the projection per worker and on the stored catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend import quickjson
from flex_plugin_backend.ledger.bulk import Bulk
from flex_plugin_backend.ledger.tables import agents, catalogues

# Built once, because it runs with every step.
_SAVE: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(agents)), ("postgresql", postgresql.insert(agents))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "worker_sid"],
        set_={name: _insert.excluded[name] for name in ("agent_id", "timeline", "updated_ms")},
    )
_SAVE_ALL = Bulk(_SAVE)


def load(connection: Connection, tenant: str) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Every worker of the tenant: sid, agent id, timeline record."""
    found = connection.execute(
        select(agents.c.worker_sid, agents.c.agent_id, agents.c.timeline).where(agents.c.tenant == tenant)
    )
    for row in found:
        yield row.worker_sid, row.agent_id, quickjson.loads(row.timeline)


def names(connection: Connection, tenant: str) -> list[tuple[str, str]]:
    """Every worker that has an agent id, with it."""
    found = connection.execute(
        select(agents.c.worker_sid, agents.c.agent_id).where(agents.c.tenant == tenant, agents.c.agent_id.is_not(None))
    )
    return [(row.worker_sid, row.agent_id) for row in found]


def save(
    connection: Connection, tenant: str, rows: Sequence[tuple[str, str | None, dict[str, Any]]], updated_ms: int
) -> None:
    """Store the timelines of these workers: sid, agent id, timeline record."""
    _SAVE_ALL.run(
        connection,
        [
            {
                "tenant": tenant,
                "worker_sid": worker_sid,
                "agent_id": agent_id,
                "timeline": quickjson.dumps(record),
                "updated_ms": updated_ms,
            }
            for worker_sid, agent_id, record in rows
        ],
    )


def call(connection: Connection, tenant: str, worker_sid: str, agent_id: str | None) -> None:
    """This is what the WFM calls the worker from now on."""
    mine = (agents.c.tenant == tenant, agents.c.worker_sid == worker_sid)
    connection.execute(update(agents).where(*mine).values(agent_id=agent_id))


def catalogue(connection: Connection, tenant: str) -> dict[str, Any] | None:
    """Twilio's catalogue as last stored, `None` at first."""
    body = connection.execute(select(catalogues.c.body).where(catalogues.c.tenant == tenant)).scalar()
    return None if body is None else dict(quickjson.loads(body))


def save_catalogue(connection: Connection, tenant: str, body: dict[str, Any], read_ms: int) -> None:
    """Store Twilio's catalogue for the next start."""
    insert = sqlite.insert(catalogues) if connection.dialect.name == "sqlite" else postgresql.insert(catalogues)
    values = {"body": quickjson.dumps(body), "read_ms": read_ms}
    connection.execute(
        insert.values(tenant=tenant, **values).on_conflict_do_update(index_elements=["tenant"], set_=values)
    )

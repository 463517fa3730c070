"""Queries on how far the shards of a Kinesis stream have been read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend.ledger.tables import stream_shards

_table = stream_shards.c
_SAVE = {}
for _name, _insert in (("sqlite", sqlite.insert(stream_shards)), ("postgresql", postgresql.insert(stream_shards))):
    _SAVE[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "stream", "shard_id"],
        set_={name: _insert.excluded[name] for name in ("sequence", "finished", "updated_ms")},
    )


@dataclass(frozen=True, slots=True)
class Place:
    """How far a shard has been read.

    Attributes:
        sequence: the last record that was taken; None: none yet.
        finished: the shard was closed, and everything in it has been taken.
    """

    sequence: str | None
    finished: bool = False


def places(connection: Connection, tenant: str, stream: str) -> dict[str, Place]:
    """Shard id -> how far it has been read."""
    found = connection.execute(
        select(_table.shard_id, _table.sequence, _table.finished).where(
            _table.tenant == tenant, _table.stream == stream
        )
    )
    return {row.shard_id: Place(row.sequence, bool(row.finished)) for row in found}


def save(connection: Connection, tenant: str, stream: str, shard_id: str, place: Place, now_ms: int) -> None:
    """Note how far a shard has been read."""
    row = {"tenant": tenant, "stream": stream, "shard_id": shard_id, "updated_ms": now_ms}
    connection.execute(
        _SAVE[connection.dialect.name], {**row, "sequence": place.sequence, "finished": int(place.finished)}
    )


def forget(connection: Connection, tenant: str, stream: str, shard_ids: Iterable[str]) -> None:
    """Let go of shards that the stream does not have any more."""
    connection.execute(
        delete(stream_shards).where(
            _table.tenant == tenant, _table.stream == stream, _table.shard_id.in_(list(shard_ids))
        )
    )

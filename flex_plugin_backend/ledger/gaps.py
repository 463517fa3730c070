"""Queries on the holes in what Twilio sent us: suspected, found, filled, healed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from flex_plugin_backend.ledger.tables import gaps

_table = gaps.c


class Cause(StrEnum):
    """Why events did not come.

    RESTART: the connector was not running. REFUSED: it could not store them and said so. SILENT: for a while not one of
    them came. BLIND: the feed was taken for dead. DISK: what had been stored is damaged or gone. BEFORE: they
    happened before the connector was there. UNKNOWN: single ones were lost on the way.
    """

    RESTART = "restart"
    REFUSED = "intake refused"
    SILENT = "twilio silent"
    BLIND = "feed blind"
    DISK = "disk"
    BEFORE = "before the first start"
    UNKNOWN = "unknown"


class GapState(StrEnum):
    """OPEN: not read to its end yet. CLEAR: nothing was missing. FILLED: everything is in the event log.

    HEALED: and every report that it changed was sent again. LOST: Twilio keeps no history of so long ago.
    """

    OPEN = "open"
    CLEAR = "clear"
    FILLED = "filled"
    HEALED = "healed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One hole; times are epoch milliseconds, `id` is 0 until it is stored.

    Attributes:
        from_ms, to_ms: the suspected span, or the first and last event that was missing.
        found_ms: when it was suspected, or found.
        events: how many were recovered; `types` counts them by type.
        until_seq: the arrival after which all of them are in the event log.
        filled_ms: since when nothing of it is missing any more.
        healed_ms: since when the reports are right, too.
        intervals, revisions: how many intervals were reported again meanwhile, and in how many reports.
    """

    cause: Cause
    state: GapState
    from_ms: int
    to_ms: int
    found_ms: int
    id: int = 0
    events: int = 0
    types: Mapping[str, int] = field(default_factory=dict)
    until_seq: int = 0
    filled_ms: int | None = None
    healed_ms: int | None = None
    intervals: int = 0
    revisions: int = 0
    note: str | None = None


def suspect(connection: Connection, tenant: str, cause: Cause, from_ms: int, to_ms: int, now_ms: int) -> int:
    """Events may be missing in this span; widens an open suspicion of the same cause that it touches. Gives its id."""
    row = connection.execute(
        select(_table.id, _table.from_ms, _table.to_ms)
        .where(_table.tenant == tenant, _table.state == GapState.OPEN, _table.cause == cause)
        .where(_table.from_ms <= to_ms, _table.to_ms >= from_ms)
        .order_by(_table.id)
        .limit(1)
    ).first()
    if row is None:
        return add(
            connection, tenant, Gap(cause=cause, state=GapState.OPEN, from_ms=from_ms, to_ms=to_ms, found_ms=now_ms)
        )
    connection.execute(
        update(gaps).where(_table.id == row.id).values(from_ms=min(row.from_ms, from_ms), to_ms=max(row.to_ms, to_ms))
    )
    return int(row.id)


def add(connection: Connection, tenant: str, one: Gap) -> int:
    """Store a new one; returns its id."""
    done = connection.execute(
        insert(gaps).values(
            tenant=tenant,
            cause=one.cause,
            state=one.state,
            from_ms=one.from_ms,
            to_ms=one.to_ms,
            found_ms=one.found_ms,
            events=one.events,
            types=_encode(one.types),
            until_seq=one.until_seq,
            filled_ms=one.filled_ms,
            note=one.note,
        )
    )
    key = done.inserted_primary_key
    return int(key[0]) if key else 0


def recovered(
    connection: Connection, gap_id: int, types: Iterable[str], first_ms: int, last_ms: int, seq: int, now_ms: int
) -> None:
    """Events of these types, the first and last at these times, are in the log now; `seq` is the newest arrival.

    A suspected span stays as it was suspected until it has been read; that of a found hole follows its events.
    """
    row = connection.execute(select(gaps).where(_table.id == gap_id)).one()
    known = _gap(row)
    counted = Counter(known.types) + Counter(types)
    span = {}
    if known.state is not GapState.OPEN:
        span = {
            "from_ms": min(known.from_ms, first_ms),
            "to_ms": max(known.to_ms, last_ms),
            "filled_ms": now_ms,
        }
    connection.execute(
        update(gaps)
        .where(_table.id == gap_id)
        .values(events=counted.total(), types=_encode(counted), until_seq=max(known.until_seq, seq), **span)
    )


def settle(connection: Connection, gap_id: int, state: GapState, **values: Any) -> None:
    """It has come to this state; `values` are other columns to set."""
    connection.execute(update(gaps).where(_table.id == gap_id).values(state=state, **values))


def in_state(connection: Connection, tenant: str, *states: GapState) -> list[Gap]:
    """The holes in these states, oldest first."""
    found = connection.execute(
        select(gaps).where(_table.tenant == tenant, _table.state.in_(states)).order_by(_table.from_ms, _table.id)
    )
    return [_gap(row) for row in found]


def listed(connection: Connection, tenant: str, limit: int) -> list[Gap]:
    """The newest holes in any state, newest first."""
    found = connection.execute(
        select(gaps).where(_table.tenant == tenant).order_by(_table.from_ms.desc(), _table.id.desc()).limit(limit)
    )
    return [_gap(row) for row in found]


def _encode(types: Mapping[str, int]) -> str:
    return json.dumps(dict(sorted(types.items())), separators=(",", ":"))


def _gap(row: Row[Any]) -> Gap:
    return Gap(
        id=row.id,
        cause=Cause(row.cause),
        state=GapState(row.state),
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        found_ms=row.found_ms,
        events=row.events,
        types=json.loads(row.types),
        until_seq=row.until_seq,
        filled_ms=row.filled_ms,
        healed_ms=row.healed_ms,
        intervals=row.intervals,
        revisions=row.revisions,
        note=row.note,
    )

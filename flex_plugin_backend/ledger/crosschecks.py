"""Queries on the totals for which Twilio's statistics and the event log differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from flex_plugin_backend.ledger.tables import events, queue_checks

_table = queue_checks.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of a queue from the start of a UTC day (`day_ms`) until `until_ms`: Twilio's count and ours."""

    day_ms: int
    queue_sid: str
    figure: str
    twilio: int
    ours: int
    until_ms: int
    checked_ms: int


def counts(
    connection: Connection, tenant: str, from_ms: int, to_ms: int, types: Iterable[str]
) -> dict[tuple[str, str], int]:
    """How many events of these types each queue has in `[from_ms, to_ms)`: (queue sid, type) -> number."""
    queue = func.json_extract(events.c.body, "$.task_queue_sid").label("queue")
    found = connection.execute(
        select(queue, events.c.type, func.count())
        .where(
            events.c.tenant == tenant,
            events.c.occurred_ms >= from_ms,
            events.c.occurred_ms < to_ms,
            events.c.type.in_(sorted(types)),
        )
        .group_by(queue, events.c.type)
    )
    return {(sid, kind): number for sid, kind, number in found if sid is not None}


def keep(connection: Connection, tenant: str, day_ms: int, differences: Iterable[Difference]) -> None:
    """These are the differences of the day; what was kept of it before is over."""
    connection.execute(delete(queue_checks).where(_table.tenant == tenant, _table.day_ms == day_ms))
    rows = [
        {
            "tenant": tenant,
            "day_ms": day_ms,
            "queue_sid": one.queue_sid,
            "figure": one.figure,
            "twilio": one.twilio,
            "ours": one.ours,
            "until_ms": one.until_ms,
            "checked_ms": one.checked_ms,
        }
        for one in differences
    ]
    if rows:
        connection.execute(insert(queue_checks), rows)


def listed(connection: Connection, tenant: str) -> list[Difference]:
    """Every difference that stands, newest day first."""
    found = connection.execute(
        select(queue_checks)
        .where(_table.tenant == tenant)
        .order_by(_table.day_ms.desc(), _table.queue_sid, _table.figure)
    )
    return [
        Difference(
            day_ms=row.day_ms,
            queue_sid=row.queue_sid,
            figure=row.figure,
            twilio=row.twilio,
            ours=row.ours,
            until_ms=row.until_ms,
            checked_ms=row.checked_ms,
        )
        for row in found
    ]

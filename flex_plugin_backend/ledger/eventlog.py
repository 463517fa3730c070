"""Queries on the event log: append once, read in order of arrival, read one worker's or task's history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from flex_plugin_backend import quickjson
from flex_plugin_backend.domain.events import FINDING, Route, TaskRouterEvent
from flex_plugin_backend.domain.reservations import TASK_ENDINGS
from flex_plugin_backend.ledger.bulk import chunks
from flex_plugin_backend.ledger.recent import Recent
from flex_plugin_backend.ledger.tables import cursors, events


# How far the arrivals are known only narrows what another index found. SQLite is told so: without figures about the
# table it takes "all but the newest" for a short list, and reads the whole log.
def _known(up_to_seq: Any) -> Any:
    return events.c.seq + 0 <= up_to_seq


# The statements of the hot path are built once: building one costs more than running it.
_APPEND = {
    name: dialect.insert(events)
    .on_conflict_do_nothing(index_elements=["tenant", "sid"])
    .returning(events.c.tenant, events.c.sid, events.c.seq)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_AFTER = (
    select(events.c.seq, events.c.body)
    .where(events.c.tenant == bindparam("of_tenant"), events.c.seq > bindparam("after_seq"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
)
_NUMBERS_AFTER = (
    select(events.c.seq)
    .where(events.c.tenant == bindparam("of_tenant"), events.c.seq > bindparam("after_seq"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
)
_OF_TASKS = (
    select(events.c.task_sid, events.c.body)
    .where(
        events.c.tenant == bindparam("of_tenant"),
        events.c.task_sid.in_(bindparam("sids", expanding=True)),
        _known(bindparam("up_to_seq")),
    )
    .order_by(events.c.task_sid, events.c.occurred_ms, events.c.seq)
)
_SET_CURSOR: dict[str, Insert] = {}
for _name, _insert in (("sqlite", sqlite.insert(cursors)), ("postgresql", postgresql.insert(cursors))):
    _SET_CURSOR[_name] = _insert.on_conflict_do_update(
        index_elements=["tenant", "name"], set_={"seq": _insert.excluded.seq}
    )


# Told by Twilio itself; what repair or a snapshot has read does not count.
_BY_ITSELF = (Route.CALLBACK, Route.STREAM)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event on its way into the ledger, its row made ready by whoever brings it: the one who stores is busy."""

    tenant: str
    event: TaskRouterEvent
    received_ms: int
    row: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        event = self.event
        row = {
            "tenant": self.tenant,
            "sid": event.sid,
            "type": event.type,
            "occurred_ms": event.occurred_ms,
            "received_ms": self.received_ms,
            "worker_sid": event.worker_sid,
            "task_sid": event.task_sid,
            "body": quickjson.dumps(event.to_record()),
        }
        object.__setattr__(self, "row", row)


def append(connection: Connection, arrivals: Sequence[Arrival]) -> set[tuple[str, str]]:
    """Store what is not stored yet; returns the (tenant, event sid) pairs that are new."""
    return set(store(connection, arrivals))


def store(connection: Connection, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], int]:
    """Store what is not stored yet; returns the (tenant, event sid) pairs that are new, with their numbers."""
    if not arrivals:
        return {}
    stored = connection.execute(_APPEND[connection.dialect.name], [one.row for one in arrivals])
    return {(tenant, sid): seq for tenant, sid, seq in stored}


def after(
    connection: Connection, tenant: str, seq: int, limit: int, recent: Recent | None = None
) -> list[tuple[int, TaskRouterEvent]]:
    """The next events in order of arrival, each with its number; `recent` may spare decoding them."""
    asked = {"of_tenant": tenant, "after_seq": seq, "most": limit}
    if recent is not None:
        kept = recent.find(connection.execute(_NUMBERS_AFTER, asked).scalars())
        if kept is not None:
            return kept
    found = connection.execute(_AFTER, asked)
    return [(number, event_of(body)) for number, body in found]


def of_worker(
    connection: Connection, tenant: str, worker_sid: str, from_ms: int, up_to_seq: int
) -> list[TaskRouterEvent]:
    """One worker's events since `from_ms`, oldest first, among the first `up_to_seq` that arrived."""
    found = connection.execute(
        select(events.c.body)
        .where(
            events.c.tenant == tenant,
            events.c.worker_sid == worker_sid,
            events.c.occurred_ms >= from_ms,
            _known(up_to_seq),
        )
        .order_by(events.c.occurred_ms, events.c.seq)
    )
    return [event_of(row.body) for row in found]


def of_task(connection: Connection, tenant: str, task_sid: str) -> list[TaskRouterEvent]:
    """One task's events, oldest first."""
    found = connection.execute(
        select(events.c.body)
        .where(events.c.tenant == tenant, events.c.task_sid == task_sid)
        .order_by(events.c.occurred_ms, events.c.seq)
    )
    return [event_of(row.body) for row in found]


def of_tasks(
    connection: Connection, tenant: str, task_sids: Iterable[str], up_to_seq: int
) -> dict[str, list[TaskRouterEvent]]:
    """Each task's events among the first `up_to_seq` that arrived, oldest first; tasks without any are left out."""
    found: dict[str, list[TaskRouterEvent]] = {}
    for some in chunks(task_sids):
        rows = connection.execute(_OF_TASKS, {"of_tenant": tenant, "sids": some, "up_to_seq": up_to_seq})
        for task_sid, body in rows:
            found.setdefault(task_sid, []).append(event_of(body))
    return found


def task_ends(connection: Connection, tenant: str, task_sids: Iterable[str], up_to_seq: int) -> dict[str, int]:
    """When each of these tasks ended (epoch ms), for those that have, as the first `up_to_seq` arrivals tell."""
    ends: dict[str, int] = {}
    for some in chunks(task_sids):
        found = connection.execute(
            select(events.c.task_sid, func.min(events.c.occurred_ms).label("ended_ms"))
            .where(
                events.c.tenant == tenant,
                events.c.task_sid.in_(some),
                events.c.type.in_(sorted(TASK_ENDINGS)),
                _known(up_to_seq),
            )
            .group_by(events.c.task_sid)
        )
        ends.update({row.task_sid: row.ended_ms for row in found})
    return ends


def recent_task_ends(connection: Connection, tenant: str, from_ms: int, up_to_seq: int) -> dict[str, int]:
    """The tasks that ended since `from_ms`, and when, as the first `up_to_seq` arrivals tell."""
    found = connection.execute(
        select(events.c.task_sid, func.min(events.c.occurred_ms).label("ended_ms"))
        .where(
            events.c.tenant == tenant,
            events.c.occurred_ms >= from_ms,
            events.c.type.in_(sorted(TASK_ENDINGS)),
            _known(up_to_seq),
        )
        .group_by(events.c.task_sid)
    )
    return {row.task_sid: row.ended_ms for row in found if row.task_sid}


def known(connection: Connection, tenant: str, sids: Iterable[str]) -> set[str]:
    """Those of these event sids that are stored."""
    found: set[str] = set()
    for some in chunks(sids):
        stored = select(events.c.sid).where(events.c.tenant == tenant, events.c.sid.in_(some))
        found.update(connection.execute(stored).scalars())
    return found


def at(connection: Connection, tenant: str, moments: Iterable[int]) -> list[TaskRouterEvent]:
    """The events that happened at these instants (epoch ms)."""
    found: list[TaskRouterEvent] = []
    for some in chunks(sorted(set(moments))):
        bodies = select(events.c.body).where(events.c.tenant == tenant, events.c.occurred_ms.in_(some))
        found.extend(event_of(body) for body in connection.execute(bodies).scalars())
    return found


def last_received_ms(connection: Connection, tenant: str) -> int | None:
    """When the newest arrival came, epoch milliseconds."""
    newest = select(events.c.received_ms).where(events.c.tenant == tenant).order_by(events.c.seq.desc()).limit(1)
    return connection.execute(newest).scalar()


def least_delay_ms(connection: Connection, tenant: str, number: int) -> int:
    """How long after it happened the quickest of the newest arrivals came; 0 where none came from Twilio by itself."""
    newest = (
        select(events.c.occurred_ms, events.c.received_ms, func.json_extract(events.c.body, "$.route").label("route"))
        .where(events.c.tenant == tenant)
        .order_by(events.c.seq.desc())
        .limit(number)
        .subquery()
    )
    came = newest.c.route.in_(_BY_ITSELF)
    delay = select(func.min(newest.c.received_ms - newest.c.occurred_ms)).where(came)
    return int(connection.execute(delay).scalar() or 0)


def newest_by_itself(connection: Connection, tenant: str, after_seq: int) -> tuple[int, int] | None:
    """When the newest of the later arrivals that came by themselves was received, and happened (epoch ms)."""
    row = connection.execute(
        select(events.c.received_ms, events.c.occurred_ms)
        .where(events.c.tenant == tenant, events.c.seq > after_seq)
        .where(func.json_extract(events.c.body, "$.route").in_(_BY_ITSELF))
        .order_by(events.c.seq.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.received_ms, row.occurred_ms)


def count(connection: Connection, tenant: str) -> tuple[int, int | None]:
    """How many events are stored, and the time of the newest (epoch ms)."""
    row = connection.execute(
        select(func.count(), func.max(events.c.occurred_ms)).where(events.c.tenant == tenant)
    ).one()
    return row[0], row[1]


def first_received_ms(connection: Connection, tenant: str) -> int | None:
    """When the first of all events arrived, epoch ms; None where there is none."""
    first = select(events.c.received_ms).where(events.c.tenant == tenant).order_by(events.c.seq).limit(1)
    return connection.execute(first).scalar()


def newest_ms(connection: Connection, tenant: str) -> int | None:
    """The time (epoch ms) of the newest event that Twilio told us; what a snapshot found does not count."""
    told = events.c.sid.not_like(f"{FINDING}%")
    newest = select(events.c.occurred_ms).where(events.c.tenant == tenant, told).order_by(events.c.seq.desc()).limit(50)
    return max((row.occurred_ms for row in connection.execute(newest)), default=None)


def last_seq(connection: Connection, tenant: str) -> int:
    """The number of the newest arrival; 0 where there is none."""
    newest = select(events.c.seq).where(events.c.tenant == tenant).order_by(events.c.seq.desc()).limit(1)
    return connection.execute(newest).scalar() or 0


def number_after(connection: Connection, tenant: str, seq: int) -> int:
    """How many events arrived after this one."""
    query = select(func.count()).where(events.c.tenant == tenant, events.c.seq > seq)
    return int(connection.execute(query).scalar_one())


def cursor(connection: Connection, tenant: str, name: str) -> int:
    """How far the named projection has read; 0 at first."""
    found = connection.execute(select(cursors.c.seq).where(cursors.c.tenant == tenant, cursors.c.name == name)).scalar()
    return found or 0


def set_cursor(connection: Connection, tenant: str, name: str, seq: int) -> None:
    """Note how far the named projection has read."""
    connection.execute(_SET_CURSOR[connection.dialect.name], {"tenant": tenant, "name": name, "seq": seq})


def event_of(body: str) -> TaskRouterEvent:
    """The event that a row's body holds."""
    return TaskRouterEvent.from_record(quickjson.loads(body))

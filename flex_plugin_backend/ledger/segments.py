"""Queries on the workers' raw lines of states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.mapping import Channel, Direction, EffectiveState, State
from flex_plugin_backend.ledger.bulk import Bulk
from flex_plugin_backend.ledger.tables import agents, segments

_table = segments.c
_APPEND = Bulk(insert(segments))


def append(connection: Connection, tenant: str, lines: Iterable[tuple[str, Sequence[Segment]]]) -> None:
    """Add new states to the ends of workers' lines."""
    rows = [_values(tenant, worker_sid, one) for worker_sid, some in lines for one in some]
    _APPEND.run(connection, rows)


# For each worker the start of the earliest state that is wanted, found in the index; then the states from there on. An
# outer join, because SQLite then goes from worker to worker; it would begin with every state there is otherwise.
_earlier = segments.alias("earlier")
_EARLIEST = (
    select(_earlier.c.start_ms)
    .where(
        _earlier.c.tenant == agents.c.tenant,
        _earlier.c.worker_sid == agents.c.worker_sid,
        _earlier.c.start_ms < bindparam("from_ms"),
    )
    .order_by(_earlier.c.start_ms.desc())
    .limit(1)
    .offset(bindparam("skipped"))
    .correlate(agents)
    .scalar_subquery()
)
_LINES = (
    select(
        _table.worker_sid, _table.start_ms, _table.state, _table.channel, _table.direction,
        _table.activity_sid, _table.activity_name,
    )
    .select_from(agents)
    .outerjoin(
        segments,
        and_(
            _table.tenant == agents.c.tenant,
            _table.worker_sid == agents.c.worker_sid,
            _table.start_ms >= func.coalesce(_EARLIEST, 0),
            _table.start_ms < bindparam("to_ms"),
        ),
    )
    .where(agents.c.tenant == bindparam("of_tenant"))
    .order_by(agents.c.worker_sid, _table.start_ms)
)  # fmt: skip


# From when to when a line is another than before, epoch ms; None: to its end.
Changed = tuple[int, int | None]


def rewrite(connection: Connection, tenant: str, worker_sid: str, line: Sequence[Segment]) -> Changed | None:
    """Replace a worker's line from the first of these states on; tells where it is another now, None: nowhere."""
    mine = (_table.tenant == tenant, _table.worker_sid == worker_sid)
    found = connection.execute(
        select(segments).where(*mine, _table.start_ms >= line[0].start_ms).order_by(_table.start_ms)
    )
    old = [_segment(row) for row in found]
    before = connection.execute(
        select(segments).where(*mine, _table.start_ms < line[0].start_ms).order_by(_table.start_ms.desc()).limit(1)
    ).first()
    if before is not None and _segment(before).state == line[0].state:
        line = line[1:]  # it only goes on
    least = min(len(old), len(line))
    same = next((at for at in range(least) if old[at] != line[at]), least)
    if same == len(old) == len(line):
        return None
    alike = next((at for at in range(least - same) if old[-1 - at] != line[-1 - at]), least - same)
    gone, new = old[same : len(old) - alike], line[same : len(line) - alike]
    if gone:
        connection.execute(
            delete(segments).where(*mine, _table.start_ms >= gone[0].start_ms, _table.start_ms <= gone[-1].start_ms)
        )
    append(connection, tenant, [(worker_sid, new)])
    return min(one.start_ms for one in (*gone[:1], *new[:1])), line[len(line) - alike].start_ms if alike else None


def last_of_all(connection: Connection, tenant: str) -> dict[str, Segment]:
    """The newest state of each worker."""
    newest = (
        select(_table.worker_sid, func.max(_table.start_ms).label("start_ms"))
        .where(_table.tenant == tenant)
        .group_by(_table.worker_sid)
        .subquery()
    )
    found = connection.execute(
        select(segments).join(
            newest,
            (_table.worker_sid == newest.c.worker_sid)
            & (_table.start_ms == newest.c.start_ms)
            & (_table.tenant == tenant),
        )
    )
    return {row.worker_sid: _segment(row) for row in found}


def line(connection: Connection, tenant: str, worker_sid: str, from_ms: int, to_ms: int, before: int) -> list[Segment]:
    """A worker's states that begin in `[from_ms, to_ms)` and up to `before` earlier ones, oldest first."""
    mine = (_table.tenant == tenant, _table.worker_sid == worker_sid)
    earlier = connection.execute(
        select(segments).where(*mine, _table.start_ms < from_ms).order_by(_table.start_ms.desc()).limit(before)
    ).all()
    within = connection.execute(
        select(segments).where(*mine, _table.start_ms >= from_ms, _table.start_ms < to_ms).order_by(_table.start_ms)
    )
    return [_segment(row) for row in [*reversed(earlier), *within]]


def lines(connection: Connection, tenant: str, from_ms: int, to_ms: int, before: int) -> dict[str, list[Segment]]:
    """Every worker's states that begin in `[from_ms, to_ms)` and up to `before` earlier ones, oldest first."""
    found = connection.execute(
        _LINES, {"of_tenant": tenant, "from_ms": from_ms, "to_ms": to_ms, "skipped": max(0, before - 1)}
    )
    read: dict[str, list[Segment]] = {}
    for worker_sid, start_ms, *state in found:
        if worker_sid is not None:
            read.setdefault(worker_sid, []).append(Segment(start_ms, _state(*state)))
    return read


def first_ms(connection: Connection, tenant: str) -> int | None:
    """When the first state that is known began."""
    return connection.execute(select(func.min(_table.start_ms)).where(_table.tenant == tenant)).scalar()


def _values(tenant: str, worker_sid: str, one: Segment) -> dict[str, object]:
    state = one.state
    return {
        "tenant": tenant,
        "worker_sid": worker_sid,
        "start_ms": one.start_ms,
        "state": state.state.value,
        "channel": state.channel.value if state.channel else None,
        "direction": state.direction.value if state.direction else None,
        "activity_sid": state.activity_sid,
        "activity_name": state.activity_name,
    }


def _segment(row: Row[tuple[object, ...]]) -> Segment:
    return Segment(row.start_ms, _state(row.state, row.channel, row.direction, row.activity_sid, row.activity_name))


@lru_cache(maxsize=4096)
def _state(
    state: str, channel: str | None, direction: str | None, activity_sid: str | None, activity_name: str | None
) -> EffectiveState:
    """There are few different states and many rows of them."""
    return EffectiveState(
        State(state),
        Channel(channel) if channel else None,
        Direction(direction) if direction else None,
        activity_sid,
        activity_name,
    )

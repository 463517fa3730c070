"""One agent's line of states: what a new look at the timeline adds to it, and how history is rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.mapping import MappingRules, State, Unmapped
from flex_plugin_backend.ledger import outbox
from flex_plugin_backend.ledger.outbox import SENT, WAITING, Delivery, Kind, StateChange

Pair = tuple[str | None, str]

_TOO_LATE = "it became known after a later state of this agent had been sent"


@dataclass(frozen=True, slots=True)
class Author:
    """Who the changes are about, and which event stands behind which instant."""

    worker_sid: str
    agent_id: str | None
    agent_problem: str | None
    causes: Mapping[int, str]
    recorded_ms: int


def changes_of(
    segments: Sequence[Segment], mapping: MappingRules, author: Author, before: Pair | None
) -> list[StateChange]:
    """Segments -> state changes: a new one only where (event id, reason) differs from the one before.

    A worker's line begins where something is known: what lies before the first sight is no state.
    """
    changes: list[StateChange] = []
    for segment in segments:
        if before is None and segment.state.state is State.UNKNOWN and segment.state.activity_sid is None:
            continue
        found = mapping.wfm_state(segment.state)
        unmapped = found.problem if isinstance(found, Unmapped) else author.agent_problem
        pair: Pair = (None, "") if isinstance(found, Unmapped) else (found.event_id, found.reason)
        if pair == before:
            continue
        before = pair
        changes.append(
            StateChange(
                worker_sid=author.worker_sid,
                agent_id=author.agent_id,
                start_ms=segment.start_ms,
                event_id=pair[0],
                reason=pair[1],
                state=segment.state.state,
                recorded_ms=author.recorded_ms,
                cause_sid=author.causes.get(segment.start_ms),
                status=Delivery.UNMAPPED if unmapped else Delivery.PENDING,
                note=unmapped,
            )
        )
    return changes


def rewrite(
    connection: Connection, tenant: str, segments: Sequence[Segment], mapping: MappingRules, author: Author
) -> StateChange | None:
    """History has changed from the first segment on: correct what was not sent, and tell the WFM the present.

    What the WFM holds already stays delivered; a state that lies before the last one sent cannot be sent in order any
    more and is kept as LATE; what turns out never to have been is withdrawn. Returns the agent's newest state.
    """
    from_ms = segments[0].start_ms
    line = outbox.line_from(connection, tenant, author.worker_sid, from_ms)
    before = line[0] if line and line[0].start_ms < from_ms else None
    old = line[1:] if before else line
    new = changes_of(segments, mapping, author, before.pair if before else None)
    same = 0
    while same < min(len(old), len(new)) and _key(old[same]) == _key(new[same]):
        same += 1
    if same == len(old) == len(new):
        return old[-1] if old else before
    wanted = {_key(one) for one in new[same:]}
    replaced = [one for one in old[same:] if one.status in WAITING]
    outbox.mark(connection, [one.id for one in replaced], Delivery.REPLACED)
    outbox.withdraw(connection, [one.id for one in old[same:] if one.status not in WAITING and _key(one) not in wanted])
    kept = {_key(one) for one in old[same:] if one.status not in WAITING and _key(one) in wanted}
    fresh = _order(new, same, kept, outbox.last_sent(connection, tenant, author.worker_sid))
    outbox.record(connection, tenant, fresh)
    newest = outbox.last_of_worker(connection, tenant, author.worker_sid)
    if newest is not None:
        # The WFM may show a state that was taken back while nobody knew whether it had been told.
        doubtful = any(one.note == outbox.PERHAPS_TOLD for one in replaced)
        _end_with(connection, tenant, newest, author, doubtful=doubtful)
    return newest


def _end_with(connection: Connection, tenant: str, newest: StateChange, author: Author, *, doubtful: bool) -> None:
    """Whatever was corrected: the last that the WFM is told is the present; where it is not, repeat the present."""
    if newest.event_id is None or author.agent_id is None or newest.status in (Delivery.UNMAPPED, Delivery.DEAD):
        return
    told = outbox.last_told(connection, tenant, author.worker_sid)
    if told is None or told.pair != newest.pair or (doubtful and told.status in SENT):
        repeat = replace(newest, kind=Kind.SNAPSHOT, status=Delivery.PENDING, agent_id=author.agent_id, note=None)
        outbox.record(connection, tenant, [replace(repeat, recorded_ms=author.recorded_ms)])


def _order(
    new: Sequence[StateChange], same: int, kept: set[tuple[int, Pair]], sent: StateChange | None
) -> list[StateChange]:
    """The rows to add, in sending order: LATE where a later state has been sent, else as they came."""
    fresh: list[StateChange] = []
    for index in range(same, len(new)):
        one = new[index]
        if _key(one) in kept:
            continue
        end_ms = new[index + 1].start_ms if index + 1 < len(new) else None
        # Over, and begun before what the WFM heard last: telling it now would break the order, and no present needs it.
        passed = sent is not None and end_ms is not None and (end_ms <= sent.start_ms or one.start_ms < sent.start_ms)
        shown = sent is not None and one.start_ms <= sent.start_ms and one.pair == sent.pair
        if one.status is Delivery.PENDING and (passed or shown):
            one = replace(one, status=Delivery.LATE, note=_TOO_LATE)
        fresh.append(one)
    return fresh


def _key(one: StateChange) -> tuple[int, Pair]:
    return one.start_ms, one.pair

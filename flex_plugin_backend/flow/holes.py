"""The book of holes: suspicions, which hole a recovered event belongs to, and when a hole is filled and healed."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from sqlalchemy import Connection

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.spans import Span, joined, without
from flex_plugin_backend.flow.intake import Along
from flex_plugin_backend.flow.looking import Look, StoredEvents, leave_out_twins
from flex_plugin_backend.ledger import eventlog, gaps, receipts
from flex_plugin_backend.ledger import spans as span_rows
from flex_plugin_backend.ledger.gaps import Cause, Gap, GapState
from flex_plugin_backend.ledger.spans import VERIFIED
from flex_plugin_backend.ledger.store import Ledger

# Twilio gives up a callback after 15 s: what was refused or lost at an instant may have happened so long before.
BEFORE_MS = 15_000
# Clocks differ a little, and a process that starts does not listen at once.
AFTER_MS = 10_000
# So many events in a row, over so long a time, of which not one came: the feed was silent, not merely leaky.
SILENT_EVENTS, SILENT_MS = 5, 60_000
# Holes of the same kind no further apart than this, found in one go, are one.
SAME_HOLE_MS = 900_000
# So long a hole that was found may grow; after that a further loss is another hole, or a leak that goes on would never
# be told as healed.
GROWS_MS = 600_000
PER_SUBMIT = 200

_log = structlog.get_logger(__name__)


class Submit(Protocol):
    """Stores events through the door that every event takes; raises IntakeUnavailable."""

    def __call__(self, events: Iterable[TaskRouterEvent], along: Along | None = None) -> int: ...


@dataclass(slots=True)
class Belonging:
    """A hole that events are being recovered of: a stored one, or one that is stored with its first event."""

    cause: Cause
    from_ms: int = 0
    to_ms: int = 0
    id: int | None = None
    note: str | None = None

    def is_near(self, at_ms: int) -> bool:
        """Can an event of this time be of the same hole."""
        return self.from_ms - SAME_HOLE_MS <= at_ms <= self.to_ms + SAME_HOLE_MS


@dataclass(slots=True)
class Slice:
    """Events that are stored in one transaction, each with the hole it belongs to and where in time it was missing."""

    events: list[TaskRouterEvent] = field(default_factory=list)
    holes: dict[str, Belonging] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)


class HoleBook:
    """One tenant's holes. `suspect` may be called from any thread, everything else by whoever repairs."""

    def __init__(self, tenant: str, ledger: Ledger, clock: Clock, submit: Submit, *, begin_ms: int = 0) -> None:
        """`begin_ms`: what happened before is no hole of ours."""
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._submit = submit
        self.begin_ms = begin_ms
        self._hints: deque[tuple[Cause, int, int]] = deque()
        self._hinting = threading.Lock()

    # -- suspicions

    def suspect(self, cause: Cause, from_ms: int, to_ms: int) -> None:
        """Events from this span may be missing, up to and including its end. Kept in memory until the next step."""
        from_ms, to_ms = min(from_ms, to_ms) - BEFORE_MS, to_ms + AFTER_MS
        with self._hinting:
            if self._hints and self._hints[-1][0] is cause and self._hints[-1][2] >= from_ms:
                # A storm of refusals is one suspicion.
                _, first_ms, last_ms = self._hints.pop()
                from_ms, to_ms = min(first_ms, from_ms), max(last_ms, to_ms)
            self._hints.append((cause, from_ms, to_ms))

    def take_hints(self) -> list[Span]:
        """Write suspicions down, so that their spans are read again; returns them."""
        with self._hinting:
            hints = list(self._hints)
        if not hints:
            return []
        now_ms = self._clock.now_ms()
        with self._ledger.write() as connection:
            for cause, from_ms, to_ms in hints:
                gaps.suspect(connection, self._tenant, cause, from_ms, to_ms, now_ms)
                span_rows.uncover(connection, self._tenant, Span(from_ms, to_ms + 1))
        with self._hinting:
            for one in hints:
                # What was widened meanwhile stays for the next time.
                if self._hints and self._hints[0] == one:
                    self._hints.popleft()
        for cause, from_ms, to_ms in hints:
            _log.warning("repair.suspected", tenant=self._tenant, cause=cause.value, from_ms=from_ms, to_ms=to_ms)
        return [Span(from_ms, to_ms + 1) for _, from_ms, to_ms in hints]

    # -- recovery

    def slices(self, looks: Sequence[Look]) -> list[Slice]:
        """What these looks found missing, in portions to store, one worker or task after the other, oldest first.

        Older than what memory keeps, an event makes its worker's history be read again; this order does so once for
        each worker.
        """
        missing = {sid: event for look in looks for sid, event in look.missing.items()}
        times = {sid: look.listed_ms(event) for look in looks for sid, event in look.missing.items()}
        owners = self._owners(times, [told for look in looks for told in look.told])
        ordered = sorted(missing.values(), key=lambda one: (_entity(one), one.occurred_ms, one.sid))
        portions: list[Slice] = []
        for at in range(0, len(ordered), PER_SUBMIT):
            some = ordered[at : at + PER_SUBMIT]
            sids = [one.sid for one in some]
            portions.append(Slice(some, {sid: owners[sid] for sid in sids}, {sid: times[sid] for sid in sids}))
        return portions

    def store(self, portion: Slice, read: Sequence[Span] = (), purpose: str = VERIFIED) -> int:
        """Store one portion; holes, and what has been read with it, are written in the same transaction.

        Returns how many events were new.

        Raises:
            IntakeUnavailable: nothing of it was stored.
        """
        made: list[tuple[Belonging, int]] = []

        def along(connection: Connection, new: frozenset[str]) -> None:
            made.clear()
            by_hole: dict[int, tuple[Belonging, list[TaskRouterEvent]]] = {}
            for event in portion.events:
                if event.sid in new:
                    hole = portion.holes[event.sid]
                    by_hole.setdefault(id(hole), (hole, []))[1].append(event)
            seq = eventlog.last_seq(connection, self._tenant) if by_hole else 0
            for hole, events in by_hole.values():
                times = [portion.times.get(one.sid, one.occurred_ms) for one in events]
                made.append((hole, self._note(connection, hole, [one.type for one in events], times, seq)))
            span_rows.cover(connection, self._tenant, read, purpose)

        if not portion.events and not read:
            return 0
        new = self._submit(portion.events, along)
        for hole, gap_id in made:
            hole.id = gap_id
        return new

    def recover(self, events: Sequence[TaskRouterEvent]) -> int:
        """Store what was read besides the schedule, at the start for example; returns how many were new."""
        if not events:
            return 0
        stored = StoredEvents(self._tenant, self._ledger)
        known = stored.known(one.sid for one in events)
        missing = {one.sid: one for one in events if one.sid not in known}
        look = Look(Span(0, 1), missing=missing, told=[(one.occurred_ms, one.sid in missing) for one in events])
        leave_out_twins(look, {one.sid for one in events}, stored)
        return sum(self.store(portion) for portion in self.slices([look]))

    def store_findings(self, events: Sequence[TaskRouterEvent], note: str) -> int:
        """Store what a comparison of the floor has found; returns how many of the findings were new."""
        hole = Belonging(Cause.UNKNOWN, note=note)
        new = 0
        for at in range(0, len(events), PER_SUBMIT):
            some = list(events[at : at + PER_SUBMIT])
            new += self.store(Slice(some, {one.sid: hole for one in some}))
        return new

    def _note(self, connection: Connection, hole: Belonging, types: list[str], times: list[int], seq: int) -> int:
        """Events of these types and times have been recovered of a hole; returns its number."""
        now_ms, gap_id = self._clock.now_ms(), hole.id
        first_ms, last_ms = min(times), max(times)
        if gap_id is None:
            found = Gap(
                cause=hole.cause,
                state=GapState.FILLED,
                from_ms=first_ms,
                to_ms=last_ms,
                found_ms=now_ms,
                note=hole.note,
            )
            gap_id = gaps.add(connection, self._tenant, found)
        gaps.recovered(connection, gap_id, types, first_ms, last_ms, seq, now_ms)
        return gap_id

    def _owners(self, times: Mapping[str, int], told: Sequence[tuple[int, bool]]) -> dict[str, Belonging]:
        """The hole of each missing event, by sid: what was suspected, else what the events around it tell."""
        with self._ledger.read() as connection:
            known = gaps.in_state(connection, self._tenant, GapState.OPEN, GapState.FILLED)
        suspected = [_belonging(one) for one in known if one.state is GapState.OPEN]
        # A hole that goes on where one ends that has only just been found is the same.
        since_ms = self._clock.now_ms() - GROWS_MS
        found = [
            _belonging(one)
            for one in known
            if one.state is GapState.FILLED and one.note is None and one.found_ms > since_ms
        ]
        runs = _silent_runs(told)
        owners: dict[str, Belonging] = {}
        for sid, at_ms in sorted(times.items(), key=lambda one: one[1]):
            hole = next((one for one in suspected if one.from_ms <= at_ms <= one.to_ms), None)
            if hole is None:
                cause = Cause.BEFORE if at_ms < self.begin_ms else Cause.SILENT if _in(runs, at_ms) else Cause.UNKNOWN
                hole = next((one for one in found if one.cause is cause and one.is_near(at_ms)), None)
            if hole is None:
                found.append(hole := Belonging(cause, at_ms, at_ms))
            hole.from_ms, hole.to_ms = min(hole.from_ms, at_ms), max(hole.to_ms, at_ms)
            owners[sid] = hole
        return owners

    # -- the end of holes

    def close_read(self, looked: Iterable[Span], readable_from_ms: int) -> None:
        """Suspected spans that have been read to their end are filled, or were none; `looked` is what has been read
        besides what is kept as verified. What Twilio's history does not reach back to is lost.
        """
        with self._ledger.read() as connection:
            opened = gaps.in_state(connection, self._tenant, GapState.OPEN)
            read = joined([*span_rows.covered(connection, self._tenant), *looked]) if opened else []
        now_ms = self._clock.now_ms()
        for one in opened:
            unread = without(Span(one.from_ms, one.to_ms + 1), read)
            if any(part.end_ms > readable_from_ms for part in unread):
                continue
            state = GapState.LOST if unread else GapState.FILLED if one.events else GapState.CLEAR
            note = "Twilio keeps its history for 30 days only" if unread else one.note
            with self._ledger.write() as connection:
                gaps.settle(connection, one.id, state, filled_ms=None if unread else now_ms, note=note)
            _log.info("repair.gap_read", tenant=self._tenant, gap=one.id, state=state.value, events=one.events)

    def close_healed(self, *, reports: bool, correct_from_ms: int) -> None:
        """Filled holes whose events have gone through everything, and whose reports were sent again, are healed."""
        with self._ledger.read() as connection:
            filled = gaps.in_state(connection, self._tenant, GapState.FILLED)
            if not filled:
                return
            cursors = [eventlog.cursor(connection, self._tenant, "states")]
            dirty: list[int] = []
            if reports:
                cursors.append(eventlog.cursor(connection, self._tenant, "tasks"))
                dirty = [start_ms for _, start_ms in receipts.dirty(connection, self._tenant, correct_from_ms)]
        for one in filled:
            # What is dirty from after the hole was filled is dirty for another reason.
            filled_ms = one.filled_ms or one.found_ms
            if min(cursors) < one.until_seq or any(start_ms < filled_ms for start_ms in dirty):
                continue
            with self._ledger.write() as connection:
                again = receipts.sent_again(connection, self._tenant, one.found_ms, filled_ms)
                intervals = len({start_ms for _, start_ms in again})
                now_ms = self._clock.now_ms()
                gaps.settle(
                    connection, one.id, GapState.HEALED, healed_ms=now_ms, intervals=intervals, revisions=len(again)
                )
            _log.warning(
                "repair.gap_healed",
                tenant=self._tenant,
                gap=one.id,
                cause=one.cause.value,
                events=one.events,
                intervals=intervals,
                after_s=(now_ms - one.found_ms) // 1000,
            )


def _belonging(one: Gap) -> Belonging:
    return Belonging(one.cause, one.from_ms, one.to_ms, one.id)


def _entity(event: TaskRouterEvent) -> str:
    return event.worker_sid or event.task_sid or ""


def _silent_runs(told: Sequence[tuple[int, bool]]) -> list[Span]:
    """Where many events followed one another and all of them are missing."""
    runs: list[Span] = []
    run: list[int] = []
    for at_ms, is_missing in [*sorted(told), (0, False)]:
        if is_missing:
            run.append(at_ms)
            continue
        if len(run) >= SILENT_EVENTS and run[-1] - run[0] >= SILENT_MS:
            runs.append(Span(run[0], run[-1] + 1))
        run = []
    return runs


def _in(runs: Sequence[Span], at_ms: int) -> bool:
    at = bisect_left(runs, at_ms, key=lambda one: one.end_ms - 1)
    return at < len(runs) and runs[at].holds(at_ms)

"""Compares what came with what Twilio has: at the start, after either side was away, and on a schedule."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.spans import Span, without
from flex_plugin_backend.errors import IntakeUnavailable, TwilioUnavailable
from flex_plugin_backend.flow.agenda import Agenda
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.crosscheck import CrossCheck
from flex_plugin_backend.flow.drift import Drift
from flex_plugin_backend.flow.duty import Duty, Pause
from flex_plugin_backend.flow.holes import HoleBook, Slice, Submit
from flex_plugin_backend.flow.intake import MOST_AHEAD_MS
from flex_plugin_backend.flow.looking import HistoryPages, Look, Looker, StoredEvents
from flex_plugin_backend.ledger import eventlog, gaps
from flex_plugin_backend.ledger import spans as span_rows
from flex_plugin_backend.ledger.gaps import Cause, GapState
from flex_plugin_backend.ledger.store import Ledger

BEGIN = "repair.begin"
ALIVE = "repair.alive"
# Twilio keeps events for 30 days and refuses an earlier start (Twilio reference 3.1); a little less, because the
# request takes its time.
READABLE_MS = 30 * 86_400_000 - 300_000
# A long absence is stored in portions of so many events.
MOST_HELD = 20_000
# Between two looks, holes are closed and the sign of life is renewed.
TICK_S = 60.0
# So many of the newest arrivals tell whether our clock runs ahead.
RECENT = 50
PROJECTED_POLL_S, MOST_POLLS = 0.02, 1_500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRules:
    """The settings of repair; seconds unless the name says otherwise.

    Attributes:
        every_s: how often the present is compared.
        settle_s: how long an event may be on its way before it counts as missing.
        overlap_s: how far back each look reads again, for what Twilio's list shows late.
        reports: are there interval reports, corrected for `correct_for_s`.
    """

    every_s: float = 300.0
    settle_s: float = 60.0
    overlap_s: float = 300.0
    requests_per_minute: float = 60.0
    reports: bool = True
    correct_for_s: float = 7 * 86_400.0


class Reconciler:
    """One tenant's repair as a course of single requests; `suspect` and `look_soon` may be called from any thread."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        pages: HistoryPages,
        rules: RepairRules,
        *,
        submit: Submit,
        projected: Callable[[], int],
        compare: Callable[[Asker, int], Generator[Pause, None, Drift]] | None = None,
        totals: CrossCheck | None = None,
        chance: random.Random | None = None,
        on_look: Callable[[Look], None] = lambda _look: None,
        on_request: Callable[[bool], None] = lambda _ok: None,
        on_recovered: Callable[[int], None] = lambda _number: None,
        on_drift: Callable[[int], None] = lambda _number: None,
    ) -> None:
        """Set up.

        Args:
            submit: stores events through the door that every event takes.
            projected: the number of the newest arrival that the states have seen.
            compare: compares the floor with REST by what was so before an instant (epoch ms).
            totals: compares Twilio's statistics with the event log.
            on_look: told what each look has shown, before what is missing of it is stored.
            on_request: told of each request whether it was answered.
            on_recovered: told how many events a look has brought.
            on_drift: told how many workers and reservations differed.
        """
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self._projected = projected
        self._compare = compare
        self._totals = totals
        self._chance = chance or random.Random()
        self._on_look = on_look
        self._on_recovered = on_recovered
        self._on_drift = on_drift
        self._backoff = Backoff(first_s=2.0, cap_s=120.0)
        self.asker = Asker(
            tenant, clock, requests_per_minute=rules.requests_per_minute, chance=self._chance, on_request=on_request
        )
        self._looker = Looker(tenant, pages, self.asker, StoredEvents(tenant, ledger))
        self.holes = HoleBook(tenant, ledger, clock, submit)
        self._settle_ms = round(rules.settle_s * 1000)
        self._agenda = Agenda(round(rules.every_s * 1000))
        self._problem: str | None = None
        self._refused: str | None = None
        self._asked_to_look = False
        self._has_compared = False
        self._to_compare_ms: int | None = None
        course = self._for_ever()
        self.duty = Duty(f"reconciler-{tenant}", lambda: next(course, None), poll_s=TICK_S)

    # -- the port for others ------------------------------------------------------------------------------------

    @property
    def problem(self) -> str | None:
        """Why nothing can be repaired at present; None where nothing is in the way."""
        return self.asker.problem or self._problem

    @property
    def unreachable(self) -> str | None:
        """Why Twilio does not answer, or refuses what it is asked; None where it answers."""
        return self.asker.problem or self._refused

    @property
    def last_read_ms(self) -> int | None:
        """When Twilio last answered a question of repair, epoch milliseconds."""
        return self.asker.last_read_ms

    @property
    def unverified_since_ms(self) -> int | None:
        """The oldest instant that should have been compared with Twilio by now and was not; None: there is none."""
        whole = self._whole()
        spans = [] if whole is None else self._agenda.unverified(whole, self._verified())
        # The newest piece waits its turn; as long as that is not late, it is no worry.
        late_ms = self._clock.now_ms() - round((self._rules.settle_s + 2 * self._rules.every_s) * 1000)
        return spans[0].start_ms if spans and spans[0].start_ms < late_ms else None

    def status(self) -> dict[str, Any]:
        """What an operator asks of repair, ready for JSON; times are epoch milliseconds."""
        with self._ledger.read() as connection:
            standing = gaps.in_state(connection, self._tenant, GapState.OPEN, GapState.FILLED)
        return {
            "problem": self.problem,
            "last_read_ms": self.last_read_ms,
            "unverified_since_ms": self.unverified_since_ms,
            "open_gaps": len(standing),
        }

    def suspect(self, cause: Cause, from_ms: int, to_ms: int) -> None:
        """Events of this span may be missing: it is read again, whatever was verified before, and soon."""
        self.holes.suspect(cause, from_ms, to_ms)
        self.duty.wake()

    def look_soon(self) -> None:
        """Something was away: compare the present now instead of when it is due."""
        self._asked_to_look = True
        self.duty.wake()

    def begin(self) -> None:
        """Note from when on this connector answers for events, and that it was away until now; before anything else."""
        now_ms = self._clock.now_ms()
        with self._ledger.write() as connection:
            begin_ms = eventlog.cursor(connection, self._tenant, BEGIN)
            received_ms = eventlog.last_received_ms(connection, self._tenant)
            alive_ms = max(eventlog.cursor(connection, self._tenant, ALIVE), received_ms or 0)
            if not begin_ms:
                begin_ms = min(received_ms or now_ms, now_ms)
                eventlog.set_cursor(connection, self._tenant, BEGIN, begin_ms)
        self.holes.begin_ms = begin_ms
        if 0 < alive_ms < now_ms:
            self.holes.suspect(Cause.RESTART, alive_ms, now_ms)
            self._take_hints()
        self._still_alive()

    def recover(self, events: Sequence[TaskRouterEvent]) -> int:
        """Store what the start has read of the history; returns how many of the events were missing."""
        new = self.holes.recover(events)
        if new:
            self._on_recovered(new)
        return new

    # -- the course ---------------------------------------------------------------------------------------------

    def _for_ever(self) -> Iterator[Pause]:
        while True:
            try:
                yield from self._round()
            except TwilioUnavailable as error:
                # Twilio does not take the question: a wrong workspace, say. A smaller piece is another question.
                self._agenda.shrink()
                self._problem = self._refused = str(error)
                _log.error("repair.refused", tenant=self._tenant, problem=self._problem)
                yield Pause(self._rules.every_s, firm=True)
            except Exception as error:  # noqa: BLE001 whatever it is: nobody else repairs, and the next try may succeed
                self._problem = f"{type(error).__name__}: {error}"
                _log.exception("repair.step_failed", tenant=self._tenant)
                yield Pause(TICK_S, firm=True)

    def _round(self) -> Iterator[Pause]:
        """Everything that is due."""
        self._still_alive()
        self._take_hints()
        if self._agenda.due_in_ms(self._clock.now_ms()) == 0:
            yield from self._present()
        yield from self._backlog()
        yield from self._compare_floor()
        whole = self._whole()
        if self._totals is not None and whole is not None and self._totals.due:
            yield from self._totals.check(self.asker, whole, self._agenda.unverified(whole, self._verified()))
        self._problem = self._refused = None
        self._close()
        yield Pause(min(TICK_S, self._agenda.due_in_ms(self._clock.now_ms()) / 1000))

    def _present(self) -> Iterator[Pause]:
        """The newest piece, so that the states of the agents are right whatever else there is to read."""
        piece = self._agenda.present(self._whole(), self._verified(), self._clock.now_ms())
        if piece is not None:
            overlap_ms = min(round(self._rules.overlap_s * 1000), piece.start_ms - self.holes.begin_ms)
            look = yield from self._look(piece, overlap_ms)
            yield from self._store([look])
            self._to_compare_ms = piece.end_ms

    def _compare_floor(self) -> Iterator[Pause]:
        """What no event tells: the floor itself, once for each look, with all that the history has told in it."""
        before_ms, self._to_compare_ms = self._to_compare_ms, None
        if self._compare is None or before_ms is None:
            return
        if not self._has_compared:
            # The start has only just looked at the whole floor.
            self._has_compared = True
            return
        yield from self._projected_up_to_now()
        try:
            drift = yield from self._compare(self.asker, before_ms)
        except TwilioUnavailable as error:
            # A key without the right, say. The history tells nearly everything, so repair goes on.
            _log.warning("repair.floor_not_compared", tenant=self._tenant, problem=str(error))
            return
        if drift.events:
            number = drift.workers + drift.reservations
            note = f"the floor differed: {drift.workers} workers, {drift.reservations} reservations"
            yield from self._patiently(lambda: self.holes.store_findings(drift.events, note))
            self._on_drift(number)
            _log.warning("repair.drift", tenant=self._tenant, workers=drift.workers, reservations=drift.reservations)

    def _backlog(self) -> Iterator[Pause]:
        """What was never read, in portions; the present in between, whenever it is due."""
        held: list[Look] = []
        while True:
            whole = self._whole()
            spans = [one.span for one in held]
            piece = None if whole is None else self._agenda.backlog(whole, self._verified(), spans)
            if piece is not None:
                held.append((yield from self._look(piece)))
            due = self._agenda.due_in_ms(self._clock.now_ms()) == 0 or self._asked_to_look
            if held and (piece is None or due or sum(len(one.missing) for one in held) >= MOST_HELD):
                yield from self._store(held)
                held = []
            if piece is None or due:
                return

    def _look(self, piece: Span, overlap_ms: int = 0) -> Generator[Pause, None, Look]:
        look = yield from self._looker.look(piece, overlap_ms)
        self._agenda.learn(look)
        self._on_look(look)
        return look

    def _store(self, looks: Sequence[Look]) -> Iterator[Pause]:
        """Store what these looks found missing, in portions: what comes in the meantime waits for one at most."""
        self._take_hints()  # what is suspected by now owns what has been found
        read = [one.span for one in looks]
        portions = self.holes.slices(looks)
        new = 0
        for portion in portions:
            new += yield from self._patiently(partial(self.holes.store, portion))
            yield from self._projected_up_to_now()
        known = self._verified()
        verified = [part for one in self._agenda.verified_with(read) for part in without(one, known)]
        if verified:
            yield from self._patiently(partial(self.holes.store, Slice(), verified))
        self._agenda.stored(read, [*known, *verified])
        if new:
            self._on_recovered(new)
            _log.warning("repair.recovered", tenant=self._tenant, events=new, looks=len(looks))

    def _patiently(self, store: Callable[[], int]) -> Generator[Pause, None, int]:
        """Store something, again where the ledger does not take it; returns how many events were new."""
        failures = 0
        while True:
            try:
                return store()
            except IntakeUnavailable as error:
                failures += 1
                self._problem = str(error)
                yield Pause(self._backoff.delay_s(failures, self._chance), firm=True)

    def _projected_up_to_now(self) -> Iterator[Pause]:
        with self._ledger.read() as connection:
            last = eventlog.last_seq(connection, self._tenant)
        for _ in range(MOST_POLLS):
            if self._projected() >= last:
                return
            yield Pause(PROJECTED_POLL_S, firm=True)

    # -- the parts ----------------------------------------------------------------------------------------------

    def _take_hints(self) -> None:
        for span in self.holes.take_hints():
            self._agenda.forget(span)
            # As soon as nothing of it can be on its way any more. A storm of refusals is one wish.
            self._agenda.want(span.end_ms + self._settle_ms)
        if self._asked_to_look:
            self._asked_to_look = False
            self._agenda.want(self._clock.now_ms())

    def _still_alive(self) -> None:
        with self._ledger.write() as connection:
            eventlog.set_cursor(connection, self._tenant, ALIVE, self._clock.now_ms())

    def _close(self) -> None:
        now_ms = self._clock.now_ms()
        self.holes.close_read(self._agenda.was_read(), now_ms - READABLE_MS)
        self.holes.close_healed(
            reports=self._rules.reports, correct_from_ms=now_ms - round(self._rules.correct_for_s * 1000)
        )

    def _whole(self) -> Span | None:
        """What this connector answers for and Twilio still knows, up to what may still be on its way; whole seconds."""
        now_ms = self._clock.now_ms()
        from_ms = max(self.holes.begin_ms, now_ms - READABLE_MS)
        with self._ledger.read() as connection:
            # Where our clock runs ahead of Twilio's, every event seems to have taken that long.
            ahead_ms = max(0, eventlog.least_delay_ms(connection, self._tenant, RECENT))
        to_ms = (now_ms - min(ahead_ms, MOST_AHEAD_MS) - self._settle_ms) // 1000 * 1000
        return Span(from_ms, to_ms) if from_ms < to_ms else None

    def _verified(self) -> list[Span]:
        with self._ledger.read() as connection:
            return span_rows.covered(connection, self._tenant)

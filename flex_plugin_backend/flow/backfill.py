"""Reads a span of TaskRouter's history by hand, whatever was verified before, and stores what the ledger lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.intervals import owner
from flex_plugin_backend.domain.spans import Span, first_piece, without
from flex_plugin_backend.flow.agenda import Agenda
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.holes import HoleBook, Slice, Submit
from flex_plugin_backend.flow.looking import HistoryPages, Look, Looker, StoredEvents
from flex_plugin_backend.flow.reconciler import BEGIN, MOST_HELD, MOST_POLLS, PROJECTED_POLL_S, READABLE_MS
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger import spans as span_rows
from flex_plugin_backend.ledger.store import Ledger


@dataclass(slots=True)
class Progress:
    """How far it has come.

    Attributes:
        read_ms, whole_ms: how much of the span has been read, of how much.
        resumed_ms: how much an earlier run with the same span had read.
        rows: events that Twilio showed.
        recovered: events that the ledger lacked, by the start of their interval (epoch ms).
        unreadable: rows that were no event.
        requests: to Twilio.
    """

    whole_ms: int
    read_ms: int = 0
    resumed_ms: int = 0
    rows: int = 0
    recovered: Counter[int] = field(default_factory=Counter)
    unreadable: int = 0
    requests: int = 0


class Backfill:
    """One run over one span; a run that was ended goes on where it stopped, given the same span."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        pages: HistoryPages,
        span: Span,
        *,
        submit: Submit,
        requests_per_minute: float,
        running: Callable[[], bool],
    ) -> None:
        """`running`: is a connector at work on this ledger, so that its states are waited for between portions."""
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._span = span
        self._running = running
        self._purpose = f"backfill {span.start_ms} {span.end_ms}"
        self.asker = Asker(tenant, clock, requests_per_minute=requests_per_minute, refusals_end=True)
        self._looker = Looker(tenant, pages, self.asker, StoredEvents(tenant, ledger))
        with ledger.read() as connection:
            begin_ms = eventlog.cursor(connection, tenant, BEGIN) or eventlog.first_received_ms(connection, tenant)
            read = span_rows.covered(connection, tenant, self._purpose)
        # Before its first start the connector answers for nothing, so nothing of that time is a hole.
        self._holes = HoleBook(tenant, ledger, clock, submit, begin_ms=begin_ms or span.end_ms)
        left_ms = sum(one.length_ms for one in without(span, read))
        self.progress = Progress(span.length_ms, span.length_ms - left_ms, span.length_ms - left_ms)

    def course(self) -> Generator[Pause, None, None]:
        """Everything, oldest first; yields its pauses.

        Raises:
            TwilioUnavailable: Twilio does not take the question, or not from this account.
            IntakeUnavailable: the ledger does not take the events.
        """
        agenda = Agenda(0)
        held: list[Look] = []
        while True:
            left = self._left(held)
            if left:
                look = yield from self._look(first_piece(left[0], agenda.piece_ms))
                agenda.learn(look)
                held.append(look)
            if held and (not left or sum(len(one.missing) for one in held) >= MOST_HELD):
                yield from self._store(held)
                held = []
            if not left:
                break
        with self._ledger.write() as connection:
            span_rows.forget(connection, self._tenant, self._purpose)

    def _left(self, held: Sequence[Look]) -> list[Span]:
        with self._ledger.read() as connection:
            read = span_rows.covered(connection, self._tenant, self._purpose)
        # While a long run goes on, its beginning may fall out of what Twilio keeps.
        oldest_ms = self._clock.now_ms() - READABLE_MS
        left = without(self._span, [*read, *(one.span for one in held)])
        return [part for one in left if (part := one.within(Span(oldest_ms, self._span.end_ms))) is not None]

    def _look(self, piece: Span) -> Generator[Pause, None, Look]:
        look = yield from self._looker.look(piece)
        progress = self.progress
        progress.read_ms += piece.length_ms
        progress.rows += look.rows
        progress.unreadable += look.unreadable
        progress.requests = self.asker.requests
        return look

    def _store(self, looks: Sequence[Look]) -> Generator[Pause, None, None]:
        for portion in self._holes.slices(looks):
            self._holes.store(portion)
            self.progress.recovered.update(owner(one.occurred_ms).start_ms for one in portion.events)
            yield from self._projected_up_to_now()
        self._holes.store(Slice(), [one.span for one in looks], self._purpose)

    def _projected_up_to_now(self) -> Generator[Pause, None, None]:
        """A running connector takes the present up in between; nobody waits for one that does not run."""
        with self._ledger.read() as connection:
            last = eventlog.last_seq(connection, self._tenant)
        for _ in range(MOST_POLLS if self._running() else 0):
            if self._projected() >= last:
                return
            yield Pause(PROJECTED_POLL_S, firm=True)

    def _projected(self) -> int:
        with self._ledger.read() as connection:
            return eventlog.cursor(connection, self._tenant, "states")

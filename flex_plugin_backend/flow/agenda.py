"""What is to be compared with Twilio next: the present when it is due, else what was never read, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flex_plugin_backend.domain.spans import Span, first_piece, joined, last_piece, without
from flex_plugin_backend.flow.looking import Look

# How much is asked about at once: less where there is much, more where there is little.
FIRST_PIECE_MS, LEAST_PIECE_MS, MOST_PIECE_MS = 900_000, 60_000, 6 * 3_600_000
MANY_PAGES, FEW_ROWS = 8, 300


class Agenda:
    """Chooses pieces of time; the caller keeps what has been verified.

    A span counts as verified only up to the newest event that Twilio itself has shown: a clock of ours that runs ahead
    would otherwise verify what has not happened yet. What was looked at beyond that is remembered here, so that a quiet
    night is not read again and again, and becomes verified with the next event.
    """

    def __init__(self, every_ms: int) -> None:
        self._every_ms = every_ms
        self._looked: list[Span] = []
        self._newest_ms = 0
        self._looked_at_ms: int | None = None
        self._looked_to_ms = 0
        self._wanted_ms: int | None = None
        self.piece_ms = FIRST_PIECE_MS

    def unverified(self, whole: Span, verified: Iterable[Span]) -> list[Span]:
        """What of the whole was neither verified nor looked at, oldest first."""
        return without(whole, [*verified, *self._looked])

    def due_in_ms(self, now_ms: int) -> int:
        """When the present is to be looked at again."""
        if self._looked_at_ms is None or self._looked_at_ms > now_ms:  # never, or the clock was set back
            return 0
        due_ms = self._looked_at_ms + self._every_ms
        return max(0, (due_ms if self._wanted_ms is None else min(due_ms, self._wanted_ms)) - now_ms)

    def want(self, at_ms: int) -> None:
        """The present is due at this instant already; the first wish counts until it is fulfilled."""
        if self._wanted_ms is None:
            self._wanted_ms = at_ms

    def present(self, whole: Span | None, verified: Iterable[Span], now_ms: int) -> Span | None:
        """The newest piece that is not verified; the present counts as looked at from now on."""
        self._looked_at_ms, self._looked_to_ms, self._wanted_ms = now_ms, whole.end_ms if whole else 0, None
        if whole is None:
            return None
        # Looked at by a clock that has been set back since.
        self._looked = [part for one in self._looked if (part := one.within(whole)) is not None]
        spans = without(whole, verified)
        return last_piece(spans[-1], self.piece_ms) if spans and spans[-1].end_ms == whole.end_ms else None

    def backlog(self, whole: Span, verified: Iterable[Span], held: Iterable[Span] = ()) -> Span | None:
        """The oldest piece that nobody has looked at; `held` is what was read and is not stored yet."""
        # What has been added to the present since it was looked at waits until it is due.
        past = whole.within(Span(0, max(1, self._looked_to_ms)))
        spans = self.unverified(past, [*verified, *held]) if past is not None else []
        return first_piece(spans[0], self.piece_ms) if spans else None

    def learn(self, look: Look) -> None:
        """Fit the pieces to what a look has brought."""
        self._newest_ms = max(self._newest_ms, look.newest_ms or 0)
        if look.pages >= MANY_PAGES:
            self.shrink()
        elif look.pages == 1 and look.rows < FEW_ROWS:
            self.piece_ms = min(MOST_PIECE_MS, self.piece_ms * 2)

    def shrink(self) -> None:
        """Ask about less at once."""
        self.piece_ms = max(LEAST_PIECE_MS, self.piece_ms // 2)

    def verified_with(self, read: Sequence[Span]) -> list[Span]:
        """What is verified once these are stored, too."""
        until = Span(0, self._newest_ms + 1)
        return [part for one in joined([*self._looked, *read]) if (part := one.within(until)) is not None]

    def stored(self, read: Sequence[Span], verified: Iterable[Span]) -> None:
        """These were looked at and what was missing is stored; `verified` is all that is verified now."""
        known = list(verified)
        self._looked = [part for one in joined([*self._looked, *read]) for part in without(one, known)]

    def forget(self, span: Span) -> None:
        """This must be looked at again."""
        self._looked = [part for one in self._looked for part in without(one, [span])]

    def was_read(self) -> list[Span]:
        """What was looked at and is not verified."""
        return list(self._looked)

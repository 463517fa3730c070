"""Which piece of time is looked at next: nothing twice without need, nothing skipped, the present first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.domain.spans import Span, joined, without
from flex_plugin_backend.flow.agenda import LEAST_PIECE_MS, MOST_PIECE_MS, Agenda
from flex_plugin_backend.flow.looking import Look

T0 = 1_750_000_500_000
MINUTE = 60_000
EVERY = 5 * MINUTE


class Desk:
    """An agenda whose pieces are looked at as soon as they are chosen, with events at every second unless told."""

    def __init__(self, begin_ms: int = T0) -> None:
        self.agenda = Agenda(EVERY)
        self.begin_ms = begin_ms
        self.verified: list[Span] = []
        self.pieces: list[Span] = []

    def look(self, piece: Span | None, newest_ms: int | None = None, rows: int = 500, pages: int = 1) -> Span | None:
        if piece is not None:
            self.pieces.append(piece)
            newest_ms = piece.end_ms - 1 if newest_ms is None else newest_ms
            self.agenda.learn(Look(piece, newest_ms=newest_ms or None, rows=rows, pages=pages))
            self.verified = joined([*self.verified, *self.agenda.verified_with([piece])])
            self.agenda.stored([piece], self.verified)
        return piece

    def whole(self, now_ms: int) -> Span:
        return Span(self.begin_ms, now_ms - MINUTE)

    def present(self, now_ms: int, **said: int) -> Span | None:
        return self.look(self.agenda.present(self.whole(now_ms), self.verified, now_ms), **said)

    def backlog(self, now_ms: int, **said: int) -> list[Span]:
        found: list[Span] = []
        while piece := self.look(self.agenda.backlog(self.whole(now_ms), self.verified), **said):
            found.append(piece)
            assert len(found) < 10_000
        return found


def test_the_first_look_is_due_at_once_and_then_on_schedule() -> None:
    """And again at once when the clock was set back, because nobody knows what it meant before."""
    desk = Desk()
    assert desk.agenda.due_in_ms(T0) == 0
    desk.present(T0 + 10 * MINUTE)
    assert desk.agenda.due_in_ms(T0 + 10 * MINUTE) == EVERY
    assert desk.agenda.due_in_ms(T0 + 14 * MINUTE) == MINUTE
    assert desk.agenda.due_in_ms(T0 + 15 * MINUTE) == 0
    assert desk.agenda.due_in_ms(T0) == 0


def test_a_wish_makes_the_present_due_sooner_and_later_wishes_do_not_put_it_off() -> None:
    """Once looked at, the wish is fulfilled."""
    desk = Desk()
    desk.present(T0 + 10 * MINUTE)
    desk.agenda.want(T0 + 11 * MINUTE)
    desk.agenda.want(T0 + 13 * MINUTE)
    assert desk.agenda.due_in_ms(T0 + 10 * MINUTE) == MINUTE
    desk.present(T0 + 11 * MINUTE)
    assert desk.agenda.due_in_ms(T0 + 11 * MINUTE) == EVERY


def test_each_look_goes_on_where_the_last_one_ended() -> None:
    """Nothing is asked about twice, the overlap apart."""
    desk = Desk()
    for minutes in (10, 15, 20):
        desk.present(T0 + minutes * MINUTE)
        assert desk.backlog(T0 + minutes * MINUTE) == []
    assert desk.pieces == [
        Span(T0, T0 + 9 * MINUTE), Span(T0 + 9 * MINUTE, T0 + 14 * MINUTE), Span(T0 + 14 * MINUTE, T0 + 19 * MINUTE)
    ]  # fmt: skip


def test_after_a_long_absence_the_newest_comes_first_then_the_rest_oldest_first() -> None:
    """Four hours away: the last quarter of an hour, then the others in order of time."""
    desk = Desk()
    now_ms = T0 + 240 * MINUTE
    assert desk.present(now_ms) == Span(now_ms - 16 * MINUTE, now_ms - MINUTE)
    rest = desk.backlog(now_ms)
    assert [one.start_ms for one in rest] == sorted(one.start_ms for one in rest)
    assert joined(desk.pieces) == desk.verified == [desk.whole(now_ms)]
    assert sum(one.length_ms for one in desk.pieces) == desk.whole(now_ms).length_ms


def test_what_has_not_happened_for_twilio_is_not_verified() -> None:
    """Up to the newest event that Twilio has shown; the quiet behind it is verified with the next event."""
    desk = Desk()
    desk.present(T0 + 10 * MINUTE, newest_ms=T0 + 4 * MINUTE)
    assert desk.verified == [Span(T0, T0 + 4 * MINUTE + 1)]
    desk.present(T0 + 30 * MINUTE, newest_ms=T0 + 4 * MINUTE)
    assert desk.verified == [Span(T0, T0 + 4 * MINUTE + 1)]
    desk.backlog(T0 + 30 * MINUTE, newest_ms=T0 + 4 * MINUTE)
    desk.present(T0 + 35 * MINUTE)
    assert desk.verified == [desk.whole(T0 + 35 * MINUTE)]


def test_a_quiet_night_costs_one_question_a_time() -> None:
    """Ten hours without an event: the growing unverified span is not read from its beginning each time."""
    desk = Desk()
    for minutes in range(10, 610, 5):
        desk.present(T0 + minutes * MINUTE, newest_ms=0, rows=0)
        assert desk.backlog(T0 + minutes * MINUTE, newest_ms=0, rows=0) == []
    assert len(desk.pieces) == 120
    assert desk.verified == []
    assert desk.agenda.unverified(desk.whole(T0 + 605 * MINUTE), desk.verified) == []


def test_a_clock_that_ran_ahead_verifies_nothing_of_the_future() -> None:
    """An hour ahead for one look: what Twilio has not shown, and what lies behind the set-back clock, is open."""
    desk = Desk()
    desk.present(T0 + 70 * MINUTE, newest_ms=T0 + 9 * MINUTE)
    desk.backlog(T0 + 70 * MINUTE, newest_ms=T0 + 9 * MINUTE)
    now_ms = T0 + 12 * MINUTE
    desk.present(now_ms, newest_ms=T0 + 10 * MINUTE)
    assert desk.verified[-1].end_ms <= T0 + 10 * MINUTE + 1
    later_ms = T0 + 20 * MINUTE
    assert desk.agenda.unverified(desk.whole(later_ms), desk.verified) == [Span(T0 + 11 * MINUTE, later_ms - MINUTE)]


def test_pieces_fit_what_they_bring() -> None:
    """Smaller where there is much, larger where there is little, both within bounds."""
    agenda = Agenda(EVERY)
    for _ in range(20):
        agenda.learn(Look(Span(0, 1), rows=50_000, pages=50))
    assert agenda.piece_ms == LEAST_PIECE_MS
    for _ in range(20):
        agenda.learn(Look(Span(0, 1), rows=3, pages=1))
    assert agenda.piece_ms == MOST_PIECE_MS
    agenda.learn(Look(Span(0, 1), rows=900, pages=1))
    assert agenda.piece_ms == MOST_PIECE_MS


def test_what_must_be_read_again_is_in_the_backlog() -> None:
    """Also where it was looked at and not verified yet."""
    desk = Desk()
    now_ms = T0 + 20 * MINUTE
    desk.present(now_ms, newest_ms=0)
    desk.backlog(now_ms, newest_ms=0)
    again = Span(T0 + 5 * MINUTE, T0 + 6 * MINUTE)
    desk.agenda.forget(again)
    assert desk.agenda.backlog(desk.whole(now_ms), desk.verified) == again


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.integers(0, 100), st.sampled_from([0, 299, 5_000])), min_size=1, max_size=15
    )
)
def test_whatever_happens_everything_is_looked_at_in_the_end(rounds: list[tuple[int, int, int]]) -> None:
    """Rounds at any distance, with any newest event and any amount: after each, nothing of the past is left out."""
    desk = Desk()
    now_ms = T0 + 2 * MINUTE
    for minutes, quiet_minutes, rows in rounds:
        now_ms += minutes * MINUTE
        said = {"newest_ms": max(0, now_ms - (1 + quiet_minutes) * MINUTE), "rows": rows, "pages": 1 + rows // 500}
        desk.present(now_ms, **said)
        desk.backlog(now_ms, **said)
        whole = desk.whole(now_ms)
        assert desk.agenda.unverified(whole, desk.verified) == []
        assert without(whole, desk.pieces) == []
        assert all(piece.end_ms <= whole.end_ms for piece in desk.pieces)

"""What is sent and what is not: catch-up, short states, repetition after an outage, and a restart in mid-request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flow_bench import T0, Bench, Peer, answer
from histories import AVAILABLE, BREAK, LUNCH, activity, reservation
from sqlalchemy import update
from werkzeug import Request, Response

from flex_plugin_backend.errors import LedgerError
from flex_plugin_backend.ledger.outbox import Delivery, Kind
from flex_plugin_backend.ledger.tables import state_changes

MINUTE = 60_000


def test_superseded_states_older_than_the_catch_up_limit_are_not_sent(bench: Bench, peer: Peer) -> None:
    """After an outage old superseded states are skipped; the present one goes out however old it is."""
    bench.tell(
        activity(T0, AVAILABLE),
        activity(T0 + MINUTE, BREAK),
        activity(T0 + 2 * MINUTE, AVAILABLE),
        activity(T0 + MINUTE, LUNCH, worker="WK2"),
    )
    bench.clock.advance(2 * 60 + 900 + 1)
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", ""), ("WK2", "UNAVAILABLE", "Lunch")]
    skipped = [row for row in bench.rows() if row.status == Delivery.SKIPPED]
    assert [(row.event_id, row.start_ms) for row in skipped] == [("AVAILABLE", T0), ("UNAVAILABLE", T0 + MINUTE)]
    assert all("superseded" in row.note for row in skipped)


def test_superseded_states_within_the_catch_up_limit_are_sent(bench: Bench, peer: Peer) -> None:
    """A short outage is caught up in full and in order; exactly at the limit still counts as within."""
    bench.tell(activity(T0, AVAILABLE), activity(T0 + MINUTE, BREAK), activity(T0 + 2 * MINUTE, AVAILABLE))
    bench.clock.advance(900)
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "UNAVAILABLE", "AVAILABLE"]


def test_the_catch_up_rule_holds_beyond_the_first_batch(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """The skipped ones are found by age, not by their place in the first batch."""
    bench = make_bench(peer.url, wfm={"batch_limit": 2})
    for minute in range(12):
        bench.tell(activity(T0 + minute * MINUTE, BREAK if minute % 2 else AVAILABLE))
    bench.clock.advance(3600)
    bench.drain()
    assert peer.taken == [("WK1", "UNAVAILABLE", "Break")]


def test_a_short_state_is_skipped_only_if_superseded_before_it_could_be_sent(bench: Bench, peer: Peer) -> None:
    """Three momentary states that wait together collapse to the lasting one; `min_state_s` itself is long enough."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    bench.tell(activity(T0 + 10_000, BREAK), activity(T0 + 12_999, AVAILABLE), activity(T0 + 15_999, LUNCH))
    bench.drain()
    assert [(event, reason) for _, event, reason in peer.taken[1:]] == [("AVAILABLE", ""), ("UNAVAILABLE", "Lunch")]
    assert bench.rows()[1].status == Delivery.SKIPPED


def test_a_short_state_that_stands_alone_is_sent_at_once(bench: Bench, peer: Peer) -> None:
    """Nothing is held back to see whether it lasts."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    bench.tell(activity(T0 + 10_000, BREAK))
    bench.drain()
    bench.tell(activity(T0 + 10_500, AVAILABLE))
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "UNAVAILABLE", "AVAILABLE"]


def test_after_a_long_outage_every_present_state_is_told_again(bench: Bench, peer: Peer) -> None:
    """The WFM may have lost what it had: after an outage of a minute each agent's present state is repeated."""
    bench.tell(activity(T0, AVAILABLE), activity(T0, BREAK, worker="WK2"))
    bench.drain()
    bench.tell(activity(T0 + 5000, LUNCH))
    peer.then(answer(503))
    bench.forwarder.step()
    bench.clock.advance(60)
    bench.drain()
    assert peer.taken[2] == ("WK1", "UNAVAILABLE", "Lunch")
    assert sorted(peer.taken[3:]) == [("WK1", "UNAVAILABLE", "Lunch"), ("WK2", "UNAVAILABLE", "Break")]
    repeats = [row for row in bench.rows() if row.kind == Kind.SNAPSHOT]
    assert sorted((row.worker_sid, row.start_ms) for row in repeats) == [("WK1", T0 + 5000), ("WK2", T0)]


def test_after_a_short_outage_nothing_is_repeated(bench: Bench, peer: Peer) -> None:
    """A hiccup costs no repetition."""
    peer.then(answer(503))
    bench.tell(activity(T0, AVAILABLE))
    bench.forwarder.step()
    bench.clock.advance(59.9)
    bench.drain()
    assert [row.kind for row in bench.rows()] == [Kind.CHANGE]


def test_a_repetition_that_is_not_present_any_more_is_not_sent(bench: Bench, peer: Peer) -> None:
    """A state change that came in the meantime replaces the repetition that waits."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    assert bench.projector.repeat_present_states() == 1
    bench.tell(activity(T0 + 60_000, BREAK))
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", ""), ("WK1", "UNAVAILABLE", "Break")]


def test_what_is_not_delivered_yet_is_not_repeated(bench: Bench, peer: Peer) -> None:
    """A present state that waits goes out once."""
    bench.tell(activity(T0, AVAILABLE))
    assert bench.projector.repeat_present_states() == 0
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", "")]


def test_a_restart_sends_again_what_a_dead_process_was_sending(bench: Bench, peer: Peer) -> None:
    """Rows claimed by a process that died have an unknown outcome: they go out once more, in their order."""
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 10_000, BREAK))
    with bench.ledger.write() as connection:
        connection.execute(update(state_changes).values(status=Delivery.SENDING))
    bench.restart()
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "UNAVAILABLE"]
    assert {row.status for row in bench.rows()} == {Delivery.DELIVERED}


def test_a_restart_between_two_batches_resumes_where_the_marks_end(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """What was acknowledged is not sent again; the rest is."""
    bench = make_bench(peer.url, wfm={"batch_limit": 2})
    bench.tell(*[activity(T0 + 10_000 * n, BREAK if n % 2 else AVAILABLE) for n in range(5)])
    bench.forwarder.step()
    bench.restart()
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "UNAVAILABLE"] * 2 + ["AVAILABLE"]


def test_a_ledger_that_fails_after_the_wfm_accepted_does_not_strand_the_rows(
    bench: Bench, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is full nothing can be marked; once it writes again, the rows of that request are sent again."""
    bench.tell(activity(T0, AVAILABLE))
    write = bench.ledger.write
    broken = []

    def full(*args: object) -> object:
        if broken:
            raise LedgerError(problem="disk full", repair="Make room.")
        return write()

    def accept(_request: object) -> object:
        broken.append(True)
        return answer(204)

    peer.then(accept)
    monkeypatch.setattr(bench.ledger, "write", full)
    assert bench.forwarder.duty.step().seconds
    assert bench.rows()[0].status == Delivery.SENDING
    broken.clear()
    while (pause := bench.forwarder.duty.step()).seconds is not None:
        assert pause.seconds == 0
    assert bench.rows()[0].status == Delivery.DELIVERED


def test_a_state_that_is_over_is_not_told_after_a_later_one(bench: Bench, peer: Peer) -> None:
    """A later state was told a few milliseconds too early: what it hid is history, and the present keeps its place."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    bench.tell(activity(T0 + 20_000, BREAK))
    bench.drain()
    bench.tell(reservation("created", T0 + 10_000), reservation("rejected", T0 + 20_006))
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]
    assert bench.line("WK1") == [
        (T0, "AVAILABLE", ""),
        (T0 + 10_000, "RESERVED", ""),
        (T0 + 20_006, "UNAVAILABLE", "Break"),
    ]


def test_a_state_that_was_perhaps_told_and_never_was_is_followed_by_the_present(bench: Bench, peer: Peer) -> None:
    """The WFM took a state, its answer was lost, and then an event shows that the state never was."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()

    def takes_it_and_breaks_off(request: Request) -> Response:
        row = request.get_json()["agentStates"][0]
        peer.taken.append((row["agentId"], row["eventId"], row["eventReason"]))
        return answer(503)

    bench.tell(reservation("created", T0 + MINUTE))
    peer.then(takes_it_and_breaks_off)
    assert bench.forwarder.step()
    bench.tell(reservation("canceled", T0 + MINUTE - 1))
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "RESERVED", "AVAILABLE"]


def test_the_same_where_the_process_died_in_mid_request(bench: Bench, peer: Peer) -> None:
    """Nobody knows what became of the request."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    bench.tell(reservation("created", T0 + MINUTE))
    with bench.ledger.write() as connection:
        connection.execute(update(state_changes).where(state_changes.c.id == 2).values(status=Delivery.SENDING))
    bench.restart()
    bench.tell(reservation("canceled", T0 + MINUTE - 1))
    bench.drain()
    assert [event for _, event, _ in peer.taken] == ["AVAILABLE", "AVAILABLE"]

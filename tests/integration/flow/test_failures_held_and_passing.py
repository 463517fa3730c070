"""What happens when delivery fails: stale tokens, what needs a human, and what passes."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
from flow_bench import T0, Bench, Peer, always, answer
from histories import AVAILABLE, BREAK, activity
from structlog.testing import capture_logs

from flex_plugin_backend.flow.condition import Condition
from flex_plugin_backend.ledger.outbox import Delivery


def test_an_accepted_state_is_done_and_the_answer_is_kept(bench: Bench, peer: Peer) -> None:
    """2xx marks the state delivered at that moment and keeps what the WFM said."""
    bench.tell(activity(T0, AVAILABLE))
    bench.clock.advance(2)
    assert bench.forwarder.step() == 0.0
    row = bench.rows()[0]
    assert (row.status, row.delivered_ms) == (Delivery.DELIVERED, T0 + 2000)
    kept = bench.answers()
    assert [(one.id, one.status, one.rows, "taken" in one.body) for one in kept] == [(row.answer_id, 200, 1, True)]
    assert peer.taken == [("WK1", "AVAILABLE", "")]
    assert bench.forwarder.step() is None


def test_an_answer_without_a_body_is_success_too(bench: Bench, peer: Peer) -> None:
    """Any 2xx is success, also a 204."""
    peer.then(answer(204))
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    assert bench.rows()[0].status == Delivery.DELIVERED


def test_a_stale_token_is_replaced_and_the_request_repeated_at_once(bench: Bench, peer: Peer) -> None:
    """One 401 costs one login; the states go out in the same step and nobody is alarmed."""
    peer.then(answer(401))
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    assert peer.logins == 2
    assert peer.authorizations == ["Bearer token-1", "Bearer token-2"]
    assert bench.rows()[0].status == Delivery.DELIVERED
    assert bench.tenant.board.standing.condition is Condition.OK


def test_a_second_401_holds_tries_slowly_and_recovers_by_itself(bench: Bench, peer: Peer) -> None:
    """A refused login is an alarm with since-when; states wait, and the first success ends the alarm in words."""
    peer.then(answer(401), answer(401))
    bench.tell(activity(T0, AVAILABLE))
    bench.clock.advance(5)
    with capture_logs() as logs:
        assert bench.forwarder.step() == 300.0
        standing = bench.tenant.board.standing
        assert (standing.condition, standing.since_ms) == (Condition.HELD, T0 + 5000)
        assert "401" in standing.detail
        assert bench.rows()[0].status == Delivery.PENDING
        bench.clock.advance(300)
        bench.drain()
    assert bench.tenant.board.standing.condition is Condition.OK
    assert ("WK1", "AVAILABLE", "") in peer.taken
    ended = [one for one in logs if one["event"] == "feed.alarm_ended"]
    assert [(one["alarm"], one["lasted_s"]) for one in ended] == [("held", 300.0)]
    alarm = next(one for one in logs if one["event"] == "feed.alarm" and one["alarm"] == "held")
    assert alarm["log_level"] == "error"


def test_since_stays_while_the_same_alarm_goes_on(bench: Bench, peer: Peer) -> None:
    """A second failure of the same kind does not start the alarm anew; its detail follows the newest failure."""
    peer.then(answer(403, {"message": "first"}), answer(403, {"message": "second"}))
    bench.tell(activity(T0, AVAILABLE))
    with capture_logs() as logs:
        bench.forwarder.step()
        bench.clock.advance(300)
        bench.forwarder.step()
    standing = bench.tenant.board.standing
    assert (standing.since_ms, "second" in standing.detail) == (T0, True)
    assert [one["event"] for one in logs].count("feed.alarm") == 1


def test_forbidden_is_held_without_another_login(bench: Bench, peer: Peer) -> None:
    """403 is an alarm; the token is not to blame, so no new login is made."""
    peer.then(answer(403, {"message": "no right"}))
    bench.tell(activity(T0, AVAILABLE))
    assert bench.forwarder.step() == 300.0
    assert bench.tenant.board.standing.condition is Condition.HELD
    assert peer.logins == 1
    assert bench.tenant.health()["status"] == "held"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_repeated_with_growing_pauses(
    make_bench: Callable[..., Bench], peer: Peer, status: int
) -> None:
    """Each failure in a row doubles the pause, less up to half by chance, up to the cap; then all is delivered."""
    bench = make_bench(peer.url, wfm={"retry_first_s": 2.0, "retry_cap_s": 10.0})
    peer.then(*[answer(status, "<html>Bad gateway</html>")] * 5)
    bench.tell(activity(T0, AVAILABLE))
    for full_s in (2, 4, 8, 10, 10):
        wait_s = bench.forwarder.step()
        assert wait_s is not None
        assert full_s / 2 <= wait_s <= full_s
        assert bench.tenant.board.standing.condition is Condition.WFM_DOWN
        assert bench.tenant.board.standing.since_ms == T0
    assert bench.rows()[0].status == Delivery.PENDING
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", "")]


def test_the_pauses_begin_small_again_after_a_success(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """Failures are counted in a row only."""
    bench = make_bench(peer.url, wfm={"retry_first_s": 1.0, "retry_cap_s": 60.0})
    peer.then(answer(503), answer(503), answer(503), answer(204), answer(503))
    bench.tell(activity(T0, AVAILABLE))
    for _ in range(3):
        bench.forwarder.step()
    assert bench.forwarder.step() == 0.0
    bench.tell(activity(T0 + 5000, BREAK))
    assert 0.5 <= (bench.forwarder.step() or 0) <= 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(bench: Bench, peer: Peer, status: int) -> None:
    """The pause is never shorter than the WFM asks for, in seconds or as a date."""
    in_200_s = formatdate(time.time() + 200, usegmt=True)
    peer.then(answer(status, Retry_After="120"), answer(status, Retry_After=in_200_s))
    bench.tell(activity(T0, AVAILABLE))
    assert bench.forwarder.step() == 120.0
    assert 195.0 <= (bench.forwarder.step() or 0) <= 200.0


def test_a_small_retry_after_does_not_shorten_the_pause(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """`Retry-After: 0` on every answer must not make a hammer of us."""
    bench = make_bench(peer.url, wfm={"retry_first_s": 8.0, "retry_cap_s": 60.0})
    peer.then(answer(503, Retry_After="0"))
    bench.tell(activity(T0, AVAILABLE))
    assert 4.0 <= (bench.forwarder.step() or 0) <= 8.0


def test_a_refused_connection_passes(make_bench: Callable[..., Bench]) -> None:
    """Nobody listening is an outage, not a reason to give anything up."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    bench = make_bench(url)
    bench.tell(activity(T0, AVAILABLE))
    assert 0 < (bench.forwarder.step() or 0) <= 1.0
    assert bench.tenant.board.standing.condition is Condition.WFM_DOWN
    assert bench.rows()[0].status == Delivery.PENDING


@pytest.fixture
def resetting_url() -> Iterator[str]:
    """A listener that resets every connection after the first bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset() -> None:
            while True:
                try:
                    taken, _ = listener.accept()
                except OSError:
                    return
                taken.recv(1)
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                taken.close()

        thread = threading.Thread(target=reset)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_reset_connection_passes(make_bench: Callable[..., Bench], resetting_url: str) -> None:
    """A connection reset in the middle of a request is an outage."""
    bench = make_bench(resetting_url)
    bench.tell(activity(T0, AVAILABLE))
    assert 0 < (bench.forwarder.step() or 0) <= 1.0
    assert bench.tenant.board.standing.condition is Condition.WFM_DOWN


def test_an_answer_that_does_not_come_in_time_passes(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """A timeout leaves the states waiting; they are sent again, and what was taken unseen does no harm twice."""
    bench = make_bench(peer.url, wfm={"timeout_s": 0.2})
    release = threading.Event()

    def late(_request: object) -> object:
        release.wait(5)
        return answer(204)

    peer.then(late)
    bench.tell(activity(T0, AVAILABLE))
    assert 0 < (bench.forwarder.step() or 0) <= 1.0
    release.set()
    assert bench.tenant.board.standing.condition is Condition.WFM_DOWN
    bench.drain()
    assert bench.rows()[0].status == Delivery.DELIVERED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
@pytest.mark.parametrize("door", ["tokens", "lookups"])
def test_a_failed_login_or_look_up_buries_no_state(bench: Bench, peer: Peer, door: str, status: int) -> None:
    """Whatever the token or ACD call answers says nothing about the states: they wait and go out later."""
    script = getattr(peer, door)
    script.extend([always(answer(status, {"message": "not now"}))] * 2)
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 10_000, BREAK))
    assert (bench.forwarder.step() or 0) > 0
    assert [row.status for row in bench.rows()] == [Delivery.PENDING, Delivery.PENDING]
    assert peer.batches == []
    script.clear()
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", ""), ("WK1", "UNAVAILABLE", "Break")]


def test_the_secret_is_in_no_row_answer_or_condition(bench: Bench, peer: Peer) -> None:
    """A WFM that echoes the credentials in its answer does not get them into the ledger, the log or the health."""
    peer.then(answer(400, {"message": "bad key s3cr3t-of-the-key token-1"}), answer(503, {"message": "token-1"}))
    with capture_logs() as logs:
        bench.tell(activity(T0, AVAILABLE))
        bench.forwarder.step()
        bench.tell(activity(T0 + 5000, BREAK))
        bench.forwarder.step()
    everything = f"{bench.rows()} {bench.answers()} {logs} {bench.tenant.health()} {bench.tenant.board.standing}"
    assert "s3cr3t-of-the-key" not in everything
    assert "token-1" not in everything

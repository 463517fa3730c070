"""The sender against a target that stalls, refuses, breaks off and lies: what it notes is what happened."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from load_target import NO_CONTENT, Reply, Target, serving

from simulator.load.letters import Letter
from simulator.load.records import Failure, Records
from simulator.load.result import latency_of_taken
from simulator.load.sender import Sender, run_precisely
from simulator.load.verdict import fitness_of
from simulator.twilio.target import CallbackTarget


def letters(count: int, rate: float, lane: Callable[[int], str] = str, pause_s: float = 0.0) -> Iterator[Letter]:
    for number in range(count):
        if pause_s:
            time.sleep(pause_s)
        body = str(number)
        raw = f"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        yield Letter(number, number / rate, lane(number), raw)


def send(url: str, made: Iterator[Letter], connections: int = 4, lead_s: float = 0.1) -> Sender:
    sender = Sender(CallbackTarget.parse(url), made, connections=connections)
    run_precisely(sender.run(time.monotonic() + lead_s, lambda _due, _open: None))
    return sender


def numbers(target: Target) -> list[int]:
    return [int(body) for body in target.bodies]


def over(records: Records, seconds: float, since: str) -> int:
    began = getattr(records, since)
    return sum(1 for n in range(len(records)) if records.answered[n] - began[n] > seconds)


def test_every_letter_is_sent_once_and_none_before_its_time() -> None:
    """All are taken; the target saw each of them no earlier than planned."""
    with serving() as target:
        sender = send(target.url, letters(100, 200))
    assert sorted(numbers(target)) == list(range(100))
    assert sender.records.outcomes() == {"204": 100}
    for arrived, body in zip(target.arrived, target.bodies, strict=True):
        assert arrived >= sender.records.due[int(body)]


@pytest.mark.parametrize("connections", [1, 4])
def test_a_target_that_stalls_shows_it_in_the_percentiles(connections: int) -> None:
    """No coordinated omission: everything that was due in the stall waited for its end, sent or not.

    Half of what was due in it waited half of it or longer. Counted from sending, only as many would show it as there
    are connections.
    """
    stall_s, rate, count = 1.0, 100, 200
    stalled: list[float] = []

    def answer(number: int) -> Reply:
        if number == 40:
            stalled.append(time.monotonic() + stall_s)
        left_s = stalled[0] - time.monotonic() if stalled else 0.0
        return Reply(after_s=max(0.0, left_s))

    with serving(answer) as target:
        sender = send(target.url, letters(count, rate), connections)
    records = sender.records
    assert records.outcomes() == {"204": count}
    assert over(records, stall_s / 2, "due") >= 0.9 * rate * stall_s / 2
    assert over(records, stall_s / 2, "sent") < over(records, stall_s / 2, "due") / 2
    latency = latency_of_taken(records)
    assert latency.percentile_ms(99) >= 0.9 * stall_s * 1000
    assert latency.percentile_ms(75) >= 0.4 * stall_s * 1000
    assert latency.count == count


def test_a_generator_that_cannot_make_letters_fast_enough_says_so() -> None:
    """A hundred a second are due, and each takes 30 ms to make: the target is not to blame."""
    with serving() as target:
        sender = send(target.url, letters(60, 100, pause_s=0.03), lead_s=0.1)
    records = sender.records
    assert records.outcomes() == {"204": 60}
    fitness = fitness_of(records, sender.pulse, latency_of_taken(records))
    assert fitness.is_bottleneck
    assert fitness.starved > 0
    assert fitness.late.percentile_ms(99) >= 500


def test_letters_of_one_lane_keep_their_order_however_long_an_answer_takes() -> None:
    """One worker's events are never under way together; those of others pass them."""
    with serving(lambda number: Reply(after_s=0.05 if number == 0 else 0.0)) as target:
        sender = send(target.url, letters(40, 2000, lane=lambda n: "slow" if n % 2 == 0 else f"{n}"))
    seen = numbers(target)
    assert [n for n in seen if n % 2 == 0] == list(range(0, 40, 2))
    assert seen.index(39) < seen.index(2)
    records = sender.records
    assert records.sent[2] >= records.answered[0]


def test_no_more_requests_are_under_way_than_there_are_connections() -> None:
    """Three connections are opened, kept alive, and used for everything."""
    with serving(lambda _number: Reply(after_s=0.005)) as target:
        send(target.url, letters(60, 1000), connections=3)
    assert target.connections == 3


def test_a_word_on_the_way_is_no_answer() -> None:
    """Proxies may send 102 or 103 first; what counts is what follows."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with serving(lambda _number: Reply(raw=early + NO_CONTENT)) as target:
        records = send(target.url, letters(20, 500), connections=2).records
    assert records.outcomes() == {"204": 20}
    assert len(target.bodies) == 20


def test_answers_that_are_no_success_are_told_by_their_status() -> None:
    """A 503 is an outcome like any other, and no latency of a taken callback."""
    refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"
    with serving(lambda number: Reply(raw=refusal if number % 3 == 0 else NO_CONTENT)) as target:
        records = send(target.url, letters(30, 500)).records
    assert records.outcomes() == {"503": 10, "204": 20}
    assert latency_of_taken(records).count == 20


def test_a_target_that_closes_after_each_answer_gets_new_connections() -> None:
    """`Connection: close` is obeyed; nothing is lost by it."""
    closing = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    with serving(lambda _number: Reply(raw=closing, closes=True)) as target:
        sender = send(target.url, letters(30, 300), connections=2)
    assert sender.records.outcomes() == {"204": 30}
    assert target.connections >= 30


def test_a_request_on_a_connection_that_dies_under_it_is_sent_once_more() -> None:
    """As HTTP clients do where a kept-alive connection was closed in that moment; the second time it is a failure."""

    def answer(number: int) -> Reply:
        return Reply() if number < 5 else Reply(raw=b"", closes=True)

    with serving(answer) as target:
        sender = send(target.url, letters(6, 200), connections=1)
    assert sender.records.resent == 1
    assert numbers(target)[5:] == [5, 5]
    assert sender.records.outcomes() == {"204": 5, Failure.LOST.words: 1}


def test_an_answer_that_is_not_http_is_garbled() -> None:
    """It ends the connection and is counted by that name."""
    with serving(lambda number: Reply(raw=b"SSH-2.0-x\r\n") if number == 3 else Reply()) as target:
        records = send(target.url, letters(10, 200)).records
    assert records.outcomes() == {"204": 9, Failure.GARBLED.words: 1}


def test_a_request_without_an_answer_is_given_up_after_the_read_timeout() -> None:
    """The overrides of the callback URL hold here as well."""
    with serving(lambda number: Reply(after_s=60) if number == 2 else Reply()) as target:
        records = send(f"{target.url}#rt=300", letters(10, 200)).records
    assert records.outcomes() == {"204": 9, Failure.TIMEOUT.words: 1}
    assert records.answered[2] - records.sent[2] >= 0.3


def test_a_target_that_goes_away_is_no_connection() -> None:
    """What cannot be sent any more is counted, and the run comes to its end."""
    gone = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = Sender(
            CallbackTarget.parse(f"http://127.0.0.1:{server.getsockname()[1]}/x"), letters(10, 100), connections=1
        )

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(10_000)
            server.close()
            connection.sendall(gone)
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        run_precisely(sender.run(time.monotonic() + 0.1, lambda _due, _open: None))
        thread.join()
    assert sender.records.outcomes() == {"204": 1, Failure.CONNECT.words: 9}


def test_a_target_that_answers_nothing_does_not_hold_up_the_end() -> None:
    """What has no answer when the waiting is over is told as that, whether it was written or still waited."""
    with serving(lambda _number: Reply(after_s=60)) as target:
        sender = Sender(CallbackTarget.parse(target.url), letters(50, 500), connections=2, drain_s=0.2)
        run_precisely(sender.run(time.monotonic() + 0.1, lambda _due, _open: None))
    assert sender.records.outcomes() == {Failure.UNSENT.words: 50}
    assert latency_of_taken(sender.records).count == 0


def test_nothing_listens_where_it_should() -> None:
    """Then there is no run at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError):
        send(f"http://127.0.0.1:{port}/x", letters(1, 1))


def test_an_early_end_waits_for_the_answers_that_are_due() -> None:
    """What was sent by then has its outcome; the rest of the plan is not part of the result."""
    with serving(lambda _number: Reply(after_s=0.05)) as target:
        sender = Sender(CallbackTarget.parse(target.url), letters(10_000, 100), connections=8)

        def tell(due: int, _unanswered: int) -> None:
            if due >= 10:
                sender.stop()

        run_precisely(sender.run(time.monotonic() + 0.05, tell))
    count = len(sender.records)
    assert 10 <= count < 10_000
    assert sender.records.outcomes() == {"204": count}

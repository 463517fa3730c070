"""How callbacks are delivered: at their time, in order per worker, and with Twilio's habits when that fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

from simulator.clock import VirtualClock
from simulator.twilio.emitter import CallbackEmitter, DeliveryMode, Emission, EmitterSettings
from simulator.twilio.signing import SigningKey
from simulator.world.events import Event


@dataclass
class Receiver:
    """A server that answers by script.

    A status; `hang`: no answer until released; `cut`: the line is closed instead of an answer; `leave`: 204, then the
    line is closed without a word.
    """

    script: list[int | str] = field(default_factory=list)
    seen: list[tuple[dict[str, str], dict[str, str], float]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/twilio/events?tenant=acme"

    def sids(self) -> list[str]:
        return [parameters["Sid"] for parameters, _, _ in self.seen]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A scripted receiver on loopback; without a script it answers 204."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
            receiver.seen.append((parameters, dict(self.headers), time.time()))
            receiver.connections.add(self.client_address[1])
            act = receiver.script.pop(0) if receiver.script else 204
            if act == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if act == "hang":
                receiver.released.wait(5)
                self.close_connection = True
                return
            self.send_response(204 if act == "leave" else int(act))
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = act == "leave"

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    receiver.released.set()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def _event(number: int, *, ms: int = 0, worker: str = "WK1", kind: str = "reservation.accepted") -> Event:
    about = {"worker_sid": worker}
    return Event(ms, number, f"EV{number}", kind, ms, "reservation", "WR1", worker, "WT1", about, {}, "", 0, {})


Emit = Callable[..., list[Emission]]


@pytest.fixture
def emit() -> Iterator[Emit]:
    """Sends events to a URL and waits until each was taken or given up."""
    emitters: list[CallbackEmitter] = []

    def run(
        url: str,
        events: list[Event],
        *,
        delivery: DeliveryMode = "twilio",
        clock: VirtualClock | None = None,
        events_filter: str = "",
        deadline_s: float = 5.0,
        wait: bool = True,
    ) -> list[Emission]:
        emitter = CallbackEmitter(
            EmitterSettings(
                callback_url=url,
                account_sid="AC1",
                workspace_sid="WS1",
                workspace_name="W",
                key=SigningKey("token"),
                delivery=delivery,
                events_filter=events_filter,
                deadline_s=deadline_s,
            ),
            clock or VirtualClock(0, 0, 1),
        )
        emitters.append(emitter)
        emitter.start()
        emitter.take(events)
        limit_s = time.monotonic() + 10
        while wait and not emitter.is_idle() and time.monotonic() < limit_s:
            threading.Event().wait(0.005)
        assert not wait or emitter.is_idle()
        return emitter.emissions

    yield run
    for emitter in emitters:
        emitter.stop()


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_requests_look_like_twilios(receiver: Receiver, emit: Emit) -> None:
    """Method, content type, agent, token and signature are those of a Twilio webhook."""
    [emission] = emit(receiver.url, [_event(1)])
    parameters, headers, _ = receiver.seen[0]
    assert parameters["EventType"] == "reservation.accepted"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["User-Agent"] == "TwilioProxy/1.1"
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert {"X-Twilio-Signature", "I-Twilio-Idempotency-Token", "Accept", "Accept-Encoding"} <= set(headers)
    assert (emission.status, emission.attempts) == (204, 1)
    assert emission.acked_s is not None
    assert emission.sent_s is not None
    assert emission.sent_s <= emission.acked_s


@pytest.mark.parametrize("failure", [500, 503, 404, "cut"])
def test_by_default_a_refused_or_cut_event_is_lost(receiver: Receiver, emit: Emit, failure: int | str) -> None:
    """Twilio does not repeat after an answer or a broken read; the next event is sent as if nothing had been."""
    receiver.script = [failure]
    lost, taken = emit(receiver.url, [_event(1), _event(2)])
    assert receiver.sids() == ["EV1", "EV2"]
    assert (lost.acked_s, lost.attempts) == (None, 1)
    assert taken.acked_s is not None


def test_by_default_a_failed_connection_is_tried_once_more(emit: Emit) -> None:
    """Two attempts, then the event is given up."""
    [emission] = emit(f"http://127.0.0.1:{_closed_port()}/", [_event(1)])
    assert (emission.acked_s, emission.status, emission.attempts) == (None, None, 2)


def test_overrides_retry_with_one_token(receiver: Receiver, emit: Emit) -> None:
    """With rc=5 and rp=5xx an event survives three 5xx answers; every attempt carries the same token and signature."""
    receiver.script = [500, 502, 503]
    [emission] = emit(receiver.url + "#rc=5&rp=5xx", [_event(1)])
    assert (emission.status, emission.attempts) == (204, 4)
    assert len({headers["I-Twilio-Idempotency-Token"] for _, headers, _ in receiver.seen}) == 1
    assert len({headers["X-Twilio-Signature"] for _, headers, _ in receiver.seen}) == 1


def test_retries_end_with_the_count(receiver: Receiver, emit: Emit) -> None:
    """rc=2 means three attempts."""
    receiver.script = [500, 500, 500, 500]
    [emission] = emit(receiver.url + "#rc=2&rp=all", [_event(1)])
    assert (emission.acked_s, emission.status, emission.attempts) == (None, 500, 3)


def test_a_policy_for_other_failures_does_not_retry(receiver: Receiver, emit: Emit) -> None:
    """rp=5xx leaves a 4xx alone."""
    receiver.script = [404]
    [emission] = emit(receiver.url + "#rc=5&rp=5xx", [_event(1)])
    assert (emission.status, emission.attempts) == (404, 1)


def test_a_silent_receiver_is_left_after_the_read_timeout(receiver: Receiver, emit: Emit) -> None:
    """rt=150 ends the wait; with the default policy the event is lost."""
    receiver.script = ["hang"]
    begun_s = time.monotonic()
    [emission] = emit(receiver.url + "#rt=150", [_event(1)])
    assert (emission.acked_s, emission.attempts) == (None, 1)
    assert 0.14 < time.monotonic() - begun_s < 3


def test_all_attempts_together_keep_within_the_total(receiver: Receiver, emit: Emit) -> None:
    """tt=300 allows two read timeouts of 200 ms, not six."""
    receiver.script = ["hang"] * 6
    [emission] = emit(receiver.url + "#rt=200&tt=300&rc=5&rp=all", [_event(1)])
    assert emission.acked_s is None
    assert emission.attempts == 2


def test_the_filter_keeps_other_types_away(receiver: Receiver, emit: Emit) -> None:
    """Only the types of EventsFilter are sent."""
    events = [_event(1, kind="task.created"), _event(2), _event(3, kind="task.updated")]
    emit(receiver.url, events, events_filter="reservation.accepted, worker.activity.update")
    assert receiver.sids() == ["EV2"]


def test_the_events_of_a_worker_arrive_in_order_over_kept_connections(receiver: Receiver, emit: Emit) -> None:
    """Two hundred events of five workers: order within each worker, at most one connection per lane."""
    events = [_event(number, worker=f"WK{number % 5}") for number in range(200)]
    emissions = emit(receiver.url, events)
    assert all(emission.acked_s is not None for emission in emissions)
    for worker in range(5):
        own = [p["Sid"] for p, _, _ in receiver.seen if p["WorkerSid"] == f"WK{worker}"]
        assert own == [f"EV{number}" for number in range(200) if number % 5 == worker]
    assert len(receiver.connections) <= 8


def test_events_are_planned_at_their_own_time_however_slow_the_receiver(receiver: Receiver, emit: Emit) -> None:
    """Open loop: the plan follows the clock; nothing is sent before its time."""
    anchor_ms = time.time_ns() // 1_000_000
    clock = VirtualClock(1_000_000, anchor_ms, 10)
    events = [_event(number, ms=1_000_000 + number * 500, worker=f"WK{number}") for number in range(8)]
    emissions = emit(receiver.url, events, clock=clock)
    for number, emission in enumerate(emissions):
        assert emission.planned_s == pytest.approx(anchor_ms / 1000 + number * 0.05)
        assert emission.sent_s is not None
        assert emission.sent_s >= emission.planned_s - 0.001


def test_until_acked_repeats_and_holds_back_the_lane(receiver: Receiver, emit: Emit) -> None:
    """After failures of every kind each event has arrived, and first successes are in order."""
    receiver.script = [500, "cut", 404, 503, 204, 500, 204]
    emissions = emit(receiver.url, [_event(1), _event(2), _event(3)], delivery="until-acked")
    assert all(emission.acked_s is not None for emission in emissions)
    assert receiver.sids() == ["EV1"] * 5 + ["EV2"] * 2 + ["EV3"]


def test_until_acked_gives_up_at_its_deadline(emit: Emit) -> None:
    """A receiver that never comes back does not hold the run for ever."""
    [emission] = emit(f"http://127.0.0.1:{_closed_port()}/", [_event(1)], delivery="until-acked", deadline_s=0.2)
    assert emission.acked_s is None
    assert emission.attempts > 2
    assert emission.done


def test_a_line_that_the_receiver_closed_while_idle_is_opened_anew(receiver: Receiver, emit: Emit) -> None:
    """A kept connection that was closed between two events costs no event and counts as no retry."""
    receiver.script = ["leave"]
    clock = VirtualClock(0, time.time_ns() // 1_000_000, 1)
    emissions = emit(receiver.url, [_event(1, ms=0), _event(2, ms=300)], clock=clock)
    assert [(emission.status, emission.attempts) for emission in emissions] == [(204, 1), (204, 1)]
    assert len(receiver.connections) == 2

"""One webhook sink's way out: batches in order, signed, and repeated for four virtual hours (Twilio reference 2.1)."""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from simulator.clock import VirtualClock
from simulator.twilio.delivery import CallbackConnection, Outcome
from simulator.twilio.signing import SigningKey, body_hash
from simulator.twilio.target import CallbackTarget

_TIMEOUT_S = 5.0
_KEEPS_TRYING_MS = 4 * 3_600_000
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 1_000, 600_000  # assumed: only that the pauses grow and vary is documented
_MOST_TOGETHER = 100  # assumed
_REMEMBERED = 100_000
_REPEATED = ("ct", "rt", "5xx")


@dataclass(slots=True, eq=False)
class Shipment:
    """One event on its way; `at_ms` is its virtual time, None for a test. What is over needs no body any more."""

    sid: str
    type: str
    at_ms: int | None
    body: dict[str, Any]
    status: int | None = None
    attempts: int = 0
    acked_s: float | None = None
    done: bool = False


class Pipe:
    """A thread with a queue; what enters it first leaves it first, and waits while the other side is down."""

    def __init__(
        self, sink_sid: str, destination: str, key: SigningKey, clock: Callable[[], VirtualClock | None]
    ) -> None:
        self._target = CallbackTarget.parse(destination)
        self._authorization = _basic(destination)
        self._key = key
        self._clock = clock
        self._jitter = Random(sink_sid)
        self._waiting: deque[tuple[Shipment, bool]] = deque()
        self._moved = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink-{sink_sid}", daemon=True)
        self._shipments: deque[Shipment] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what waits stays unsent."""
        self._stop.set()
        with self._moved:
            self._moved.notify_all()
        self._thread.join(timeout=20)

    def put(self, shipment: Shipment, batched: bool = False) -> None:
        """Send it after what is waiting, in one request with its neighbours if they may be `batched`."""
        with self._moved:
            self._shipments.append(shipment)
            self._waiting.append((shipment, batched))
            self._moved.notify_all()

    def shipments(self) -> list[Shipment]:
        """The newest of what was to be sent so far, in order."""
        with self._moved:
            return list(self._shipments)

    def _run(self) -> None:
        connection = CallbackConnection(self._target)
        while (part := self._next()) is not None:
            self._send(connection, *part)
        connection.close()

    def _next(self) -> tuple[list[Shipment], bool] | None:
        with self._moved:
            while not self._waiting and not self._stop.is_set():
                self._moved.wait()
            if self._stop.is_set():
                return None
            first, batched = self._waiting.popleft()
            part = [first]
            while batched and self._waiting and self._waiting[0][1] and len(part) < _MOST_TOGETHER:
                part.append(self._waiting.popleft()[0])
            return part, batched

    def _send(self, connection: CallbackConnection, part: Sequence[Shipment], batched: bool) -> None:
        body = orjson.dumps([one.body for one in part] if batched else part[0].body)
        pause_ms = _FIRST_PAUSE_MS
        while True:
            outcome = self._attempt(connection, part, body)
            if not outcome.failure or not _is_repeated(outcome) or self._is_too_old(part[0]):
                break
            # Half of the pause is sure, the other half is chance.
            if not self._pause(pause_ms * (0.5 + 0.5 * self._jitter.random())):
                return
            pause_ms = min(pause_ms * 2, _LONGEST_PAUSE_MS)
        for one in part:
            one.done, one.body = True, {}

    def _attempt(self, connection: CallbackConnection, part: Sequence[Shipment], body: bytes) -> Outcome:
        query = f"bodySHA256={body_hash(body)}"
        target, sign = self._target, "&" if "?" in self._target.request_target else "?"
        sign_of_url = "&" if "?" in target.signed_url else "?"
        headers = {
            "Host": target.host_header,
            "Content-Type": "application/json",
            "User-Agent": "TwilioProxy/1.1",
            **({"Authorization": self._authorization} if self._authorization else {}),
            **self._key.headers(f"{target.signed_url}{sign_of_url}{query}", {}),
        }
        outcome = connection.post(body, headers, _TIMEOUT_S, f"{target.request_target}{sign}{query}")
        for one in part:
            one.attempts += 1
            one.status = outcome.status
            one.acked_s = None if outcome.failure else outcome.answered_s
        return outcome

    def _is_too_old(self, shipment: Shipment) -> bool:
        clock = self._clock()
        return shipment.at_ms is None or clock is None or clock.now_ms() - shipment.at_ms > _KEEPS_TRYING_MS

    def _pause(self, pause_ms: float) -> bool:
        clock = self._clock()
        if clock is None:
            return not self._stop.wait(pause_ms / 1000)
        return clock.wait_until(clock.now_ms() + round(pause_ms), self._stop)


def _is_repeated(outcome: Outcome) -> bool:
    """429, 5xx and what does not answer; a 400 means never again, and so does every other answer (assumed)."""
    return outcome.failure in _REPEATED or outcome.status == 429


def _basic(destination: str) -> str:
    """User and password of the destination as the header that they become."""
    parts = urlsplit(destination)
    if not parts.username:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()

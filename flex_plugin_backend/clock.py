"""The clocks: what time it is and how to wait, as an argument instead of an import."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC milliseconds and waits in the same time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Wait for `event` at most `timeout_s` seconds of this clock; tell whether it is set."""

    def machine_s(self, clock_s: float) -> float:
        """How many seconds of the machine's time so many seconds of this clock take at most."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Wait for `event` at most `timeout_s` seconds; tell whether it is set."""
        return event.wait(timeout_s)

    def machine_s(self, clock_s: float) -> float:
        """The same."""
        return clock_s


class ScaledClock:
    """A clock that stands at `start_ms` until the machine time `anchor_ms` and then runs `speed` times as fast.

    Processes that are given the same three numbers show the same time.
    """

    def __init__(self, *, start_ms: int, anchor_ms: int, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.start_ms = start_ms
        self.anchor_ms = anchor_ms
        self.speed = speed

    def now_ms(self) -> int:
        """Virtual milliseconds since the epoch, UTC."""
        elapsed_ms = max(0.0, time.time_ns() / 1e6 - self.anchor_ms)
        return self.start_ms + int(elapsed_ms * self.speed)

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Wait for `event` at most `timeout_s` virtual seconds; tell whether it is set."""
        return event.wait(None if timeout_s is None else timeout_s / self.speed)

    def machine_s(self, clock_s: float) -> float:
        """Fewer, the faster it runs."""
        return clock_s / self.speed


class ManualClock:
    """A clock that moves only when told to; waiting threads wake when it passes their time."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._moved = threading.Condition()

    def now_ms(self) -> int:
        """The time last set, in milliseconds since the epoch."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` and wake those who waited for it."""
        self.set_ms(self._now_ms + round(seconds * 1000))

    def set_ms(self, now_ms: int) -> None:
        """Jump to `now_ms`, forward or back."""
        with self._moved:
            self._now_ms = now_ms
            self._moved.notify_all()

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Wait for `event` until it is set or the clock has moved `timeout_s` seconds on."""
        deadline_ms = None if timeout_s is None else self._now_ms + round(timeout_s * 1000)
        with self._moved:
            while not event.is_set() and (deadline_ms is None or self._now_ms < deadline_ms):
                # An event is set without notifying this condition, hence the short real-time slice.
                self._moved.wait(0.02)
        return event.is_set()

    def machine_s(self, clock_s: float) -> float:
        """It may be moved at any moment, so no more than a blink."""
        return min(clock_s, 0.02)

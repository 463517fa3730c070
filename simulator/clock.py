"""The simulator's clock: virtual time that runs `speed` times as fast as the machine's, from a shared anchor."""

from __future__ import annotations

import threading
import time


class VirtualClock:
    """Shows `start_ms` at the machine time `anchor_ms`; processes given the same three numbers show the same time."""

    def __init__(self, start_ms: int, anchor_ms: int, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.start_ms = start_ms
        self.anchor_ms = anchor_ms
        self.speed = speed

    def now_ms(self) -> int:
        """Virtual milliseconds since the epoch, UTC."""
        elapsed_ms = time.time_ns() / 1e6 - self.anchor_ms
        return self.start_ms + int(elapsed_ms * self.speed)

    def wall_s_of(self, virtual_ms: int) -> float:
        """The machine time (epoch seconds) at which this clock shows `virtual_ms`."""
        return (self.anchor_ms + (virtual_ms - self.start_ms) / self.speed) / 1000

    def wait_until(self, virtual_ms: int, stop: threading.Event) -> bool:
        """Wait until this clock shows `virtual_ms`; False if `stop` was set before that."""
        deadline_s = self.wall_s_of(virtual_ms)
        while not stop.is_set():
            left_s = deadline_s - time.time()
            if left_s <= 0:
                return True
            # A bounded slice, because the machine's clock may be set while we wait.
            stop.wait(min(left_s, 1.0))
        return False

"""What will happen when: the heap of a discrete-event model."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

# A rate that is next to nothing gives an endless gap, which is no number of milliseconds.
_CENTURY_MS = 100 * 366 * 86_400_000


class Agenda:
    """Actions by virtual time; those of one millisecond run in the order in which they were planned."""

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._planned = 0

    def at(self, ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan `action(*arguments)` for `ms`, or for now if that is past."""
        self._planned += 1
        heapq.heappush(self._heap, (max(ms, self.now_ms), self._planned, action, arguments))

    def after(self, delay_ms: float, action: Callable[..., None], *arguments: Any) -> None:
        """Plan `action(*arguments)` for `delay_ms` milliseconds from now; what lies beyond a century never happens."""
        if delay_ms < _CENTURY_MS:
            self.at(self.now_ms + round(delay_ms), action, *arguments)

    def next_ms(self) -> int | None:
        """When the next action is due."""
        return self._heap[0][0] if self._heap else None

    def run_until(self, until_ms: int) -> None:
        """Run everything due up to and including `until_ms`."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            self.now_ms, _, action, arguments = heapq.heappop(heap)
            action(*arguments)
        self.now_ms = max(self.now_ms, until_ms)

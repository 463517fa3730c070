"""What will happen when: the heap of a discrete-event model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

# A rate that is next to nothing gives an endless gap, which is no number of milliseconds.
_CENTURY_MS = 100 * 366 * 86_400_000


class Agenda:
    """Actions by virtual time; those of one millisecond run in the order in which they were planned."""

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = count().__next__

    def at(self, ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan `action(*arguments)` for `ms`, or for now if that is past; what lies beyond a century never happens."""
        now_ms = self.now_ms
        if ms - now_ms < _CENTURY_MS:
            heappush(self._heap, (ms if ms > now_ms else now_ms, self._number(), action, arguments))

    def after(self, delay_ms: float, action: Callable[..., None], *arguments: Any) -> None:
        """Plan `action(*arguments)` for `delay_ms` milliseconds from now; what lies beyond a century never happens."""
        if delay_ms < _CENTURY_MS:
            wait_ms = int(delay_ms)
            heappush(self._heap, (self.now_ms + (wait_ms if wait_ms > 0 else 0), self._number(), action, arguments))

    def next_ms(self) -> int | None:
        """When the next action is due."""
        return self._heap[0][0] if self._heap else None

    def run_until(self, until_ms: int) -> None:
        """Run everything due up to and including `until_ms`."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            self.now_ms, _, action, arguments = heappop(heap)
            action(*arguments)
        self.now_ms = max(self.now_ms, until_ms)


class Lane:
    """Actions that all come the same time after they were planned, most of which are out of date by then.

    They wait in a row, and only the first of them that still matters is on the agenda.
    """

    def __init__(self, agenda: Agenda, matters: Callable[..., bool], action: Callable[..., None]) -> None:
        self._agenda = agenda
        self._matters = matters
        self._action = action
        self._row: deque[tuple[int, tuple[Any, ...]]] = deque()

    def at(self, ms: int, *arguments: Any) -> None:
        """Plan the action for `ms`, which is not before those planned so far."""
        self._row.append((ms, arguments))
        if len(self._row) == 1:
            self._agenda.at(ms, self._come)

    def _come(self) -> None:
        row = self._row
        while row:
            ms, arguments = row[0]
            if not self._matters(*arguments):
                row.popleft()
            elif ms > self._agenda.now_ms:
                self._agenda.at(ms, self._come)
                return
            else:
                row.popleft()
                self._action(*arguments)

"""Mail: events on their way to the connector, in the order in which they arrive."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence

from simulator.faults.letter import Letter
from simulator.world.events import Event

Alter = Callable[[Letter], Sequence[Letter]]


class Mail:
    """Takes events as they happen and gives their letters as they arrive.

    Args:
        wanted: the event types that are sent; all where it is empty.
        alter: what arrives instead of a letter: `Board.letters`, for example.
    """

    def __init__(self, wanted: Collection[str], alter: Alter) -> None:
        self._wanted = frozenset(wanted)
        self.alter = alter
        self._heap: list[tuple[int, int, Letter]] = []
        self._posted = 0

    def post(self, events: Sequence[Event]) -> None:
        """These events have happened."""
        for one in events:
            if self._wanted and one.type not in self._wanted:
                continue
            # One by one, so that the portions in which events come leave no trace.
            for letter in self.alter(Letter(one.at_ms, one)):
                self._posted += 1
                heapq.heappush(self._heap, (letter.at_ms, self._posted, letter))

    def next_ms(self) -> int | None:
        """When the next one arrives."""
        return self._heap[0][0] if self._heap else None

    def due(self, now_ms: int) -> list[Letter]:
        """What has arrived by now, in order; each is given once."""
        arrived: list[Letter] = []
        while self._heap and self._heap[0][0] <= now_ms:
            arrived.append(heapq.heappop(self._heap)[2])
        return arrived

    def __len__(self) -> int:
        return len(self._heap)

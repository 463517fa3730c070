"""Mail: events on their way to the connector, in the order in which they arrive."""

from __future__ import annotations

import heapq
import random
from collections.abc import Collection, Sequence

from simulator.faults.letter import Fault, Letter
from simulator.world.events import Event


class Mail:
    """Takes events as they happen and gives them as they arrive.

    Args:
        wanted: the event types that are sent; all where it is empty.
        faults: applied one after the other to what is sent.
        seed: of the faults' chance.
    """

    def __init__(self, wanted: Collection[str], faults: Sequence[Fault], seed: int) -> None:
        self._wanted = frozenset(wanted)
        self._faults = tuple(faults)
        self._chance = random.Random(f"{seed}:mail")
        self._heap: list[tuple[int, int, Letter]] = []
        self._posted = 0

    def post(self, events: Sequence[Event]) -> None:
        """These events have happened."""
        for one in events:
            if self._wanted and one.type not in self._wanted:
                continue
            letters = [Letter(one.at_ms, one)]
            # One by one, so that the portions in which events come leave no trace.
            for fault in self._faults:
                letters = fault.apply(letters, self._chance)
            for letter in letters:
                self._posted += 1
                heapq.heappush(self._heap, (letter.at_ms, self._posted, letter))

    def next_ms(self) -> int | None:
        """When the next one arrives."""
        return self._heap[0][0] if self._heap else None

    def due(self, now_ms: int) -> list[Event]:
        """What has arrived by now, in order; each is given once."""
        arrived: list[Event] = []
        while self._heap and self._heap[0][0] <= now_ms:
            arrived.append(heapq.heappop(self._heap)[2].event)
        return arrived

    def __len__(self) -> int:
        return len(self._heap)

"""Recent: the newest events that this process has stored, so that nobody who reads on need decode them again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from flex_plugin_backend.domain.events import TaskRouterEvent


class Recent:
    """Keeps so many events at most, by their number in the log.

    What is in the ledger is right; this saves work only. It is written by the one thread that stores, after the commit.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._events: dict[int, TaskRouterEvent] = {}

    def keep(self, stored: Iterable[tuple[int, TaskRouterEvent]]) -> None:
        """These have been stored under these numbers."""
        events = self._events
        events.update(stored)
        for oldest in list(islice(events, max(0, len(events) - self._most))):
            del events[oldest]

    def find(self, seqs: Iterable[int]) -> list[tuple[int, TaskRouterEvent]] | None:
        """The events of these numbers; None unless all of them are kept."""
        found = [(seq, self._events.get(seq)) for seq in seqs]
        whole = [(seq, event) for seq, event in found if event is not None]
        return whole if len(whole) == len(found) else None

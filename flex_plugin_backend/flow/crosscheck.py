"""Twilio's totals of a day by queue against the event log: differences are noted with both figures, not corrected."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.intervals import INTERVAL_MS
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.looking import HistoryPage
from flex_plugin_backend.ledger import crosschecks
from flex_plugin_backend.ledger.crosschecks import Difference
from flex_plugin_backend.ledger.store import Ledger

DAY_MS = 86_400_000
# Statistics may lag behind the events.
LAG_MS = 600_000
# Where Twilio gives none, it is asked again after so long.
WITHOUT_MS = DAY_MS
# Each figure is the number of events of one type (Twilio reference 3.4 and 6.2).
FIGURES: Mapping[str, str] = {
    "tasks_entered": "task-queue.entered",
    "tasks_moved": "task-queue.moved",
    "tasks_canceled": "task.canceled",
    "reservations_accepted": "reservation.accepted",
}
# Which of its two queues Twilio counts a move for is not documented, so moves are compared for all queues together.
WHOLE = frozenset({"tasks_moved"})
ALL_QUEUES = "*"

_log = structlog.get_logger(__name__)


class StatisticsPages(Protocol):
    """Reads the statistics of every queue page by page; raises TwilioUnavailable."""

    def queue_statistics(self, from_ms: int, to_ms: int, next_url: str | None = None) -> HistoryPage: ...
    def queue_counts(self, row: Any) -> tuple[str | None, Mapping[str, int | None]]: ...


class CrossCheck:
    """One tenant's totals, compared now and then for the day so far, and once more when the day is over."""

    def __init__(self, tenant: str, ledger: Ledger, pages: StatisticsPages, clock: Clock, *, every_s: float) -> None:
        """`every_s`: how often; 0: never."""
        self._tenant = tenant
        self._ledger = ledger
        self._pages = pages
        self._clock = clock
        self._every_ms = round(every_s * 1000)
        self._next_ms = 0
        self._day_ms: int | None = None
        self.unavailable: str | None = None

    @property
    def due(self) -> bool:
        """Is it time."""
        return self._every_ms > 0 and self._clock.now_ms() >= self._next_ms

    def check(self, asker: Asker, whole: Span, unread: Iterable[Span]) -> Generator[Pause, None, None]:
        """Compare what has been read to its end; yields its pauses.

        Args:
            whole: what the connector answers for.
            unread: what of it has not been compared with the history; what differs there differs for that.
        """
        now_ms = self._clock.now_ms()
        read_to_ms = min([one.start_ms for one in unread], default=whole.end_ms)
        until_ms = min(read_to_ms, now_ms - LAG_MS) // INTERVAL_MS * INTERVAL_MS
        # Where little of it has been read, there is more to compare before long.
        is_late = until_ms < max(now_ms - self._every_ms, whole.start_ms + INTERVAL_MS)
        self._next_ms = now_ms + (min(self._every_ms, INTERVAL_MS) if is_late else self._every_ms)
        today_ms = (until_ms - 1) // DAY_MS * DAY_MS
        try:
            if self._day_ms is None or self._day_ms < today_ms:
                yield from self._compare(asker, whole, today_ms - DAY_MS, today_ms)
            yield from self._compare(asker, whole, today_ms, until_ms)
        except TwilioUnavailable as error:
            # Not every key may read them. Nothing but this comparison depends on it.
            self.unavailable = str(error)
            self._next_ms = now_ms + WITHOUT_MS
            _log.warning("repair.no_statistics", tenant=self._tenant, problem=self.unavailable)
        else:
            self._day_ms, self.unavailable = today_ms, None

    def _compare(self, asker: Asker, whole: Span, day_ms: int, until_ms: int) -> Generator[Pause, None, None]:
        # Both sides count from a whole second on, and only what this connector has seen from its beginning.
        from_ms = max(day_ms, -(-whole.start_ms // 1000) * 1000)
        if until_ms - from_ms < INTERVAL_MS:
            return
        theirs = yield from self._theirs(asker, from_ms, until_ms)
        with self._ledger.read() as connection:
            counted = crosschecks.counts(connection, self._tenant, from_ms, until_ms, FIGURES.values())
            before = {(one.queue_sid, one.figure): one for one in crosschecks.listed(connection, self._tenant)}
        ours = {(queue, figure): counted.get((queue, kind), 0) for queue in theirs for figure, kind in FIGURES.items()}
        found = [
            Difference(
                day_ms=day_ms,
                queue_sid=queue,
                figure=figure,
                twilio=number,
                ours=mine,
                until_ms=until_ms,
                checked_ms=self._clock.now_ms(),
            )
            for queue, figure, number, mine in _pairs(theirs, ours)
            if number != mine
        ]
        with self._ledger.write() as connection:
            crosschecks.keep(connection, self._tenant, day_ms, found)
        for one in found:
            known = before.get((one.queue_sid, one.figure))
            if known is None or known.twilio - known.ours != one.twilio - one.ours:
                _log.warning(
                    "repair.totals_differ",
                    tenant=self._tenant,
                    queue=one.queue_sid,
                    figure=one.figure,
                    twilio=one.twilio,
                    ours=one.ours,
                )

    def _theirs(
        self, asker: Asker, from_ms: int, until_ms: int
    ) -> Generator[Pause, None, dict[str, Mapping[str, int | None]]]:
        found: dict[str, Mapping[str, int | None]] = {}
        next_url: str | None = None
        while True:
            read = partial(self._pages.queue_statistics, from_ms, until_ms, next_url)
            page = yield from asker.ask(read, optional=True)
            before = len(found)
            for row in page.rows:
                queue, counts = self._pages.queue_counts(row)
                if queue is not None:
                    found[queue] = counts
            next_url = page.next_url
            if next_url is None or len(found) == before:  # a page without anything new ends a list that goes in circles
                return found


def _pairs(
    theirs: Mapping[str, Mapping[str, int | None]], ours: Mapping[tuple[str, str], int]
) -> Generator[tuple[str, str, int, int], None, None]:
    """(queue, figure, Twilio's number, our number), as far as Twilio gives it."""
    for figure in FIGURES:
        numbers = {queue: number for queue, counts in theirs.items() if (number := counts.get(figure)) is not None}
        if figure in WHOLE and numbers:
            yield ALL_QUEUES, figure, sum(numbers.values()), sum(ours[queue, figure] for queue in numbers)
        elif figure not in WHOLE:
            for queue, number in sorted(numbers.items()):
                yield queue, figure, number, ours[queue, figure]

"""TaskRouter's Events list as a script: events that happened, pages that fail, tokens that expire, rows that move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import MalformedEvent, TwilioUnavailable


@dataclass(frozen=True)
class FakePage:
    """One page."""

    rows: tuple[Any, ...]
    next_url: str | None = None


@dataclass
class FakeHistory:
    """The history as REST shows it; a row is the event itself, or anything else for a broken row.

    Attributes:
        happened: everything that happened, in any order.
        page_size: rows of a page.
        failures: raised one after the other instead of answering; None answers.
        visible: which events the list shows, given the present; the list may lag.
        asked: (from ms, to ms, page number) of each request.
    """

    happened: list[Any] = field(default_factory=list)
    page_size: int = 1000
    failures: deque[Exception | None] = field(default_factory=deque)
    visible: Callable[[Any], bool] = lambda _row: True
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    dead_tokens: set[str] = field(default_factory=set)

    def events(self, from_ms: int, to_ms: int, next_url: str | None = None) -> FakePage:
        number = int(next_url.rpartition("=")[2]) if next_url else 0
        self.asked.append((from_ms, to_ms, number))
        failure = self.failures.popleft() if self.failures else None
        if failure is not None:
            raise failure
        if next_url in self.dead_tokens:
            self.dead_tokens.discard(next_url or "")
            raise failed(400, code=70002)
        first_ms, last_ms = from_ms // 1000 * 1000, -(-to_ms // 1000) * 1000 + 999
        rows = [row for row in self.happened if self.visible(row) and self._within(row, first_ms, last_ms)]
        shown = rows[number * self.page_size : (number + 1) * self.page_size]
        more = len(rows) > (number + 1) * self.page_size
        return FakePage(tuple(shown), f"https://taskrouter.twilio.com/Events?n={number + 1}" if more else None)

    @staticmethod
    def _within(row: Any, first_ms: int, last_ms: int) -> bool:
        return not isinstance(row, TaskRouterEvent) or first_ms <= row.occurred_ms <= last_ms

    @staticmethod
    def event(row: Any) -> TaskRouterEvent:
        if row.task_status == "broken":
            raise MalformedEvent(problem="it is broken")
        found: TaskRouterEvent = row
        return found

    @staticmethod
    def identity(row: Any) -> tuple[str | None, str | None, int | None]:
        if not isinstance(row, TaskRouterEvent):
            return None, None, None
        return row.sid, row.type, row.occurred_ms

    def spans(self) -> list[tuple[int, int]]:
        """What was asked about, first pages only."""
        return [(from_ms, to_ms) for from_ms, to_ms, number in self.asked if number == 0]


def failed(status: int | None, **facts: Any) -> TwilioUnavailable:
    """What a read raises that Twilio answers with this status; None: no answer."""
    return TwilioUnavailable(what="Events", problem=f"HTTP {status}", status=status, **facts)


def run_course(course: Iterable[Any], on_pause: Callable[[Any], None] = lambda _pause: None) -> tuple[list[float], Any]:
    """Go through a course at once; returns its pauses in seconds, and its result."""
    pauses: list[float] = []
    steps = iter(course)
    while True:
        try:
            pause = next(steps)
        except StopIteration as end:
            return pauses, end.value
        pauses.append(pause.seconds)
        on_pause(pause)


def sids(events: Sequence[TaskRouterEvent]) -> list[str]:
    """Their sids, sorted."""
    return sorted(one.sid for one in events)

"""One look at Twilio's event history: what it says of a span of time, and what of that the ledger lacks."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from flex_plugin_backend.domain.events import EVENTS_FILTER, TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import MalformedEvent, TwilioUnavailable
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.store import Ledger

# Page tokens may expire while a page is waited for; then the list is read from its beginning, so often.
MOST_RESTARTS = 3
# Ends a list that goes in circles.
MOST_PAGES = 2_000
_MOVING = frozenset(EVENTS_FILTER)

_log = structlog.get_logger(__name__)


class StoredEvents:
    """One tenant's events in the ledger."""

    def __init__(self, tenant: str, ledger: Ledger) -> None:
        self._tenant = tenant
        self._ledger = ledger

    def known(self, sids: Iterable[str]) -> set[str]:
        """Those of these event sids that are stored."""
        with self._ledger.read() as connection:
            return eventlog.known(connection, self._tenant, sids)

    def at(self, moments: Iterable[int]) -> list[TaskRouterEvent]:
        """The stored events of these instants (epoch ms)."""
        with self._ledger.read() as connection:
            return eventlog.at(connection, self._tenant, moments)


class HistoryPage(Protocol):
    """One page of a list: rows as Twilio's JSON has them, and the address of the next page."""

    @property
    def rows(self) -> tuple[Any, ...]: ...
    @property
    def next_url(self) -> str | None: ...


class HistoryPages(Protocol):
    """Reads the Events list page by page; raises TwilioUnavailable."""

    def events(self, from_ms: int, to_ms: int, next_url: str | None = None) -> HistoryPage: ...
    def event(self, row: Any) -> TaskRouterEvent: ...
    def identity(self, row: Any) -> tuple[str | None, str | None, int | None]: ...


@dataclass(slots=True)
class Look:
    """What the list said.

    Attributes:
        span: what was asked about; `from_ms` is where the list began, the overlap before it included.
        missing: the events that the ledger lacks, by sid.
        told: each event that moves something: its time (epoch ms), and whether it is missing.
        newest_ms: the newest event of any type, None where there is none.
        rows, pages: how much was read.
        unreadable: how many rows were no event.
    """

    span: Span
    from_ms: int = 0
    missing: dict[str, TaskRouterEvent] = field(default_factory=dict)
    told: list[tuple[int, bool]] = field(default_factory=list)
    newest_ms: int | None = None
    rows: int = 0
    pages: int = 0
    unreadable: int = 0

    def listed_ms(self, event: TaskRouterEvent) -> int:
        """Where an event stands in the list: some bear an older stamp than that (Twilio reference 13, row 1)."""
        return max(self.from_ms, event.occurred_ms)


class Looker:
    """Looks at spans of one tenant's history."""

    def __init__(self, tenant: str, pages: HistoryPages, asker: Asker, stored: StoredEvents) -> None:
        self._tenant = tenant
        self._pages = pages
        self._asker = asker
        self._stored = stored

    def look(self, span: Span, overlap_ms: int = 0) -> Generator[Pause, None, Look]:
        """Read the events of a span, and of `overlap_ms` before it; yields its pauses, returns what it found.

        Pages are no snapshot: rows move between them while they are read (Twilio reference 3.1), so each event is taken
        once, whichever page shows it.

        Raises:
            TwilioUnavailable: Twilio does not take the question.
        """
        found = Look(span, span.start_ms - overlap_ms)
        seen: set[str] = set()
        for restart in range(MOST_RESTARTS + 1):
            next_url: str | None = None
            try:
                while True:
                    read = partial(self._pages.events, found.from_ms, span.end_ms, next_url)
                    page = yield from self._asker.ask(read)
                    self._take(page.rows, found, seen)
                    next_url = page.next_url
                    if next_url is None:
                        leave_out_twins(found, seen, self._stored)
                        return found
            except TwilioUnavailable as error:
                if next_url is None or restart == MOST_RESTARTS or error.facts.get("status") is None:
                    raise
                _log.info("repair.list_restarted", tenant=self._tenant, pages=found.pages, problem=str(error))
        return found

    def _take(self, rows: Iterable[Any], found: Look, seen: set[str]) -> None:
        if found.pages >= MOST_PAGES:
            raise TwilioUnavailable(what="Events", problem=f"the list has not ended after {MOST_PAGES} pages")
        fresh: dict[str, tuple[int, Any]] = {}
        for row in rows:
            found.rows += 1
            sid, kind, at_ms = self._pages.identity(row)
            if at_ms is not None and at_ms < found.span.end_ms:
                found.newest_ms = at_ms if found.newest_ms is None else max(found.newest_ms, at_ms)
            if kind in _MOVING and sid is not None and at_ms is not None and at_ms < found.span.end_ms:
                if sid not in seen:
                    fresh[sid] = (at_ms, row)
            elif sid is None or kind is None or at_ms is None:
                found.unreadable += 1
        found.pages += 1
        seen.update(fresh)
        known = self._stored.known(fresh)
        for sid, (at_ms, row) in fresh.items():
            if sid in known:
                found.told.append((at_ms, False))
                continue
            try:
                found.missing[sid] = self._pages.event(row)
                found.told.append((at_ms, True))
            except MalformedEvent as error:
                found.unreadable += 1
                _log.warning("repair.unreadable_row", tenant=self._tenant, sid=sid, problem=str(error))


def leave_out_twins(found: Look, seen: set[str], stored: StoredEvents) -> None:
    """What is stored under another sid is not missing.

    That one event has the same sid on every route is likely, not proven, and a callback may lack it (Twilio
    reference 1.3 and 1.7). A stored event that the list shows under its own sid is nobody's twin.
    """
    if not found.missing:
        return
    same_moment = stored.at(one.occurred_ms for one in found.missing.values())
    twins = {_content(one) for one in same_moment if one.sid not in seen}
    for sid in [sid for sid, one in found.missing.items() if _content(one) in twins]:
        at_ms = found.missing.pop(sid).occurred_ms
        found.told[found.told.index((at_ms, True))] = (at_ms, False)


def _content(event: TaskRouterEvent) -> tuple[object, ...]:
    """What tells two events apart that have no sid in common."""
    return event.type, event.occurred_ms, event.worker_sid, event.task_sid, event.reservation_sid, event.activity_sid

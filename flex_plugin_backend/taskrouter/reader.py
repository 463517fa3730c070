"""Reads the workspace from Twilio's REST API: the catalogue of names, and a snapshot of who does what right now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import structlog

from flex_plugin_backend.domain.events import EVENTS_FILTER, TaskRouterEvent
from flex_plugin_backend.errors import MalformedEvent, TwilioUnavailable
from flex_plugin_backend.taskrouter.client import TwilioAccess, WorkspaceClient, guarded
from flex_plugin_backend.taskrouter.fields import lower, sid, text
from flex_plugin_backend.taskrouter.findings import OPEN_TASKS, Findings
from flex_plugin_backend.taskrouter.http_client import Waiter
from flex_plugin_backend.taskrouter.pages import Row, TaskRouterPages

T = TypeVar("T")

_PAGE_SIZE = 1000
# Twilio's limit is 15,000 workers; the bound ends a list whose last page points to itself.
_MOST_ROWS = 100_000
_NOT_FLEX = frozenset((401, 403, 404))
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CatalogueActivity:
    """One activity of the workspace; `available` can never change."""

    sid: str
    name: str
    available: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What activities there are; queues and channels are named by the events themselves.

    Attributes:
        activities: by sid.
        offline_activity_sid: the logged-out activity; from the Flex configuration, else the workspace's default one.
        offline_source: where that came from: `flex configuration` or `workspace default`.
    """

    activities: Mapping[str, CatalogueActivity]
    offline_activity_sid: str | None
    offline_source: str | None = None


@dataclass(frozen=True, slots=True)
class FloorSnapshot:
    """Who does what, as events that say it.

    Attributes:
        events: one `snapshot.worker` per worker; per open reservation a `snapshot.reservation` of its status, and
            before it one of its creation.
        worker_sids: every worker there is; a worker we know that is not among them was deleted.
        open_reservation_sids: every open reservation; one we hold open that is not among them has ended.
    """

    events: tuple[TaskRouterEvent, ...]
    worker_sids: frozenset[str]
    open_reservation_sids: frozenset[str]


class TaskRouterReader:
    """Reads one workspace with the official client (Twilio reference 3 and 5.5)."""

    def __init__(
        self,
        access: TwilioAccess,
        agent_path: tuple[str, ...] | None = None,
        *,
        wait: Waiter | None = None,
        attempts: int = 3,
        threads: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the account.

        Args:
            access: the account, the workspace and the credentials.
            agent_path: where in the worker's attributes the agent id stands, if there.
            wait: waits that many seconds between attempts; True ends the attempts (shutting down).
            attempts: how often one read is tried.
            threads: how many tasks are asked for their reservations at a time; 0: one after the other, without threads.
            transport: replaces the network.
        """
        self._access = access
        self._threads = threads
        self._client = WorkspaceClient(access, attempts=attempts, wait=wait, transport=transport)
        self._findings = Findings(access.account_sid, access.workspace_sid, agent_path)
        self._pages = TaskRouterPages(access, agent_path, attempts=attempts, wait=wait, transport=transport)

    def catalogue(self) -> Catalogue:
        """Read the activities and which of them means logged out.

        Raises:
            TwilioUnavailable: one of the reads failed for good.
        """
        workspace = self._client.workspace()
        rows = self._list("activities", workspace.activities.list)
        activities = {
            key: CatalogueActivity(key, text(row.friendly_name) or key, bool(row.available))
            for key, row in _by_sid(rows).items()
        }
        offline, source = self._offline_activity(activities)
        return Catalogue(activities=activities, offline_activity_sid=offline, offline_source=source)

    def snapshot(self) -> FloorSnapshot:
        """Read every worker and all open work.

        Raises:
            TwilioUnavailable: one of the reads failed for good; half a snapshot would end work that goes on.
        """
        workspace = self._client.workspace()
        workers = _by_sid(self._list("workers", workspace.workers.list))
        tasks = _by_sid(self._list("tasks", workspace.tasks.list, assignment_status=list(OPEN_TASKS)))
        found_open: dict[str, TaskRouterEvent] = {}
        for found in self._each(self._open_reservations, tasks.values()):
            found_open.update({event.sid: event for event in found})
        events = [self._findings.of_worker(key, row) for key, row in workers.items()]
        known = tuple(event for event in events if event is not None)
        if len(known) < len(events):
            _log.warning("workers without a date left out of the snapshot", workers=len(events) - len(known))
        return FloorSnapshot(
            events=known + tuple(found_open.values()),
            worker_sids=frozenset(workers),
            open_reservation_sids=frozenset(event.reservation_sid or "" for event in found_open.values()),
        )

    def history(self, from_ms: int, to_ms: int) -> Iterator[tuple[TaskRouterEvent, ...]]:
        """What moved anything from `from_ms` to `to_ms` (epoch ms, in whole seconds), page by page, in any order.

        Raises:
            TwilioUnavailable: a page could not be read; the pages before it are good.
        """
        next_url: str | None = None
        while True:
            page = self._pages.events(from_ms, to_ms, next_url)
            told = {sid(row.get("sid")): row for row in page.rows if lower(row.get("event_type")) in EVENTS_FILTER}
            yield tuple(event for row in told.values() if (event := self._from_history(row)) is not None)
            next_url = page.next_url
            if next_url is None:
                return

    def _from_history(self, row: Row) -> TaskRouterEvent | None:
        try:
            return self._pages.event(row)
        except MalformedEvent as error:
            _log.warning("an entry of the event history is left out", sid=text(row.get("sid")), problem=str(error))
            return None

    def _each(self, read: Callable[[Any], T], rows: Iterable[Any]) -> list[T]:
        if self._threads < 1:
            return [read(row) for row in rows]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="taskrouter-reader") as pool:
            return list(pool.map(read, rows))

    # -- the parts ----------------------------------------------------------------------------------------------

    def _offline_activity(self, activities: Mapping[str, CatalogueActivity]) -> tuple[str | None, str | None]:
        """The logged-out activity and where it is written; never found by its name (reference 4.1)."""
        try:
            flex = guarded("Flex configuration", self._client.client().flex_api.v1.configuration().fetch)
            offline = sid(flex.taskrouter_offline_activity_sid)
            if flex.taskrouter_workspace_sid == self._access.workspace_sid and offline in activities:
                return offline, "flex configuration"
        except TwilioUnavailable as error:
            # A key without that right, or an account without Flex. A passing failure is no reason to guess.
            if error.facts.get("status") not in _NOT_FLEX:
                raise
        default = sid(guarded("workspace", self._client.workspace().fetch).default_activity_sid)
        return (default, "workspace default") if default in activities else (None, None)

    def _open_reservations(self, task: Any) -> list[TaskRouterEvent]:
        try:
            rows = self._list("reservations", self._client.workspace().tasks(task.sid).reservations.list)
        except TwilioUnavailable as error:
            if error.facts.get("status") == 404:  # it ended since the list was read
                return []
            raise
        return [event for key, row in _by_sid(rows).items() for event in self._findings.of_reservation(key, row, task)]

    def _list(self, what: str, read: Callable[..., list[Any]], **filters: object) -> list[Any]:
        # Further pages come by next_page_url alone, which is what the SDK does (reference 3.1).
        return guarded(what, lambda: read(page_size=_PAGE_SIZE, limit=_MOST_ROWS, **filters))


def _by_sid(rows: Iterable[Any]) -> dict[str, Any]:
    """The rows by sid, each once: rows move between pages while a list is read (reference 3.1)."""
    found: dict[str, Any] = {}
    for row in rows:
        key = sid(row.sid)
        if key is not None:
            found[key] = row
    return found

"""Reads the workspace from Twilio's REST API: the catalogue of names, and a snapshot of who does what right now."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
import structlog
from pydantic import SecretStr
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from flex_plugin_backend.domain.events import (
    FINDING,
    SNAPSHOT_RESERVATION,
    SNAPSHOT_WORKER,
    Route,
    TaskRouterEvent,
)
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.callbacks import agent_key, task_words
from flex_plugin_backend.taskrouter.fields import epoch_ms, lower, sid, text
from flex_plugin_backend.taskrouter.http_client import PatientHttpClient, Waiter

T = TypeVar("T")

_PAGE_SIZE = 1000
# Twilio's limit is 15,000 workers; the bound ends a list whose last page points to itself.
_MOST_ROWS = 100_000
_OPEN_TASKS = ("reserved", "assigned", "wrapping")
_OPEN_RESERVATIONS = frozenset(("pending", "accepted", "wrapping"))
_NOT_FLEX = frozenset((401, 403, 404))
_HINTS = {
    401: "check account_sid with auth_token, or rest_key_sid with rest_key_secret",
    403: "the key may not read this",
    404: "check workspace_sid and that it belongs to this account",
    429: "Twilio limits the rate; it will be tried again later",
}
_log = structlog.get_logger(__name__)


class TwilioAccess(Protocol):
    """What is needed to read one workspace; `[tenants.NAME.twilio]` fits."""

    @property
    def account_sid(self) -> str: ...
    @property
    def workspace_sid(self) -> str: ...
    @property
    def auth_token(self) -> SecretStr: ...
    @property
    def rest_key_sid(self) -> str | None: ...
    @property
    def rest_key_secret(self) -> SecretStr | None: ...
    @property
    def api_base_url(self) -> str | None: ...
    @property
    def timeout_s(self) -> float: ...


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
        self._agent_path = agent_path
        self._wait = wait
        self._attempts = attempts
        self._threads = threads
        self._transport = transport
        self._local = threading.local()

    def catalogue(self) -> Catalogue:
        """Read the activities and which of them means logged out.

        Raises:
            TwilioUnavailable: one of the reads failed for good.
        """
        workspace = self._workspace()
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
        workspace = self._workspace()
        workers = _by_sid(self._list("workers", workspace.workers.list))
        tasks = _by_sid(self._list("tasks", workspace.tasks.list, assignment_status=list(_OPEN_TASKS)))
        found_open: dict[str, TaskRouterEvent] = {}
        for found in self._each(self._open_reservations, tasks.values()):
            found_open.update({event.sid: event for event in found})
        events = [self._worker_event(key, row) for key, row in workers.items()]
        known = tuple(event for event in events if event is not None)
        if len(known) < len(events):
            _log.warning("workers without a date left out of the snapshot", workers=len(events) - len(known))
        return FloorSnapshot(
            events=known + tuple(found_open.values()),
            worker_sids=frozenset(workers),
            open_reservation_sids=frozenset(event.reservation_sid or "" for event in found_open.values()),
        )

    def _each(self, read: Callable[[Any], T], rows: Iterable[Any]) -> list[T]:
        if self._threads < 1:
            return [read(row) for row in rows]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="taskrouter-reader") as pool:
            return list(pool.map(read, rows))

    # -- the parts ----------------------------------------------------------------------------------------------

    def _offline_activity(self, activities: Mapping[str, CatalogueActivity]) -> tuple[str | None, str | None]:
        """The logged-out activity and where it is written; never found by its name (reference 4.1)."""
        try:
            flex = _guarded("Flex configuration", self._client().flex_api.v1.configuration().fetch)
            offline = sid(flex.taskrouter_offline_activity_sid)
            if flex.taskrouter_workspace_sid == self._access.workspace_sid and offline in activities:
                return offline, "flex configuration"
        except TwilioUnavailable as error:
            # A key without that right, or an account without Flex. A passing failure is no reason to guess.
            if error.facts.get("status") not in _NOT_FLEX:
                raise
        default = sid(_guarded("workspace", self._workspace().fetch).default_activity_sid)
        return (default, "workspace default") if default in activities else (None, None)

    def _worker_event(self, worker_sid: str, row: Any) -> TaskRouterEvent | None:
        occurred_ms = _first_date(row.date_status_changed, row.date_updated, row.date_created)
        if occurred_ms is None:
            return None
        activity_sid = sid(row.activity_sid)
        return TaskRouterEvent(
            sid=_snapshot_sid(worker_sid, activity_sid, occurred_ms),
            type=SNAPSHOT_WORKER,
            occurred_ms=occurred_ms,
            route=Route.SNAPSHOT,
            account_sid=self._access.account_sid,
            workspace_sid=self._access.workspace_sid,
            resource_sid=worker_sid,
            worker_sid=worker_sid,
            worker_name=text(row.friendly_name),
            agent_key=agent_key(row.attributes, self._agent_path),
            activity_sid=activity_sid,
            activity_name=text(row.activity_name),
        )

    def _open_reservations(self, task: Any) -> list[TaskRouterEvent]:
        try:
            rows = self._list("reservations", self._workspace().tasks(task.sid).reservations.list)
        except TwilioUnavailable as error:
            if error.facts.get("status") == 404:  # it ended since the list was read
                return []
            raise
        events: list[TaskRouterEvent] = []
        for key, row in _by_sid(rows).items():
            status = lower(row.reservation_status)
            if status not in _OPEN_RESERVATIONS:
                continue
            if status != "pending" and _first_date(row.date_created) is not None:
                # When it was offered is known too; without that a wait would last to the last update.
                events.append(self._reservation_event(key, "pending", row, task))
            events.append(self._reservation_event(key, status, row, task))
        return events

    def _reservation_event(self, reservation_sid: str, status: str, row: Any, task: Any) -> TaskRouterEvent:
        # Only the creation is certain; any later update moves date_updated (reference 5.5).
        first, second = row.date_updated, row.date_created
        if status == "pending":
            first, second = second, first
        occurred_ms = _first_date(first, second, task.date_updated, task.date_created)
        if occurred_ms is None:
            raise TwilioUnavailable(what="reservations", problem="an open reservation carries no date")
        return TaskRouterEvent(
            sid=_snapshot_sid(reservation_sid, status, occurred_ms),
            type=SNAPSHOT_RESERVATION,
            occurred_ms=occurred_ms,
            route=Route.SNAPSHOT,
            account_sid=self._access.account_sid,
            workspace_sid=self._access.workspace_sid,
            resource_sid=reservation_sid,
            reservation_sid=reservation_sid,
            reservation_status=status,
            worker_sid=sid(row.worker_sid),
            worker_name=text(row.worker_name),
            task_sid=sid(task.sid),
            task_status=text(task.assignment_status),
            task_queue_sid=sid(task.task_queue_sid),
            task_queue_name=text(task.task_queue_friendly_name),
            task_channel=text(task.task_channel_unique_name),
            task_created_ms=epoch_ms(task.date_created),
            queue_entered_ms=epoch_ms(task.task_queue_entered_date),
            workflow_sid=sid(task.workflow_sid),
            **task_words(task.attributes),
        )

    # -- the client ---------------------------------------------------------------------------------------------

    def _client(self) -> Client:
        """This thread's client; the SDK keeps the last response in the client, so threads must not share one."""
        client = getattr(self._local, "client", None)
        if client is None:
            access = self._access
            http = PatientHttpClient(
                timeout_s=access.timeout_s,
                base_url=access.api_base_url,
                attempts=self._attempts,
                wait=self._wait,
                transport=self._transport,
            )
            if access.rest_key_sid is not None and access.rest_key_secret is not None:
                user, password = access.rest_key_sid, access.rest_key_secret
            else:
                user, password = access.account_sid, access.auth_token
            client = Client(user, password.get_secret_value(), account_sid=access.account_sid, http_client=http)
            self._local.client = client
        return client

    def _workspace(self) -> Any:
        return self._client().taskrouter.v1.workspaces(self._access.workspace_sid)

    def _list(self, what: str, read: Callable[..., list[Any]], **filters: object) -> list[Any]:
        # Further pages come by next_page_url alone, which is what the SDK does (reference 3.1).
        return _guarded(what, lambda: read(page_size=_PAGE_SIZE, limit=_MOST_ROWS, **filters))


def _guarded(what: str, read: Callable[[], T]) -> T:
    """Run one read of the SDK; whatever goes wrong comes out as TwilioUnavailable with the status, if there was one."""
    try:
        return read()
    except TwilioException as error:
        status, code = _status_and_code(error)
        raise TwilioUnavailable(what=what, problem=_explained(status, code), status=status, code=code) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The SDK does not check bodies: a proxy's HTML page or a list without its key ends here.
        raise TwilioUnavailable(
            what=what, problem=f"the answer could not be understood ({type(error).__name__})"
        ) from error


def _status_and_code(error: TwilioException) -> tuple[int | None, int | None]:
    status = getattr(error, "status", None)
    if status is None and len(error.args) > 1:  # a list's error is bare; the response is its second argument
        status = getattr(error.args[1], "status_code", None)
    code = getattr(error, "code", None)
    return status if isinstance(status, int) else None, code if isinstance(code, int) else None


def _explained(status: int | None, code: int | None) -> str:
    if status is None:
        return "the answer was not a list that can be read"
    words = f"HTTP {status}" + (f", Twilio error {code}" if code not in (None, status) else "")
    hint = _HINTS.get(status)
    return f"{words}; {hint}" if hint else words


def _by_sid(rows: Iterable[Any]) -> dict[str, Any]:
    """The rows by sid, each once: rows move between pages while a list is read (reference 3.1)."""
    found: dict[str, Any] = {}
    for row in rows:
        key = sid(row.sid)
        if key is not None:
            found[key] = row
    return found


def _first_date(*dates: object) -> int | None:
    return next((moment for moment in map(epoch_ms, dates) if moment is not None), None)


def _snapshot_sid(*facts: object) -> str:
    """The same finding has the same identity, so a second snapshot adds nothing to the ledger."""
    return FINDING + hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]

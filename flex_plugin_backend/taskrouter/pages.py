"""Lists of one workspace, read page by page: one call is one request, so that the caller can pace and resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx

from flex_plugin_backend import quickjson
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.client import TwilioAccess, WorkspaceClient, explained
from flex_plugin_backend.taskrouter.fields import integer, lower, sid
from flex_plugin_backend.taskrouter.findings import OPEN_TASKS, Findings, first_date
from flex_plugin_backend.taskrouter.history import event_from_history, occurred_ms
from flex_plugin_backend.taskrouter.http_client import Waiter, retry_after_s

PAGE_SIZE = 1000
_BASE = "https://taskrouter.twilio.com/v1/Workspaces"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its rows as Twilio's JSON has them, and the address of the next page, None after the last."""

    rows: tuple[Row, ...]
    next_url: str | None


class TaskRouterPages:
    """Reads lists with the official client, below its resources (Twilio reference 3.1 to 3.4).

    Its resources read all pages of a list or none, and lose status and headers of a failure; a repair must go on where
    it stopped and obey Retry-After. Every read raises TwilioUnavailable with `status`, `code` and `retry_after_s` as
    far as they are known, after one attempt unless told otherwise. `next_url` is the address that the page before gave.
    """

    def __init__(
        self,
        access: TwilioAccess,
        agent_path: tuple[str, ...] | None = None,
        *,
        attempts: int = 1,
        wait: Waiter | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = f"{_BASE}/{access.workspace_sid}"
        self._agent_path = agent_path
        self._findings = Findings(access.account_sid, access.workspace_sid, agent_path)
        self._client = WorkspaceClient(access, attempts=attempts, wait=wait, transport=transport)

    def events(self, from_ms: int, to_ms: int, next_url: str | None = None) -> Page:
        """Events of a span of time; both ends are cut to whole seconds and inclusive, so a few more may come."""
        dates = {"StartDate": _date(from_ms // 1000), "EndDate": _date(-(-to_ms // 1000))}
        return self._page("events", "Events", dates, next_url)

    def workers(self, next_url: str | None = None) -> Page:
        """Every worker."""
        return self._page("workers", "Workers", {}, next_url)

    def open_tasks(self, next_url: str | None = None) -> Page:
        """Every task that is offered, assigned or in wrap-up."""
        return self._page("tasks", "Tasks", {"AssignmentStatus": list(OPEN_TASKS)}, next_url)

    def task_reservations(self, task_sid: str, next_url: str | None = None) -> Page:
        """The reservations of one task."""
        return self._page("reservations", f"Tasks/{task_sid}/Reservations", {}, next_url)

    def queue_statistics(self, from_ms: int, to_ms: int, next_url: str | None = None) -> Page:
        """The statistics of every queue over `[from_ms, to_ms)`, whole seconds."""
        dates = {"StartDate": _date(from_ms // 1000), "EndDate": _date(to_ms // 1000 - 1)}
        return self._page("task_queues_statistics", "TaskQueues/Statistics", dates, next_url)

    def identity(self, row: Row) -> tuple[str | None, str | None, int | None]:
        """What tells a row of the Events list from another: sid, type and time (epoch ms), as far as it has them."""
        return sid(row.get("sid")), lower(row.get("event_type")), occurred_ms(row)

    def event(self, row: Row) -> TaskRouterEvent:
        """The event in a row of the Events list; raises MalformedEvent."""
        return event_from_history(row, self._agent_path)

    def queue_counts(self, row: Row) -> tuple[str | None, Mapping[str, int | None]]:
        """The queue of a row of statistics, and its cumulative figures as far as they are whole numbers."""
        cumulative = row.get("cumulative")
        figures = cumulative if isinstance(cumulative, dict) else {}
        return sid(row.get("task_queue_sid")), {str(name): integer(value) for name, value in figures.items()}

    def updated_ms(self, row: Row) -> int | None:
        """When what a row shows was last changed, epoch milliseconds."""
        return first_date(row.get("date_updated"), row.get("date_created"))

    def worker_finding(self, row: Row) -> TaskRouterEvent | None:
        """What a worker's row shows, as an event; None where it cannot be told."""
        found = sid(row.get("sid"))
        return None if found is None else self._findings.of_worker(found, _Fields(row))

    def reservation_findings(self, row: Row, task: Row) -> list[TaskRouterEvent]:
        """What a reservation's row shows, as events; none where it is not open."""
        found = sid(row.get("sid"))
        return [] if found is None else self._findings.of_reservation(found, _Fields(row), _Fields(task))

    def _page(self, key: str, path: str, params: Mapping[str, object], next_url: str | None) -> Page:
        what = path.rpartition("/")[2]
        client = self._client.client()
        if next_url is None:
            answer = client.request("GET", f"{self._base}/{path}", params={**params, "PageSize": PAGE_SIZE})
        else:
            # A page is named by its token alone; the SDK follows the address as it is given, too.
            answer = client.request("GET", next_url)
        status = answer.status_code
        if status != 200:
            code = _error_code(answer.text)
            raise TwilioUnavailable(
                what=what,
                problem=explained(status, code),
                status=status,
                code=code,
                retry_after_s=retry_after_s(answer),
            )
        return _read(what, key, answer.text)


class _Fields(SimpleNamespace):
    """A row with its fields as attributes, as the SDK's resources have them; what is missing is None."""

    def __init__(self, row: Row) -> None:
        super().__init__(**row)

    def __getattr__(self, name: str) -> None:
        return None


def _read(what: str, key: str, text: str) -> Page:
    try:
        body = quickjson.loads(text)
    except (ValueError, RecursionError):
        body = None
    rows, meta = (body.get(key), body.get("meta")) if isinstance(body, dict) else (None, None)
    next_url = meta.get("next_page_url") if isinstance(meta, dict) else False
    readable = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if not readable or not (next_url is None or isinstance(next_url, str)):
        # A proxy's page of HTML, or half an answer.
        raise TwilioUnavailable(what=what, problem="the answer was not a list that can be read")
    return Page(tuple(rows or ()), next_url or None)


def _error_code(text: str) -> int | None:
    try:
        body = quickjson.loads(text)
    except (ValueError, RecursionError):
        return None
    return integer(body.get("code")) if isinstance(body, dict) else None


def _date(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Compares the floor as REST shows it with the floor as the events made it; what differs becomes findings."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.reservations import Status
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.floor import Floor
from flex_plugin_backend.flow.gone import reservation_gone, worker_gone
from flex_plugin_backend.flow.looking import HistoryPage
from flex_plugin_backend.flow.projector import Projector

# REST gives whole seconds.
SECOND_MS = 1_000
# So long REST shows a task that has ended (Twilio reference 3.1).
KEPT_MS = 300_000
# So many tasks are asked for their reservations in one comparison; the rest waits for the next one.
MOST_ASKED = 200
# Which task status fits which status of its one open reservation (Twilio reference 3.2).
_FITS = {"reserved": Status.PENDING, "assigned": Status.ACCEPTED, "wrapping": Status.WRAPPING}

Row = Mapping[str, Any]
_log = structlog.get_logger(__name__)


class FloorPages(Protocol):
    """Reads workers and open work page by page; raises TwilioUnavailable."""

    def workers(self, next_url: str | None = None) -> HistoryPage: ...
    def open_tasks(self, next_url: str | None = None) -> HistoryPage: ...
    def task_reservations(self, task_sid: str, next_url: str | None = None) -> HistoryPage: ...
    def worker_finding(self, row: Row) -> TaskRouterEvent | None: ...
    def reservation_findings(self, row: Row, task: Row) -> list[TaskRouterEvent]: ...
    def updated_ms(self, row: Row) -> int | None: ...


@dataclass(slots=True)
class _Open:
    """One reservation that counts as open here."""

    sid: str
    worker_sid: str
    task_sid: str | None
    status: Status
    latest_ms: int


@dataclass(slots=True)
class Drift:
    """What a comparison has found: events to store, and how many workers and reservations they correct."""

    events: list[TaskRouterEvent] = field(default_factory=list)
    workers: int = 0
    reservations: int = 0


class FloorCheck:
    """One tenant's comparisons. Worker statistics are not needed, so it works with thousands of workers.

    A task is asked for its reservations only where its status does not fit what is held of it.
    """

    def __init__(self, tenant: str, pages: FloorPages, projector: Projector, clock: Clock) -> None:
        self._tenant = tenant
        self._pages = pages
        self._projector = projector
        self._clock = clock
        self._absent: frozenset[str] = frozenset()
        # Tasks that were asked and taught nothing, as they were then.
        self._agreed: dict[str, tuple[object, object]] = {}

    def compare(self, asker: Asker, before_ms: int) -> Generator[Pause, None, Drift]:
        """Compare what was so before `before_ms` (epoch ms) already; yields its pauses, returns the differences.

        What has changed since may be on its way as an event.

        Raises:
            TwilioUnavailable: Twilio does not take a question.
        """
        drift = Drift()
        workers = yield from _rows(asker, self._pages.workers)
        shown = {sid: found for sid, row in workers.items() if (found := self._pages.worker_finding(row)) is not None}
        tasks = yield from _rows(asker, self._pages.open_tasks)
        with self._projector.looking() as floor:
            self._compare_workers(floor, shown, workers.keys(), before_ms, drift)
            held = _open_reservations(floor, self._clock.now_ms())
        yield from self._compare_tasks(asker, tasks, held, before_ms, drift)
        return drift

    # -- workers

    def _compare_workers(
        self, floor: Floor, shown: Mapping[str, TaskRouterEvent], sids: Iterable[str], before_ms: int, drift: Drift
    ) -> None:
        for sid, found in shown.items():
            if found.occurred_ms < before_ms and self._differs(floor, sid, found):
                drift.events.append(found)
                drift.workers += 1
        missing = frozenset(
            sid
            for sid, worker in floor.workers.items()
            if not worker.timeline.deleted and worker.timeline.newest_ms < before_ms
        ) - frozenset(sids)
        # Pages are no snapshot: a worker is gone when two comparisons have not shown it.
        gone = missing & self._absent
        self._absent = missing - gone
        drift.events.extend(worker_gone(sid, self._clock.now_ms()) for sid in sorted(gone))
        drift.workers += len(gone)

    @staticmethod
    def _differs(floor: Floor, sid: str, found: TaskRouterEvent) -> bool:
        worker, mapping = floor.workers.get(sid), floor.rules.mapping
        if worker is None:
            return True
        spans = worker.timeline.activity.spans(mapping)
        if worker.timeline.deleted or mapping.is_pseudo(found.activity_sid, found.activity_name):
            return False
        if not spans:
            return True
        # Where ours is the newer one, it came while the pages were read.
        return spans[-1].activity_sid != found.activity_sid and spans[-1].start_ms < found.occurred_ms + SECOND_MS

    # -- open work

    def _compare_tasks(
        self, asker: Asker, tasks: Mapping[str, Row], held: list[_Open], before_ms: int, drift: Drift
    ) -> Generator[Pause, None, None]:
        ours: dict[str, list[_Open]] = {}
        for one in held:
            if one.task_sid is not None:
                ours.setdefault(one.task_sid, []).append(one)
        self._agreed = {sid: known for sid, known in self._agreed.items() if sid in tasks}
        asked: list[str] = []
        for sid, row in tasks.items():
            updated_ms = self._pages.updated_ms(row)
            settled = updated_ms is None or updated_ms < before_ms
            if settled and not _fits(row, ours.get(sid, ())) and self._agreed.get(sid) != _state(row):
                asked.append(sid)
        for sid, some in ours.items():
            if sid not in tasks and all(one.latest_ms < before_ms for one in some):
                asked.append(sid)
        if len(asked) > MOST_ASKED:
            _log.info("repair.many_tasks_differ", tenant=self._tenant, tasks=len(asked), asked=MOST_ASKED)
        for sid in asked[:MOST_ASKED]:
            yield from self._ask(asker, sid, tasks.get(sid, {"sid": sid}), ours.get(sid, ()), before_ms, drift)

    def _ask(
        self, asker: Asker, task_sid: str, task: Row, ours: Iterable[_Open], before_ms: int, drift: Drift
    ) -> Generator[Pause, None, None]:
        try:
            rows = yield from _rows(asker, partial(self._pages.task_reservations, task_sid))
        except TwilioUnavailable as error:
            if error.facts.get("status") != 404:
                raise
            rows = {}
        before = len(drift.events)
        for row in rows.values():
            findings = [one for one in self._pages.reservation_findings(row, task) if one.occurred_ms < before_ms]
            with self._projector.looking() as floor:
                news = [one for one in findings if _is_news(floor, one)]
            drift.events.extend(news)
            drift.reservations += bool(news)
        for one in ours:
            last = rows.get(one.sid)
            if last is not None and self._pages.reservation_findings(last, task):
                continue  # still open
            ended_ms = self._pages.updated_ms(last) if last is not None else self._clock.now_ms() - KEPT_MS
            if ended_ms is not None and ended_ms < before_ms:
                ended_ms = max(ended_ms, one.latest_ms)
                drift.events.append(reservation_gone(one.sid, one.worker_sid, one.task_sid, ended_ms))
                drift.reservations += 1
        if len(drift.events) == before and task.get("assignment_status"):
            self._agreed[task_sid] = _state(task)


def _rows(asker: Asker, read: Callable[[str | None], HistoryPage]) -> Generator[Pause, None, dict[str, Row]]:
    """Every row of a list by its sid; rows may move between pages."""
    found: dict[str, Row] = {}
    next_url: str | None = None
    while True:
        page = yield from asker.ask(partial(read, next_url), optional=True)
        before = len(found)
        found.update({str(row["sid"]): row for row in page.rows if row.get("sid")})
        next_url = page.next_url
        if next_url is None or len(found) == before:  # a page without anything new ends a list that goes in circles
            return found


def _open_reservations(floor: Floor, now_ms: int) -> list[_Open]:
    found: list[_Open] = []
    for worker_sid, worker in floor.workers.items():
        for one in worker.timeline.open_reservations(now_ms, floor.rules):
            status = one.status_at(now_ms, now_ms, floor.rules.states)
            if status is not None:
                found.append(_Open(one.sid, worker_sid, one.task_sid, status, one.latest_ms()))
    return found


def _is_news(floor: Floor, finding: TaskRouterEvent) -> bool:
    worker = floor.workers.get(finding.worker_sid or "")
    return worker is None or not worker.timeline.already_shows(finding, floor.rules)


def _fits(task: Row, ours: Iterable[_Open]) -> bool:
    statuses = [one.status for one in ours]
    return statuses == [_FITS.get(str(task.get("assignment_status")).lower())]


def _state(task: Row) -> tuple[object, object]:
    return task.get("assignment_status"), task.get("date_updated")

"""The floor by REST against the floor by events: what no event told is found, and nothing that is only on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from fake_history import FakePage, failed, run_course
from flow_bench import T0, Bench, tenant_settings
from histories import AVAILABLE, BREAK, NAMES, OFFLINE, activity, reservation

from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION_GONE, SNAPSHOT_WORKER_GONE
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.drift import KEPT_MS, Drift, FloorCheck
from flex_plugin_backend.taskrouter.pages import TaskRouterPages

S = 1_000


def iso(at_ms: int) -> str:
    """As Twilio writes dates: whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FloorByRest(TaskRouterPages):
    """What REST shows: rows as Twilio's JSON has them, pages of two rows."""

    worker_rows: list[dict[str, Any]] = field(default_factory=list)
    task_rows: list[dict[str, Any]] = field(default_factory=list)
    reservation_rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(tenant_settings().twilio)

    def worker(self, sid: str, activity_sid: str, since_ms: int) -> None:
        self.worker_rows = [row for row in self.worker_rows if row["sid"] != sid]
        self.worker_rows.append(
            {
                "sid": sid,
                "friendly_name": f"{sid}@example.com",
                "activity_sid": activity_sid,
                "activity_name": NAMES[activity_sid],
                "date_status_changed": iso(since_ms),
            }
        )

    def task(self, number: int, status: str, updated_ms: int, *reservations: dict[str, Any]) -> None:
        self.task_rows = [row for row in self.task_rows if row["sid"] != f"WT{number}"]
        self.task_rows.append(
            {
                "sid": f"WT{number}",
                "assignment_status": status,
                "task_channel_unique_name": "voice",
                "attributes": '{"direction": "inbound"}',
                "date_updated": iso(updated_ms),
            }
        )
        self.reservation_rows[f"WT{number}"] = list(reservations)

    def workers(self, next_url: str | None = None) -> Any:
        return self._paged("workers", self.worker_rows, next_url)

    def open_tasks(self, next_url: str | None = None) -> Any:
        return self._paged("tasks", self.task_rows, next_url)

    def task_reservations(self, task_sid: str, next_url: str | None = None) -> Any:
        self.asked.append(task_sid)
        if task_sid not in self.reservation_rows:
            raise failed(404)
        return FakePage(tuple(self.reservation_rows[task_sid]))

    def _paged(self, what: str, rows: list[dict[str, Any]], next_url: str | None) -> FakePage:
        self.asked.append(what)
        first = int(next_url or 0)
        return FakePage(tuple(rows[first : first + 2]), str(first + 2) if len(rows) > first + 2 else None)


def row(number: int, status: str, updated_ms: int, worker: str = "WK1", created_ms: int = T0) -> dict[str, Any]:
    """A reservation."""
    return {
        "sid": f"WR{number}",
        "reservation_status": status,
        "worker_sid": worker,
        "date_created": iso(created_ms),
        "date_updated": iso(updated_ms),
    }


class Desk:
    """A bench and what REST shows of its floor."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.rest = FloorByRest()
        self.check = FloorCheck("acme", self.rest, bench.projector, bench.clock)

    def tell(self, *events: Any) -> None:
        for one in events:
            self.bench.clock.set_ms(max(self.bench.clock.now_ms(), one.occurred_ms))
            self.bench.tell(one)

    def compare(self, at_ms: int, settle_s: int = 60) -> Drift:
        """Compare at this time; what is found is stored and projected."""
        self.bench.clock.set_ms(at_ms)
        asker = Asker("acme", self.bench.clock, requests_per_minute=6_000.0)
        _, found = run_course(self.check.compare(asker, at_ms - settle_s * S))
        self.bench.tell(*found.events)
        return found

    def line(self, worker: str = "WK1") -> list[tuple[float, str | None, str]]:
        return [((at_ms - T0) / S, event_id, reason) for at_ms, event_id, reason in self.bench.line(worker)]


@pytest.fixture
def desk(make_bench: Callable[..., Bench]) -> Desk:
    """A floor with one agent, AVAILABLE since the start, as REST shows it too."""
    found = Desk(make_bench())
    found.tell(activity(T0, AVAILABLE))
    found.rest.worker("WK1", AVAILABLE, T0)
    return found


def test_where_both_agree_nothing_is_found_and_little_is_asked(desk: Desk) -> None:
    """Workers and tasks, page by page; no task is asked for its reservations."""
    desk.tell(reservation("created", T0 + 10 * S), reservation("accepted", T0 + 12 * S))
    desk.rest.task(1, "assigned", T0 + 12 * S, row(1, "accepted", T0 + 12 * S))
    for number in range(2, 6):
        desk.tell(activity(T0, AVAILABLE, worker=f"WK{number}"))
        desk.rest.worker(f"WK{number}", AVAILABLE, T0)
    assert desk.compare(T0 + 600 * S) == Drift()
    assert desk.rest.asked == ["workers", "workers", "workers", "tasks"]


def test_an_activity_that_no_event_told_is_taken_from_rest(desk: Desk) -> None:
    """Since when REST says so; the second comparison finds nothing more."""
    desk.rest.worker("WK1", BREAK, T0 + 300 * S)
    found = desk.compare(T0 + 600 * S)
    assert (found.workers, found.reservations) == (1, 0)
    assert desk.line() == [(0, "AVAILABLE", ""), (300, "UNAVAILABLE", "Break")]
    assert desk.compare(T0 + 900 * S) == Drift()


def test_what_has_only_just_changed_may_be_on_its_way(desk: Desk) -> None:
    """Inside the time an event may take it is no difference, after it it is one."""
    desk.rest.worker("WK1", BREAK, T0 + 570 * S)
    assert desk.compare(T0 + 600 * S) == Drift()
    assert desk.compare(T0 + 660 * S).workers == 1


def test_an_event_that_came_while_the_pages_were_read_is_newer(desk: Desk) -> None:
    """REST showed the activity before it."""
    desk.tell(activity(T0 + 590 * S, BREAK))
    assert desk.compare(T0 + 600 * S) == Drift()


def test_a_worker_that_no_event_named_is_taken_from_rest(desk: Desk) -> None:
    """Its creation was lost."""
    desk.rest.worker("WK9", OFFLINE, T0 + 100 * S)
    assert desk.compare(T0 + 600 * S).workers == 1
    assert desk.line("WK9") == [(100, "LOGOFF", "")]


def test_a_worker_that_is_twice_not_shown_is_gone(desk: Desk) -> None:
    """Once may be a page that moved; one that comes back in between is not gone."""
    desk.tell(activity(T0, AVAILABLE, worker="WK2"), activity(T0, AVAILABLE, worker="WK3"))
    desk.rest.worker("WK3", AVAILABLE, T0)
    assert desk.compare(T0 + 600 * S) == Drift()
    desk.rest.worker_rows.pop()
    found = desk.compare(T0 + 900 * S)
    assert [(one.type, one.worker_sid) for one in found.events] == [(SNAPSHOT_WORKER_GONE, "WK2")]
    assert desk.line("WK2")[-1][1] == "LOGOFF"
    desk.rest.worker("WK3", AVAILABLE, T0)
    assert desk.compare(T0 + 1_200 * S) == Drift()


def test_work_that_no_event_told_is_taken_from_rest(desk: Desk) -> None:
    """The task's status does not fit what is held of it, so it is asked for its reservations."""
    desk.rest.task(1, "assigned", T0 + 320 * S, row(1, "accepted", T0 + 320 * S, created_ms=T0 + 300 * S))
    found = desk.compare(T0 + 600 * S)
    assert (found.workers, found.reservations) == (0, 1)
    assert desk.rest.asked[-1] == "WT1"
    assert desk.line() == [(0, "AVAILABLE", ""), (300, "RESERVED", ""), (320, "CONTACT_VOICE", "")]
    assert desk.compare(T0 + 900 * S) == Drift()


def test_a_step_that_no_event_told_is_taken_from_rest(desk: Desk) -> None:
    """We hold the call, REST shows its wrap-up."""
    desk.tell(reservation("accepted", T0 + 12 * S))
    desk.rest.task(1, "wrapping", T0 + 200 * S, row(1, "wrapping", T0 + 200 * S))
    assert desk.compare(T0 + 600 * S).reservations == 1
    assert desk.line()[-1] == (200, "WRAPUP", "")


def test_work_that_ended_unseen_ends_when_rest_says(desk: Desk) -> None:
    """The task still shows when its reservation was completed."""
    desk.tell(reservation("accepted", T0 + 12 * S))
    desk.rest.reservation_rows["WT1"] = [row(1, "completed", T0 + 200 * S)]
    found = desk.compare(T0 + 400 * S)
    assert [(one.type, one.occurred_ms) for one in found.events] == [(SNAPSHOT_RESERVATION_GONE, T0 + 200 * S)]
    assert desk.line()[-1] == (200, "AVAILABLE", "")


def test_work_whose_task_is_gone_ended_as_long_ago_as_twilio_keeps_it(desk: Desk) -> None:
    """A task that is not found ended five minutes ago or earlier."""
    desk.tell(reservation("accepted", T0 + 12 * S))
    found = desk.compare(T0 + 900 * S)
    assert [one.occurred_ms for one in found.events] == [T0 + 900 * S - KEPT_MS]
    assert desk.line()[-1][1] == "AVAILABLE"


def test_while_the_history_lags_behind_a_missing_task_proves_nothing(desk: Desk) -> None:
    """The end of the work may be in what has not been read yet."""
    desk.tell(reservation("accepted", T0 + 12 * S))
    assert desk.compare(T0 + 3_600 * S, settle_s=1_800) == Drift()


def test_a_task_that_taught_nothing_is_not_asked_again_until_it_changes(desk: Desk) -> None:
    """A wrap-up that nobody ends is over here at its cap, and open for Twilio."""
    for step, at_s in (("created", 0), ("accepted", 12), ("wrapup", 100)):
        desk.tell(reservation(step, T0 + at_s * S))
    desk.rest.task(1, "wrapping", T0 + 100 * S, row(1, "wrapping", T0 + 100 * S))
    for hours in (2, 3, 4):
        assert desk.compare(T0 + hours * 3_600 * S) == Drift()
    assert desk.rest.asked.count("WT1") == 1
    desk.rest.task(1, "wrapping", T0 + 4 * 3_600 * S, row(1, "wrapping", T0 + 4 * 3_600 * S))
    assert desk.compare(T0 + 5 * 3_600 * S) == Drift()
    assert desk.rest.asked.count("WT1") == 2


def test_two_agents_on_one_task_are_both_looked_at(desk: Desk) -> None:
    """A warm transfer: one status for two reservations says too little."""
    desk.tell(activity(T0, AVAILABLE, worker="WK2"))
    desk.rest.worker("WK2", AVAILABLE, T0)
    for number, worker, at_s in ((1, "WK1", 12), (2, "WK2", 60)):
        desk.tell(reservation("created", T0, number, worker=worker, task_sid="WT1"))
        desk.tell(reservation("accepted", T0 + at_s * S, number, worker=worker, task_sid="WT1"))
    both = (row(1, "wrapping", T0 + 200 * S), row(2, "accepted", T0 + 60 * S, "WK2"))
    desk.rest.task(1, "assigned", T0 + 200 * S, *both)
    assert desk.compare(T0 + 600 * S).reservations == 1
    assert desk.line()[-1] == (200, "WRAPUP", "")
    assert desk.line("WK2")[-1][1] == "CONTACT_VOICE"


def test_a_pseudo_activity_of_a_plugin_is_no_difference(make_bench: Callable[..., Bench]) -> None:
    """Settings say that the work decides instead."""
    desk = Desk(make_bench(mapping={"pseudo_activities": [NAMES[BREAK]]}))
    desk.tell(activity(T0, AVAILABLE))
    desk.rest.worker("WK1", BREAK, T0 + 100 * S)
    assert desk.compare(T0 + 600 * S) == Drift()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_key_without_the_right_ends_the_comparison(desk: Desk, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """The caller goes on without it."""

    def refuse(_next_url: str | None = None) -> Any:
        raise failed(status)

    monkeypatch.setattr(desk.rest, "open_tasks", refuse)
    with pytest.raises(TwilioUnavailable):
        desk.compare(T0 + 600 * S)

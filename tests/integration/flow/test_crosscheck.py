"""Twilio's totals against the event log: what differs is noted with both figures, and gone when it agrees again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_history import FakePage, failed, run_course
from flow_bench import TENANT
from histories import event

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.crosscheck import ALL_QUEUES, CrossCheck
from flex_plugin_backend.ledger import crosschecks, eventlog
from flex_plugin_backend.ledger.crosschecks import Difference
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.store import Ledger

HOUR, DAY = 3_600_000, 86_400_000
MIDNIGHT = 20_000 * DAY
TYPES = {
    "tasks_entered": "task-queue.entered",
    "tasks_moved": "task-queue.moved",
    "tasks_canceled": "task.canceled",
    "reservations_accepted": "reservation.accepted",
}


class Desk:
    """A ledger beside Twilio's statistics, which count `happened`; `figures` overrules single counts."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(f"sqlite:///{path}")
        self.clock = ManualClock(MIDNIGHT + 9 * HOUR)
        self.happened: list[Any] = []
        self.figures: dict[tuple[str, str], Any] = {}
        self.asked: list[tuple[int, int]] = []
        self.failure: Exception | None = None
        self.check = CrossCheck(TENANT, self.ledger, self, self.clock, every_s=3600)

    def happen(self, figure: str, at_ms: int, queue: str = "WQ1", *, lost: bool = False) -> None:
        one = event(TYPES[figure], at_ms, task_sid="WT1", task_queue_sid=queue)
        self.happened.append(one)
        if not lost:
            with self.ledger.write() as connection:
                eventlog.append(connection, [Arrival(TENANT, one, at_ms)])

    def queue_statistics(self, from_ms: int, to_ms: int, next_url: str | None = None) -> FakePage:
        if self.failure is not None:
            raise self.failure
        self.asked.append((from_ms, to_ms))
        rows = []
        for queue in ("WQ1", "WQ2", "WQ3"):
            counts = {
                figure: sum(
                    one.type == kind and one.task_queue_sid == queue and from_ms <= one.occurred_ms < to_ms
                    for one in self.happened
                )
                for figure, kind in TYPES.items()
            }
            counts.update({figure: count for (of, figure), count in self.figures.items() if of == queue})
            rows.append((queue, counts))
        number = int(next_url or 0)
        return FakePage((rows[number],), str(number + 1) if number < 2 else None)

    @staticmethod
    def queue_counts(row: Any) -> tuple[str | None, dict[str, int | None]]:
        queue, counts = row
        return queue, {name: value if isinstance(value, int) else None for name, value in counts.items()}

    def look(self, begin_ms: int = MIDNIGHT - 10 * DAY, unread: tuple[Span, ...] = ()) -> list[Difference]:
        """Compare at the present; gives what stands then."""
        asker = Asker(TENANT, self.clock, requests_per_minute=6_000.0)
        whole = Span(begin_ms, self.clock.now_ms() - 60_000)
        run_course(self.check.check(asker, whole, unread))
        with self.ledger.read() as connection:
            return crosschecks.listed(connection, TENANT)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk at nine in the morning, UTC."""
    found = Desk(tmp_path / "l.sqlite3")
    yield found
    found.ledger.close()


def test_where_all_is_counted_nothing_differs(desk: Desk) -> None:
    """Yesterday as a whole, and today up to the last quarter of an hour that the statistics can know."""
    for hour in range(-20, 9):
        for figure in TYPES:
            desk.happen(figure, MIDNIGHT + hour * HOUR, f"WQ{1 + hour % 3}")
    assert desk.look() == []
    assert set(desk.asked) == {(MIDNIGHT - DAY, MIDNIGHT), (MIDNIGHT, MIDNIGHT + 8 * HOUR + 45 * 60_000)}


def test_a_lost_event_shows_with_both_figures_until_it_is_back(desk: Desk) -> None:
    """The warning stands as long as the figures differ."""
    desk.happen("tasks_entered", MIDNIGHT + HOUR)
    desk.happen("tasks_entered", MIDNIGHT + HOUR, lost=True)
    [found] = desk.look()
    assert (found.queue_sid, found.figure, found.twilio, found.ours) == ("WQ1", "tasks_entered", 2, 1)
    assert (found.day_ms, found.until_ms) == (MIDNIGHT, MIDNIGHT + 8 * HOUR + 45 * 60_000)
    with desk.ledger.write() as connection:
        eventlog.append(connection, [Arrival(TENANT, desk.happened[1], 0)])
    desk.clock.advance(3600)
    assert desk.look() == []


def test_yesterday_is_looked_at_once_more_when_it_is_over(desk: Desk) -> None:
    """What was lost in its last hours is not overlooked."""
    desk.clock.set_ms(MIDNIGHT + 23 * HOUR)
    desk.happen("reservations_accepted", MIDNIGHT + 23 * HOUR + 1, lost=True)
    assert desk.look() == []
    desk.clock.set_ms(MIDNIGHT + DAY + HOUR)
    [found] = desk.look()
    assert (found.day_ms, found.figure) == (MIDNIGHT, "reservations_accepted")
    desk.asked.clear()
    desk.clock.advance(3600)
    desk.look()
    assert MIDNIGHT not in {from_ms for from_ms, _ in desk.asked}


def test_moves_are_compared_for_all_queues_together(desk: Desk) -> None:
    """Twilio may count them for the queue that is left or for the one that is entered."""
    desk.happen("tasks_moved", MIDNIGHT + HOUR, "WQ1")
    desk.figures = {("WQ1", "tasks_moved"): 0, ("WQ2", "tasks_moved"): 1}
    assert desk.look(begin_ms=MIDNIGHT) == []
    desk.figures = {("WQ1", "tasks_moved"): 0, ("WQ2", "tasks_moved"): 2}
    desk.clock.advance(3600)
    [found] = desk.look(begin_ms=MIDNIGHT)
    assert (found.queue_sid, found.twilio, found.ours) == (ALL_QUEUES, 2, 1)


def test_what_has_not_been_read_is_not_compared(desk: Desk) -> None:
    """A difference there has another reason."""
    desk.happen("tasks_entered", MIDNIGHT + 5 * HOUR, lost=True)
    assert desk.look(unread=(Span(MIDNIGHT + 4 * HOUR, MIDNIGHT + 6 * HOUR),)) == []
    assert max(to_ms for _, to_ms in desk.asked) == MIDNIGHT + 4 * HOUR


def test_where_there_was_little_to_compare_it_is_due_again_soon(desk: Desk) -> None:
    """In the first minutes, and while the history lags behind; else as often as said."""
    desk.look(begin_ms=desk.clock.now_ms() - 1_200_000)
    desk.clock.advance(900)
    assert desk.check.due
    desk.look(unread=(Span(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR),))
    desk.clock.advance(900)
    assert desk.check.due
    desk.look()
    desk.clock.advance(3599)
    assert not desk.check.due
    desk.clock.advance(1)
    assert desk.check.due


def test_the_first_day_is_compared_from_the_first_start_on(desk: Desk) -> None:
    """What happened before is not in the log."""
    desk.happen("tasks_entered", MIDNIGHT + 2 * HOUR, lost=True)
    desk.happen("tasks_entered", MIDNIGHT + 5 * HOUR)
    assert desk.look(begin_ms=MIDNIGHT + 4 * HOUR + 500) == []
    assert set(desk.asked) == {(MIDNIGHT + 4 * HOUR + 1_000, MIDNIGHT + 8 * HOUR + 45 * 60_000)}


def test_a_figure_that_twilio_does_not_give_is_not_compared(desk: Desk) -> None:
    """Missing, or no whole number."""
    desk.happen("tasks_entered", MIDNIGHT + HOUR)
    desk.figures = {("WQ1", "tasks_entered"): None, ("WQ2", "tasks_canceled"): "many"}
    assert desk.look() == []


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_without_statistics_it_is_left_for_a_day(desk: Desk, status: int) -> None:
    """Not every key may read them, and nothing else depends on it."""
    desk.failure = failed(status)
    assert desk.check.due
    desk.look()
    assert str(status) in (desk.check.unavailable or "")
    desk.clock.advance(23 * 3600)
    assert not desk.check.due
    desk.clock.advance(3600)
    assert desk.check.due
    desk.failure = None
    desk.look()
    assert desk.check.unavailable is None


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """With 0 it is never due."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}")
    assert not CrossCheck(TENANT, ledger, Desk, ManualClock(0), every_s=0).due  # type: ignore[arg-type]
    ledger.close()

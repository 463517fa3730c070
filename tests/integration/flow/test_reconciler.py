"""The reconciler over a real ledger: what was lost comes back once, with a record of the hole it left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fake_history import FakeHistory, failed
from flow_bench import T0, TENANT
from histories import AVAILABLE, BREAK, activity, reservation
from sqlalchemy.exc import OperationalError

from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.drive import ManualDrive
from flex_plugin_backend.flow.intake import Along
from flex_plugin_backend.flow.reconciler import READABLE_MS, Reconciler, RepairRules
from flex_plugin_backend.ledger import eventlog, gaps, receipts, spans
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.gaps import Cause, Gap, GapState
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.ledger.store import Ledger

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
EVERY, SETTLE = 5 * MINUTE, MINUTE


class Site:
    """A connector's ledger and reconciler beside Twilio's history, on a clock that is moved by hand."""

    def __init__(self, path: Path, **rules: Any) -> None:
        self.path = path
        self.rules = {"requests_per_minute": 6_000.0, "reports": False, **rules}
        self.history = FakeHistory()
        self.drive = ManualDrive(T0)
        self.refusals = 0
        self.recovered = 0
        self.projected: int | None = None
        self.open()

    def open(self) -> None:
        self.ledger = Ledger(f"sqlite:///{self.path}")
        self.reconciler = Reconciler(
            TENANT,
            self.ledger,
            self.drive.clock,
            self.history,
            RepairRules(**self.rules),
            submit=self.submit,
            projected=lambda: self.last_seq() if self.projected is None else self.projected,
            on_recovered=self._count,
        )
        self.reconciler.begin()
        self.drive.start(self.reconciler.duty)

    def crash(self, away_ms: int = 0) -> None:
        """The process ends at once, and another starts later."""
        self.drive.abandon()
        self.ledger.close()
        self.drive.step_to(self.now_ms + away_ms)
        self.open()

    def _count(self, number: int) -> None:
        self.recovered += number

    @property
    def now_ms(self) -> int:
        return self.drive.now_ms

    def submit(self, events: Any, along: Along | None = None) -> int:
        if self.refusals:
            self.refusals -= 1
            raise IntakeUnavailable(problem="the disk is full")
        arrivals = [Arrival(TENANT, one, self.now_ms) for one in events]
        with self.ledger.write_durably() as connection:
            new = eventlog.append(connection, arrivals)
            if along is not None:
                along(connection, frozenset(sid for _, sid in new))
        return len(new)

    def happen(self, *events: TaskRouterEvent, lost: bool = False) -> None:
        """These happen, and unless they are lost they arrive."""
        self.history.happened.extend(events)
        if not lost:
            self.submit(events)

    def run(self, for_ms: int) -> None:
        self.drive.step_to(self.now_ms + for_ms)

    def stored(self) -> list[TaskRouterEvent]:
        with self.ledger.read() as connection:
            return [one for _, one in eventlog.after(connection, TENANT, 0, 100_000)]

    def last_seq(self) -> int:
        with self.ledger.read() as connection:
            return eventlog.last_seq(connection, TENANT)

    def gaps(self) -> list[Gap]:
        with self.ledger.read() as connection:
            return gaps.listed(connection, TENANT, 1_000)[::-1]

    def verified(self) -> list[Span]:
        with self.ledger.read() as connection:
            return spans.covered(connection, TENANT)

    def pass_through(self) -> None:
        """States and tasks have seen every event."""
        with self.ledger.write() as connection:
            for name in ("states", "tasks"):
                eventlog.set_cursor(connection, TENANT, name, self.last_seq())


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Builds sites and closes them."""
    made: list[Site] = []

    def make(**rules: Any) -> Site:
        made.append(Site(tmp_path / f"{len(made)}.sqlite3", **rules))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the usual rules."""
    return make_site()


def steady(site: Site, until_ms: int, every_ms: int = 20_000, **lost: bool) -> list[TaskRouterEvent]:
    """Activity changes in a row until then, while the reconciler works."""
    told: list[TaskRouterEvent] = []
    while site.now_ms + every_ms <= until_ms:
        site.run(every_ms)
        told.append(activity(site.now_ms, BREAK if len(told) % 2 else AVAILABLE))
        site.happen(told[-1], **lost)
    site.run(until_ms - site.now_ms)
    return told


# -- found and filled -----------------------------------------------------------------------------------------------


def test_a_lost_event_comes_back_within_one_round_and_leaves_a_record(site: Site) -> None:
    """With its own time and the route REST; nothing that arrived is counted as lost."""
    steady(site, T0 + 20 * MINUTE)
    lost = reservation("accepted", site.now_ms)
    site.happen(lost, lost=True)
    lost_ms = site.now_ms
    steady(site, lost_ms + EVERY + SETTLE + 2_000)
    back = [one for one in site.stored() if one.sid == lost.sid]
    assert [one.occurred_ms for one in back] == [lost_ms]
    [hole] = site.gaps()
    assert (hole.cause, hole.from_ms, hole.to_ms, hole.events) == (Cause.UNKNOWN, lost_ms, lost_ms, 1)
    assert hole.types == {"reservation.accepted": 1}
    assert hole.found_ms <= lost_ms + EVERY + SETTLE + 2_000
    assert site.recovered == 1


def test_what_is_still_on_its_way_is_no_hole(site: Site) -> None:
    """An event that arrives within `settle_s` is not read before it."""
    steady(site, T0 + 20 * MINUTE)
    for _ in range(20):
        late = activity(site.now_ms, AVAILABLE)
        site.history.happened.append(late)
        site.run(55_000)
        site.submit([late])
    steady(site, site.now_ms + 10 * MINUTE)
    assert site.gaps() == []


def test_nothing_is_read_twice_besides_the_overlap(site: Site) -> None:
    """Two hours: each look goes on where the last one ended."""
    steady(site, T0 + 2 * HOUR)
    asked = site.history.spans()
    assert len(asked) == 24
    overlap_ms = 300_000
    for (_, end_ms), (start_ms, _) in pairwise(asked):
        assert max(T0, end_ms - overlap_ms - 20_000) <= start_ms <= max(T0, end_ms - overlap_ms + 1)
    assert site.verified()[0].start_ms == T0
    assert len(site.verified()) == 1


def test_what_the_list_shows_late_is_found_by_the_overlap(site: Site) -> None:
    """An event that the list did not show when its span was verified."""
    steady(site, T0 + 20 * MINUTE)
    hidden = activity(site.now_ms, AVAILABLE)
    site.happen(hidden, lost=True)
    shown_from_ms = site.now_ms + EVERY + SETTLE
    site.history.visible = lambda row: row.sid != hidden.sid or site.now_ms >= shown_from_ms
    steady(site, site.now_ms + 3 * EVERY)
    assert hidden.sid in {one.sid for one in site.stored()}


def test_an_hour_of_silence_is_one_hole_with_that_cause(site: Site) -> None:
    """Of many events in a row not one came."""
    steady(site, T0 + 20 * MINUTE)
    lost = steady(site, T0 + 80 * MINUTE, lost=True)
    steady(site, T0 + 100 * MINUTE)
    stored = {one.sid for one in site.stored()}
    assert {one.sid for one in lost} <= stored
    assert {one.cause for one in site.gaps()} == {Cause.SILENT}
    assert sum(one.events for one in site.gaps()) == len(lost)


# -- away -----------------------------------------------------------------------------------------------------------


def test_a_restart_is_a_suspicion_that_is_filled(site: Site) -> None:
    """Three hours away: everything of the meantime comes back, the hole is the restart's."""
    steady(site, T0 + 20 * MINUTE)
    down_ms = site.now_ms
    lost = [activity(down_ms + at * MINUTE, AVAILABLE) for at in range(1, 180)]
    site.happen(*lost, lost=True)
    site.crash(3 * HOUR)
    [hole] = site.gaps()
    assert (hole.cause, hole.state) == (Cause.RESTART, GapState.OPEN)
    assert hole.from_ms <= down_ms
    steady(site, site.now_ms + 10 * MINUTE)
    site.pass_through()
    steady(site, site.now_ms + 5 * MINUTE)
    [hole] = site.gaps()
    assert (hole.state, hole.events) == (GapState.HEALED, len(lost))
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}


def test_a_restart_that_missed_nothing_is_clear(site: Site) -> None:
    """The record says so."""
    steady(site, T0 + 20 * MINUTE)
    site.crash(30_000)
    steady(site, site.now_ms + 10 * MINUTE)
    assert [(one.cause, one.state, one.events) for one in site.gaps()] == [(Cause.RESTART, GapState.CLEAR, 0)]


def test_what_was_refused_is_looked_for_as_soon_as_it_has_settled(site: Site) -> None:
    """Not only when the next round is due; many refusals are one hole."""
    steady(site, T0 + 20 * MINUTE)
    lost = []
    for _ in range(10):
        site.run(1_000)
        lost.append(activity(site.now_ms, AVAILABLE))
        site.happen(lost[-1], lost=True)
        site.reconciler.suspect(Cause.REFUSED, site.now_ms, site.now_ms)
    refused_ms = site.now_ms
    steady(site, refused_ms + 90_000)
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}
    assert [(one.cause, one.events) for one in site.gaps()] == [(Cause.REFUSED, 10)]


def test_a_suspicion_about_the_verified_past_is_read_again(site: Site) -> None:
    """A damaged row, say: what was there is there no more."""
    told = steady(site, T0 + 60 * MINUTE)
    with site.ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE sid = ?", (told[30].sid,))
    at_ms = told[30].occurred_ms
    site.reconciler.suspect(Cause.DISK, at_ms, at_ms)
    steady(site, site.now_ms + 2 * MINUTE)
    assert told[30].sid in {one.sid for one in site.stored()}
    assert [(one.cause, one.events) for one in site.gaps()] == [(Cause.DISK, 1)]


def test_a_look_can_be_asked_for(site: Site) -> None:
    """After the WFM was away, for example."""
    steady(site, T0 + 20 * MINUTE)
    asked = len(site.history.asked)
    site.run(1_000)
    site.reconciler.look_soon()
    site.run(1_000)
    assert len(site.history.asked) == asked + 1


def test_what_happened_before_the_first_start_is_not_read(site: Site) -> None:
    """The connector answers for events from its first start on."""
    site.happen(activity(T0 - 1_000, AVAILABLE), lost=True)
    steady(site, T0 + 20 * MINUTE)
    assert min(from_ms for from_ms, _ in site.history.spans()) == T0
    assert site.gaps() == []


# -- bad days -------------------------------------------------------------------------------------------------------


def test_twilio_away_for_hours_is_a_problem_and_then_caught_up(site: Site) -> None:
    """The problem is shown meanwhile; afterwards nothing is missing, and the present was read first."""
    steady(site, T0 + 20 * MINUTE)
    away_ms = site.now_ms
    site.history.failures.extend([failed(503)] * 100)
    lost = steady(site, away_ms + 2 * HOUR, lost=True)
    assert "503" in (site.reconciler.problem or "")
    assert site.reconciler.unverified_since_ms is not None
    assert site.reconciler.unverified_since_ms <= away_ms
    site.history.failures.clear()
    steady(site, site.now_ms + 10 * MINUTE)
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}
    assert (site.reconciler.problem, site.reconciler.unverified_since_ms) == (None, None)
    assert site.verified() == [Span(T0, site.verified()[0].end_ms)]


def test_a_crash_in_the_middle_of_a_repair_goes_on(make_site: Callable[..., Site]) -> None:
    """Killed at every request of a long repair: each event is stored and counted once."""
    site = make_site(requests_per_minute=60.0)
    steady(site, T0 + 20 * MINUTE)
    down_ms = site.now_ms
    lost = [activity(down_ms + at * 10_000, AVAILABLE) for at in range(1, 1_500)]
    site.happen(*lost, lost=True)
    site.history.page_size = 50
    site.crash(5 * HOUR)
    for _ in range(30):
        site.run(7_000)
        site.crash(1_000)
    steady(site, site.now_ms + 20 * MINUTE)
    stored = [one.sid for one in site.stored()]
    assert {one.sid for one in lost} <= set(stored)
    assert sum(one.events for one in site.gaps()) == len(lost)
    assert {one.state for one in site.gaps()} <= {GapState.FILLED, GapState.CLEAR}


def test_a_ledger_that_refuses_is_tried_again(site: Site) -> None:
    """The disk is full for a while; what was read is stored afterwards, once."""
    steady(site, T0 + 20 * MINUTE)
    site.happen(activity(site.now_ms, AVAILABLE), lost=True)
    site.refusals = 5
    site.run(7 * MINUTE)
    assert site.refusals == 0
    assert [one.events for one in site.gaps()] == [1]


def test_a_fault_does_not_end_repair(site: Site) -> None:
    """Whatever a step raises is shown as the problem, and the next step goes on."""
    steady(site, T0 + 20 * MINUTE)
    site.history.failures.append(OperationalError("SELECT", {}, Exception("torn")))
    site.run(EVERY + 30_000)
    assert "OperationalError" in (site.reconciler.problem or "")
    site.happen(activity(site.now_ms, AVAILABLE), lost=True)
    steady(site, site.now_ms + 3 * EVERY)
    assert site.reconciler.problem is None
    assert [one.events for one in site.gaps()] == [1]


def test_a_refused_question_is_asked_again_in_smaller_pieces(site: Site) -> None:
    """Twilio's 400 for the first page of a span."""
    steady(site, T0 + 20 * MINUTE)
    site.history.failures.extend([failed(400)] * 3)
    site.run(EVERY + 30_000)
    assert "400" in (site.reconciler.problem or "")
    steady(site, site.now_ms + 6 * EVERY)
    assert site.reconciler.problem is None


def test_clocks_that_jump_lose_nothing(site: Site) -> None:
    """An hour ahead and back, an hour back and ahead: what is lost around the jumps is found."""
    steady(site, T0 + 20 * MINUTE)
    lost: list[TaskRouterEvent] = []
    true_ms = site.now_ms
    site.history.visible = lambda row: row.occurred_ms <= true_ms

    # Our clock is off by so much while real time goes on; about half of the events are lost.
    for minutes, off_ms in ((30, 0), (30, HOUR), (30, 0), (30, -HOUR), (30, 0), (60, 0)):
        for third in range(minutes * 3):
            true_ms += 20_000
            site.drive.clock.set_ms(true_ms + off_ms)
            one = activity(true_ms, AVAILABLE)
            site.happen(one, lost=third % 2 == 0)
            if third % 2 == 0:
                lost.append(one)
            site.drive.step_to(site.now_ms)
    stored = {one.sid for one in site.stored()}
    settled_ms = true_ms - EVERY - SETTLE - 20_000
    assert [one.occurred_ms - T0 for one in lost if one.sid not in stored and one.occurred_ms < settled_ms] == []


def test_longer_than_twilio_remembers_is_lost_and_said(site: Site) -> None:
    """Forty days away: what can be read is read, and the record says what cannot."""
    steady(site, T0 + 20 * MINUTE)
    down_ms = site.now_ms
    lost = [activity(down_ms + at * HOUR, AVAILABLE) for at in range(1, 40 * 24)]
    site.happen(*lost, lost=True)
    site.crash(40 * DAY)
    up_ms = site.now_ms
    steady(site, up_ms + 20 * MINUTE)
    assert min(from_ms for from_ms, _ in site.history.spans() if from_ms > down_ms) >= up_ms - 30 * DAY
    readable = {one.sid for one in lost if one.occurred_ms > up_ms - READABLE_MS + HOUR}
    assert readable <= {one.sid for one in site.stored()}
    [hole] = site.gaps()
    assert (hole.state, hole.cause) == (GapState.LOST, Cause.RESTART)
    assert "30 days" in (hole.note or "")


# -- healing --------------------------------------------------------------------------------------------------------


def test_a_hole_is_healed_when_its_reports_were_sent_again(make_site: Callable[..., Site]) -> None:
    """Filled, then projected, then reported: the record counts the intervals that were sent again meanwhile."""
    site = make_site(reports=True)
    steady(site, T0 + 20 * MINUTE)
    site.happen(activity(site.now_ms, AVAILABLE), lost=True)
    interval_ms = site.now_ms - site.now_ms % (15 * MINUTE)
    steady(site, site.now_ms + 7 * MINUTE)
    [hole] = site.gaps()
    assert hole.state is GapState.FILLED
    usual = Receipt(kind="queue", start_ms=interval_ms, revision=1, hash="x", status=ReceiptStatus.ACCEPTED, dirty=True)
    with site.ledger.write() as connection:
        receipts.save(connection, TENANT, usual)
    site.pass_through()
    site.run(2 * MINUTE)
    assert site.gaps()[0].state is GapState.FILLED  # the report is still wrong
    with site.ledger.write() as connection:
        for kind in ("queue", "activity"):
            again = Receipt(
                kind=kind,
                start_ms=interval_ms,
                revision=2,
                hash="y",
                status=ReceiptStatus.ACCEPTED,
                sent_ms=site.now_ms,
            )
            receipts.save(connection, TENANT, again)
    site.run(2 * MINUTE)
    [hole] = site.gaps()
    assert (hole.state, hole.intervals, hole.revisions) == (GapState.HEALED, 1, 2)
    assert hole.healed_ms is not None


def test_a_repair_waits_for_the_states_between_its_portions(site: Site) -> None:
    """So that what comes in the meantime waits for one portion at most."""
    steady(site, T0 + 20 * MINUTE)
    lost = [activity(site.now_ms + at, AVAILABLE) for at in range(1_000)]
    site.happen(*lost, lost=True)
    arrived = len(site.stored())
    site.projected = site.last_seq()
    for _ in range(400):
        site.run(1_000)
        if len(site.stored()) > arrived:
            break
    site.run(20_000)
    assert len(site.stored()) == arrived + 200
    site.projected = None
    site.run(5_000)
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}


def test_status_tells_what_others_need(site: Site) -> None:
    """For the condition of the feed: the problem, the last answer, and since when nothing is verified."""
    steady(site, T0 + 20 * MINUTE)
    status = site.reconciler.status()
    assert status["problem"] is None
    assert status["open_gaps"] == 0
    assert status["unverified_since_ms"] is None
    assert site.now_ms - EVERY - 2_000 <= status["last_read_ms"] <= site.now_ms


def test_recovered_events_carry_their_route(site: Site) -> None:
    """What the history brings is told apart from what came by itself."""
    steady(site, T0 + 20 * MINUTE)
    site.happen(activity(site.now_ms, AVAILABLE, sid="EVback", route=Route.REST), lost=True)
    steady(site, site.now_ms + 7 * MINUTE)
    assert [one.route for one in site.stored() if one.sid == "EVback"] == [Route.REST]

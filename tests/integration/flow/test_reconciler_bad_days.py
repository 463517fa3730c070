"""The reconciler on bad days: Twilio away, crashes, a full disk, clocks that jump, longer than Twilio remembers."""

from __future__ import annotations

from collections.abc import Callable

from fake_history import failed
from flow_bench import T0
from histories import AVAILABLE, activity
from repair_site import DAY, EVERY, HOUR, MINUTE, SETTLE, Site, steady
from sqlalchemy.exc import OperationalError

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.flow.reconciler import READABLE_MS
from flex_plugin_backend.ledger.gaps import Cause, GapState


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

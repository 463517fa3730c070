"""The roster and the clocks: shifts by local time, duties on a grid, demand by curve, spikes and failures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from simulator.world.calendar import Demand, Dent, LocalClock
from simulator.world.engine import World
from simulator.world.roster import parted, weighed
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import load_scenario
from simulator.world.scenario.people import Site
from simulator.world.scenario.work import Curve, Spike

HOUR_MS = 3_600_000


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc"),
    [
        ("Europe/Lisbon", "2025-10-25", "08:00", "2025-10-25T07:00:00+00:00"),
        ("Europe/Lisbon", "2025-10-26", "08:00", "2025-10-26T08:00:00+00:00"),  # the clocks went back
        ("Europe/Lisbon", "2025-10-26", "01:30", "2025-10-26T00:30:00+00:00"),  # twice; the first counts
        ("Europe/Lisbon", "2025-03-30", "01:30", "2025-03-30T01:30:00+00:00"),  # skipped
        ("America/Denver", "2025-10-26", "08:00", "2025-10-26T14:00:00+00:00"),
        ("Asia/Kathmandu", "2025-10-26", "08:00", "2025-10-26T02:15:00+00:00"),
    ],
)
def test_a_time_of_day_is_the_sites(zone: str, day: str, clock: str, utc: str) -> None:
    """Summer time and odd offsets included."""
    assert LocalClock(zone).at(date.fromisoformat(day), clock) == _ms(utc)


def test_shifts_follow_the_local_clock_over_the_end_of_summer_time() -> None:
    """Lisbon's late shift begins at 10:30 UTC on Saturday and at 11:30 UTC on Sunday; Denver's day does not move."""
    scenario = load_scenario("follow-the-sun", {"agents": 60, "adherence.absent_share": 0.0})
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    begins: dict[str, set[str]] = {}
    for worker in world.floor.workers:
        for shift in world.truth.ledger.shifts[worker.sid]:
            begins.setdefault(worker.site, set()).add(f"{datetime.fromtimestamp(shift.start_ms / 1000, UTC):%a %H:%M}")
    assert {"Sat 10:30", "Sun 08:00", "Sun 11:30", "Mon 08:00"} <= begins["Lisbon"]
    assert {"Sat 14:00", "Sun 14:00"} <= begins["Denver"]
    assert "Sun 00:00" in begins["Manila"]
    # A night shift of eight hours is eight hours long, though the clock shows nine.
    nights = [
        shift for worker in world.floor.workers for shift in world.truth.ledger.shifts[worker.sid]
        if shift.start_ms == _ms("2025-10-25T22:00:00+00:00")
    ]  # fmt: skip
    assert nights
    assert {shift.end_ms - shift.start_ms for shift in nights} == {8 * HOUR_MS}


def test_duties_lie_within_their_shift_on_a_grid_and_do_not_overlap() -> None:
    """As a planner would have it; every agent of two days."""
    scenario = Scenario(agents=40, hours=40.0)
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    seen = set()
    for shifts in world.truth.ledger.shifts.values():
        for shift in shifts:
            at_ms = shift.start_ms
            for duty in shift.duties:
                assert at_ms <= duty.start_ms < duty.end_ms <= shift.end_ms
                assert duty.start_ms % 300_000 == 0
                seen.add(duty.name)
                at_ms = duty.end_ms
    assert seen == {"Break", "Lunch", "Meeting", "Training", "Back Office"}


def test_what_agents_do_differs_from_the_plan_as_the_scenario_says() -> None:
    """Nobody absent, late or early: all log in within three minutes before their shift and leave within five after."""
    exact = {"absent_share": 0.0, "late_share": 0.0, "leaves_early_share": 0.0, "overtime_share": 0.0}
    changes = {"agents": 40, "start": "2026-01-05T05:00:00Z", "hours": 17.0, "browser.forgets_log_out_share": 0.0,
               "browser.closes_per_hour": 0.0}  # fmt: skip
    first_log_ins = {}
    for name, adherence in (("exact", exact), ("sloppy", {**exact, "late_share": 0.5, "absent_share": 0.2})):
        scenario = load_scenario("ordinary-day", {**changes, "adherence": adherence})
        world = World(scenario)
        world.advance_to(scenario.end_ms)
        delays, absent = [], 0
        for worker in world.floor.workers:
            (shift, *_) = world.truth.ledger.shifts[worker.sid]
            if not scenario.start_ms < shift.start_ms < scenario.end_ms - 10 * HOUR_MS:
                continue
            working = [one.start_ms for one in world.truth.states[worker.sid] if one.state != "OFFLINE"]
            if working:
                delays.append((working[0] - shift.start_ms) / 1000)
            else:
                absent += 1
        first_log_ins[name] = (delays, absent)
    delays, absent = first_log_ins["exact"]
    assert absent == 0
    assert all(-180 <= delay <= 0 for delay in delays)
    delays, absent = first_log_ins["sloppy"]
    assert absent >= 3
    assert sum(delay > 0 for delay in delays) >= len(delays) * 0.25


@pytest.mark.parametrize(
    ("adherence", "least_min", "most_min"),
    [
        ({"leaves_early_share": 0.0, "overtime_share": 0.0}, 0.0, 5.0),
        (
            {"leaves_early_share": 0.0, "overtime_share": 1.0, "overtime": {"kind": "constant", "seconds": 1800}},
            30.0,
            30.0,
        ),
        ({"leaves_early_share": 1.0, "leaves_early": {"kind": "constant", "seconds": 1200}}, -20.0, -20.0),
    ],
    ids=["punctual", "overtime", "early"],
)
def test_agents_go_home_when_their_habits_say(adherence: dict[str, Any], least_min: float, most_min: float) -> None:
    """Within five minutes after the shift, half an hour later or twenty minutes earlier; nobody has work to finish."""
    changes = {
        "agents": 12, "start": "2026-01-05T05:00:00Z", "hours": 19.0,
        "outbound.per_agent_hour": 0.0, "internal.per_agent_hour": 0.0,
        **{f"channels.{medium}.per_agent_hour": 0.0 for medium in ("voice", "chat", "sms", "web")},
        "browser.forgets_log_out_share": 0.0, "browser.closes_per_hour": 0.0, "adherence.absent_share": 0.0,
    }  # fmt: skip
    scenario = load_scenario("ordinary-day", {**changes, "adherence": adherence})
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    stayed = []
    for worker in world.floor.workers:
        shift = next(one for one in world.truth.ledger.shifts[worker.sid] if one.end_ms > scenario.start_ms)
        last = world.truth.states[worker.sid][-1]
        if shift.start_ms < scenario.end_ms - 12 * HOUR_MS:
            assert last.state == "OFFLINE"
            stayed.append((last.start_ms - shift.end_ms) / 60_000)
    assert len(stayed) > 8
    assert all(least_min <= one <= most_min + 0.01 for one in stayed), stayed


def test_shares_are_kept_to_the_nearest_whole_agent() -> None:
    """And a draw falls on each as often as its share."""
    sites = (Site(name="A", share=0.5), Site(name="B", share=0.3), Site(name="C", share=0.2))
    assert [one.name for one in parted(sites, 10)] == ["A"] * 5 + ["B"] * 3 + ["C"] * 2
    assert [weighed(sites, draw).name for draw in (0.0, 0.49, 0.51, 0.79, 0.81, 0.9999999)] == list("AABBCC")
    assert weighed((Site(name="A", share=0.0), Site(name="B")), 0.0).name == "B"


def _demand(*, curve: Curve | None = None, spikes: tuple[Spike, ...] = (), dents: tuple[Dent, ...] = ()) -> Demand:
    return Demand(curve or Curve.flat(), LocalClock("Europe/Lisbon"), spikes, dents)


def test_demand_follows_hours_and_weekdays_of_the_local_clock() -> None:
    """Straight lines between the hours, taken at the middle of each quarter."""
    hours = tuple(float(hour) for hour in range(24))
    demand = _demand(curve=Curve(hours=hours, weekdays=(1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0)))
    assert demand.factor(_ms("2026-01-05T10:00:00+00:00")) == pytest.approx(10 + 7 / 60)
    assert demand.factor(_ms("2026-01-06T10:14:59+00:00")) == pytest.approx(2 * (10 + 7 / 60))
    assert demand.factor(_ms("2026-07-06T09:00:00+00:00")) == pytest.approx(10 + 7 / 60)


def test_spikes_and_failures_multiply_the_demand() -> None:
    """A spike by the clock on its days, a failure at its time of the world."""
    spike = Spike(starts="09:00", minutes=30.0, factor=3.0, days=("mon",))
    dent = Dent(_ms("2026-01-05T09:15:00+00:00"), _ms("2026-01-05T09:45:00+00:00"), 0.5)
    demand = _demand(spikes=(spike,), dents=(dent,))
    factors = [
        demand.factor(_ms(f"2026-01-05T{clock}:00+00:00")) for clock in ("08:45", "09:00", "09:15", "09:30", "09:45")
    ]
    assert factors == [1.0, 3.0, 1.5, 0.5, 1.0]
    assert demand.factor(_ms("2026-01-06T09:00:00+00:00")) == 1.0


def test_the_next_arrival_is_where_the_work_is_done() -> None:
    """Over steps of different height and none at all; the sum up to there is the work."""
    hours = tuple(0.0 if hour < 6 else 2.0 for hour in range(24))
    demand = _demand(curve=Curve(hours=hours, weekdays=(1.0,) * 7))
    start_ms = _ms("2026-01-05T01:00:00+00:00")
    for work in (0.0, 1_000.0, 3_600_000.0, 50_000_000.0):
        end_ms = demand.arrivals_until(start_ms, work)
        assert demand.work_between(start_ms, end_ms) == pytest.approx(work, abs=3)
    assert demand.arrivals_until(start_ms, 1_000.0) > _ms("2026-01-05T05:00:00+00:00")


def test_where_nothing_ever_comes_the_next_arrival_is_far_away() -> None:
    """Farther than the agenda reaches."""
    demand = _demand(curve=Curve(hours=(0.0,) * 24))
    assert demand.arrivals_until(0, 1.0) > 100 * 366 * 24 * HOUR_MS

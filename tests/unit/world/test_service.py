"""The shared world and its clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from simulator.clock import VirtualClock
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.scenario import Scenario
from simulator.world.service import WorldService


def test_clocks_with_the_same_three_numbers_agree() -> None:
    """Virtual time is a function of start, anchor and speed."""
    anchor_ms = time.time_ns() // 1_000_000 - 1000
    first, second = VirtualClock(5_000, anchor_ms, 60), VirtualClock(5_000, anchor_ms, 60)
    assert abs(first.now_ms() - second.now_ms()) < 60 * 100
    assert first.now_ms() >= 65_000
    assert first.wall_s_of(65_000) == pytest.approx((anchor_ms + 1000) / 1000)


def test_a_clock_waits_until_a_virtual_moment_or_a_stop() -> None:
    """wait_until tells which of the two came first."""
    clock = VirtualClock(0, time.time_ns() // 1_000_000, 100)
    stop = threading.Event()
    assert clock.wait_until(2_000, stop)
    assert clock.now_ms() >= 2_000
    stop.set()
    assert not clock.wait_until(10**9, stop)


def test_a_clock_does_not_run_backwards_or_stand_still() -> None:
    """A speed of nought or less is refused."""
    with pytest.raises(ValueError, match="speed"):
        VirtualClock(0, 0, 0)


def test_listeners_hear_every_event_after_they_came_once_and_in_order() -> None:
    """What happened before is known to the log alone."""
    scenario = Scenario(agents=10, seed=2)
    service = WorldService(World(scenario))
    service.advance_to(scenario.start_ms + 1_800_000)
    with service.present() as (world, _):
        before = len(world.log)
    heard: list[Event] = []
    service.listen(heard.extend)
    for minute in range(31, 60):
        service.advance_to(scenario.start_ms + minute * 60_000)
    with service.present() as (world, _):
        assert heard == list(world.log)[before:]
    assert heard


def test_a_started_world_follows_its_clock_to_the_end() -> None:
    """The pacer advances the world to its end and not beyond."""
    scenario = Scenario(agents=10, seed=2)
    service = WorldService(World(scenario))
    start_ms = scenario.start_ms + 1_800_000
    end_ms = start_ms + 600_000
    service.advance_to(start_ms)
    heard: list[Event] = []
    ended = threading.Event()

    def listen(events: Sequence[Event]) -> None:
        heard.extend(events)

    service.listen(listen)
    service.start(VirtualClock(start_ms, time.time_ns() // 1_000_000, 2000), end_ms)
    deadline_s = time.monotonic() + 10
    while not service.has_ended() and time.monotonic() < deadline_s:
        ended.wait(0.01)
    service.stop()
    assert service.has_ended()
    with service.present() as (world, now_ms):
        assert world.now_ms == end_ms
        assert now_ms >= end_ms
    assert all(start_ms < event.ms <= end_ms for event in heard)


def test_a_world_cannot_start_in_its_own_past_or_twice() -> None:
    """A clock before the world's present is refused, and so is a second start."""
    scenario = Scenario(agents=3, seed=2)
    service = WorldService(World(scenario))
    service.advance_to(scenario.start_ms + 60_000)
    with pytest.raises(ValueError, match="before"):
        service.start(VirtualClock(scenario.start_ms, 0, 1))
    service.start(VirtualClock(scenario.start_ms + 60_000, time.time_ns() // 1_000_000, 1))
    with pytest.raises(RuntimeError, match="already"):
        service.start(VirtualClock(scenario.start_ms + 60_000, time.time_ns() // 1_000_000, 1))
    service.stop()


def test_a_world_needs_somebody() -> None:
    """A scenario without agents is refused."""
    with pytest.raises(ValueError, match="agent"):
        Scenario(agents=0)

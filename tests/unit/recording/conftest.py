"""Two hours of everything strange, as a world and as what a recorder hears of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.recording.writer import Heard
from simulator.world.engine import World
from simulator.world.scenario.files import load_scenario


@pytest.fixture(scope="session")
def strange() -> World:
    """Twenty agents, two hours."""
    scenario = load_scenario("everything-strange", {"agents": 20, "hours": 2.0, "start": "2026-01-05T08:00:00Z"})
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    return world


@pytest.fixture(scope="session")
def heard(strange: World) -> list[Heard]:
    """Every event, nothing masked."""
    return list(_heard(strange))


def _heard(world: World) -> Iterator[Heard]:
    for event in world.log:
        yield Heard(event.sid, event.type, event.ms, event.resource_type, event.resource_sid, event.data())

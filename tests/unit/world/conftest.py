"""A world that has run for a working day, shared by the tests that only look at it."""

from __future__ import annotations

import pytest

from simulator.world.engine import World
from simulator.world.scenario import Scenario

HOURS = 10


@pytest.fixture(scope="session")
def day() -> World:
    """Forty agents from before opening until after closing."""
    scenario = Scenario(agents=40, seed=7)
    world = World(scenario)
    world.advance_to(scenario.start_ms + HOURS * 3_600_000)
    return world

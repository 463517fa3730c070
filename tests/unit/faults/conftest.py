"""An hour of ten agents, as letters."""

from __future__ import annotations

import pytest

from simulator.faults.letter import Letter
from simulator.world.engine import World
from simulator.world.scenario import Scenario


@pytest.fixture(scope="session")
def letters() -> list[Letter]:
    """In the order of the log."""
    scenario = Scenario(agents=10, seed=5)
    return [Letter(one.at_ms, one) for one in World(scenario).advance_to(scenario.start_ms + 3_600_000)]

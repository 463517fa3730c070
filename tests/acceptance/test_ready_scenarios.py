"""A short while of every ready scenario through the whole chain, judged: states and reports are what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.harness.soak import SoakPlan, run_soak
from simulator.world.scenario.files import ready_scenarios

# Where the first hour is quiet the connector comes later, to a floor at work.
WARM_UP_MINUTES = {"five-thousand-agents": 180.0, "ordinary-day": 90.0, "quiet-night": 0.0, "everything-strange": 0.0}


@pytest.mark.parametrize("name", ready_scenarios())
def test_a_ready_scenario_is_clean_from_the_floor_to_the_wfm(name: str, tmp_path: Path) -> None:
    """What fails says by which command it is repeated."""
    plan = SoakPlan(
        scenario=name, agents=5, days=0.8 / 24, warm_up_minutes=WARM_UP_MINUTES.get(name, 60.0), directory=tmp_path
    )
    result = run_soak(plan)
    again = f"repeat it with: {plan.command}"
    assert result.verdict.failures == {}, (again, result.verdict.findings[:3])
    assert result.reports.failures == {}, (again, result.reports.findings[:3])
    assert result.clean, again
    assert result.reports.counts.intervals_held >= 4, again
    assert result.verdict.counts.expected >= 5, again

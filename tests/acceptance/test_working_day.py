"""A working day of 100 agents at 240 times real speed: about two minutes in full, a quarter of a minute in short."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulator.harness import DemoPlan, run_demo

# CI runs the first virtual hour; `FLEX_WFM_SOAK=full` runs all eight.
MINUTES = 480 if os.environ.get("FLEX_WFM_SOAK") == "full" else 60


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_working_day_of_a_hundred_agents_ends_clean(tmp_path: Path) -> None:
    """Nothing missing, wrong, invented or out of order, though 240 virtual seconds pass in each real one."""
    result = run_demo(DemoPlan(agents=100, minutes=MINUTES, speed=240, seed=7, directory=tmp_path / "run"))
    assert result.verdict.clean, (result.verdict.failures, result.verdict.findings[:5])
    assert result.drained
    assert result.verdict.counts.expected > 20 * MINUTES
    assert result.floor["callbacks_failed"] == 0

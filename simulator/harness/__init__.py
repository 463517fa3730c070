"""Runs fake WFM, simulated floor and connector as real processes, and judges the outcome.

`run_demo(DemoPlan(...))` does it all; `Stage` is the running floor with the hooks that tests of faults need.
"""

from __future__ import annotations

from simulator.harness.errors import ChildFailed, ControlFailed, HarnessError, TooLate
from simulator.harness.plan import DemoPlan, Progress
from simulator.harness.result import DemoResult
from simulator.harness.run import judge, run_demo
from simulator.harness.stage import Outage, Stage

__all__ = [
    "ChildFailed",
    "ControlFailed",
    "DemoPlan",
    "DemoResult",
    "HarnessError",
    "Outage",
    "Progress",
    "Stage",
    "TooLate",
    "judge",
    "run_demo",
]

"""The parameters of a world, as a TOML file states them or a program puts them together."""

from __future__ import annotations

from simulator.world.scenario.durations import Constant, Duration, Exponential, LogNormal, Never, Weibull
from simulator.world.scenario.root import DEFAULT_START_MS, Scenario, Workspace

__all__ = [
    "DEFAULT_START_MS",
    "Constant",
    "Duration",
    "Exponential",
    "LogNormal",
    "Never",
    "Scenario",
    "Weibull",
    "Workspace",
]

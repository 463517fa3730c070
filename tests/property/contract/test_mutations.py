"""Single-field mutations of right payloads: what breaks the contract is found, and right payloads stay clean."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "contract_mutations.py"))


@pytest.fixture(scope="module")
def payloads() -> list[tuple[str, dict[str, object]]]:
    """What the WFM of a small floor received in an hour."""
    found: list[tuple[str, dict[str, object]]] = SCRIPT["captured"](agents=6, hours=1.1, seed=2)
    return found


def test_at_least_95_of_100_breaches_are_found_and_nothing_in_what_is_right(
    payloads: list[tuple[str, dict[str, object]]],
) -> None:
    """Breaches are judged by an oracle that shares no code with the rules."""
    result = SCRIPT["run"](payloads, 2, rows=2, sample=14)
    assert {dto for dto, _ in payloads} == {"AgentStateListDTO", "AgentActivityReportDTO", "ReportDTO"}
    assert result["false_alarms"] == 0
    assert sum(result["breaking"].values()) > 1000
    assert result["share"] >= 0.95, result["missed"]

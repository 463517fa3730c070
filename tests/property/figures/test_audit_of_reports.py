"""Whole days of reports that say the truth are clean by every identity, and a backlog that grows too long is not."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.audit.reports import HeldReport, ReportWindow, audit_reports, read_true_reports
from simulator.audit.reports_records import PARTS
from simulator.world.engine import World
from simulator.world.figures_face import true_reports
from simulator.world.scenario import Scenario

_CROWDED: dict[str, Any] = {
    "channels": {
        medium: {"per_agent_hour": rate, "patience": {"kind": "exponential", "mean_s": mean_s}}
        for medium, rate, mean_s in (
            ("voice", 10.0, 160.0),
            ("chat", 5.0, 500.0),
            ("sms", 3.0, 2_000.0),
            ("web", 3.0, 500.0),
        )
    }
}


def _held(body: dict[str, Any]) -> list[HeldReport]:
    held = []
    for one in body["intervals"]:
        for kind, parts in PARTS.items():
            rows = {part: one[part] for part in parts}
            held.append(HeldReport(len(held), kind, 0.0, one["start_ms"], one["end_ms"], rows, str(len(held))))
    return held


@pytest.mark.parametrize(("seed", "temper"), [(1, {}), (2, {}), (3, _CROWDED), (4, _CROWDED), (5, _CROWDED)])
def test_a_true_day_is_clean_and_little_notices_a_wrong_backlog(seed: int, temper: dict[str, Any]) -> None:
    """Little's law holds within its tolerance, and fails where five more are said to wait than do."""
    scenario = Scenario.model_validate({"agents": 15, "seed": seed, **temper})
    world = World(scenario)
    world.advance_to(scenario.start_ms + 8 * 3_600_000)
    body = true_reports(world)
    truth, window = read_true_reports(body), ReportWindow(0, world.now_ms, 0)
    verdict = audit_reports(truth, _held(body), window=window)
    assert (verdict.clean, verdict.failures) == (True, {})
    for one in body["intervals"]:
        for row in one["queue_report"]:
            row["backlog"] += 5
    damaged = audit_reports(truth, _held(body), window=window)
    queues = {row["queue_id"] for one in body["intervals"] for row in one["queue_report"]}
    notes = [one.ids["queue_id"] for one in damaged.findings if one.note.startswith("the mean backlog")]
    assert len(set(notes)) >= len(queues) // 2

"""Virtual days in one process, judged: in short by default, in full with FLEX_WFM_SOAK=full."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.audit import DeliveredRow
from simulator.cli import main
from simulator.harness.soak import SoakPlan, run_soak
from simulator.harness.state_judges import Inflow

FULL = os.environ.get("FLEX_WFM_SOAK") == "full"
# 5 % of the events come twice, 10 % up to ten minutes late, 1 % up to two hours late.
BAD_WEATHER = SoakPlan(agents=10, days=0.08, seed=3, duplicates=0.05, reordered=0.1, late=0.01, repair=False)
A_WEEK = replace(BAD_WEATHER, agents=200, days=7.0)


def test_the_command_ends_clean(tmp_path: Path) -> None:
    """Ten agents for an hour: every state and every report figure is the truth, and the verdict is written."""
    path = tmp_path / "verdict.json"
    arguments = ["soak", "--agents", "10", "--days", "0.04", "--json", str(path), "--dir", str(tmp_path / "run")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "CLEAN" in done.output
    body = json.loads(path.read_text())
    assert body["clean"] is True
    assert body["drained"] is True
    assert body["counts"]["agents"] == 10
    assert body["counts"]["expected"] > 100
    assert body["reports"]["counts"]["intervals_held"] == 4
    assert body["reports"]["counts"]["fields_judged"] > 500
    assert body["wfm"]["rejections"] == 0


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_a_week_of_duplicates_reordering_and_late_events_ends_clean(tmp_path: Path) -> None:
    """States are right by what was known at each instant; every interval is there, and every figure is the truth."""
    plan = replace(A_WEEK if FULL else BAD_WEATHER, directory=tmp_path)
    result = run_soak(plan)
    assert result.verdict.failures == {}, result.verdict.findings[:5]
    assert result.reports.failures == {}, result.reports.findings[:5]
    assert result.drained
    states, reports = result.verdict.counts, result.reports.counts
    assert states.expected > 40 * plan.agents * plan.days
    assert states.overtaken > 0
    assert reports.intervals_held == reports.intervals_expected >= 2 * int(plan.days * 96 - 1)
    assert reports.revisions > 0
    assert result.events > result.connector["events"] > 0


@pytest.mark.parametrize("lie", ["dropped", "shifted", "made up"])
def test_a_lie_in_bad_weather_is_found(lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row in the middle left out, moved by a second or added: the verdict is not clean, though events were late."""
    true_inflow = Inflow.new
    lies: list[DeliveredRow] = []

    def false_inflow(self: Inflow) -> list[DeliveredRow]:
        rows = true_inflow(self)
        # A contact is never what the WFM holds already.
        if lies or self.after < 20 or not rows or not rows[-1].event_id.startswith("CONTACT"):
            return rows
        lies.append(rows[-1])
        if lie == "dropped":
            return rows[:-1]
        if lie == "shifted":
            return [*rows[:-1], replace(rows[-1], start_ms=(rows[-1].start_ms or 0) + 1_000)]
        return [*rows, replace(rows[-1], event_id="NEVER")]

    monkeypatch.setattr(Inflow, "new", false_inflow)
    result = run_soak(replace(BAD_WEATHER, agents=4, days=0.03, directory=tmp_path))
    assert lies
    assert not result.verdict.clean
    assert result.reports_clean

"""kill -9 of the connector at random moments while events flow."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from simulator.harness import DemoPlan, DemoResult, Progress, Stage, run_demo

KILLS = 3


class Killer:
    """Kills the connector when the run has come to certain random shares of its time, and starts it again."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.marks = sorted(chance.uniform(0.05, 0.85) for _ in range(KILLS))
        self.kills = 0
        self.emissions: list[dict[str, Any]] = []

    def tick(self, stage: Stage, progress: Progress) -> None:
        """The harness looks at the run."""
        if progress.phase == "running" and self.marks and progress.share >= self.marks[0]:
            self.marks.pop(0)
            self.kills += 1
            stage.restart_connector()

    def remember(self, stage: Stage, _result: DemoResult) -> None:
        """Before everything ends: what was sent and what was answered."""
        self.emissions = stage.twilio.get("/sim/emissions")["callbacks"]


@pytest.mark.parametrize("seed", [11, 12])
def test_what_was_acknowledged_survives_and_nothing_is_invented(seed: int, tmp_path: Path) -> None:
    """The ledger holds every acknowledged event once and no other; the WFM's states and both reports are right."""
    killer = Killer(seed)
    plan = DemoPlan(
        agents=20, minutes=20, speed=80, seed=seed, until_acked=True, crashes=True, directory=tmp_path / "run"
    )
    result = run_demo(plan, tick=killer.tick, stay=killer.remember)

    assert killer.kills == KILLS
    assert result.verdict.clean, (result.verdict.failures, result.verdict.findings[:5])
    assert result.reports.clean, (result.reports.failures, result.reports.findings[:5])
    assert result.reports.counts.intervals_expected == 2
    assert result.drained
    acknowledged = {one["sid"] for one in killer.emissions if one["acked_s"] is not None}
    sent = {one["sid"] for one in killer.emissions}
    with closing(sqlite3.connect(result.directory / "ledger.sqlite3")) as ledger:
        stored = [sid for (sid,) in ledger.execute("SELECT sid FROM events WHERE type NOT LIKE 'snapshot.%'")]
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) > 300
    assert acknowledged <= set(stored)
    assert set(stored) <= sent
    assert len(stored) == len(set(stored))

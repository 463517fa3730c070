"""The demo for real: three processes on loopback, judged; and proof that the judge cannot be lied to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.harness import ChildFailed, DemoPlan, DemoResult, Progress, Stage, TooLate, judge, run_demo

Rows = list[dict[str, Any]]
MAIN = "from simulator.cli import main; main(prog_name='flex-wfm-sim')"


@pytest.mark.parametrize("seed", [1, 4])
def test_the_wfm_holds_what_happened(seed: int, tmp_path: Path) -> None:
    """The command ends with 0 and writes a clean verdict: every callback was taken, every agent was heard of."""
    path = tmp_path / "verdict.json"
    arguments = ["--agents", "12", "--minutes", "20", "--speed", "120", "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "demo", *arguments, "--json", str(path), "--dir", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    body = json.loads(path.read_text())
    assert body["clean"] is True
    assert body["failures"] == {}
    assert body["findings"] == []
    assert body["drained"] is True
    counts = body["counts"]
    assert counts["agents"] == 12
    assert counts["agents_without_rows"] == 0
    assert counts["expected"] > 40
    assert counts["expected_delivered"] == counts["expected"] - counts["absorbed"]
    assert counts["rows"] == body["wfm"]["states"]
    assert body["floor"]["callbacks_failed"] == 0
    assert body["wfm"]["rejections"] == 0
    assert body["latency"]["count"] > 20
    reports = body["reports"]
    assert reports["clean"] is True
    assert reports["counts"]["intervals_expected"] == 2
    assert reports["counts"]["fields_judged"] > 100
    assert body["seed"] == seed
    assert "CLEAN" in done.stdout


def dropped(rows: Rows) -> Rows:
    return rows[:-1]


def changed(rows: Rows) -> Rows:
    return [*rows[:-1], {**rows[-1], "event_id": "WRAPUP" if rows[-1]["event_id"] != "WRAPUP" else "AVAILABLE"}]


def made_up(rows: Rows) -> Rows:
    return [*rows, {**rows[-1], "seq": rows[-1]["seq"] + 1, "event_id": "NEVER", "start_time": "2026-01-05T08:00:30Z"}]


def of_a_stranger(rows: Rows) -> Rows:
    return [*rows, {**rows[-1], "seq": rows[-1]["seq"] + 1, "agent_id": "WKnobody"}]


def turned_round(rows: Rows) -> Rows:
    """The last agent's last two rows the other way round."""
    agent = rows[-1]["agent_id"]
    first, second = [row for row in rows if row["agent_id"] == agent][-2:]
    swapped = {first["seq"]: second["seq"], second["seq"]: first["seq"]}
    return [{**row, "seq": swapped.get(row["seq"], row["seq"])} for row in rows]


LIES: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "dropped": (dropped, "missing"),
    "changed": (changed, "wrong"),
    "made up": (made_up, "invented"),
    "of a stranger": (of_a_stranger, "unknown_agent"),
    "turned round": (turned_round, "out_of_order"),
}


def test_the_audit_catches_every_lie(tmp_path: Path) -> None:
    """One row of a real inbox dropped, changed, made up, of a stranger or out of turn is called by its name."""
    plan = DemoPlan(agents=12, minutes=8, speed=120, seed=2, directory=tmp_path)
    found: dict[str, dict[str, int]] = {}

    def lie(stage: Stage, result: DemoResult) -> None:
        found["nothing"] = result.verdict.failures
        for name, (tamper, _) in LIES.items():
            found[name] = judge(stage, plan, tamper).failures

    run_demo(plan, stay=lie)
    assert found.pop("nothing") == {}
    # The last state of an agent may be told once only, so each lie shows as one fault of its own kind.
    assert {name: fault for name, (_, fault) in LIES.items()} == {name: next(iter(got)) for name, got in found.items()}
    assert all(sum(got.values()) == 1 for got in found.values()), found


def test_a_connector_that_is_not_up_in_time_is_said_so(tmp_path: Path) -> None:
    """When the first event comes before the connector is up, the run is given up instead of judged."""
    with pytest.raises(TooLate, match="its first states would be late"):
        run_demo(DemoPlan(agents=2, minutes=1, lead_s=0.01, attempts=1, directory=tmp_path))


def test_a_connector_that_dies_ends_the_run_with_its_log(tmp_path: Path) -> None:
    """When the connector dies under way, the run breaks off, names its log and leaves no server behind."""
    stages: list[Stage] = []

    def kill(stage: Stage, progress: Progress) -> None:
        stages.append(stage)
        stage.kill_connector()

    with pytest.raises(ChildFailed, match="connector ended with code -9") as failure:
        run_demo(DemoPlan(agents=2, minutes=1, directory=tmp_path), tick=kill)
    assert failure.value.log == tmp_path / "connector.log"
    assert stages[0].running() == []

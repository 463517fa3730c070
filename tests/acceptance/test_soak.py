"""Virtual days in one process, judged: in short by default, in full with FLEX_WFM_SOAK=full."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from simulator.cli import main


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

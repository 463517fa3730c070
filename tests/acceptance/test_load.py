"""The load generator for real: connector, floor and fake WFM as processes, a few seconds of callbacks, judged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MAIN = "from simulator.cli import main; main(prog_name='flex-wfm-sim')"
# The machine may be busy; then the generator says so with 4, and what was sent and delivered is proved all the same.
FINE = (0, 4)


def load_command(tmp_path: Path, *arguments: str) -> list[str]:
    files = ["--json", str(tmp_path / "result.json"), "--html", str(tmp_path / "result.html")]
    return [sys.executable, "-c", MAIN, "load", *arguments, *files, "--dir", str(tmp_path / "run")]


def result_in(tmp_path: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    return body


def test_what_was_sent_was_taken_and_told(tmp_path: Path) -> None:
    """sent = acknowledged = delivered: nothing missing, wrong, invented or out of order, and every latency counted."""
    command = load_command(tmp_path, "--rate", "60", "--duration", "4", "--agents", "60")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in FINE, done.stdout + done.stderr
    body = result_in(tmp_path)
    assert body["reasons"] == []
    assert body["exit_code"] == done.returncode
    callbacks = body["callbacks"]
    assert callbacks["planned"] == callbacks["taken"] == callbacks["outcomes"]["204"] > 15
    assert body["latency"]["count"] == callbacks["planned"]
    assert body["drained"] is True
    assert body["delivery"]["failures"] == {}
    counts = body["delivery"]["counts"]
    assert counts["expected_delivered"] == counts["expected"] - counts["absorbed"] > 15
    assert counts["agents_without_rows"] == 0
    assert 10 < body["to_wfm"]["count"] <= counts["delivered"]
    assert sum(one["due"] for one in body["slices"]) == callbacks["planned"]
    assert "planned to WFM accepted" in done.stdout
    page = (tmp_path / "result.html").read_text()
    assert "Plotly.newPlot" in page
    assert "callbacks due" in page


def test_ctrl_c_ends_a_storm_with_the_result_so_far(tmp_path: Path) -> None:
    """130, and what had been sent by then is judged as a whole run is."""
    command = load_command(tmp_path, "--shape", "login-storm", "--duration", "60", "--agents", "400")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("sending") and " 0 due" not in line:
            break
    time.sleep(1)  # for some callbacks more; how many does not matter
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    body = result_in(tmp_path)
    assert body["interrupted"] is True
    assert body["reasons"] == []
    assert 0 < body["callbacks"]["taken"] == body["callbacks"]["planned"] < 2_000
    assert "INTERRUPTED" in out


def test_a_target_that_is_not_there_ends_with_3(tmp_path: Path) -> None:
    """Nothing was proved, and the command says what could not be reached."""
    command = load_command(tmp_path, "--target", "http://127.0.0.1:9/twilio/a/events", "--duration", "1")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "http://127.0.0.1:9/twilio/a/events cannot be reached" in done.stderr

"""Children: the ready line, the log, the end by process id."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulator.harness import ChildFailed
from simulator.harness.process import Child

READY = 'print(\'hello\', flush=True); print(\'{"ready": true, "auth_token": "s3cret", "port": 7}\', flush=True)'
SLEEP = "import threading; threading.Event().wait()"


def child(tmp_path: Path, code: str) -> Child:
    return Child("server", [sys.executable, "-c", code], tmp_path / "server.log")


def test_the_ready_line_is_found_among_other_lines(tmp_path: Path) -> None:
    """The ready line is the JSON object that says so; what else is printed goes to the log."""
    server = child(tmp_path, f"{READY}; {SLEEP}")
    try:
        assert server.ready(20)["port"] == 7
        assert server.exit_code is None
    finally:
        server.stop()
    assert server.exit_code is not None
    assert "hello" in server.log.read_text()


def test_the_ready_line_stays_out_of_the_log(tmp_path: Path) -> None:
    """Keys stand in the ready line, so the log does not repeat it."""
    server = child(tmp_path, f"{READY}; {SLEEP}")
    server.ready(20)
    server.kill()
    assert "s3cret" not in server.log.read_text()


def test_a_child_that_dies_first_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """A server that ends before it is ready fails with its code, its log and what it said last."""
    server = child(tmp_path, "import sys; sys.exit('the port is taken')")
    with pytest.raises(ChildFailed, match="ended with code 1 before it was ready") as failure:
        server.ready(20)
    server.stop()
    assert failure.value.log == server.log
    assert "the port is taken" in failure.value.tail


def test_a_child_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """A server that is not ready in time is reported, and can still be ended."""
    server = child(tmp_path, SLEEP)
    with pytest.raises(ChildFailed, match="was not ready after"):
        server.ready(0.2)
    server.stop()
    assert server.exit_code is not None


def test_a_kill_takes_the_whole_process_group(tmp_path: Path) -> None:
    """A worker process of a killed server ends with it: its end of the pipe is closed, so the output is complete."""
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {READY}; {SLEEP}"
    server = child(tmp_path, code)
    server.ready(20)
    server.kill()
    assert server.exit_code == -9
    # The reader ends only when nobody holds the pipe any more, the grandchild included.
    assert not server.reading


def test_check_reports_a_child_that_ended_by_itself(tmp_path: Path) -> None:
    """A server that ends in the middle of a run is an error with its log."""
    server = child(tmp_path, f"{READY}; raise SystemExit(3)")
    server.ready(20)
    server.wait(20)
    with pytest.raises(ChildFailed, match="ended with code 3"):
        server.check()
    server.stop()

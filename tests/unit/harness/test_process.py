"""Children: the ready line, the log, the end by process id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.harness import ChildFailed
from simulator.harness.process import CONNECTOR, SIMULATOR, Child

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


def test_servers_end_with_a_killed_demo(tmp_path: Path) -> None:
    """A demo that is killed outright leaves no server, and no worker of a server, behind."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    server = (
        "from simulator.leash import leave_with_parent; leave_with_parent(); import os, subprocess, sys;"
        f"held = os.open({str(alive)!r}, os.O_WRONLY);"
        f"subprocess.Popen([sys.executable, '-c', {SLEEP!r}], pass_fds=[held]); {READY}; {SLEEP}"
    )
    demo = (
        "import sys; from pathlib import Path; from simulator.harness.process import Child;"
        f"Child('server', [sys.executable, '-c', {server!r}], Path({str(tmp_path / 'server.log')!r})).ready(20);"
        f"print('up', flush=True); {SLEEP}"
    )
    with (
        subprocess.Popen([sys.executable, "-c", demo], stdout=subprocess.PIPE, text=True) as running,
        alive.open("rb") as pipe,
    ):
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.kill()
        # The end comes only when nobody holds the other side any more.
        assert pipe.read() == b""


@pytest.mark.parametrize("program", [SIMULATOR, CONNECTOR])
def test_programs_are_on_the_leash(program: tuple[str, ...], tmp_path: Path) -> None:
    """Both programs run as from their own command lines, and watch who started them before they do anything else."""
    server = Child("server", [*program, "--help"], tmp_path / "server.log")
    assert server.wait(30) == 0
    server.stop()
    assert "Usage: " in server.log.read_text()
    assert "leave_with_parent(); " in program[-1]

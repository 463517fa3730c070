"""The commands of docs/tutorial-fake-twilio.md do what the page says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tutorial-fake-twilio.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
PROMISED = [line for block in re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]


def _free_ports(count: int) -> list[str]:
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in with_ports]
    for one in with_ports:
        one.close()
    return ports


@pytest.fixture
def shell() -> Iterator[Any]:
    """Runs a block of the page as it stands, but for the ports, and gives what it printed."""
    floor, receiver = _free_ports(2)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "FLEX_WFM_SIM_TWILIO_URL": f"http://127.0.0.1:{floor}",
    }
    started: list[subprocess.Popen[str]] = []

    def begin(block: str) -> subprocess.Popen[str]:
        text = block.replace("8081", floor).replace("8082", receiver)
        # A process group of its own, so that what the block leaves in the background is ended with it.
        running = subprocess.Popen(
            ["bash", "-e", "-c", text], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        started.append(running)
        return running

    yield begin
    for running in started:
        try:
            os.killpg(running.pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
        running.wait(timeout=20)


class _Output:
    """Collects what a process prints, line by line."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.text = ""
        self._running = running
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._running.stdout is not None
        for line in self._running.stdout:
            self.text += line

    def wait_for(self, words: str) -> None:
        limit_s = time.monotonic() + 60
        while words not in self.text:
            assert time.monotonic() < limit_s, self.text
            threading.Event().wait(0.05)


def test_the_tutorial_from_beginning_to_end(shell: Any) -> None:
    """Each block ends well, and every line that the page promises is printed."""
    floor, *blocks = BLOCKS
    _Output(shell(floor)).wait_for("running")
    printed = ""
    for block in blocks:
        if "&\n" in block:
            before, after = block.split("&\n")
            receiver = _Output(shell(before))
            receiver.wait_for("Running on")
            assert shell(after).wait(timeout=60) == 0
            receiver.wait_for("Break")
            printed += receiver.text
        else:
            running = shell(block)
            text, _ = running.communicate(timeout=100)
            assert running.returncode == 0, f"{block}\n{text}"
            printed += text
    assert [line for line in PROMISED if line not in printed] == []
    assert "timeout" in printed.rpartition("now_ms")[2]

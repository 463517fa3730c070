"""The lease: one process at a time, and another one as soon as the first is dead, however it died."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flex_plugin_backend.flow.leader import FileLease

HOLDER = """
import sys
from pathlib import Path
from flex_plugin_backend.flow.leader import FileLease
lease = FileLease(Path(sys.argv[1]))
print(lease.acquire(), flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that takes the lease and keeps it until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_another_process_gets_the_lease_only_when_the_holder_is_dead(tmp_path: Path, end: signal.Signals) -> None:
    """While the holder lives nobody else gets it; killed without a chance to tidy up, it is free at once."""
    path = tmp_path / "l.lease"
    holder = hold(path)
    try:
        mine = FileLease(path)
        assert not mine.acquire()
        assert not mine.acquire()
        holder.send_signal(end)
        holder.wait(10)
        assert mine.acquire()
        mine.release()
    finally:
        holder.kill()
        holder.communicate(timeout=10)


def test_a_lease_given_back_can_be_taken_by_another(tmp_path: Path) -> None:
    """Release frees it; taking what one holds already is no fault; the file stays private."""
    path = tmp_path / "l.lease"
    first, second = FileLease(path), FileLease(path)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()
    assert path.stat().st_mode & 0o077 == 0

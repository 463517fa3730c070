"""One server as a child process: started, awaited by its ready line, logged to a file, ended by its process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from simulator import leash
from simulator.harness.errors import ChildFailed

_TAIL_BYTES = 4000
_STOP_S = 10.0

# -P keeps the directory in which the demo was started out of the import path: the servers are to run what is installed.
# Each ends itself when we are gone, because a killed demo cannot end them.
_LEASH = "from simulator.leash import leave_with_parent; leave_with_parent(); "
_SIMULATOR = "from simulator.cli import main; main(prog_name='flex-wfm-sim')"
_CONNECTOR = "from runpy import run_module; run_module('flex_plugin_backend', run_name='__main__', alter_sys=True)"
SIMULATOR = (sys.executable, "-P", "-c", _LEASH + _SIMULATOR)
CONNECTOR = (sys.executable, "-P", "-c", _LEASH + _CONNECTOR)


class Child:
    """A server in a process group of its own.

    Its standard output and its errors are appended to one log file.
    """

    def __init__(self, name: str, argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._ready: dict[str, Any] | None = None
        self._news = threading.Condition()
        self._closed = False
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603  our own programs, no shell
                [*argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**(os.environ if env is None else env), leash.VARIABLE: str(os.getpid())},
                start_new_session=True,
                cwd=log.parent,
            )
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._process.poll()

    @property
    def reading(self) -> bool:
        """Whether somebody, the process or a child of it, still holds its standard output open."""
        return self._reader.is_alive()

    def wait(self, timeout_s: float) -> int:
        """Wait until it has ended by itself, and give its exit code."""
        return self._process.wait(timeout_s)

    def ready(self, timeout_s: float) -> dict[str, Any]:
        """The ready line, a JSON object with `ready: true`.

        Raises:
            ChildFailed: the process ended, or said nothing in time.
        """
        with self._news:
            self._news.wait_for(lambda: self._ready is not None or self._closed, timeout_s)
            if self._ready is not None:
                return self._ready
            if not self._closed:
                raise self._failed(f"{self.name} was not ready after {timeout_s:.0f} s")
        self._process.wait(_STOP_S)
        raise self._failed(f"{self.name} ended with code {self.exit_code} before it was ready")

    def check(self) -> None:
        """Raise ChildFailed if the process has ended by itself."""
        if self.exit_code is not None:
            raise self._failed(f"{self.name} ended with code {self.exit_code}")

    def stop(self) -> None:
        """End it in an orderly way (SIGTERM), or by force when it does not end in time."""
        if self.exit_code is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._finish()

    def kill(self) -> None:
        """End it without warning (SIGKILL), as a power cut would."""
        if self.exit_code is None:
            # Its own group, so that a worker process of the server cannot outlive it.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_S)
        self._finish()

    def tail(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace")

    def _failed(self, message: str) -> ChildFailed:
        return ChildFailed(message, log=self.log, tail=self.tail())

    def _finish(self) -> None:
        self._reader.join(_STOP_S)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _read(self) -> None:
        output: IO[bytes] | None = self._process.stdout
        if output is None:
            return
        with self.log.open("ab") as log:
            for raw in output:
                body = _ready_line(raw)
                # Keys stand in the ready line; a log is no place for them.
                log.write(raw if body is None else b"ready\n")
                log.flush()
                with self._news:
                    self._ready = self._ready or body
                    self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()


def _ready_line(line: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) and body.get("ready") is True else None

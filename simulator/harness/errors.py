"""What can go wrong while the servers run, each with where to look."""

from __future__ import annotations

from pathlib import Path


class HarnessError(Exception):
    """The demo could not be carried through.

    Attributes:
        log: the log file that tells more, or None.
        tail: the end of that log.
    """

    def __init__(self, message: str, *, log: Path | None = None, tail: str = "") -> None:
        super().__init__(message)
        self.log = log
        self.tail = tail


class ChildFailed(HarnessError):
    """A server did not start, or ended by itself."""


class ControlFailed(HarnessError):
    """A control face did not answer as agreed."""


class TooLate(HarnessError):
    """Something was not ready when its time came, so the run would prove nothing."""

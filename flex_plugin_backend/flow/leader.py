"""Who forwards: of several processes on one ledger exactly one does, and another takes over when it dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

try:
    import fcntl
except ImportError:  # not a POSIX system: one process per ledger is the operator's duty there
    fcntl = None  # type: ignore[assignment]


class Lease(Protocol):
    """The right to project and forward."""

    def acquire(self) -> bool:
        """Take it if it is free; returns at once, True if it is ours now."""

    def release(self) -> None:
        """Give it back."""


def lease_path(ledger: Path, tenant: str) -> Path:
    """The file beside an embedded ledger whose lock is the lease of this tenant."""
    return Path(f"{ledger}.{tenant}.lease")


def is_held(path: Path) -> bool:
    """Does a process hold the lease now."""
    lease = FileLease(path)
    try:
        return not lease.acquire()
    finally:
        lease.release()


class FileLease:
    """A lock on a file beside an embedded ledger; the system frees it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free."""
        if fcntl is None or self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Free the lock; the file stays, so that nobody can lock a file that is about to vanish."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

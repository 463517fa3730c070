"""The ledger's disk: events are refused while it is nearly full, and every tenant's board says so."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble, Witness
from flex_plugin_backend.flow.duty import Duty, Pause
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import LedgerSettings

TICK_S = 10.0
# So often at most the free room is looked at, however many events come.
LOOK_MS = 1_000
# It opens again with so much more room than the limit, so that it does not flap around it.
REOPEN = 1.25
RETRY_AFTER_S = 30

# What SQLite says of a disk that does not take what it is given. Read-only is a disk's last answer before it dies.
_DISK_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
_DISK_WORDS = ("disk is full", "disk i/o error", "readonly database", "no space left")

_log = structlog.get_logger(__name__)


def free_bytes(folder: Path) -> int:
    """How much a process may still write to the disk that this folder is on."""
    return shutil.disk_usage(folder).free


def is_disk_trouble(error: BaseException) -> bool:
    """Is it the disk, or the right to write on it, that made this fail."""
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", "") or ""
    return name.startswith(_DISK_ERRORS) or any(word in str(cause).lower() for word in _DISK_WORDS)


class DiskGuard:
    """Tells whether there is room for events; may be asked by any thread, and as often as one likes."""

    def __init__(
        self, folder: Path, clock: Clock, *, least_bytes: int, probe: Callable[[Path], int] = free_bytes
    ) -> None:
        """Set up.

        Args:
            folder: where the ledger is.
            least_bytes: so much must stay free, for what follows from the events that were taken; 0: never asked.
            probe: measures the free bytes.
        """
        self._folder = folder
        self._clock = clock
        self._least = least_bytes
        self._probe = probe
        self._lock = threading.Lock()
        self._looked_ms: int | None = None
        self.free: int | None = None
        self._problem: str | None = None

    @classmethod
    def of(
        cls, settings: LedgerSettings, ledger: Ledger, clock: Clock, probe: Callable[[Path], int] = free_bytes
    ) -> DiskGuard:
        """The guard of this ledger's disk."""
        return cls(ledger.path.absolute().parent, clock, least_bytes=settings.least_free_bytes, probe=probe)

    def problem(self) -> str | None:
        """Why no event is taken now; None where there is room."""
        now_ms = self._clock.now_ms()
        with self._lock:
            if self._least and (self._looked_ms is None or not 0 <= now_ms - self._looked_ms < LOOK_MS):
                self._looked_ms = now_ms
                self._look()
            return self._problem

    def _look(self) -> None:
        try:
            self.free = self._probe(self._folder)
        except OSError as error:
            # Whether there is room is not known; the ledger itself says when there is none.
            _log.warning("disk.not_measured", folder=str(self._folder), problem=str(error))
            self.free, self._problem = None, None
            return
        limit = self._least if self._problem is None else round(self._least * REOPEN)
        self._problem = (
            f"the disk of the ledger is nearly full: {_mb(self.free)} are free, {_mb(limit)} must be"
            if self.free < limit
            else None
        )


class StoreWatch:
    """Shows every board how the store is, and tries a ledger that has refused events until it takes them again."""

    def __init__(
        self,
        guard: DiskGuard,
        intake_problem: Callable[[], tuple[str, bool] | None],
        boards: Iterable[ConditionBoard],
        clock: Clock,
    ) -> None:
        """`intake_problem` tries the ledger anew where it has refused events, and tells why it still does, and whether
        the disk is to blame; None: it takes them.
        """
        self._guard = guard
        self._intake_problem = intake_problem
        self._boards = list(boards)
        self._clock = clock
        self.duty = Duty("store", self.step)

    def step(self) -> Pause:
        """Look once."""
        nearly = self._guard.problem()
        refused = self._intake_problem()
        now_ms = self._clock.now_ms()
        for board in self._boards:
            if refused is not None:
                detail, is_disk = refused
                trouble = Trouble.DISK if is_disk else Trouble.LEDGER
                board.show(Condition.HELD, now_ms, detail, trouble, witness=Witness.STORE)
            elif nearly is not None:
                board.show(Condition.HELD, now_ms, nearly, Trouble.DISK, witness=Witness.STORE)
            else:
                board.show(Condition.OK, now_ms, witness=Witness.STORE)
        return Pause(TICK_S)


def _mb(number: int) -> str:
    return f"{number / 1_048_576:,.0f} MiB"

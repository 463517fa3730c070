"""Duties: background work as single steps, carried out by threads, or in turn by a caller who moves the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog

from flex_plugin_backend.clock import Clock

AFTER_A_FAULT_S = 1.0
POLL_S = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pause:
    """How long a duty has nothing to do.

    Attributes:
        seconds: of the clock; None until it is woken.
        firm: being woken does not shorten it; a peer asked for it.
    """

    seconds: float | None
    firm: bool = False


AT_ONCE = Pause(0.0)
UNTIL_WOKEN = Pause(None)


class Duty:
    """Something that is done over and over for a tenant, one step at a time."""

    def __init__(self, name: str, step: Callable[[], Pause | None], *, poll_s: float = POLL_S) -> None:
        """Set up.

        Args:
            step: does what can be done now and tells how long to wait; None: the duty is over.
            poll_s: a thread looks again after so many seconds of the machine at the latest, because what another
                process on the same ledger stores wakes nobody here.
        """
        self.name = name
        self.poll_s = poll_s
        self.over = threading.Event()
        self._step = step
        self._woken = threading.Event()

    @classmethod
    def of_course(cls, name: str, course: Iterator[Pause]) -> Duty:
        """A duty that goes through a course once, pausing where it says."""
        return cls(name, lambda: next(course, None))

    @property
    def woken(self) -> bool:
        """Whether there is something to do since the last step began."""
        return self._woken.is_set()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """Wait to be woken, at most so many seconds of the machine."""
        self._woken.wait(seconds)

    def end(self) -> None:
        """No further step; one that is under way is finished."""
        self.over.set()
        self.wake()

    def step(self) -> Pause:
        """Do one step. A fault (a full disk, say) is logged and the step tried again later; it is never fatal."""
        self._woken.clear()
        try:
            pause = self._step()
        except Exception:  # noqa: BLE001 whatever it is: nobody else does this for the tenant
            _log.exception("duty.step_failed", duty=self.name)
            return Pause(AFTER_A_FAULT_S, firm=True)
        if pause is None:
            self.end()
            return UNTIL_WOKEN
        return pause


def until_done(step: Callable[[], object]) -> Iterator[Pause]:
    """A part of a course: this step, again after each fault until it succeeds."""
    while True:
        try:
            step()
        except Exception:  # noqa: BLE001 as above
            _log.exception("duty.step_failed", step=getattr(step, "__qualname__", ""))
            yield Pause(AFTER_A_FAULT_S, firm=True)
        else:
            return


def retraced(course: Callable[[], Iterator[Pause]]) -> Iterator[Pause]:
    """A part of a course: this one, from its beginning again after each fault."""
    while True:
        try:
            yield from course()
        except Exception:  # noqa: BLE001 as above
            _log.exception("duty.step_failed", step=getattr(course, "__qualname__", ""))
            yield Pause(AFTER_A_FAULT_S, firm=True)
        else:
            return


class Drive(Protocol):
    """Who carries out duties.

    Attributes:
        by_hand: everything runs in the caller's thread, so that nothing may wait for another thread.
    """

    @property
    def by_hand(self) -> bool: ...

    def start(self, duty: Duty) -> None:
        """Carry it out from now on."""

    def end(self, duties: Iterable[Duty]) -> None:
        """End these, each after the step it is in."""


class Threads:
    """A thread for each duty."""

    by_hand = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._threads: dict[Duty, threading.Thread] = {}

    def start(self, duty: Duty) -> None:
        """Start its thread."""
        thread = threading.Thread(target=self._run, args=(duty,), name=duty.name, daemon=True)
        self._threads[duty] = thread
        thread.start()

    def end(self, duties: Iterable[Duty]) -> None:
        """End these and wait for their threads."""
        ending = list(duties)
        for duty in ending:
            duty.end()
        for duty in ending:
            thread = self._threads.pop(duty, None)
            if thread is not None:
                thread.join()

    def _run(self, duty: Duty) -> None:
        while not duty.over.is_set():
            pause = duty.step()
            if pause.firm:
                self._clock.wait(duty.over, pause.seconds)
            elif pause.seconds is None:
                duty.wait(duty.poll_s)
            elif pause.seconds > 0:
                duty.wait(min(duty.poll_s, self._clock.machine_s(pause.seconds)))

"""The exact answer: each agent's states, taken from the model's own objects while it runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from simulator.world.entities import Reservation, ReservationStatus, Worker
from simulator.world.figures_ledger import Ledger


class TrueState(NamedTuple):
    """What an agent does from `start_ms` on; channel and direction only while on a contact.

    `known_ms` is when the model brought it about: later than its start only where a deletion bears an old stamp.
    """

    start_ms: int
    state: str
    channel: str
    direction: str
    reason: str
    cause_sid: str | None
    known_ms: int

    @property
    def value(self) -> tuple[str, str, str, str]:
        """What makes a state another one."""
        return self[1:5]


class Truth:
    """Keeps one list of states per worker, in order of time, and the books behind the figures of the reports."""

    def __init__(self, offline_activity_sid: str) -> None:
        self.offline_activity_sid = offline_activity_sid
        self.ledger = Ledger(offline_activity_sid)
        self.states: dict[str, list[TrueState]] = {}
        self._values: dict[str, tuple[str, str, str, str]] = {}

    def begin(self, worker: Worker, ms: int, cause_sid: str | None = None) -> None:
        """Note the state in which a worker enters the world; without a cause it was there before."""
        value = self._values[worker.sid] = self._value(worker)
        self.states[worker.sid] = [TrueState(ms, *value, cause_sid, ms)]
        self.ledger.begin(worker, ms)

    def observe(self, worker: Worker, ms: int, cause_sid: str | None, known_ms: int | None = None) -> None:
        """Look at a worker after the model has changed it."""
        value = self._value(worker)
        if self._values[worker.sid] != value:
            self._values[worker.sid] = value
            facts = (ms, *value, cause_sid, ms if known_ms is None else known_ms)
            self.states[worker.sid].append(_new(TrueState, facts))

    def cap(self, reservation: Reservation, ms: int, cause_sid: str) -> None:
        """A wrap-up has lasted as long as any counts: from now on it does not, however long it goes on."""
        if reservation.status is ReservationStatus.WRAPPING:
            reservation.capped = True
            self.observe(reservation.worker, ms, cause_sid)

    def until(self, worker: Worker, ms: int) -> list[TrueState]:
        """The states known by `ms`; the model may be a few milliseconds ahead of its events."""
        return [state for state in self.states[worker.sid] if state.known_ms <= ms]

    def since(self, worker: Worker, after_ms: int, until_ms: int) -> list[TrueState]:
        """The states that have become known after `after_ms` and by `until_ms`."""
        states = self.states[worker.sid]
        first = bisect_right(states, after_ms, key=_known)
        return states[first : bisect_right(states, until_ms, key=_known)]

    def forget_before(self, ms: int) -> None:
        """Let go of states that were over by then, and of the books of contacts and activities of that time."""
        for states in self.states.values():
            del states[: max(0, bisect_right(states, ms, key=_start) - 1)]
        self.ledger.forget_before(ms)

    def _value(self, worker: Worker) -> tuple[str, str, str, str]:
        """State, channel, direction, reason: contact before wrap-up before ringing before the activity."""
        if worker.deleted_ms is not None:
            return _OFFLINE
        main: Reservation | None = None
        wrapping = ringing = dialling = False
        for reservation in worker.open.values():
            status = reservation.status
            if status is _ACCEPTED:
                if main is None or _precedence(reservation) < _precedence(main):
                    main = reservation
            elif status is _WRAPPING:
                wrapping = wrapping or not reservation.capped
            elif reservation.task.direction == "outbound":
                dialling = True
            else:
                ringing = True
        if main is not None:
            return ("CONTACT", main.task.medium, main.task.direction, "")
        if wrapping:
            return _WRAPUP
        if ringing:
            return _RESERVED
        if dialling:
            return _DIALLING
        activity = worker.shown or worker.resting
        if activity.sid == self.offline_activity_sid:
            return _OFFLINE
        if activity.available:
            return _AVAILABLE
        return ("UNAVAILABLE", "", "", activity.name)


_new: Callable[[type[TrueState], tuple[object, ...]], TrueState] = tuple.__new__  # as fast as it gets
_ACCEPTED, _WRAPPING = ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING
_OFFLINE, _AVAILABLE, _WRAPUP, _RESERVED, _DIALLING = (
    (state, "", "", "") for state in ("OFFLINE", "AVAILABLE", "WRAPUP", "RESERVED", "DIALLING")
)


def _precedence(reservation: Reservation) -> tuple[bool, int]:
    return (reservation.task.medium != "voice", reservation.accepted_ms or 0)


def _start(state: TrueState) -> int:
    return state.start_ms


def _known(state: TrueState) -> int:
    return state.known_ms

"""The exact answer: each agent's states, taken from the model's own objects while it runs."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from simulator.world.entities import Reservation, ReservationStatus, Worker
from simulator.world.figures_ledger import Ledger


@dataclass(frozen=True, slots=True)
class TrueState:
    """What an agent does from `start_ms` on; channel and direction only while on a contact."""

    start_ms: int
    state: str
    channel: str
    direction: str
    reason: str
    cause_sid: str | None

    @property
    def value(self) -> tuple[str, str, str, str]:
        """What makes a state another one."""
        return (self.state, self.channel, self.direction, self.reason)


class Truth:
    """Keeps one list of states per worker, in order of time, and the books behind the figures of the reports."""

    def __init__(self, offline_activity_sid: str) -> None:
        self.offline_activity_sid = offline_activity_sid
        self.ledger = Ledger(offline_activity_sid)
        self.states: dict[str, list[TrueState]] = {}

    def begin(self, worker: Worker, ms: int) -> None:
        """Note the state in which a worker enters the world."""
        self.states[worker.sid] = [TrueState(ms, *self._value(worker), None)]
        self.ledger.begin(worker, ms)

    def observe(self, worker: Worker, ms: int, cause_sid: str) -> None:
        """Look at a worker after the model has changed it."""
        value = self._value(worker)
        states = self.states[worker.sid]
        if states[-1].value != value:
            states.append(TrueState(ms, *value, cause_sid))

    def until(self, worker: Worker, ms: int) -> list[TrueState]:
        """The states that have begun by `ms`; the model may be a few milliseconds ahead of its events."""
        return [state for state in self.states[worker.sid] if state.start_ms <= ms]

    def since(self, worker: Worker, after_ms: int, until_ms: int) -> list[TrueState]:
        """The states that have begun after `after_ms` and by `until_ms`."""
        states = self.states[worker.sid]
        first = bisect_right(states, after_ms, key=_start)
        return states[first : bisect_right(states, until_ms, key=_start)]

    def forget_before(self, ms: int) -> None:
        """Let go of states that were over by then, and of the books of contacts and activities of that time."""
        for states in self.states.values():
            del states[: max(0, bisect_right(states, ms, key=_start) - 1)]
        self.ledger.forget_before(ms)

    def _value(self, worker: Worker) -> tuple[str, str, str, str]:
        """State, channel, direction, reason: contact before wrap-up before ringing before the activity."""
        talking: list[Reservation] = []
        wrapping = ringing = dialling = False
        for reservation in worker.open.values():
            if reservation.status is ReservationStatus.ACCEPTED:
                talking.append(reservation)
            elif reservation.status is ReservationStatus.WRAPPING:
                wrapping = True
            elif reservation.task.direction == "outbound":
                dialling = True
            else:
                ringing = True
        if talking:
            main = min(talking, key=lambda one: (one.task.medium != "voice", one.accepted_ms or 0))
            return ("CONTACT", main.task.medium, main.task.direction, "")
        if wrapping:
            return ("WRAPUP", "", "", "")
        if ringing:
            return ("RESERVED", "", "", "")
        if dialling:
            return ("DIALLING", "", "", "")
        if worker.activity.sid == self.offline_activity_sid:
            return ("OFFLINE", "", "", "")
        if worker.activity.available:
            return ("AVAILABLE", "", "", "")
        return ("UNAVAILABLE", "", "", worker.activity.name)


def _start(state: TrueState) -> int:
    return state.start_ms

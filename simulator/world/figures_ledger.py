"""The books behind the true figures: what the model did to queues, reservations and activities, noted as it does it.

Nothing here is read from events. Each entry is made by the transition that changes the model, with the instant at
which the change takes effect.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

from simulator.world.entities import Reservation, ReservationStatus, Task, Transfer, Worker

_QUARTER_MS = 900_000
_FIVE_MINUTES_MS = 300_000


class Fate(StrEnum):
    """How a stay in a queue ended."""

    WAITING = "waiting"
    ANSWERED = "answered"
    CANCELED = "canceled"  # abandoned or diverted: the reason decides
    LEFT = "left"  # the caller was gone before the transfer reached anybody: abandoned
    MOVED = "moved"  # into another queue, where a new stay begins
    DROPPED = "dropped"  # the transfer came to nothing and the caller is still with the first agent


@dataclass(slots=True, eq=False)
class Stay:
    """One stay of an inbound contact in a queue, half-open in time; `end_ms` is None while it waits.

    `entered_ms` is when the task entered the queue; a stay that a transfer to a colleague began starts later.
    """

    task_sid: str
    queue_sid: str
    queue_name: str
    medium: str
    start_ms: int
    entered_ms: int
    end_ms: int | None = None
    fate: Fate = Fate.WAITING
    reason: str = ""


@dataclass(slots=True, eq=False)
class Stint:
    """One reservation from offer to end, in epoch milliseconds; what has not happened is None.

    Queue and `stay` are those of the moment of acceptance; `stay` is None for what did not wait in a queue.
    """

    worker_sid: str
    medium: str
    direction: str
    created_ms: int
    accepted_ms: int | None = None
    wrapped_ms: int | None = None
    ended_ms: int | None = None
    queue_sid: str = ""
    queue_name: str = ""
    stay: Stay | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """An activity from `start_ms` on: one of AVAILABLE, UNAVAILABLE, OFFLINE, and the activity's name."""

    start_ms: int
    state: str
    name: str


@dataclass(frozen=True, slots=True)
class PlannedDuty:
    """Something that is planned within a shift and takes the agent off the floor."""

    start_ms: int
    end_ms: int
    name: str


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """A shift as it is planned, which is not how it goes: people come late, and go when they can."""

    start_ms: int
    end_ms: int
    duties: tuple[PlannedDuty, ...]


class Ledger:
    """Takes notes for one world; everything in it is in the order in which it happened.

    `since_ms` is from when on the notes are complete; None: from the beginning of the world.
    """

    def __init__(self, offline_activity_sid: str) -> None:
        self._offline_activity_sid = offline_activity_sid
        self.stays: list[Stay] = []
        self.stints: dict[str, list[Stint]] = {}
        self.activities: dict[str, list[Doing]] = {}
        self.shifts: dict[str, list[PlannedShift]] = {}
        self.since_ms: int | None = None
        self._waiting: dict[str, Stay] = {}
        self._open: dict[str, Stint] = {}

    # -- agents

    def begin(self, worker: Worker, ms: int) -> None:
        """The worker enters the world, without work."""
        self.activities[worker.sid] = []
        self.stints[worker.sid] = []
        self.shifts.setdefault(worker.sid, [])
        self.activity(worker, ms)

    def activity(self, worker: Worker, ms: int) -> None:
        """The worker is in this activity from now on."""
        activity = worker.activity
        if activity.sid == self._offline_activity_sid:
            state = "OFFLINE"
        else:
            state = "AVAILABLE" if activity.available else "UNAVAILABLE"
        self.activities[worker.sid].append(Doing(ms, state, activity.name))

    def reservation(self, reservation: Reservation, ms: int) -> None:
        """A reservation has come to the status it has now."""
        stint = self._open.get(reservation.sid)
        if stint is None:
            task = reservation.task
            stint = Stint(reservation.worker.sid, task.medium, task.direction, ms)
            self.stints[reservation.worker.sid].append(stint)
            self._open[reservation.sid] = stint
        if reservation.status is ReservationStatus.ACCEPTED:
            self._answer(stint, reservation.task, ms)
        elif reservation.status is ReservationStatus.WRAPPING:
            stint.wrapped_ms = ms
        elif not reservation.is_open:
            stint.ended_ms = ms
            del self._open[reservation.sid]

    def _answer(self, stint: Stint, task: Task, ms: int) -> None:
        stint.accepted_ms = ms
        stint.queue_sid, stint.queue_name = task.queue.sid, task.queue.name
        stint.stay = self._close(task, ms, Fate.ANSWERED)

    def shift_planned(self, worker: Worker, started_ms: int, end_ms: int, duties: list[tuple[float, str, int]]) -> None:
        """The plan of a shift: duties by their share of the shift at which they begin, activity and seconds."""
        start_ms = _rounded(started_ms, _QUARTER_MS)
        end_ms = start_ms + _rounded(end_ms - started_ms, _FIVE_MINUTES_MS)
        planned: list[PlannedDuty] = []
        for share, name, length_s in sorted(duties):
            duty_ms = start_ms + _rounded(round((end_ms - start_ms) * share), _FIVE_MINUTES_MS)
            duty = PlannedDuty(duty_ms, min(end_ms, duty_ms + _rounded(length_s * 1000, _FIVE_MINUTES_MS)), name)
            # Nobody is planned to be at two places.
            if duty.start_ms < duty.end_ms and (not planned or planned[-1].end_ms <= duty.start_ms):
                planned.append(duty)
        self.shifts.setdefault(worker.sid, []).append(PlannedShift(start_ms, end_ms, tuple(planned)))

    def forget_before(self, ms: int) -> None:
        """Let go of what was over by then; figures of later intervals need no more of it."""
        self.stays = [stay for stay in self.stays if stay.end_ms is None or stay.end_ms >= ms]
        for worker_sid, stints in self.stints.items():
            self.stints[worker_sid] = [stint for stint in stints if stint.ended_ms is None or stint.ended_ms >= ms]
        for doings in self.activities.values():
            begun = bisect_right(doings, ms, key=lambda doing: doing.start_ms)
            if begun > 1:
                del doings[: begun - 1]
                self.since_ms = ms
        for worker_sid, shifts in self.shifts.items():
            self.shifts[worker_sid] = [shift for shift in shifts if shift.end_ms >= ms]

    # -- queues

    def entered(self, task: Task, ms: int) -> None:
        """The task is in its queue from now on; what an agent starts waits in none."""
        self._close(task, ms, Fate.MOVED)
        self._wait(task, ms)

    def _wait(self, task: Task, ms: int) -> None:
        if task.direction == "inbound":
            stay = Stay(task.sid, task.queue.sid, task.queue.name, task.medium, ms, min(ms, task.queue_entered_ms))
            self.stays.append(stay)
            self._waiting[task.sid] = stay

    def _close(self, task: Task, ms: int, fate: Fate, reason: str = "") -> Stay | None:
        stay = self._waiting.pop(task.sid, None)
        if stay is not None:
            # An agent's events are kept a millisecond apart, so an answer may be noted a little ahead of the clock.
            stay.end_ms, stay.fate, stay.reason = max(ms, stay.start_ms), fate, reason
        return stay

    def canceled(self, task: Task, ms: int) -> None:
        """The task ended before anybody took it."""
        self._close(task, ms, Fate.CANCELED, task.reason)

    def completed(self, task: Task, ms: int) -> None:
        """The task is over; whoever waits for a second agent does so no more."""
        self._close(task, ms, Fate.DROPPED)

    def transfer_begun(self, task: Task, ms: int) -> None:
        """The contact waits for a second agent: in its queue, until it enters another."""
        self._close(task, ms, Fate.MOVED)
        self._wait(task, ms)

    def transfer_ended(self, task: Task, transfer: Transfer, ms: int) -> None:
        """Handed over, or not: then the caller is lost if the first agent has left the conversation."""
        if transfer.status == "FAILED" and transfer.initiator.status is not ReservationStatus.ACCEPTED:
            self._close(task, ms, Fate.LEFT)
        elif transfer.status in ("FAILED", "CANCELED"):
            self._close(task, ms, Fate.DROPPED)


def _rounded(ms: int, step_ms: int) -> int:
    return (ms + step_ms // 2) // step_ms * step_ms

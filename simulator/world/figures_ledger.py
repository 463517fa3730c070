"""The books behind the true figures: what the model did to queues, reservations and activities, noted as it does it.

Nothing here is read from events. Each entry is made by the transition that changes the model, with the instant at
which the change takes effect.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum

from simulator.world.entities import Reservation, ReservationStatus, Task, Transfer, Worker


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

    Queue and `stay` are those of the moment of acceptance; `stay` is None for what did not wait in a queue. `holds` are
    start and end of each hold that is over, `held_ms` is when one began that is not.
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
    holds: list[tuple[int, int]] = field(default_factory=list)
    held_ms: int | None = None


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
    """A shift as it is planned; people come late, and go when they can."""

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
        """The worker is in its activity, or gone, from now on."""
        activity = worker.shown or worker.resting
        if activity.sid == self._offline_activity_sid or worker.deleted_ms is not None:
            state = "OFFLINE"
        else:
            state = "AVAILABLE" if activity.available else "UNAVAILABLE"
        self.activities[worker.sid].append(Doing(ms, state, activity.name))

    def reservation(self, reservation: Reservation, ms: int) -> None:
        """A reservation has come to the status it has now."""
        status, task = reservation.status, reservation.task
        if status is ReservationStatus.PENDING:
            stint = Stint(reservation.worker.sid, task.medium, task.direction, ms)
            self.stints[reservation.worker.sid].append(stint)
            self._open[reservation.sid] = stint
            return
        stint = self._open[reservation.sid]
        if status is ReservationStatus.ACCEPTED:
            stint.accepted_ms = ms
            stint.queue_sid, stint.queue_name = task.queue.sid, task.queue.name
            stint.stay = self._close(task, ms, Fate.ANSWERED)
            return
        if stint.held_ms is not None:
            self.unheld(reservation, ms)
        if status is ReservationStatus.WRAPPING:
            stint.wrapped_ms = ms
        else:
            stint.ended_ms = ms
            del self._open[reservation.sid]

    def is_held(self, reservation: Reservation) -> bool:
        """Whether the customer of a reservation is on hold."""
        stint = self._open.get(reservation.sid)
        return stint is not None and stint.held_ms is not None

    def held(self, reservation: Reservation, ms: int) -> None:
        """The customer is put on hold."""
        self._open[reservation.sid].held_ms = ms

    def unheld(self, reservation: Reservation, ms: int) -> None:
        """The customer is back; nothing happens where the talk, and with it the hold, is over already."""
        stint = self._open.get(reservation.sid)
        if stint is not None and stint.held_ms is not None:
            if ms > stint.held_ms:  # a worker who is deleted may be gone from before on
                stint.holds.append((stint.held_ms, ms))
            stint.held_ms = None

    def shift_planned(self, worker: Worker, shift: PlannedShift) -> None:
        """The plan of a shift, which is not how it goes."""
        self.shifts.setdefault(worker.sid, []).append(shift)

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
        """The task is in its queue, or waits without one, from now on; what an agent starts waits in none."""
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

    def left(self, task: Task, ms: int) -> None:
        """The task leaves its queue for another."""
        self._close(task, ms, Fate.MOVED)

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

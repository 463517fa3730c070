"""One task's observations in order -> its stays in queues and its reservations; knows no settings.

Only one visit of a task waits at a time. It is opened by `task-queue.entered`, by a transfer, or by what later events
say of the queue when the entry itself was lost. What ends it is written at `Ending`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from flex_plugin_backend.domain.task_log import Kind, Seen


class Opened(StrEnum):
    """What began a visit."""

    QUEUE = "queue"  # the task entered a queue
    TRANSFER = "transfer"  # an agent hands it on; it has not entered another queue (yet)
    TASK = "task"  # it is offered although it never entered a queue


class Ending(StrEnum):
    """What ended a visit."""

    ACCEPTED = "accepted"
    CANCELED = "canceled"  # the task was cancelled
    FAILED = "failed"  # the caller left during a transfer
    LEFT = "left"  # moved to another queue, or the routing step timed out
    DROPPED = "dropped"  # the transfer was called back, or the task was deleted or completed


@dataclass(slots=True, kw_only=True)
class Stay:
    """One visit as the events tell it.

    Attributes:
        transfer: it belongs to a transfer; `initiator_sid` is the reservation that handed the task on, if known, and
            `initiated_ms` when.
        estimated: its start or its queue is not from the event that should tell it.
        failed: the transfer was told to have failed.
        reason, abandoned: of the cancellation.
    """

    queue_sid: str | None
    queue_name: str | None
    start_ms: int
    opened: Opened
    transfer: bool = False
    initiator_sid: str | None = None
    initiated_ms: int | None = None
    estimated: bool = False
    end_ms: int | None = None
    ending: Ending | None = None
    reservation_sid: str | None = None
    failed: bool = False
    reason: str | None = None
    abandoned: str | None = None


@dataclass(slots=True, kw_only=True)
class Leg:
    """One reservation as the events tell it; the earliest instant of each step, `None` where none was seen."""

    sid: str
    worker_sid: str | None = None
    offered_ms: int | None = None
    accepted_ms: int | None = None
    accept_estimated: bool = False
    wrapup_ms: int | None = None
    ended_ms: int | None = None
    gone_ms: int | None = None
    stay: Stay | None = None

    @property
    def talks(self) -> bool:
        """Accepted, and neither in wrap-up nor over."""
        return self.accepted_ms is not None and self.wrapup_ms is None and self.ended_ms is None


@dataclass(slots=True)
class TaskFold:
    """What is known after the observations so far; they must come in order (`Seen` sorts)."""

    created_ms: int | None = None
    ended_ms: int | None = None
    stays: list[Stay] = field(default_factory=list)
    legs: dict[str, Leg] = field(default_factory=dict)
    holds: list[tuple[int, int | None]] = field(default_factory=list)
    last_accept_ms: int | None = None
    never_queued: Seen | None = None

    def step(self, seen: Seen) -> None:
        """Take the next observation."""
        if seen.reservation_sid is not None and seen.kind in _LEG_STEPS:
            _LEG_STEPS[seen.kind](self, self._leg(seen.reservation_sid, seen.worker_sid), seen)
        elif seen.kind in (Kind.HOLD_BEGUN, Kind.HOLD_ENDED):
            self._hold(seen)
        elif self.ended_ms is None and seen.kind in _TASK_STEPS:
            # What is told of a task after its end changes none of its visits.
            _TASK_STEPS[seen.kind](self, seen)

    @property
    def waiting(self) -> Stay | None:
        """The visit that is still open."""
        return self.stays[-1] if self.stays and self.stays[-1].end_ms is None else None

    # -- queues

    def _created(self, seen: Seen) -> None:
        if self.created_ms is None:
            self.created_ms = seen.at_ms

    def _entered(self, seen: Seen) -> None:
        stay = self.waiting
        if stay is None:
            self._open(seen.queue_sid, seen.queue_name, seen.at_ms, Opened.QUEUE)
        elif stay.opened is not Opened.QUEUE or (stay.estimated and stay.queue_sid == seen.queue_sid):
            # A transfer's wait runs from the entry where it enters a queue; so does one that was only inferred.
            stay.queue_sid, stay.queue_name, stay.start_ms = seen.queue_sid, seen.queue_name, seen.at_ms
            stay.opened, stay.estimated = Opened.QUEUE, False
        elif stay.queue_sid != seen.queue_sid:
            self._move(stay, seen.queue_sid, seen.queue_name, seen.at_ms)

    def _left(self, seen: Seen) -> None:
        stay = self.waiting
        # A transfer that has not entered a queue cannot leave one, and nothing leaves at the instant it enters: then
        # the two were told in the wrong order, and the entry into the next queue ends the visit.
        if stay is not None and stay.opened is Opened.QUEUE and stay.start_ms < seen.at_ms:
            self._close(stay, seen.at_ms, Ending.LEFT)

    def _open(
        self, queue_sid: str | None, queue_name: str | None, start_ms: int, opened: Opened, *, estimated: bool = False
    ) -> Stay:
        before = self.stays[-1] if self.stays else None
        stay = Stay(queue_sid=queue_sid, queue_name=queue_name, start_ms=start_ms, opened=opened, estimated=estimated)
        if before is not None and before.ending is Ending.LEFT:
            stay.transfer, stay.initiator_sid, stay.initiated_ms = (
                before.transfer,
                before.initiator_sid,
                before.initiated_ms,
            )
        elif self.last_accept_ms is not None:
            # Somebody has the task already, so this can only be a transfer, told or not.
            stay.transfer, stay.initiator_sid = True, self._last_accepted_sid()
        self.stays.append(stay)
        return stay

    def _move(
        self, stay: Stay, queue_sid: str | None, queue_name: str | None, at_ms: int, estimated: bool = False
    ) -> None:
        self._close(stay, at_ms, Ending.LEFT)
        self._open(queue_sid, queue_name, at_ms, Opened.QUEUE, estimated=estimated)

    @staticmethod
    def _close(stay: Stay, at_ms: int, ending: Ending) -> None:
        stay.end_ms, stay.ending = max(at_ms, stay.start_ms), ending

    def _notice(self, seen: Seen) -> None:
        """An event that names the task's queue: infer the entry if its own event was lost.

        A later second of `TaskQueueEnteredDate` proves an entry that was not seen; without it the events are believed.
        """
        stay = self.waiting
        if self.ended_ms is not None:
            return
        if stay is None:
            if self.last_accept_ms is None:
                self._infer_entry(seen)
            return
        if seen.queue_sid is None:
            return
        if stay.opened is Opened.TRANSFER:
            stay.queue_sid, stay.queue_name = seen.queue_sid, seen.queue_name
            if seen.queue_entered_ms is not None and _second(seen.queue_entered_ms) >= _second(stay.start_ms):
                stay.start_ms = min(seen.at_ms, max(stay.start_ms, seen.queue_entered_ms))
        elif stay.opened is Opened.TASK:
            stay.queue_sid, stay.queue_name, stay.start_ms = seen.queue_sid, seen.queue_name, self._entry_ms(seen)
            stay.opened, stay.estimated = Opened.QUEUE, True
        elif stay.queue_sid != seen.queue_sid and _later(seen.queue_entered_ms, stay.start_ms):
            self._move(stay, seen.queue_sid, seen.queue_name, min(seen.at_ms, seen.queue_entered_ms or 0), True)

    def _infer_entry(self, seen: Seen) -> None:
        if not self.stays:
            if seen.queue_sid is None:
                known = self.created_ms is not None
                self._open(None, None, self._birth_ms(seen), Opened.TASK, estimated=not known)
            else:
                self._open(seen.queue_sid, seen.queue_name, self._entry_ms(seen), Opened.QUEUE, estimated=True)
            return
        left = self.stays[-1]
        if seen.queue_sid is None or left.end_ms is None:
            return
        if seen.queue_sid != left.queue_sid or _later(seen.queue_entered_ms, left.start_ms):
            start_ms = min(seen.at_ms, max(left.end_ms, seen.queue_entered_ms or 0))
            self._open(seen.queue_sid, seen.queue_name, start_ms, Opened.QUEUE, estimated=True)

    def _entry_ms(self, seen: Seen) -> int:
        """When the task entered its queue, by an event that only tells the second; never before the task's birth."""
        if seen.queue_entered_ms is None:
            return self._birth_ms(seen)
        return min(seen.at_ms, max(seen.queue_entered_ms, self.created_ms or 0))

    def _birth_ms(self, seen: Seen) -> int:
        known = self.created_ms if self.created_ms is not None else seen.task_created_ms
        return seen.at_ms if known is None else min(known, seen.at_ms)

    # -- reservations

    def _leg(self, sid: str, worker_sid: str | None) -> Leg:
        leg = self.legs.get(sid)
        if leg is None:
            leg = self.legs[sid] = Leg(sid=sid)
        leg.worker_sid = leg.worker_sid or worker_sid
        return leg

    def _offered(self, leg: Leg, seen: Seen) -> None:
        if leg.offered_ms is None:
            leg.offered_ms = seen.at_ms
            self._notice(seen)

    def _accepted(self, leg: Leg, seen: Seen) -> None:
        self._accept(leg, seen, seen.at_ms, estimated=seen.approximate)

    def _accept(self, leg: Leg, seen: Seen, at_ms: int, *, estimated: bool) -> None:
        if leg.accepted_ms is not None or leg.ended_ms is not None:
            return
        leg.accepted_ms, leg.accept_estimated = at_ms, estimated
        self._notice(seen)
        stay = self.waiting or self._unseen_stay(leg, seen)
        self._close(stay, at_ms, Ending.ACCEPTED)
        stay.reservation_sid, leg.stay = leg.sid, stay
        self.last_accept_ms = at_ms

    def _unseen_stay(self, leg: Leg, seen: Seen) -> Stay:
        """The visit that an acceptance ends although none is known to be open."""
        last = self.stays[-1] if self.stays else None
        if last is not None and last.ending is Ending.LEFT:
            return last  # its routing step had timed out; it was answered from there all the same
        queue_sid, queue_name = seen.queue_sid, seen.queue_name
        if queue_sid is None and last is not None:
            queue_sid, queue_name = last.queue_sid, last.queue_name
        at_ms = leg.accepted_ms or seen.at_ms
        if self.last_accept_ms is None:
            start_ms = self._birth_ms(seen)
        elif _later(seen.queue_entered_ms, self.last_accept_ms):
            start_ms = seen.queue_entered_ms or at_ms
        else:
            start_ms = leg.offered_ms or at_ms
        return self._open(queue_sid, queue_name, min(start_ms, at_ms), Opened.QUEUE, estimated=True)

    def _last_accepted_sid(self) -> str | None:
        accepted = [leg for leg in self.legs.values() if leg.accepted_ms is not None]
        return max(accepted, key=lambda leg: (leg.accepted_ms or 0, leg.sid)).sid if accepted else None

    def _wrapped_up(self, leg: Leg, seen: Seen) -> None:
        self._accept(leg, seen, leg.offered_ms or seen.at_ms, estimated=True)
        if leg.wrapup_ms is None:
            leg.wrapup_ms = seen.at_ms

    def _completed(self, leg: Leg, seen: Seen) -> None:
        self._accept(leg, seen, leg.offered_ms or seen.at_ms, estimated=True)
        self._refused(leg, seen)

    def _refused(self, leg: Leg, seen: Seen) -> None:
        if leg.ended_ms is None:
            leg.ended_ms = seen.at_ms

    def _found_gone(self, leg: Leg, seen: Seen) -> None:
        if leg.gone_ms is None:
            leg.gone_ms = seen.at_ms

    # -- transfers

    def _transfer_initiated(self, seen: Seen) -> None:
        if seen.initiator_sid is not None:
            # Who hands a task on has accepted it, whether we saw that or not.
            leg = self._leg(seen.initiator_sid, seen.initiator_worker_sid)
            self._accept(leg, seen, leg.offered_ms or seen.at_ms, estimated=True)
        stay = self.waiting
        if stay is not None and stay.initiated_ms == seen.at_ms:
            return  # told twice
        if stay is not None and stay.initiated_ms is not None:
            self._close(stay, seen.at_ms, Ending.DROPPED)
            stay = None
        if stay is None:
            queue_sid, queue_name = self._target(seen)
            stay = self._open(queue_sid, queue_name, seen.at_ms, Opened.TRANSFER)
        stay.transfer, stay.initiated_ms = True, seen.at_ms
        stay.initiator_sid = seen.initiator_sid or stay.initiator_sid

    def _target(self, seen: Seen) -> tuple[str | None, str | None]:
        """Where a transfer leads: the queue it names, else the task's queue at that moment."""
        if seen.target_queue_sid is not None and seen.target_queue_sid != seen.queue_sid:
            return seen.target_queue_sid, None
        if seen.queue_sid is None and self.stays:
            return self.stays[-1].queue_sid, self.stays[-1].queue_name
        return seen.queue_sid, seen.queue_name

    def _transfer_canceled(self, seen: Seen) -> None:
        stay = self.waiting
        if stay is not None and stay.transfer:
            self._close(stay, seen.at_ms, Ending.DROPPED)

    def _transfer_failed(self, seen: Seen) -> None:
        stay = self._unserved_transfer()
        if stay is not None:
            stay.failed = True
            self._close(stay, seen.at_ms, Ending.FAILED if self._initiator_has_left(stay) else Ending.DROPPED)

    def _unserved_transfer(self) -> Stay | None:
        """The transferred visit that nobody has accepted yet, also when its routing step has timed out."""
        last = self.stays[-1] if self.stays else None
        return last if last is not None and last.transfer and last.ending in (None, Ending.LEFT) else None

    def _initiator_has_left(self, stay: Stay) -> bool:
        leg = self.legs.get(stay.initiator_sid or "")
        if leg is not None and leg.accepted_ms is not None:
            return not leg.talks
        return not any(leg.talks for leg in self.legs.values())

    # -- the task's end

    def _task_canceled(self, seen: Seen) -> None:
        if self.last_accept_ms is None and (seen.queue_sid is not None or self.waiting is not None):
            self._notice(seen)
        last = self.stays[-1] if self.stays else None
        if last is None or (last.opened is Opened.TASK and last.end_ms is None):
            self.stays.clear()
            self.never_queued = seen
        elif last.end_ms is None or last.ending is Ending.LEFT:
            # A visit that was left without a next one lasts until the cancellation.
            self._close(last, seen.at_ms, Ending.CANCELED)
            last.reason, last.abandoned = seen.reason, seen.abandoned
        elif last.failed:
            last.ending = Ending.FAILED
        self.ended_ms = seen.at_ms

    def _task_completed(self, seen: Seen) -> None:
        transferred = self._unserved_transfer()
        if transferred is not None and self._initiator_has_left(transferred):
            self._close(transferred, seen.at_ms, Ending.FAILED)
        self._task_deleted(seen)

    def _task_deleted(self, seen: Seen) -> None:
        stay = self.waiting
        if stay is not None:
            self._close(stay, seen.at_ms, Ending.DROPPED)
        self.ended_ms = seen.at_ms

    # -- hold

    def _hold(self, seen: Seen) -> None:
        holding = bool(self.holds) and self.holds[-1][1] is None
        if seen.kind is Kind.HOLD_BEGUN and not holding:
            self.holds.append((seen.at_ms, None))
        elif seen.kind is Kind.HOLD_ENDED and holding:
            self.holds[-1] = (self.holds[-1][0], seen.at_ms)


_TASK_STEPS: dict[Kind, Callable[[TaskFold, Seen], None]] = {
    Kind.CREATED: TaskFold._created,
    Kind.ENTERED_QUEUE: TaskFold._entered,
    Kind.LEFT_QUEUE: TaskFold._left,
    Kind.TRANSFER_INITIATED: TaskFold._transfer_initiated,
    Kind.TRANSFER_CANCELED: TaskFold._transfer_canceled,
    Kind.TRANSFER_FAILED: TaskFold._transfer_failed,
    Kind.TASK_CANCELED: TaskFold._task_canceled,
    Kind.TASK_COMPLETED: TaskFold._task_completed,
    Kind.TASK_DELETED: TaskFold._task_deleted,
}
_LEG_STEPS: dict[Kind, Callable[[TaskFold, Leg, Seen], None]] = {
    Kind.OFFERED: TaskFold._offered,
    Kind.ACCEPTED: TaskFold._accepted,
    Kind.WRAPUP: TaskFold._wrapped_up,
    Kind.COMPLETED: TaskFold._completed,
    Kind.REFUSED: TaskFold._refused,
    Kind.FOUND_GONE: TaskFold._found_gone,
}


def _second(at_ms: int) -> int:
    return at_ms // 1000


def _later(entered_ms: int | None, than_ms: int) -> bool:
    """Does a time that is cut to its second lie in a later second."""
    return entered_ms is not None and _second(entered_ms) > _second(than_ms)

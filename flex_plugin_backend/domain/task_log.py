"""What the events of one task say about its way through queues and agents, as observations in one order."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from flex_plugin_backend.domain import events as ev
from flex_plugin_backend.domain.events import TaskRouterEvent

# The normal form of conference participant events, for installations that feed them in (Twilio reference 2.3).
# TaskRouter itself tells nothing of hold.
HOLD_BEGUN = "participant.hold"
HOLD_ENDED = "participant.unhold"


class Kind(IntEnum):
    """What was seen. The value is the life-cycle rank: the order among things seen at one instant."""

    CREATED = 0
    LEFT_QUEUE = 1
    TRANSFER_INITIATED = 2
    ENTERED_QUEUE = 3
    OFFERED = 4
    ACCEPTED = 5
    HOLD_BEGUN = 6
    HOLD_ENDED = 7
    WRAPUP = 8
    REFUSED = 9
    COMPLETED = 10
    TRANSFER_CANCELED = 11
    TRANSFER_FAILED = 12
    TASK_CANCELED = 13
    TASK_COMPLETED = 14
    TASK_DELETED = 15
    FOUND_GONE = 16


_KINDS = {
    "task.created": Kind.CREATED,
    "task-queue.entered": Kind.ENTERED_QUEUE,
    "task-queue.moved": Kind.LEFT_QUEUE,
    "task-queue.timeout": Kind.LEFT_QUEUE,
    "task.transfer-initiated": Kind.TRANSFER_INITIATED,
    "task.transfer-canceled": Kind.TRANSFER_CANCELED,
    "task.transfer-failed": Kind.TRANSFER_FAILED,
    "task.canceled": Kind.TASK_CANCELED,
    "task.completed": Kind.TASK_COMPLETED,
    "task.deleted": Kind.TASK_DELETED,
    "task.system-deleted": Kind.TASK_DELETED,
    HOLD_BEGUN: Kind.HOLD_BEGUN,
    HOLD_ENDED: Kind.HOLD_ENDED,
    "reservation.created": Kind.OFFERED,
    "reservation.accepted": Kind.ACCEPTED,
    "reservation.wrapup": Kind.WRAPUP,
    "reservation.completed": Kind.COMPLETED,
    "reservation.rejected": Kind.REFUSED,
    "reservation.timeout": Kind.REFUSED,
    "reservation.canceled": Kind.REFUSED,
    "reservation.rescinded": Kind.REFUSED,
    ev.SNAPSHOT_RESERVATION_GONE: Kind.FOUND_GONE,
}
_OF_A_RESERVATION = frozenset({Kind.OFFERED, Kind.ACCEPTED, Kind.WRAPUP, Kind.COMPLETED, Kind.REFUSED, Kind.FOUND_GONE})
_SNAPSHOT_KINDS = {"accepted": Kind.ACCEPTED, "wrapping": Kind.WRAPUP, "pending": Kind.OFFERED}


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Seen:
    """One observation. Sorts by time, task version, life-cycle rank, event sid.

    Attributes:
        approximate: the time is the one of a later look (REST's last update), not of the step itself.
        queue_sid, queue_name, queue_entered_ms: the task's queue at that moment and since when (whole seconds).
        task_created_ms: the task's birth in whole seconds, as every event of it may tell.
        initiator_sid, initiator_worker_sid: of a transfer: the reservation, and its worker, that handed the task on.
        target_queue_sid: of a transfer to a queue: that queue.
    """

    at_ms: int
    version: int
    kind: Kind
    event_sid: str
    approximate: bool = field(default=False, compare=False)
    reservation_sid: str | None = field(default=None, compare=False)
    worker_sid: str | None = field(default=None, compare=False)
    queue_sid: str | None = field(default=None, compare=False)
    queue_name: str | None = field(default=None, compare=False)
    queue_entered_ms: int | None = field(default=None, compare=False)
    task_created_ms: int | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False)
    abandoned: str | None = field(default=None, compare=False)
    initiator_sid: str | None = field(default=None, compare=False)
    initiator_worker_sid: str | None = field(default=None, compare=False)
    target_queue_sid: str | None = field(default=None, compare=False)

    @property
    def moment(self) -> tuple[int, int, Kind]:
        """What it sorts by before its sid."""
        return self.at_ms, self.version, self.kind

    @property
    def content(self) -> tuple[object, ...]:
        """What tells it from another observation of the same moment, whatever sid its route gave it."""
        return self.approximate, self.reservation_sid, self.queue_sid, self.initiator_sid, self.target_queue_sid


def observe(event: TaskRouterEvent) -> Seen | None:
    """The observation in an event of a task; `None` where it says nothing of queues and reservations."""
    if event.type == ev.SNAPSHOT_RESERVATION:
        kind = _SNAPSHOT_KINDS.get(event.reservation_status or "")
    else:
        kind = _KINDS.get(event.type)
    if kind is None or (kind in _OF_A_RESERVATION and event.reservation_sid is None):
        return None
    to_queue = (event.transfer_type or "").casefold() == "queue"
    return Seen(
        at_ms=event.occurred_ms,
        version=-1 if event.task_version is None else event.task_version,
        kind=kind,
        event_sid=event.sid,
        approximate=event.type == ev.SNAPSHOT_RESERVATION,
        reservation_sid=event.reservation_sid,
        worker_sid=event.worker_sid,
        queue_sid=event.task_queue_sid,
        queue_name=event.task_queue_name,
        queue_entered_ms=event.queue_entered_ms,
        task_created_ms=event.task_created_ms,
        reason=event.cancel_reason,
        abandoned=event.abandoned,
        initiator_sid=event.transfer_initiating_reservation_sid,
        initiator_worker_sid=event.transfer_initiating_worker_sid,
        target_queue_sid=event.transfer_to if to_queue else None,
    )

"""TaskRouterEvent: the one normal form of callbacks, stream events, REST events and snapshot findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Route(StrEnum):
    """The way an event came to us."""

    CALLBACK = "callback"
    STREAM = "stream"
    REST = "rest"
    SNAPSHOT = "snapshot"


# Pseudo-events that the start-up snapshot makes out of REST resources; everything else is Twilio's own type.
# Their sids are made from what they say and begin with FINDING.
FINDING = "SN"
SNAPSHOT_WORKER = "snapshot.worker"
SNAPSHOT_RESERVATION = "snapshot.reservation"
SNAPSHOT_RESERVATION_GONE = "snapshot.reservation-gone"
SNAPSHOT_WORKER_GONE = "snapshot.worker-gone"


# Everything that moves an agent's state, a queue visit or the catalogue of reason codes (Twilio reference 1.4). Left
# out: workflow steps, worker channels and attribute changes of tasks; they are most of the volume and move nothing.
EVENTS_FILTER = (
    "worker.created",
    "worker.deleted",
    "worker.activity.update",
    "worker.attributes.update",
    "reservation.created",
    "reservation.accepted",
    "reservation.rejected",
    "reservation.timeout",
    "reservation.canceled",
    "reservation.rescinded",
    "reservation.wrapup",
    "reservation.completed",
    "reservation.failed",
    "task.created",
    "task.canceled",
    "task.wrapup",
    "task.completed",
    "task.deleted",
    "task.system-deleted",
    "task.transfer-initiated",
    "task.transfer-attempt-failed",
    "task.transfer-failed",
    "task.transfer-canceled",
    "task.transfer-completed",
    "task-queue.entered",
    "task-queue.moved",
    "task-queue.timeout",
    "task-queue.created",
    "task-queue.deleted",
    "activity.created",
    "activity.updated",
    "activity.deleted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRouterEvent:
    """What one TaskRouter event says, cut to what the connector may keep.

    Every block is optional, because Twilio promises only a part of the keys (Twilio reference 1.3 and 13).
    Absent and empty are both `None`. Texts are as Twilio wrote them unless the attribute says otherwise.

    Attributes:
        sid: `EV...`, the identity of the event on every route.
        type: Twilio's event type in lower case, e.g. `reservation.accepted`, or one of the `snapshot.*` types.
        occurred_ms: `TimestampMs` (or `Timestamp` * 1000): when it happened, epoch milliseconds.
        route: how it came.
        worker_version, task_version, reservation_version: resource versions; they order events, they do not count them.
        activity_sid, activity_name: the worker's activity; on `activity.*` events the activity itself.
        activity_available: on `activity.*` events: may workers in it be given work.
        previous_activity_ms: time spent in the previous activity, milliseconds.
        agent_key: the value at the configured path of the worker's attributes; the only worker attribute kept.
        task_channel: the task channel's unique name.
        channel_type, communication_channel, direction: the task attributes `channelType`,
            `conversations.communication_channel` and `direction` (or `conversations.direction`), lower case.
        abandoned: the task attribute `conversations.abandoned` (`yes`, `no`, `follow-up`), lower case.
        reservation_status: on snapshot events: pending, accepted or wrapping.
    """

    sid: str
    type: str
    occurred_ms: int
    route: Route = Route.CALLBACK
    account_sid: str | None = None
    workspace_sid: str | None = None
    resource_sid: str | None = None
    worker_sid: str | None = None
    worker_name: str | None = None
    worker_version: int | None = None
    agent_key: str | None = None
    activity_sid: str | None = None
    activity_name: str | None = None
    activity_available: bool | None = None
    previous_activity_sid: str | None = None
    previous_activity_name: str | None = None
    previous_activity_ms: int | None = None
    task_sid: str | None = None
    task_version: int | None = None
    task_status: str | None = None
    task_queue_sid: str | None = None
    task_queue_name: str | None = None
    task_channel: str | None = None
    task_created_ms: int | None = None
    queue_entered_ms: int | None = None
    workflow_sid: str | None = None
    channel_type: str | None = None
    communication_channel: str | None = None
    direction: str | None = None
    abandoned: str | None = None
    cancel_reason: str | None = None
    completed_reason: str | None = None
    reservation_sid: str | None = None
    reservation_version: int | None = None
    reservation_status: str | None = None
    transfer_mode: str | None = None
    transfer_type: str | None = None
    transfer_to: str | None = None
    transfer_status: str | None = None
    transfer_initiating_reservation_sid: str | None = None
    transfer_initiating_worker_sid: str | None = None

    def to_record(self) -> dict[str, Any]:
        """The fields that hold something, for the ledger."""
        record: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if value is not None:
                record[name] = value
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> TaskRouterEvent:
        """The event back from `to_record`; fields that a newer program wrote are left out."""
        known = {name: value for name, value in record.items() if name in _NAME_SET}
        known["route"] = Route(known.get("route", Route.CALLBACK))
        return cls(**known)


_NAMES = tuple(field.name for field in fields(TaskRouterEvent))
_NAME_SET = frozenset(_NAMES)

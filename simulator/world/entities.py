"""The things on the floor: activities, queues, channels, workers, tasks and reservations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ReservationStatus(StrEnum):
    """The life of a reservation, in TaskRouter's words."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    WRAPPING = "wrapping"
    COMPLETED = "completed"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    CANCELED = "canceled"
    RESCINDED = "rescinded"


class TaskStatus(StrEnum):
    """The life of a task, in TaskRouter's words."""

    PENDING = "pending"
    RESERVED = "reserved"
    ASSIGNED = "assigned"
    WRAPPING = "wrapping"
    COMPLETED = "completed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Activity:
    """What a worker does; `available` decides whether TaskRouter offers work."""

    sid: str
    name: str
    available: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class TaskChannel:
    """TaskRouter's channel, e.g. `voice` or `chat`."""

    sid: str
    unique_name: str
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Workflow:
    """The rules by which a task finds its queue."""

    sid: str
    name: str
    created_ms: int


@dataclass(slots=True, eq=False)
class TaskQueue:
    """A queue; `waiting` holds the tasks that nobody has been offered, `idle` its workers who have nothing to do."""

    sid: str
    name: str
    expression: str
    medium: str
    created_ms: int
    workers: list[Worker] = field(default_factory=list)
    waiting: dict[str, Task] = field(default_factory=dict)
    idle: dict[int, Worker] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class WorkerChannel:
    """How many tasks of one channel a worker takes at once."""

    sid: str
    channel: TaskChannel
    capacity: int
    available: bool
    created_ms: int
    updated_ms: int


@dataclass(slots=True, eq=False)
class Worker:
    """An agent as TaskRouter sees one.

    `held` is set while TaskRouter itself is about to change the activity: no work is offered then.
    `open` are the reservations that are pending, accepted or wrapping, oldest first; `load` counts them by channel.
    `last_event_ms` keeps events of one worker at least a millisecond apart.
    """

    index: int
    sid: str
    name: str
    full_name: str
    attributes: str
    activity: Activity
    activity_since_ms: int
    created_ms: int
    updated_ms: int
    last_event_ms: int
    version: int = 0
    queues: list[TaskQueue] = field(default_factory=list)
    channels: dict[str, WorkerChannel] = field(default_factory=dict)
    open: dict[str, Reservation] = field(default_factory=dict)
    history: list[Reservation] = field(default_factory=list)
    load: dict[str, int] = field(default_factory=dict)
    idle_since_ms: int = 0
    held: bool = False
    block: Mapping[str, str] | None = None

    def open_on(self, channel: str) -> int:
        """The number of open reservations on this task channel."""
        return self.load.get(channel, 0)

    def has_room(self, channel: str) -> bool:
        """Whether TaskRouter may offer another task of this channel now."""
        if self.held or not self.activity.available:
            return False
        own = self.channels[channel]
        return own.available and self.load.get(channel, 0) < own.capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPlan:
    """What the customer and the agent will do, drawn when the contact arrives."""

    talk_ms: int
    wrap_ms: int
    patience_ms: int
    hangs_up_after_ring_ms: int | None = None
    transfer: str = ""  # "", "queue" (cold) or "worker" (warm)
    transfer_after_ms: int = 0
    second_talk_ms: int = 0
    skips_wrap_up: bool = False


@dataclass(slots=True, eq=False)
class Transfer:
    """One attempt to hand a task on; `mode` is WARM or COLD, `kind` WORKER or QUEUE."""

    sid: str
    mode: str
    kind: str
    to: str
    initiator: Reservation
    started_ms: int
    status: str = "INITIATED"


@dataclass(slots=True, eq=False)
class Task:
    """A contact, or one side of an internal call."""

    sid: str
    channel: TaskChannel
    medium: str
    direction: str
    queue: TaskQueue
    workflow: Workflow
    attributes: dict[str, object]
    attributes_json: str
    plan: ContactPlan
    created_ms: int
    updated_ms: int
    queue_entered_ms: int
    status: TaskStatus = TaskStatus.PENDING
    version: int = 0
    priority: int = 0
    timeout_s: int = 86400
    reason: str = ""
    routing_target: str = ""
    terminal_ms: int | None = None
    transfer: Transfer | None = None
    reservations: list[Reservation] = field(default_factory=list)
    shunned: str = ""
    shunned_until_ms: int = 0
    partner: Task | None = None
    base: Mapping[str, str] | None = None
    block: Mapping[str, str] | None = None

    @property
    def ended(self) -> bool:
        """Completed or canceled."""
        return self.terminal_ms is not None

    def open_reservations(self) -> list[Reservation]:
        """Those that are pending, accepted or wrapping."""
        return [reservation for reservation in self.reservations if reservation.is_open]


@dataclass(slots=True, eq=False)
class Reservation:
    """An offer of a task to a worker and what became of it."""

    sid: str
    worker: Worker
    task: Task
    created_ms: int
    updated_ms: int
    status: ReservationStatus = ReservationStatus.PENDING
    version: int = 0
    accepted_ms: int | None = None
    transfer: Transfer | None = None

    @property
    def is_open(self) -> bool:
        """Pending, accepted or wrapping."""
        return self.status in _OPEN


_OPEN = frozenset({ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING})

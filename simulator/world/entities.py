"""The things on the floor: activities, queues, channels, workers, tasks and reservations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


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


@dataclass(slots=True, eq=False)
class Activity:
    """What a worker does; `available` decides whether TaskRouter offers work.

    `pseudo` marks those of the activity-handler plug-in, which say nothing of their own (Twilio reference 4.1).
    """

    sid: str
    name: str
    available: bool
    created_ms: int
    updated_ms: int = 0
    pseudo: bool = False


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
    """A queue of one medium; TaskRouter's rules for it come from its part of the scenario.

    Attributes:
        channels: the task channels on which its tasks arrive.
        offers: to how many workers a task is offered at once.
        overflow_to: where a task moves that has waited for `overflow_after_ms`; `moves_openly` if that is told as
            `task-queue.moved`, else as `task-queue.timeout`.
        timeout_ms: after so long in this queue the workflow cancels the task; 0: never.
        waiting: the tasks that may be offered to somebody, oldest first.
        ready: its workers that could take a task now, by the number of their open reservations; those who have been
            so for longest come first.
    """

    sid: str
    name: str
    expression: str
    medium: str
    created_ms: int
    skill: str = ""
    channels: tuple[str, ...] = ()
    priority: int = 0
    offers: int = 1
    overflow_to: TaskQueue | None = None
    overflow_after_ms: int = 0
    moves_openly: bool = False
    timeout_ms: int = 0
    workers: list[Worker] = field(default_factory=list)
    waiting: dict[str, Task] = field(default_factory=dict)
    ready: list[dict[int, Worker]] = field(default_factory=list)


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

    Attributes:
        resting: the activity that counts when no contact is open: the last one that is no pseudo-activity.
        shown: the pseudo-activity that a newcomer was shown and that counts for him instead, until there is a real one.
        held: TaskRouter itself is about to change the activity: no work is offered.
        connected: the browser is open; TaskRouter knows nothing of that.
        open: the reservations that are pending, accepted or wrapping, oldest first; `load` counts them by channel.
        places: in which part of its queues' `ready` it stands, queue by queue; -1 for none.
        last_event_ms: keeps events of one worker at least a millisecond apart.
        seen_ms: the newest time that an event about it states, those of capacity left out.
        deleted_ms: when it was deleted.
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
    resting: Activity
    shown: Activity | None = None
    seen_ms: int = 0
    site: str = ""
    team: str = ""
    version: int = 0
    queues: list[TaskQueue] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    channels: dict[str, WorkerChannel] = field(default_factory=dict)
    open: dict[str, Reservation] = field(default_factory=dict)
    history: list[Reservation] = field(default_factory=list)
    load: dict[str, int] = field(default_factory=dict)
    held: bool = False
    connected: bool = True
    deleted_ms: int | None = None
    block: Mapping[str, str] | None = None

    def is_known_at(self, ms: int) -> bool:
        """Whether TaskRouter still knew the worker then, by when the deletion was told and not by its stamp."""
        return self.deleted_ms is None or self.last_event_ms > ms

    def open_on(self, channel: str) -> int:
        """The number of open reservations on this task channel."""
        return self.load.get(channel, 0)

    def has_room(self, channel: str) -> bool:
        """Whether TaskRouter may offer another task of this channel now."""
        if self.held or not self.activity.available or self.deleted_ms is not None:
            return False
        own = self.channels[channel]
        return own.available and self.load.get(channel, 0) < own.capacity


class ContactPlan(NamedTuple):
    """What the customer and the agent will do, drawn when the contact arrives; all lengths in milliseconds.

    Attributes:
        patience_ms: after so long without an answer the customer gives up.
        gives_up: how: `hangup`, `callback` (asks for one) or `voicemail`.
        again_ms: so much later the customer calls again, or is called back; None: never.
        transfer: `queue`, `worker` or nothing; `warm`: the first agent stays until somebody answers.
        recalled_ms: so long after the transfer began the first agent takes the contact back; None: not.
        holds: pairs of when a hold begins, counted from the acceptance, and how long it lasts.
        never_ends: nobody closes the contact.
    """

    talk_ms: int
    wrap_ms: int
    patience_ms: int
    gives_up: str = "hangup"
    again_ms: int | None = None
    hangs_up_after_ring_ms: int | None = None
    transfer: str = ""
    warm: bool = False
    transfer_after_ms: int = 0
    recalled_ms: int | None = None
    second_talk_ms: int = 0
    overlap_ms: int = 0
    holds: tuple[tuple[int, int], ...] = ()
    skips_wrap_up: bool = False
    never_ends: bool = False


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
    """A contact, or one side of an internal call.

    Attributes:
        medium: what the reports call its channel.
        attributes_json: as Flex writes them; whoever changes them clears `base`.
        customer: number of the customer, -1 for none.
        conference_sid: of the conference in which they talk; empty before it begins.
        shunned: the worker who refused it last, to whom it is not offered again before `shunned_until_ms`.
        base: what events say of it besides status and version, kept until it changes.
    """

    sid: str
    channel: TaskChannel
    medium: str
    direction: str
    queue: TaskQueue
    workflow: Workflow
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
    customer: int = -1
    conference_sid: str = ""
    terminal_ms: int | None = None
    transfer: Transfer | None = None
    reservations: list[Reservation] = field(default_factory=list)
    shunned: str = ""
    shunned_until_ms: int = 0
    partner: Task | None = None
    base: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        """Completed or canceled."""
        return self.terminal_ms is not None

    @property
    def answered(self) -> bool:
        """Somebody has accepted it."""
        for one in self.reservations:  # noqa: SIM110  asked for every task, and twice as fast as `any`
            if one.accepted_ms is not None:
                return True
        return False

    @property
    def waits(self) -> bool:
        """Nobody has accepted it yet, and it is not over."""
        return self.terminal_ms is None and not self.answered

    def open_reservations(self) -> list[Reservation]:
        """Those that are pending, accepted or wrapping."""
        return [reservation for reservation in self.reservations if reservation.is_open]

    def pending(self) -> list[Reservation]:
        """Those that ring."""
        return [one for one in self.reservations if one.status is ReservationStatus.PENDING]


@dataclass(slots=True, eq=False)
class Reservation:
    """An offer of a task to a worker and what became of it.

    Attributes:
        capped: its wrap-up has lasted longer than any counts.
        by_hand: it was accepted from outside, so nobody on the floor ends it.
    """

    sid: str
    worker: Worker
    task: Task
    created_ms: int
    updated_ms: int
    status: ReservationStatus = ReservationStatus.PENDING
    version: int = 0
    accepted_ms: int | None = None
    transfer: Transfer | None = None
    capped: bool = False
    by_hand: bool = False

    @property
    def is_open(self) -> bool:
        """Pending, accepted or wrapping."""
        status = self.status
        return status is _PENDING or status is _ACCEPTED or status is _WRAPPING


_PENDING, _ACCEPTED, _WRAPPING = ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING

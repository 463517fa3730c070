"""What can be done to tasks and reservations from outside."""

from __future__ import annotations

from simulator.world.entities import (
    ContactPlan,
    Reservation,
    ReservationStatus,
    Task,
    TaskChannel,
    TaskQueue,
    TaskStatus,
    Worker,
)
from simulator.world.floor import NO_QUEUE, open_everyone
from simulator.world.hands.parts import Parts, Refused
from simulator.world.hands.words import checked_json, direction_of, medium_of, queue_name_of
from simulator.world.transitions import note_readiness

_PENDING, _ACCEPTED, _WRAPPING = ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING
_BEFORE_TAKEN, _TAKEN = (TaskStatus.PENDING, TaskStatus.RESERVED), (TaskStatus.ASSIGNED, TaskStatus.WRAPPING)
_TALK_MS, _WRAP_MS = 180_000, 30_000  # of a contact whose medium the scenario does not know
_AFTER_TRANSFER_MS = 10  # so that the end of a transfer is told before the end of its task


class ContactHands:
    """Changes tasks and reservations at the present instant.

    What is accepted by hand is ended by hand; what a simulated agent has accepted ends as that agent's contacts do.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._draws = parts.streams.of("hands", "contacts")

    # -- tasks

    def create(
        self,
        attributes_json: str,
        channel: TaskChannel,
        *,
        queue: TaskQueue | None = None,
        worker: Worker | None = None,
        priority: int | None = None,
        timeout_s: int = 86_400,
    ) -> Task:
        """Let a task come in: into a queue, or to one worker (then the queue may be missing).

        Without both the workflow decides: by the attribute `queue`, else the queue of everybody. Nobody who came in
        like that hangs up; after `timeout_s` without an answer TaskRouter cancels the task.
        """
        attributes_json = checked_json(attributes_json)
        parts, floor, now_ms = self._parts, self._parts.floor, self._parts.agenda.now_ms
        if queue is None:
            queue = NO_QUEUE if worker is not None else self._by_workflow(attributes_json)
        medium = medium_of(attributes_json, channel.unique_name)
        task = Task(
            sid=parts.sids.new("WT"),
            channel=channel,
            medium=medium,
            direction=direction_of(attributes_json),
            queue=queue,
            workflow=floor.workflow,
            attributes_json=attributes_json,
            plan=self._plan(queue, medium, timeout_s),
            created_ms=now_ms,
            updated_ms=now_ms,
            queue_entered_ms=now_ms,
            priority=queue.priority if priority is None else priority,
            timeout_s=timeout_s,
            routing_target="" if worker is None else worker.sid,
        )
        if worker is not None:
            parts.contacts.customer_calls(task, worker)
            return task
        if queue is floor.everyone and not queue.channels:
            open_everyone(floor)
            for one in floor.present():
                note_readiness(one)
        parts.contacts.customer_arrives(task)
        parts.router.reorder(queue)
        return task

    def _by_workflow(self, attributes_json: str) -> TaskQueue:
        name = queue_name_of(attributes_json)
        return next((queue for queue in self._parts.floor.queues if queue.name == name), self._parts.floor.everyone)

    def _plan(self, queue: TaskQueue, medium: str, timeout_s: int) -> ContactPlan:
        queues = self._parts.floor.queues
        like = next((one for one in (queue, *queues) if one in queues and one.medium == medium), None)
        plan = ContactPlan(_TALK_MS, _WRAP_MS, 0) if like is None else self._parts.planner.inbound(like, self._draws)
        return plan._replace(
            patience_ms=timeout_s * 1000,
            gives_up="timeout",
            again_ms=None,
            hangs_up_after_ring_ms=None,
            transfer="",
            holds=(),
            never_ends=False,
        )

    def write(self, task: Task, attributes_json: str | None = None, priority: int | None = None) -> None:
        """Write all attributes, the priority, or both."""
        after = task.attributes_json if attributes_json is None else self.checked(task, attributes_json)
        priority = task.priority if priority is None else priority
        self._parts.transitions.rewrite_task(task, after, priority, self._parts.agenda.now_ms)
        self._parts.router.reorder(task.queue)

    @staticmethod
    def checked(task: Task, attributes_json: str) -> str:
        """Attributes that the task can have; channel and direction are the task's for good (assumed)."""
        after = checked_json(attributes_json)
        for word, was, becomes in (
            ("channel", task.medium, medium_of(after, task.channel.unique_name)),
            ("direction", task.direction, direction_of(after)),
        ):
            if was != becomes:
                raise Refused(f"Attributes would change the task's {word} from {was} to {becomes}; create another task")
        return after

    def cancel(self, task: Task, reason: str = "") -> None:
        """End a task that nobody has taken."""
        if task.status not in _BEFORE_TAKEN:
            raise Refused(f"Cannot cancel task {task.sid} because it is not pending or reserved")
        if task.partner is not None:
            self._parts.contacts.hang_up_internal(task)
        else:
            self._parts.contacts.cancel(task, reason)

    def wrap_task(self, task: Task) -> None:
        """Let everybody who talks go into wrap-up."""
        talking = [one for one in task.reservations if one.status is _ACCEPTED]
        if task.status is not TaskStatus.ASSIGNED or not talking:
            raise Refused(f"Cannot wrap up a task {task.sid} because it is not currently assigned")
        for reservation in talking:
            self.wrap(reservation)

    def complete_task(self, task: Task, reason: str = "") -> None:
        """End a task that somebody has taken, with all its reservations; a transfer that is under way is called off."""
        if task.status not in _TAKEN:
            raise Refused(f"Cannot complete task {task.sid} because it is not currently assigned or wrapping")
        at_ms = self._parts.agenda.now_ms
        if task.transfer is not None:
            self._parts.handover.call_off(task)
            at_ms += _AFTER_TRANSFER_MS
        taken = [one for one in task.reservations if one.status in (_ACCEPTED, _WRAPPING)]
        for reservation in taken:
            self._complete(reservation, at_ms, reason)
        if not taken:
            self._parts.transitions.complete_task(task, at_ms, reason)

    def delete_task(self, task: Task) -> None:
        """Take a task away, whatever it is at; its reservations end without an event of their own."""
        workers = [one.worker for one in task.open_reservations()]
        self._parts.transitions.delete_task(task, self._parts.agenda.now_ms, by_request=True)
        self._hang_up_partner(task)
        for worker in workers:
            self._parts.contacts.set_free(worker)

    # -- reservations

    def accept(self, reservation: Reservation) -> None:
        """The worker takes the task."""
        self._check("accept", reservation, _PENDING)
        self._parts.contacts.accepted(reservation, by_hand=True)

    def reject(self, reservation: Reservation) -> None:
        """The worker refuses; a call that rings at the customer is given up."""
        self._check("reject", reservation, _PENDING)
        contacts = self._parts.contacts
        self._parts.transitions.reject(reservation, self._parts.agenda.now_ms)
        if reservation.task.direction == "outbound" and reservation.task.routing_target:
            contacts.cancel(reservation.task, "no-answer")
        else:
            contacts.refused(reservation)
        contacts.set_free(reservation.worker)

    def wrap(self, reservation: Reservation) -> None:
        """The conversation is over; a simulated agent who held it also finishes the paperwork."""
        self._check("wrap up", reservation, _ACCEPTED)
        self._parts.transitions.unhold_customer(reservation, self._parts.agenda.now_ms)
        self._parts.contacts.wrapped_by_hand(reservation)
        self._hang_up_partner(reservation.task)

    def complete(self, reservation: Reservation) -> None:
        """The worker is done."""
        self._check("complete", reservation, _ACCEPTED, _WRAPPING)
        self._complete(reservation, self._parts.agenda.now_ms, "")

    def _complete(self, reservation: Reservation, at_ms: int, reason: str) -> None:
        self._parts.transitions.unhold_customer(reservation, at_ms)
        self._parts.transitions.complete(reservation, at_ms, reason)
        self._hang_up_partner(reservation.task)
        self._parts.contacts.set_free(reservation.worker)

    def _hang_up_partner(self, task: Task) -> None:
        if task.partner is not None:
            self._parts.contacts.hang_up_internal(task.partner)

    @staticmethod
    def _check(step: str, reservation: Reservation, *statuses: ReservationStatus) -> None:
        if reservation.status not in statuses:
            allowed = " or ".join(status.value for status in statuses)
            raise Refused(
                f"Cannot {step} reservation {reservation.sid} because it is {reservation.status.value}, not {allowed}"
            )

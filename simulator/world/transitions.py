"""TaskRouter's rules: each function changes the model, logs the events of the change and tells the truth about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from simulator.world.blocks import as_json, task_block, transfer_block, worker_block
from simulator.world.entities import (
    Activity,
    Reservation,
    ReservationStatus,
    Task,
    TaskQueue,
    TaskStatus,
    Transfer,
    Worker,
)
from simulator.world.events import Event, EventLog
from simulator.world.floor import Floor
from simulator.world.sids import SidFactory, Streams
from simulator.world.truth import Truth

_NONE: Mapping[str, str] = {}
KEEPS_ENDED_TASKS_MS = 300_000  # Twilio reference 3.1: terminal tasks are deleted after 5 minutes


class Transitions:
    """Changes workers, tasks and reservations, one documented step at a time.

    `at_ms` is when a step happens; a step of a worker is moved on so that two of them never share a millisecond.
    """

    def __init__(self, floor: Floor, sids: SidFactory, streams: Streams, log: EventLog, truth: Truth) -> None:
        self._floor = floor
        self._sids = sids
        self._gaps = streams.of("gaps")
        self._log = log
        self._truth = truth
        self.ledger = truth.ledger
        self._ended: deque[Task] = deque()
        self.tasks: dict[str, Task] = {}

    def gap_ms(self, low: int = 0, high: int = 8) -> int:
        """The few milliseconds that lie between events of one instant (Twilio reference 1.4, 13 row 5)."""
        return self._gaps.randint(low, high)

    # -- workers

    def set_activity(self, worker: Worker, activity: Activity, at_ms: int) -> int:
        """Move a worker to another activity; gives the time of the event."""
        previous, since_ms = worker.activity, worker.activity_since_ms
        ms = _stamp(worker, at_ms)
        worker.activity, worker.activity_since_ms = activity, ms
        worker.version += 1
        worker.updated_ms = ms
        worker.block = None
        if activity.available:
            worker.idle_since_ms = ms
        note_idleness(worker)
        event = self._log_worker(
            "worker.activity.update",
            worker,
            ms,
            {
                "worker_previous_activity_name": previous.name,
                "worker_previous_activity_sid": previous.sid,
                "worker_time_in_previous_activity": str((ms - since_ms) // 1000),
                "worker_time_in_previous_activity_ms": str(ms - since_ms),
            },
        )
        self._truth.observe(worker, ms, event.sid)
        self.ledger.activity(worker, ms)
        return ms

    def update_attributes(self, worker: Worker, attributes: dict[str, object], at_ms: int) -> None:
        """Write a worker's attributes; the description repeats them, as Twilio's does (reference 13 row 11)."""
        ms = _stamp(worker, at_ms)
        worker.attributes = as_json(attributes)
        worker.version += 1
        worker.updated_ms = ms
        worker.block = None
        self._log_worker("worker.attributes.update", worker, ms, _NONE)

    def update_capacity(self, worker: Worker, channel: str, capacity: int, at_ms: int) -> None:
        """Change how many tasks of a channel a worker takes at once."""
        ms = _stamp(worker, at_ms)
        own = worker.channels[channel]
        previous, own.capacity, own.updated_ms = own.capacity, capacity, ms
        worker.version += 1
        worker.block = None
        used = worker.open_on(channel)
        self._log_worker(
            "worker.capacity.update",
            worker,
            ms,
            {
                "worker_channel_available": str(own.available).lower(),
                "worker_channel_available_capacity": str(max(0, capacity - used) * 100 // capacity if capacity else 0),
                "worker_channel_previous_capacity": str(previous),
                "worker_channel_capacity": str(capacity),
                "worker_channel_task_count": str(used),
                "task_channel_sid": own.channel.sid,
                "task_channel_unique_name": channel,
            },
        )

    def hold(self, worker: Worker, held: bool) -> None:
        """Offer no work while TaskRouter itself is about to move the worker, or do so again."""
        worker.held = held
        note_idleness(worker)

    # -- tasks

    def create_task(self, task: Task) -> None:
        """Let a task enter its workflow and queue; the four events of its birth fall within ten milliseconds."""
        ms = task.created_ms
        self._forget_ended(ms)
        self.tasks[task.sid] = task
        task.queue_entered_ms = ms + self.gap_ms()
        task.block = None
        births: tuple[tuple[str, int, Mapping[str, str]], ...] = (
            ("task.created", ms, _NONE),
            ("workflow.entered", ms + self.gap_ms(), _NONE),
            ("task-queue.entered", task.queue_entered_ms, _NONE),
            ("workflow.target-matched", ms + self.gap_ms(), {"workflow_filter_name": task.queue.name}),
        )
        for kind, event_ms, extra in births:
            self._log_task(kind, task, event_ms, extra)
        self.ledger.entered(task, task.queue_entered_ms)

    def _forget_ended(self, now_ms: int) -> None:
        while self._ended and (self._ended[0].terminal_ms or 0) < now_ms - KEEPS_ENDED_TASKS_MS:
            self.tasks.pop(self._ended.popleft().sid, None)

    def update_task(self, task: Task, attributes: Mapping[str, object], at_ms: int) -> None:
        """Write task attributes."""
        task.attributes.update(attributes)
        task.attributes_json = as_json(task.attributes)
        task.base = None
        _touch(task, at_ms)
        self._log_task("task.updated", task, at_ms, _NONE)

    def cancel_task(self, task: Task, reason: str, at_ms: int) -> None:
        """End a task that nobody has taken; its pending reservations end with it, in any order of the instant."""
        task.queue.waiting.pop(task.sid, None)
        task.status = TaskStatus.CANCELED
        task.reason = reason
        task.terminal_ms = at_ms
        self._ended.append(task)
        _touch(task, at_ms)
        canceled_ms = at_ms + self.gap_ms(0, 3)
        self._log_task("task.canceled", task, canceled_ms, {"task_canceled_reason": reason, "reason": reason})
        self.ledger.canceled(task, canceled_ms)
        for reservation in task.open_reservations():
            if reservation.status is ReservationStatus.PENDING:
                self._end_pending(reservation, ReservationStatus.CANCELED, at_ms + self.gap_ms(0, 3))

    def _finish_task(self, task: Task, at_ms: int, reason: str) -> None:
        task.status = TaskStatus.COMPLETED
        task.reason = reason
        task.terminal_ms = at_ms
        self._ended.append(task)
        _touch(task, at_ms)
        extra = {"task_completed_reason": reason, "reason": reason} if reason else _NONE
        self._log_task("task.completed", task, at_ms, extra)
        self.ledger.completed(task, at_ms)

    def move_to_queue(self, task: Task, queue: TaskQueue, at_ms: int) -> None:
        """Put a task into another queue, as a transfer does."""
        task.queue = queue
        task.queue_entered_ms = at_ms
        task.base = None
        _touch(task, at_ms)
        self._log_task("task-queue.entered", task, at_ms, _NONE)
        self.ledger.entered(task, at_ms)

    # -- reservations

    def offer(self, task: Task, worker: Worker, at_ms: int, transfer: Transfer | None = None) -> Reservation:
        """Offer a task to a worker: the reservation is pending."""
        ms = _stamp(worker, at_ms)
        reservation = Reservation(self._sids.new("WR"), worker, task, ms, ms, transfer=transfer)
        task.queue.waiting.pop(task.sid, None)
        task.reservations.append(reservation)
        worker.open[reservation.sid] = reservation
        worker.load[task.channel.unique_name] = worker.load.get(task.channel.unique_name, 0) + 1
        note_idleness(worker)
        worker.history.append(reservation)
        if task.status is TaskStatus.PENDING:
            task.status = TaskStatus.RESERVED
        _touch(task, ms)
        event = self._log_reservation("reservation.created", reservation, ms)
        self._truth.observe(worker, ms, event.sid)
        self.ledger.reservation(reservation, ms)
        return reservation

    def accept(self, reservation: Reservation, at_ms: int) -> int:
        """The worker takes the task."""
        reservation.task.status = TaskStatus.ASSIGNED
        return self._step(reservation, ReservationStatus.ACCEPTED, "reservation.accepted", at_ms)

    def reject(self, reservation: Reservation, at_ms: int) -> int:
        """The worker refuses."""
        return self._end_pending(reservation, ReservationStatus.REJECTED, at_ms)

    def time_out(self, reservation: Reservation, at_ms: int) -> int:
        """The worker did nothing in time."""
        return self._end_pending(reservation, ReservationStatus.TIMEOUT, at_ms)

    def cancel(self, reservation: Reservation, at_ms: int) -> int:
        """The offer is withdrawn."""
        return self._end_pending(reservation, ReservationStatus.CANCELED, at_ms)

    def wrap(self, reservation: Reservation, at_ms: int) -> int:
        """The contact is over for this worker; the paperwork begins."""
        ms = self._step(reservation, ReservationStatus.WRAPPING, "reservation.wrapup", at_ms)
        task = reservation.task
        if task.transfer is None and not _somebody_talks(task):
            task.status = TaskStatus.WRAPPING
            _touch(task, ms)
            self._log_task("task.wrapup", task, at_ms + self.gap_ms(0, 4), _NONE)
        return ms

    def complete(self, reservation: Reservation, at_ms: int, reason: str = "") -> int:
        """The worker is done; with the last of its reservations the task is completed."""
        worker, task = reservation.worker, reservation.task
        last = task.transfer is None and task.open_reservations() == [reservation]
        if last:
            self._finish_task(task, at_ms + self.gap_ms(0, 3), reason)
        ms = self._step(reservation, ReservationStatus.COMPLETED, "reservation.completed", at_ms + self.gap_ms(0, 3))
        worker.idle_since_ms = ms
        if last:
            # Seen live: an update may follow the terminal event.
            self.update_task(task, {"outcome": "done"}, ms + self.gap_ms(0, 5))
        return ms

    def finish_abandoned_transfer(self, task: Task, at_ms: int) -> None:
        """End a task whose caller left while nobody held it."""
        if not task.ended and not task.open_reservations():
            self._finish_task(task, at_ms, "customer left during transfer")

    def _end_pending(self, reservation: Reservation, status: ReservationStatus, at_ms: int) -> int:
        task = reservation.task
        if task.status is TaskStatus.RESERVED:
            task.status = TaskStatus.PENDING
        return self._step(reservation, status, f"reservation.{status.value}", at_ms)

    def _step(self, reservation: Reservation, status: ReservationStatus, kind: str, at_ms: int) -> int:
        worker = reservation.worker
        ms = _stamp(worker, at_ms)
        reservation.status = status
        reservation.version += 1
        reservation.updated_ms = ms
        if status is ReservationStatus.ACCEPTED:
            reservation.accepted_ms = ms
        if not reservation.is_open:
            worker.open.pop(reservation.sid)
            worker.load[reservation.task.channel.unique_name] -= 1
            note_idleness(worker)
        _touch(reservation.task, ms)
        event = self._log_reservation(kind, reservation, ms)
        self._truth.observe(worker, ms, event.sid)
        self.ledger.reservation(reservation, ms)
        return ms

    # -- transfers

    def begin_transfer(self, initiator: Reservation, mode: str, kind: str, to: str, at_ms: int) -> Transfer:
        """The worker hands the task on; from now on the task does not end with this reservation."""
        transfer = Transfer(self._sids.new("TT"), mode, kind, to, initiator, at_ms)
        initiator.task.transfer = transfer
        self._log_transfer("task.transfer-initiated", initiator.task, transfer, at_ms)
        self.ledger.transfer_begun(initiator.task, at_ms)
        return transfer

    def fail_attempt(self, task: Task, transfer: Transfer, at_ms: int) -> None:
        """The target refused; the transfer itself is not over by that."""
        self._log_transfer("task.transfer-attempt-failed", task, transfer, at_ms)

    def end_transfer(self, task: Task, status: str, at_ms: int, failed_reason: str = "") -> None:
        """COMPLETED, FAILED or CANCELED."""
        transfer = task.transfer
        if transfer is None:
            return
        transfer.status = status
        task.transfer = None
        self._log_transfer(f"task.transfer-{status.lower()}", task, transfer, at_ms, failed_reason)
        self.ledger.transfer_ended(task, transfer, at_ms)

    # -- log

    def _log_worker(self, kind: str, worker: Worker, ms: int, extra: Mapping[str, str]) -> Event:
        block = worker_block(worker, self._floor.operating_unit_sid)
        if kind == "worker.capacity.update":
            # These raise the version without carrying it (reference 1.7).
            block = {key: value for key, value in block.items() if key != "worker_version"}
        return self._put(kind, ms, "worker", worker.sid, worker_sid=worker.sid, worker=block, extra=extra)

    def _log_task(
        self, kind: str, task: Task, ms: int, extra: Mapping[str, str], transfer: Transfer | None = None
    ) -> None:
        resource_type, sid = ("task", task.sid) if transfer is None else ("transfer", transfer.sid)
        self._put(kind, ms, resource_type, sid, task_sid=task.sid, task=self._task_block(task), extra=extra)

    def _log_transfer(self, kind: str, task: Task, transfer: Transfer, ms: int, failed_reason: str = "") -> None:
        extra = transfer_block(transfer)
        if failed_reason:
            extra["transfer_failed_reason"] = failed_reason
        self._log_task(kind, task, ms, extra, transfer)

    def _log_reservation(self, kind: str, reservation: Reservation, ms: int) -> Event:
        task, worker = reservation.task, reservation.worker
        channel = task.channel.unique_name
        extra = {
            "reservation_version": str(reservation.version),
            "worker_channel_capacity": str(worker.channels[channel].capacity),
            "worker_channel_consumed_capacity": str(worker.open_on(channel)),
        }
        if reservation.transfer is not None:
            extra.update(transfer_block(reservation.transfer))
        return self._put(
            kind,
            ms,
            "reservation",
            reservation.sid,
            worker_sid=worker.sid,
            task_sid=task.sid,
            worker=worker_block(worker, self._floor.operating_unit_sid),
            task=self._task_block(task),
            extra=extra,
        )

    def _task_block(self, task: Task) -> Mapping[str, str]:
        return task_block(task, self._floor.operating_unit_sid)

    def _put(
        self,
        kind: str,
        ms: int,
        resource_type: str,
        resource_sid: str,
        *,
        worker_sid: str = "",
        task_sid: str = "",
        worker: Mapping[str, str] = _NONE,
        task: Mapping[str, str] = _NONE,
        extra: Mapping[str, str] = _NONE,
    ) -> Event:
        return self._log.stage(
            Event(
                seq=self._log.next_number(),
                sid=self._sids.new("EV"),
                type=kind,
                ms=ms,
                resource_type=resource_type,
                resource_sid=resource_sid,
                worker_sid=worker_sid,
                task_sid=task_sid,
                worker=worker,
                task=task,
                extra=extra,
            )
        )


def note_idleness(worker: Worker) -> None:
    """Keep the queues' lists of idle workers in step with one worker."""
    if not worker.open and worker.activity.available and not worker.held:
        for queue in worker.queues:
            queue.idle[worker.index] = worker
    else:
        for queue in worker.queues:
            queue.idle.pop(worker.index, None)


def _stamp(worker: Worker, at_ms: int) -> int:
    worker.last_event_ms = max(at_ms, worker.last_event_ms + 1)
    return worker.last_event_ms


def _touch(task: Task, ms: int) -> None:
    task.version += 1
    task.updated_ms = ms
    task.block = None


def _somebody_talks(task: Task) -> bool:
    return any(one.status is ReservationStatus.ACCEPTED for one in task.reservations)

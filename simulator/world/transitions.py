"""TaskRouter's rules: each step changes the model, logs the events of the change and tells the truth about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from simulator.world.entities import Reservation, ReservationStatus, Task, TaskStatus, Transfer, Worker
from simulator.world.events import Event, EventLog
from simulator.world.floor import Floor
from simulator.world.holds import HoldSteps
from simulator.world.notes import NOTHING, stamp, touch
from simulator.world.sids import SidFactory, Streams
from simulator.world.task_steps import KEEPS_ENDED_TASKS_MS, TaskSteps
from simulator.world.truth import Truth
from simulator.world.worker_steps import WorkerSteps, note_readiness

__all__ = ["KEEPS_ENDED_TASKS_MS", "Transitions", "note_readiness"]

_PENDING, _ACCEPTED, _WRAPPING = ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING


class Transitions(WorkerSteps, TaskSteps, HoldSteps):
    """All steps; those of reservations and transfers are here.

    `on_wrap_up` is told of each wrap-up, when it began, and by which event.
    """

    def __init__(self, floor: Floor, sids: SidFactory, streams: Streams, log: EventLog, truth: Truth) -> None:
        super().__init__(floor, sids, streams, log, truth)
        self._new_reservation_sid = sids.walk("WR")
        self._ended: deque[Task] = deque()
        self.conferences = EventLog()
        self.tasks: dict[str, Task] = {}
        self.on_wrap_up: Callable[[Reservation, int, str], None] | None = None

    # -- reservations

    def offer(self, task: Task, worker: Worker, at_ms: int, transfer: Transfer | None = None) -> Reservation:
        """Offer a task to a worker: the reservation is pending."""
        ms = stamp(worker, at_ms)
        reservation = Reservation(self._new_reservation_sid(), worker, task, ms, ms, transfer=transfer)
        channel = task.channel.unique_name
        task.reservations.append(reservation)
        worker.open[reservation.sid] = reservation
        worker.load[channel] = worker.load.get(channel, 0) + 1
        note_readiness(worker)
        worker.history.append(reservation)
        if task.status is TaskStatus.PENDING:
            task.status = TaskStatus.RESERVED
        task.version += 1
        task.updated_ms = ms
        event = self.log_reservation("reservation.created", reservation, ms)
        self._truth.observe(worker, ms, event.sid)
        self.ledger.reservation(reservation, ms)
        return reservation

    def accept(self, reservation: Reservation, at_ms: int) -> int:
        """The worker takes the task; whoever else was offered it is not any more."""
        task = reservation.task
        task.status = TaskStatus.ASSIGNED
        task.queue.waiting.pop(task.sid, None)
        ms = self._step(reservation, _ACCEPTED, "reservation.accepted", at_ms).ms
        if len(task.reservations) > 1:
            for other in task.pending():
                self.end_pending(other, ReservationStatus.RESCINDED, ms + self.gap_ms(1, 12))
        if reservation.transfer is not None:
            self.unhold_customer(reservation.transfer.initiator, ms)
        return ms

    def reject(self, reservation: Reservation, at_ms: int) -> int:
        """The worker refuses."""
        return self.end_pending(reservation, ReservationStatus.REJECTED, at_ms)

    def time_out(self, reservation: Reservation, at_ms: int) -> int:
        """The worker did nothing in time."""
        return self.end_pending(reservation, ReservationStatus.TIMEOUT, at_ms)

    def cancel(self, reservation: Reservation, at_ms: int) -> int:
        """The offer is withdrawn."""
        return self.end_pending(reservation, ReservationStatus.CANCELED, at_ms)

    def wrap(self, reservation: Reservation, at_ms: int) -> int:
        """The contact is over for this worker; the paperwork begins. Nobody who leaves a caller leaves him on hold."""
        if reservation.task.transfer is not None:
            self.unhold_customer(reservation, at_ms)
        event = self._step(reservation, _WRAPPING, "reservation.wrapup", at_ms)
        task, ms = reservation.task, event.ms
        if task.transfer is None and not _somebody_talks(task):
            task.status = TaskStatus.WRAPPING
            touch(task, ms)
            self.log_task("task.wrapup", task, at_ms + self.gap_ms(0, 4))
        if self.on_wrap_up is not None:
            self.on_wrap_up(reservation, ms, event.sid)
        return ms

    def complete(self, reservation: Reservation, at_ms: int, reason: str = "") -> int:
        """The worker is done; with the last of its reservations the task is completed."""
        task = reservation.task
        last = task.transfer is None and (len(task.reservations) == 1 or task.open_reservations() == [reservation])
        if last:
            self.complete_task(task, at_ms + self.gap_ms(0, 3), reason)
        ms = self._step(reservation, ReservationStatus.COMPLETED, "reservation.completed", at_ms + self.gap_ms(0, 3)).ms
        if last:
            # Seen live: an update may follow the terminal event.
            self.update_task(task, "outcome", '"done"', ms + self.gap_ms(0, 5))
        return ms

    def end_pending(self, reservation: Reservation, status: ReservationStatus, at_ms: int) -> int:
        """End a reservation that nobody has accepted."""
        task = reservation.task
        if task.status is TaskStatus.RESERVED and len(task.pending()) == 1:
            task.status = TaskStatus.PENDING
        return self._step(reservation, status, _ENDING[status], at_ms).ms

    def _step(self, reservation: Reservation, status: ReservationStatus, kind: str, at_ms: int) -> Event:
        worker, task = reservation.worker, reservation.task
        ms = at_ms if at_ms > worker.last_event_ms else worker.last_event_ms + 1  # as `stamp` does
        worker.last_event_ms = worker.seen_ms = ms
        reservation.status = status
        reservation.version += 1
        reservation.updated_ms = ms
        if status is _ACCEPTED:
            reservation.accepted_ms = ms
        elif status is not _WRAPPING:
            self._close(reservation)
        task.version += 1
        task.updated_ms = ms
        event = self.log_reservation(kind, reservation, ms)
        self._truth.observe(worker, ms, event.sid)
        self.ledger.reservation(reservation, ms)
        return event

    @staticmethod
    def _close(reservation: Reservation) -> None:
        worker = reservation.worker
        if worker.open.pop(reservation.sid, None) is not None:
            worker.load[reservation.task.channel.unique_name] -= 1
            note_readiness(worker)

    # -- ends that take reservations along

    def cancel_task(self, task: Task, reason: str, at_ms: int) -> None:
        """End a task that nobody has taken; its pending reservations end with it, in any order of the instant."""
        self.end_task(task, TaskStatus.CANCELED, reason, at_ms)
        canceled_ms = at_ms + self.gap_ms(0, 3)
        self.log_task("task.canceled", task, canceled_ms, {"task_canceled_reason": reason, "reason": reason})
        self.ledger.canceled(task, canceled_ms)
        for reservation in task.pending():
            self.end_pending(reservation, ReservationStatus.CANCELED, at_ms + self.gap_ms(0, 3))

    def time_out_workflow(self, task: Task, at_ms: int) -> None:
        """End a task for which no step of the workflow is left."""
        self.log_task("task-queue.timeout", task, at_ms)
        self.log_task("workflow.timeout", task, at_ms + self.gap_ms(0, 3))
        self.cancel_task(task, "Task canceled on Workflow timeout", at_ms + self.gap_ms(4, 8))

    def delete_task(self, task: Task, at_ms: int, *, by_request: bool = False) -> None:
        """End a task of which TaskRouter has had enough, or somebody; its reservations end with it without a word."""
        at_ms = max([at_ms, *(one.worker.last_event_ms + 1 for one in task.open_reservations())])
        reason = "" if by_request else "Task TTL Exceeded"
        self.end_task(task, TaskStatus.CANCELED, reason, at_ms)
        kind = "task.deleted" if by_request else "task.system-deleted"
        event = self.log_task(kind, task, at_ms, {"reason": reason} if reason else NOTHING)
        self.ledger.completed(task, at_ms)
        for reservation in task.open_reservations():
            self._drop(reservation, at_ms)
            self._truth.observe(reservation.worker, at_ms, event.sid)

    def delete_worker(self, worker: Worker, at_ms: int, *, stamped_with_creation: bool) -> list[Reservation]:
        """Take a worker away; gives the reservations that end with it.

        The event may state the worker's creation instead of the deletion (reference 13 row 1). So the worker counts
        as gone from the newest time that any of its events states, those of its capacity left out.
        """
        gone_ms = max(worker.seen_ms, worker.created_ms, self._truth.states[worker.sid][-1].start_ms)
        told_ms = stamp(worker, at_ms)
        if not stamped_with_creation:
            gone_ms = told_ms
        dropped = list(worker.open.values())
        for reservation in dropped:
            self._drop(reservation, gone_ms)
            reservation.updated_ms = told_ms  # REST knows no older time than when it happened
        worker.deleted_ms = gone_ms
        note_readiness(worker)
        ms = worker.created_ms if stamped_with_creation else told_ms
        event = self.log_worker("worker.deleted", worker, ms, at_ms=told_ms)
        self.ledger.activity(worker, gone_ms)
        self._truth.observe(worker, gone_ms, event.sid, told_ms)
        return dropped

    def _drop(self, reservation: Reservation, at_ms: int) -> None:
        """End a reservation without an event of its own: its task's end, or its worker's, is all that is told."""
        reservation.status = ReservationStatus.COMPLETED
        reservation.updated_ms = at_ms
        self._close(reservation)
        self.ledger.reservation(reservation, at_ms)

    # -- transfers

    def begin_transfer(self, initiator: Reservation, mode: str, kind: str, to: str, at_ms: int) -> Transfer:
        """The worker hands the task on; from now on the task does not end with this reservation."""
        transfer = Transfer(self._sids.new("TT"), mode, kind, to, initiator, at_ms)
        initiator.task.transfer = transfer
        self.log_transfer("task.transfer-initiated", initiator.task, transfer, at_ms)
        self.ledger.transfer_begun(initiator.task, at_ms)
        return transfer

    def fail_attempt(self, task: Task, transfer: Transfer, at_ms: int) -> None:
        """The target refused; the transfer itself is not over by that."""
        self.log_transfer("task.transfer-attempt-failed", task, transfer, at_ms)

    def end_transfer(self, task: Task, status: str, at_ms: int, failed_reason: str = "") -> None:
        """COMPLETED, FAILED or CANCELED."""
        transfer = task.transfer
        if transfer is None:
            return
        transfer.status = status
        task.transfer = None
        self.log_transfer(f"task.transfer-{status.lower()}", task, transfer, at_ms, failed_reason)
        self.ledger.transfer_ended(task, transfer, at_ms)

    def finish_abandoned_transfer(self, task: Task, at_ms: int) -> None:
        """End a task whose caller left while nobody held it."""
        if not task.ended and not task.open_reservations():
            self.complete_task(task, at_ms, "customer left during transfer")


_ENDING = {
    status: f"reservation.{status.value}"
    for status in (
        ReservationStatus.REJECTED,
        ReservationStatus.TIMEOUT,
        ReservationStatus.CANCELED,
        ReservationStatus.RESCINDED,
    )
}


def _somebody_talks(task: Task) -> bool:
    return any(one.status is _ACCEPTED for one in task.reservations)

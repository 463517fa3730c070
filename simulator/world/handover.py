"""Contacts that one agent hands to another: to a queue or a colleague, warm or cold, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulator.world.agenda import Agenda
from simulator.world.entities import Reservation, ReservationStatus, Task, Transfer
from simulator.world.floor import Floor
from simulator.world.router import Router
from simulator.world.sids import pick
from simulator.world.transitions import Transitions

_ACCEPTED = ReservationStatus.ACCEPTED
_SHUN_MS = 4_000


class Handover:
    """Carries transfers; the functions are what follows for the contacts.

    Attributes:
        on_offer: something rings at a colleague.
        on_free: an agent has been set free.
        end_talk, finish: the conversation is over for the agent of a reservation; the paperwork is.
    """

    on_offer: Callable[[Reservation], None]
    on_free: Callable[[Reservation], None]
    end_talk: Callable[[Reservation], None]
    finish: Callable[[Reservation], None]

    def __init__(self, floor: Floor, agenda: Agenda, transitions: Transitions, router: Router, rng: Random) -> None:
        self._floor = floor
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._rng = rng

    # -- beginning

    def hand_on(self, reservation: Reservation) -> None:
        """The agent hands the contact on, as its plan has it; where nobody is there to take it, the talk goes on."""
        task = reservation.task
        if reservation.status is not _ACCEPTED or task.ended or not reservation.worker.connected:
            self._stay(reservation)
        elif task.plan.transfer == "queue":
            self._to_queue(reservation)
        else:
            self._to_colleague(reservation)

    def _stay(self, reservation: Reservation) -> None:
        self._agenda.after(reservation.task.plan.second_talk_ms, self.end_talk, reservation)

    def _to_queue(self, reservation: Reservation) -> None:
        task, now_ms = reservation.task, self._agenda.now_ms
        others = [queue for queue in self._floor.queues if queue.medium == task.medium and queue is not task.queue]
        if not others:
            self._stay(reservation)
            return
        queue = pick(self._rng, others)
        mode = "WARM" if task.plan.warm else "COLD"
        transfer = self._transitions.begin_transfer(reservation, mode, "QUEUE", queue.sid, now_ms)
        self._transitions.move_to_queue(task, queue, now_ms + self._transitions.gap_ms(1, 9))
        if mode == "COLD":
            self._leave(reservation)
        self._router.enqueue(task)
        self._agenda.after(task.plan.patience_ms, self._caller_leaves, task, transfer)
        self._plan_recall(task, transfer)

    def _to_colleague(self, reservation: Reservation) -> None:
        task, now_ms = reservation.task, self._agenda.now_ms
        colleague = self._router.pick(task, besides=reservation.worker)
        if colleague is None:
            self._stay(reservation)
            return
        mode = "WARM" if task.plan.warm else "COLD"
        transfer = self._transitions.begin_transfer(reservation, mode, "WORKER", colleague.sid, now_ms)
        offered_ms = now_ms + self._transitions.gap_ms(3, 25)
        offer = self._transitions.offer(task, colleague, offered_ms, transfer)
        if mode == "COLD":
            self._leave(reservation)
        self.on_offer(offer)
        self._agenda.after(task.plan.patience_ms, self._caller_leaves, task, transfer)
        self._plan_recall(task, transfer)

    def _leave(self, reservation: Reservation) -> None:
        """The first agent goes into wrap-up while the caller waits."""
        plan = reservation.task.plan
        wrapped_ms = self._transitions.wrap(reservation, self._agenda.now_ms + self._transitions.gap_ms(5, 200))
        self._agenda.at(wrapped_ms + plan.wrap_ms, self.finish, reservation)

    def _plan_recall(self, task: Task, transfer: Transfer) -> None:
        # Whoever has left the conversation cannot take it back.
        if task.plan.recalled_ms is not None and transfer.mode == "WARM":
            self._agenda.after(task.plan.recalled_ms, self._recall, task, transfer)

    # -- endings

    def _recall(self, task: Task, transfer: Transfer) -> None:
        if task.ended or task.transfer is not transfer or transfer.initiator.status is not _ACCEPTED:
            return
        self.call_off(task)
        self._stay(transfer.initiator)

    def call_off(self, task: Task) -> None:
        """End the transfer that is under way, without success."""
        now_ms = self._agenda.now_ms
        ringing = self._withdraw(task, now_ms)
        self._transitions.end_transfer(task, "CANCELED", now_ms + self._transitions.gap_ms(0, 5))
        self._set_free(ringing)

    def _withdraw(self, task: Task, now_ms: int) -> list[Reservation]:
        task.queue.waiting.pop(task.sid, None)
        ringing = task.pending()
        for reservation in ringing:
            self._transitions.cancel(reservation, now_ms)
        return ringing

    def _set_free(self, ended: list[Reservation]) -> None:
        for reservation in ended:
            self.on_free(reservation)

    def _caller_leaves(self, task: Task, transfer: Transfer) -> None:
        """The caller hangs up before the second agent answers."""
        if task.ended or task.transfer is not transfer:
            return
        now_ms = self._agenda.now_ms
        ringing = self._withdraw(task, now_ms)
        self._transitions.end_transfer(task, "FAILED", now_ms + self._transitions.gap_ms(0, 5), "customer hung up")
        if transfer.initiator.status is _ACCEPTED:
            self._agenda.after(self._transitions.gap_ms(200, 1_500), self.end_talk, transfer.initiator)
        else:
            self._transitions.finish_abandoned_transfer(task, now_ms + self._transitions.gap_ms(6, 12))
        self._set_free(ringing)

    def refused(self, reservation: Reservation) -> None:
        """The agent to whom it was handed rejected it or let it ring."""
        task, transfer = reservation.task, reservation.transfer
        if transfer is None or task.transfer is not transfer:
            return
        now_ms = self._agenda.now_ms
        self._transitions.fail_attempt(task, transfer, now_ms + self._transitions.gap_ms(0, 5))
        if transfer.kind == "QUEUE":
            self._router.shun(task, reservation.worker, _SHUN_MS)
            return
        self._transitions.end_transfer(task, "FAILED", now_ms + self._transitions.gap_ms(6, 12), "rejected")
        if transfer.initiator.status is _ACCEPTED:
            self._stay(transfer.initiator)
        else:
            self._transitions.finish_abandoned_transfer(task, now_ms + self._transitions.gap_ms(13, 20))

    def taken_over(self, reservation: Reservation) -> int:
        """The second agent has answered; gives how long that one will talk."""
        task, transfer = reservation.task, reservation.transfer
        if transfer is None:
            return task.plan.second_talk_ms
        self._transitions.end_transfer(task, "COMPLETED", self._agenda.now_ms + self._transitions.gap_ms(1, 15))
        overlap_ms = 0
        if transfer.mode == "WARM":
            # Both are in the conference for a while; then the first one leaves.
            overlap_ms = task.plan.overlap_ms
            self._agenda.after(overlap_ms, self.end_talk, transfer.initiator)
        return overlap_ms + task.plan.second_talk_ms

"""The life of a contact: waiting, ringing, talking, wrap-up, and every way to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simulator.world.agenda import Agenda
from simulator.world.entities import Reservation, ReservationStatus, Task, Worker
from simulator.world.handover import Handover
from simulator.world.router import Router
from simulator.world.sids import SidFactory
from simulator.world.transitions import Transitions

_PENDING, _ACCEPTED, _WRAPPING = ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING
_SHUN_MS = 4_000
_RINGS_AGAIN_MS = 3_000
_DAY_MS = 86_400_000  # Twilio reference 3.1: a task is assigned for 24 hours at most
_REASONS = {
    "hangup": "hangup",
    "callback": "Callback requested",
    "voicemail": "voicemail",
    "timeout": "Task TTL Exceeded",
}


class Agents(Protocol):
    """What agents do of their own accord, as far as contacts cause it."""

    def on_offer(self, reservation: Reservation) -> None:
        """Something rings."""

    def on_contact(self, worker: Worker) -> None:
        """A contact of this worker has gone a step further."""

    def after_contact(self, worker: Worker) -> None:
        """A reservation of this worker is over."""


class Contacts:
    """Carries each contact from arrival to end; `on_lost` hears of customers who gave up."""

    on_lost: Callable[[Task], None]

    def __init__(
        self,
        agenda: Agenda,
        transitions: Transitions,
        router: Router,
        agents: Agents,
        handover: Handover,
        sids: SidFactory,
    ) -> None:
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._agents = agents
        self._handover = handover
        self._new_call, self._new_conference = sids.walk("CA"), sids.walk("CF")
        self._left: dict[int, list[Reservation]] = {}
        self.count = 0

    # -- beginnings

    def customer_arrives(self, task: Task) -> None:
        """A customer enters a queue."""
        self.count += 1
        self._transitions.create_task(task)
        self._router.enqueue(task)
        self._agenda.after(task.plan.patience_ms, self._lose_patience, task)
        self._watch_queue(task)

    def customer_calls(self, task: Task, worker: Worker) -> None:
        """A customer calls an agent's own number: there is no queue."""
        self.count += 1
        self._transitions.create_task(task)
        self._agenda.after(self._transitions.gap_ms(9, 60), self._ring_at, task, worker)
        self._agenda.after(task.plan.patience_ms, self._lose_patience, task)

    def agent_dials(self, task: Task, worker: Worker, *, answered: bool) -> None:
        """An agent calls a customer; the reservation is pending while it rings there (Twilio reference 4.4)."""
        self.count += 1
        self._transitions.create_task(task)
        reservation = self._transitions.offer(task, worker, self._agenda.now_ms + self._transitions.gap_ms(9, 40))
        next_step = self._picked_up if answered else self._nobody_there
        self._agenda.after(task.plan.patience_ms + 60, next_step, reservation)

    def agents_talk(self, calling: Task, caller: Worker, called: Task, callee: Worker) -> None:
        """An agent calls a colleague: one task for each of them."""
        self.count += 1
        calling.partner, called.partner = called, calling
        now_ms = self._agenda.now_ms
        for task in (calling, called):
            self._transitions.create_task(task)
        own = self._transitions.offer(calling, caller, now_ms + self._transitions.gap_ms(9, 20))
        self._agenda.after(calling.plan.patience_ms, self._picked_up, own)
        self._agents.on_offer(self._transitions.offer(called, callee, now_ms + self._transitions.gap_ms(21, 60)))

    # -- before anybody answers

    def offered(self, reservation: Reservation) -> None:
        """The router has found somebody."""
        plan = reservation.task.plan
        if plan.hangs_up_after_ring_ms is not None and reservation.transfer is None:
            self._agenda.after(plan.hangs_up_after_ring_ms, self._lose_patience, reservation.task)
        self._agents.on_offer(reservation)

    def _ring_at(self, task: Task, worker: Worker) -> None:
        if task.waits and worker.deleted_ms is None:
            self._agents.on_offer(self._transitions.offer(task, worker, self._agenda.now_ms))

    def _watch_queue(self, task: Task) -> None:
        """The workflow moves the task on, or gives it up, when it has been in its queue for too long."""
        queue, entered_ms = task.queue, task.queue_entered_ms
        if queue.overflow_to is not None:
            self._agenda.at(entered_ms + queue.overflow_after_ms, self._overflow, task, entered_ms)
        elif queue.timeout_ms:
            self._agenda.at(entered_ms + queue.timeout_ms, self._time_out, task, entered_ms)

    def _overflow(self, task: Task, entered_ms: int) -> None:
        queue = task.queue.overflow_to
        if not task.waits or task.queue_entered_ms != entered_ms or queue is None:
            return
        if task.pending():
            # Assumed: a task that is just being offered is not moved.
            self._agenda.after(1_000, self._overflow, task, entered_ms)
            return
        openly = task.queue.moves_openly
        self._transitions.overflow(task, queue, self._agenda.now_ms, openly=openly)
        self._router.enqueue(task)
        self._watch_queue(task)

    def _time_out(self, task: Task, entered_ms: int) -> None:
        if task.waits and task.queue_entered_ms == entered_ms:
            ringing = task.pending()
            self._transitions.time_out_workflow(task, self._agenda.now_ms)
            self._set_free(ringing)

    def _lose_patience(self, task: Task) -> None:
        if task.waits:
            self.cancel(task, _REASONS[task.plan.gives_up])
            self.on_lost(task)

    def _nobody_there(self, reservation: Reservation) -> None:
        if not reservation.task.ended and reservation.status is _PENDING:
            self.cancel(reservation.task, "no-answer")

    def cancel(self, task: Task, reason: str) -> None:
        """End a contact that nobody has answered."""
        ringing = task.pending()
        self._transitions.cancel_task(task, reason, self._agenda.now_ms)
        self._set_free(ringing)

    def _set_free(self, ended: list[Reservation]) -> None:
        for reservation in ended:
            self._agents.after_contact(reservation.worker)

    def _picked_up(self, reservation: Reservation) -> None:
        if reservation.status is _PENDING:
            self.accepted(reservation)

    # -- the agent's answer

    def refused(self, reservation: Reservation) -> None:
        """The agent rejected it or let it ring."""
        task = reservation.task
        if task.ended:
            return
        if task.partner is not None:
            self._agenda.after(self._transitions.gap_ms(40, 300), self.hang_up_internal, task)
        elif reservation.transfer is not None:
            self._handover.refused(reservation)
        elif task.routing_target:
            self._agenda.after(_RINGS_AGAIN_MS, self._ring_at, task, reservation.worker)
        else:
            self._router.shun(task, reservation.worker, _SHUN_MS)

    def accepted(self, reservation: Reservation, *, by_hand: bool = False) -> None:
        """The agent took it: they talk. What was accepted by hand is ended by hand, or by TaskRouter in a day."""
        task, plan = reservation.task, reservation.task.plan
        others = [one for one in task.pending() if one is not reservation] if len(task.reservations) > 1 else []
        ms = self._transitions.accept(reservation, self._agenda.now_ms)
        self._set_free(others)
        self._agents.on_contact(reservation.worker)
        if task.medium == "voice" and task.partner is None:
            self._agenda.at(ms + self._transitions.gap_ms(150, 900), self._join_conference, reservation)
        reservation.by_hand = by_hand
        if by_hand:
            self._agenda.at(ms + _DAY_MS, self._give_up, task)
        if reservation.transfer is not None:
            talk_ms = self._handover.taken_over(reservation)
            if not by_hand:
                self._agenda.after(talk_ms, self.end_talk, reservation)
        elif task.partner is not None:
            if task.partner.answered and not by_hand:
                self._agenda.after(plan.talk_ms, self.hang_up_internal, task)
        elif not by_hand:
            self._plan_talk(reservation, ms)

    def _plan_talk(self, reservation: Reservation, ms: int) -> None:
        plan = reservation.task.plan
        for begins_ms, lasts_ms in plan.holds:
            self._agenda.at(ms + begins_ms, self._hold, reservation, lasts_ms)
        if plan.never_ends:
            self._agenda.at(ms + _DAY_MS, self._give_up, reservation.task)
            if reservation.task.medium != "voice":
                return
        if plan.transfer:
            self._agenda.after(plan.transfer_after_ms, self._handover.hand_on, reservation)
        else:
            self._agenda.after(plan.talk_ms, self.end_talk, reservation)

    def _join_conference(self, reservation: Reservation) -> None:
        if reservation.status is _ACCEPTED and not reservation.task.ended:
            participants = f'{{"customer":"{self._new_call()}","worker":"{self._new_call()}"}}'
            reservation.task.conference_sid = sid = self._new_conference()
            conference = f'{{"sid":"{sid}","participants":{participants}}}'
            self._transitions.update_task(reservation.task, "conference", conference, self._agenda.now_ms)

    def _hold(self, reservation: Reservation, lasts_ms: int) -> None:
        task = reservation.task
        # Nobody is put on hold while two agents talk to them, or wait for the second.
        if [one for one in task.reservations if one.status is _ACCEPTED] == [reservation] and task.transfer is None:
            self._transitions.hold_customer(reservation, self._agenda.now_ms)
            self._agenda.after(lasts_ms, self._unhold, reservation)

    def _unhold(self, reservation: Reservation) -> None:
        self._transitions.unhold_customer(reservation, self._agenda.now_ms)

    def hang_up_internal(self, task: Task) -> None:
        """One side has hung up or refused: both end."""
        for side in (task, task.partner):
            if side is None or side.ended:
                continue
            for reservation in side.open_reservations():
                self.end_talk(reservation)
            if side.pending() or not side.open_reservations():
                self.cancel(side, "internal call ended")

    # -- endings

    def end_talk(self, reservation: Reservation) -> None:
        """The conversation is over for this agent."""
        if reservation.status is not _ACCEPTED:
            return
        plan = reservation.task.plan
        if not reservation.worker.connected:
            self._leave_open(reservation)
        elif plan.skips_wrap_up:
            self._transitions.complete(reservation, self._agenda.now_ms)
            self._agents.after_contact(reservation.worker)
        else:
            self._wrap(reservation)

    def _wrap(self, reservation: Reservation) -> None:
        wrapped_ms = self._transitions.wrap(reservation, self._agenda.now_ms)
        self._agents.on_contact(reservation.worker)
        if not reservation.task.plan.never_ends:
            self._agenda.at(wrapped_ms + reservation.task.plan.wrap_ms, self.finish, reservation)

    def wrapped_by_hand(self, reservation: Reservation) -> None:
        """The conversation is ended from outside; who answered it by themselves does the paperwork, too."""
        if reservation.by_hand:
            self._transitions.wrap(reservation, self._agenda.now_ms)
            self._agents.on_contact(reservation.worker)
        else:
            self._wrap(reservation)

    def set_free(self, worker: Worker) -> None:
        """A reservation of this worker was ended from outside."""
        self._agents.after_contact(worker)

    def finish(self, reservation: Reservation) -> None:
        """The paperwork is done."""
        if reservation.status is not _WRAPPING:
            return
        if not reservation.worker.connected:
            self._leave_open(reservation)
            return
        self._transitions.complete(reservation, self._agenda.now_ms)
        self._agents.after_contact(reservation.worker)

    def _give_up(self, task: Task) -> None:
        """TaskRouter deletes what was assigned for a day."""
        if not task.ended:
            workers = [one.worker for one in task.open_reservations()]
            self._transitions.delete_task(task, self._agenda.now_ms)
            for worker in workers:
                self._agents.after_contact(worker)

    # -- agents who are not there

    def browser_closed(self, worker: Worker) -> None:
        """Calls drop and are left in wrap-up (Twilio reference 4.1); everything else stays as it is."""
        for reservation in list(worker.open.values()):
            if reservation.status is _ACCEPTED and reservation.task.medium == "voice":
                self._transitions.wrap(reservation, self._agenda.now_ms)
                self._leave_open(reservation)
                if reservation.task.partner is not None:
                    self.hang_up_internal(reservation.task.partner)

    def _leave_open(self, reservation: Reservation) -> None:
        self._left.setdefault(reservation.worker.index, []).append(reservation)
        self._agenda.at((reservation.accepted_ms or self._agenda.now_ms) + _DAY_MS, self._give_up, reservation.task)

    def browser_opened(self, worker: Worker) -> None:
        """The agent is back and closes what was left open, one contact after the other."""
        for number, reservation in enumerate(self._left.pop(worker.index, [])):
            step = self.end_talk if reservation.status is _ACCEPTED else self.finish
            self._agenda.after(3_000 * (number + 1) + self._transitions.gap_ms(0, 2_000), step, reservation)

    def worker_goes(self, worker: Worker, *, stamped_with_creation: bool) -> None:
        """The worker is deleted: offers are withdrawn, and what was accepted ends without a word."""
        now_ms = self._agenda.now_ms
        for reservation in [one for one in worker.open.values() if one.status is _PENDING]:
            self._transitions.cancel(reservation, now_ms)
            self.refused(reservation)
        self._left.pop(worker.index, None)
        for reservation in self._transitions.delete_worker(worker, now_ms, stamped_with_creation=stamped_with_creation):
            task = reservation.task
            if not task.ended and not task.open_reservations():
                # Assumed: somebody has to complete it by the API.
                self._transitions.complete_task(task, worker.last_event_ms + self._transitions.gap_ms(40, 400))

"""The life of a contact: waiting, ringing, talking, being handed on, wrap-up."""

from __future__ import annotations

from simulator.world.agenda import Agenda
from simulator.world.agents import Agents
from simulator.world.entities import Reservation, ReservationStatus, Task, Worker
from simulator.world.floor import Floor
from simulator.world.router import Router
from simulator.world.sids import SidFactory, Streams
from simulator.world.transitions import Transitions

_PENDING, _ACCEPTED, _WRAPPING = ReservationStatus.PENDING, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING
_SHUN_MS = 4_000


class Contacts:
    """Carries each contact from arrival to end."""

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        transitions: Transitions,
        router: Router,
        agents: Agents,
        sids: SidFactory,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._agents = agents
        self._sids = sids
        self._rng = streams.of("contacts", "course")
        self.count = 0

    # -- beginnings

    def customer_arrives(self, task: Task) -> None:
        """A customer enters a queue."""
        self.count += 1
        self._transitions.create_task(task)
        self._router.enqueue(task)
        self._agenda.after(task.plan.patience_ms, self._lose_patience, task)

    def agent_dials(self, task: Task, worker: Worker, *, answered: bool) -> None:
        """An agent calls a customer; the reservation is pending while it rings there (Twilio reference 4.4)."""
        self.count += 1
        task.routing_target = worker.sid
        self._transitions.create_task(task)
        reservation = self._transitions.offer(task, worker, self._agenda.now_ms + self._transitions.gap_ms(9, 40))
        if answered:
            self._agenda.after(task.plan.patience_ms + 60, self._picked_up, reservation)
        else:
            self._agenda.after(task.plan.patience_ms + 60, self._nobody_there, task, worker)

    def agents_talk(self, calling: Task, caller: Worker, called: Task, callee: Worker) -> None:
        """An agent calls a colleague: one task for each of them."""
        self.count += 1
        calling.partner, called.partner = called, calling
        now_ms = self._agenda.now_ms
        for task, worker in ((calling, caller), (called, callee)):
            task.routing_target = worker.sid
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

    def _lose_patience(self, task: Task) -> None:
        if task.ended or any(one.accepted_ms is not None for one in task.reservations):
            return
        reasons = ("hangup", "hangup", "hangup", "Task canceled on Workflow timeout", "Callback requested")
        self._cancel(task, self._rng.choice(reasons) if task.medium == "voice" else "hangup")

    def _nobody_there(self, task: Task, worker: Worker) -> None:
        if not task.ended:
            self._cancel(task, "no-answer")
            self._agents.after_contact(worker)

    def _cancel(self, task: Task, reason: str) -> None:
        ringing = [one for one in task.open_reservations() if one.status is _PENDING]
        self._transitions.cancel_task(task, reason, self._agenda.now_ms)
        for reservation in ringing:
            self._agents.after_contact(reservation.worker)

    def _picked_up(self, reservation: Reservation) -> None:
        if reservation.status is _PENDING:
            self.accepted(reservation)

    # -- the agent's answer

    def refused(self, reservation: Reservation) -> None:
        """The agent rejected it or let it ring."""
        task, transfer = reservation.task, reservation.transfer
        if task.ended:
            return
        if task.direction == "internal":
            self._agenda.after(self._transitions.gap_ms(40, 300), self._hang_up_internal, task)
        elif transfer is None:
            self._router.shun(task, reservation.worker, _SHUN_MS)
        elif task.transfer is transfer:
            now_ms = self._agenda.now_ms
            self._transitions.fail_attempt(task, transfer, now_ms + self._transitions.gap_ms(0, 5))
            if transfer.kind == "QUEUE":
                self._router.shun(task, reservation.worker, _SHUN_MS)
            else:
                self._transitions.end_transfer(task, "FAILED", now_ms + self._transitions.gap_ms(6, 12), "rejected")
                self._agenda.after(task.plan.second_talk_ms, self._end_talk, transfer.initiator)

    def accepted(self, reservation: Reservation) -> None:
        """The agent took it: they talk."""
        task, plan = reservation.task, reservation.task.plan
        ms = self._transitions.accept(reservation, self._agenda.now_ms)
        if task.medium == "voice" and task.direction != "internal":
            self._agenda.at(ms + self._transitions.gap_ms(150, 900), self._join_conference, reservation)
        if reservation.transfer is not None:
            self._taken_over(reservation)
        elif task.direction == "internal":
            if task.partner is not None and any(one.accepted_ms for one in task.partner.reservations):
                self._agenda.after(plan.talk_ms, self._hang_up_internal, task)
        elif plan.transfer:
            self._agenda.after(plan.transfer_after_ms, self._hand_on, reservation)
        else:
            self._agenda.after(plan.talk_ms, self._end_talk, reservation)

    def _join_conference(self, reservation: Reservation) -> None:
        if reservation.status is _ACCEPTED:
            participants = {"customer": self._sids.new("CA"), "worker": self._sids.new("CA")}
            conference = {"conference": {"sid": self._sids.new("CF"), "participants": participants}}
            self._transitions.update_task(reservation.task, conference, self._agenda.now_ms)

    def _hang_up_internal(self, task: Task) -> None:
        """One side has hung up or refused: both end."""
        for side in (task, task.partner):
            if side is None or side.ended:
                continue
            for reservation in side.open_reservations():
                self._end_talk(reservation)
            if any(one.status is _PENDING for one in side.reservations) or not side.open_reservations():
                self._cancel(side, "internal call ended")

    # -- handing on

    def _hand_on(self, reservation: Reservation) -> None:
        if reservation.status is not _ACCEPTED:
            return
        if reservation.task.plan.transfer == "queue":
            self._hand_to_queue(reservation)
        else:
            self._hand_to_colleague(reservation)

    def _hand_to_queue(self, reservation: Reservation) -> None:
        task, now_ms = reservation.task, self._agenda.now_ms
        others = [queue for queue in self._floor.queues if queue.medium == task.medium and queue is not task.queue]
        queue = self._rng.choice(others)
        transfer = self._transitions.begin_transfer(reservation, "COLD", "QUEUE", queue.sid, now_ms)
        self._transitions.move_to_queue(task, queue, now_ms + self._transitions.gap_ms(1, 9))
        wrapped_ms = self._transitions.wrap(reservation, now_ms + self._transitions.gap_ms(5, 200))
        self._agenda.at(wrapped_ms + task.plan.wrap_ms, self._finish, reservation)
        self._router.enqueue(task)
        self._agenda.after(task.plan.patience_ms, self._leave_during_transfer, task, transfer.sid)

    def _leave_during_transfer(self, task: Task, transfer_sid: str) -> None:
        """The caller hangs up before the second agent answers."""
        if task.ended or task.transfer is None or task.transfer.sid != transfer_sid:
            return
        now_ms = self._agenda.now_ms
        task.queue.waiting.pop(task.sid, None)
        ringing = [one for one in task.open_reservations() if one.status is _PENDING]
        for reservation in ringing:
            self._transitions.cancel(reservation, now_ms)
        self._transitions.end_transfer(task, "FAILED", now_ms + self._transitions.gap_ms(0, 5), "customer hung up")
        self._transitions.finish_abandoned_transfer(task, now_ms + self._transitions.gap_ms(6, 12))
        for reservation in ringing:
            self._agents.after_contact(reservation.worker)

    def _hand_to_colleague(self, reservation: Reservation) -> None:
        task, now_ms = reservation.task, self._agenda.now_ms
        colleague = self._router.pick(task, besides=reservation.worker)
        if colleague is None:
            self._agenda.after(task.plan.second_talk_ms, self._end_talk, reservation)
            return
        transfer = self._transitions.begin_transfer(reservation, "WARM", "WORKER", colleague.sid, now_ms)
        offered_ms = now_ms + self._transitions.gap_ms(3, 25)
        self._agents.on_offer(self._transitions.offer(task, colleague, offered_ms, transfer))

    def _taken_over(self, reservation: Reservation) -> None:
        task, transfer = reservation.task, reservation.transfer
        if transfer is None:
            return
        now_ms = self._agenda.now_ms
        self._transitions.end_transfer(task, "COMPLETED", now_ms + self._transitions.gap_ms(1, 15))
        overlap_ms = 0
        if transfer.mode == "WARM":
            # Both are in the conference for a while; then the first one leaves.
            overlap_ms = self._rng.randrange(6_000, 60_000)
            self._agenda.after(overlap_ms, self._end_talk, transfer.initiator)
        self._agenda.after(overlap_ms + task.plan.second_talk_ms, self._end_talk, reservation)

    # -- endings

    def _end_talk(self, reservation: Reservation) -> None:
        if reservation.status is not _ACCEPTED:
            return
        plan = reservation.task.plan
        if plan.skips_wrap_up:
            self._transitions.complete(reservation, self._agenda.now_ms)
            self._agents.after_contact(reservation.worker)
            return
        wrapped_ms = self._transitions.wrap(reservation, self._agenda.now_ms)
        self._agenda.at(wrapped_ms + plan.wrap_ms, self._finish, reservation)

    def _finish(self, reservation: Reservation) -> None:
        if reservation.status is _WRAPPING:
            self._transitions.complete(reservation, self._agenda.now_ms)
            self._agents.after_contact(reservation.worker)

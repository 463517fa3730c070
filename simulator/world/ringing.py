"""What agents do when something rings: answer, refuse, go away, or not notice."""

from __future__ import annotations

from typing import Protocol

from simulator.world.agenda import Agenda, Lane
from simulator.world.attendance import Attendance
from simulator.world.entities import Reservation, ReservationStatus, Worker
from simulator.world.floor import UNAVAILABLE, Floor
from simulator.world.minds import dials
from simulator.world.sids import between
from simulator.world.transitions import Transitions

_PENDING = ReservationStatus.PENDING


class ContactDesk(Protocol):
    """What happens to the contact when the agent answers or refuses."""

    def accepted(self, reservation: Reservation) -> None:
        """The agent took it."""

    def refused(self, reservation: Reservation) -> None:
        """The agent rejected it or let it ring; the reservation is over."""


class Ringing:
    """Lets each agent react to what rings."""

    desk: ContactDesk

    def __init__(self, floor: Floor, agenda: Agenda, transitions: Transitions, attendance: Attendance) -> None:
        self._floor = floor
        self._rules = floor.scenario.answering
        self._answers = self._rules.answers.drawer()
        self._timeout_ms = round(self._rules.timeout_s * 1000)
        self._agenda = agenda
        self._transitions = transitions
        self._attendance = attendance
        self._timeouts = Lane(agenda, _is_pending, self._time_out)

    def on_offer(self, reservation: Reservation) -> None:
        """Something rings: decide what to do and when."""
        rules, worker = self._rules, reservation.worker
        rng = self._attendance.minds[worker.index].rng
        self._timeouts.at(self._agenda.now_ms + self._timeout_ms, reservation)
        choice, delay_ms = rng.random(), min(self._answers(rng), self._timeout_ms - 500)
        if not worker.connected or choice < rules.times_out_share:
            return
        choice -= rules.times_out_share
        if choice < rules.rejects_share:
            self._agenda.after(delay_ms, self._refuse, reservation)
        elif choice < rules.rejects_share + rules.rejects_by_leaving_share:
            self._agenda.after(delay_ms, self._refuse_by_leaving, reservation)
        else:
            self._agenda.after(delay_ms, self._answer, reservation)

    def _answer(self, reservation: Reservation) -> None:
        if reservation.status is _PENDING and reservation.worker.connected:
            self.desk.accepted(reservation)

    def _refuse(self, reservation: Reservation) -> None:
        if reservation.status is _PENDING and reservation.worker.connected:
            self._transitions.reject(reservation, self._agenda.now_ms)
            self.desk.refused(reservation)
            self._attendance.after_contact(reservation.worker)

    def _refuse_by_leaving(self, reservation: Reservation) -> None:
        worker = reservation.worker
        if reservation.status is not _PENDING or not worker.connected:
            return
        if not worker.activity.available or worker.held or dials(worker):
            self._refuse(reservation)
            return
        mind, now_ms = self._attendance.minds[worker.index], self._agenda.now_ms
        mind.turn += 1
        activity = self._floor.activities[UNAVAILABLE]
        ringing = [one for one in worker.open.values() if one.status is _PENDING]
        # The two kinds of event come in either order.
        activity_first = mind.rng.random() < 0.5
        if activity_first:
            self._transitions.set_activity(worker, activity, now_ms)
        for one in ringing:
            self._transitions.reject(one, now_ms + self._transitions.gap_ms(1, 20))
        if not activity_first:
            self._transitions.set_activity(worker, activity, now_ms + self._transitions.gap_ms(1, 60))
        for one in ringing:
            self.desk.refused(one)
        self._agenda.after(between(mind.rng, 20_000, 240_000), self._attendance.come_back, worker, mind.turn)

    def _time_out(self, reservation: Reservation) -> None:
        worker = reservation.worker
        self._transitions.time_out(reservation, self._agenda.now_ms)
        if worker.activity.available:
            self._transitions.hold(worker, True)
            self._agenda.after(self._transitions.gap_ms(30, 400), self._apply_timeout_activity, worker)
        self.desk.refused(reservation)

    def _apply_timeout_activity(self, worker: Worker) -> None:
        if not worker.held or worker.deleted_ms is not None:
            return
        self._transitions.hold(worker, False)
        mind = self._attendance.minds[worker.index]
        mind.turn += 1
        if worker.activity is not self._floor.timeout_activity:
            self._transitions.set_activity(worker, self._floor.timeout_activity, self._agenda.now_ms)
        self._agenda.after(between(mind.rng, 10_000, 150_000), self._attendance.come_back, worker, mind.turn)


def _is_pending(reservation: Reservation) -> bool:
    return reservation.status is _PENDING

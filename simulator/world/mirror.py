"""The activity-handler plug-in: it mirrors an agent's reservations in pseudo-activities (Twilio reference 4.1)."""

from __future__ import annotations

from simulator.world.agenda import Agenda
from simulator.world.attendance import Attendance
from simulator.world.entities import Activity, ReservationStatus, Worker
from simulator.world.floor import EXTENDED_WRAP_UP, ON_A_TASK, ON_A_TASK_NO_ACD, WRAP_UP, WRAP_UP_NO_ACD, Floor
from simulator.world.sids import Streams
from simulator.world.transitions import Transitions

_WRAP_UPS = (WRAP_UP, WRAP_UP_NO_ACD)


class Mirror:
    """Runs in the agents' browsers, so it does nothing where none is open."""

    def __init__(
        self, floor: Floor, agenda: Agenda, transitions: Transitions, attendance: Attendance, streams: Streams
    ) -> None:
        self._floor = floor
        self._rules = floor.scenario.plugin
        self._agenda = agenda
        self._transitions = transitions
        self._attendance = attendance
        self._rng = streams.of("plugin")

    def look(self, worker: Worker) -> None:
        """Something has happened to a reservation: set the activity that shows it, in a moment."""
        if self._rules.activity_handler:
            self._agenda.after(120 + self._rng.random() * 500, self._show, worker)

    def _show(self, worker: Worker) -> None:
        if not worker.connected or worker.held or worker.deleted_ms is not None:
            return
        wanted = self._wanted(worker)
        if wanted is not worker.activity:
            self._transitions.set_activity(worker, wanted, self._agenda.now_ms)
            share = self._rules.extends_share if wanted.name in _WRAP_UPS else 0.0
            if share and self._rng.random() < share:
                self._agenda.after(self._rules.extends_after_s * 1000, self._extend, worker)
            if wanted.available:
                self._attendance.after_contact(worker)

    def _extend(self, worker: Worker) -> None:
        """The agent asks for more time, and is offered nothing meanwhile."""
        if worker.activity.name in _WRAP_UPS and worker.connected and not worker.held and worker.deleted_ms is None:
            self._transitions.set_activity(worker, self._floor.activities[EXTENDED_WRAP_UP], self._agenda.now_ms)

    def _wanted(self, worker: Worker) -> Activity:
        statuses = {reservation.status for reservation in worker.open.values()}
        takes_work, activities = worker.resting.available, self._floor.activities
        if ReservationStatus.ACCEPTED in statuses:
            return activities[ON_A_TASK if takes_work else ON_A_TASK_NO_ACD]
        if ReservationStatus.WRAPPING in statuses:
            if worker.activity.name == EXTENDED_WRAP_UP:
                return worker.activity
            return activities[WRAP_UP if takes_work else WRAP_UP_NO_ACD]
        # The plug-in sets back what the agent had chosen.
        return worker.resting if worker.activity.pseudo else worker.activity

    def log_in(self, worker: Worker) -> None:
        """At some desks the plug-in flips the activity again and again."""
        if self._rules.activity_handler and self._rng.random() < self._rules.flaps_share:
            until_ms = self._agenda.now_ms + round(self._rules.flaps_for_s * 1000)
            self._agenda.after(self._rules.flaps_every_s * 1000, self._flap, worker, until_ms)

    def _flap(self, worker: Worker, until_ms: int) -> None:
        if worker.deleted_ms is not None:
            return
        if worker.connected and not worker.held and worker.resting is not self._floor.offline:
            if self._agenda.now_ms >= until_ms:
                self._show(worker)
                return
            name = ON_A_TASK_NO_ACD if worker.activity.name == ON_A_TASK else ON_A_TASK
            self._transitions.set_activity(worker, self._floor.activities[name], self._agenda.now_ms)
        if self._agenda.now_ms < until_ms:
            self._agenda.after(self._rules.flaps_every_s * 1000, self._flap, worker, until_ms)

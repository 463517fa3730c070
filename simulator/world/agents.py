"""What agents do of their own accord: come, go on breaks, answer or refuse what rings, and leave."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Protocol

from simulator.world.agenda import Agenda
from simulator.world.entities import Activity, Reservation, ReservationStatus, Worker
from simulator.world.floor import AVAILABLE, BACK_OFFICE, BREAK, LUNCH, MEETING, TRAINING, UNAVAILABLE, Floor
from simulator.world.router import Router
from simulator.world.sids import Streams
from simulator.world.transitions import Transitions, note_idleness

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_PATIENCE_WITH_CHATS_MS = 10 * _MINUTE_MS


class ContactDesk(Protocol):
    """What happens to the contact when the agent answers or refuses."""

    def accepted(self, reservation: Reservation) -> None:
        """The agent took it."""

    def refused(self, reservation: Reservation) -> None:
        """The agent rejected it or let it ring; the reservation is over."""


@dataclass(frozen=True, slots=True)
class _Duty:
    """Something that takes the agent off the floor; no duration means for the rest of the day."""

    activity: Activity
    duration_ms: int | None


@dataclass(slots=True)
class _Mind:
    """One agent's own plans; `turn` counts the activity changes, so that an overtaken plan is dropped."""

    rng: random.Random
    shift_end_ms: int = 0
    turn: int = 0
    due: _Duty | None = None


class Agents:
    """Drives every worker of the floor."""

    def __init__(
        self, floor: Floor, agenda: Agenda, transitions: Transitions, router: Router, streams: Streams
    ) -> None:
        self._floor = floor
        self._scenario = floor.scenario
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._minds = [_Mind(streams.of("agent", worker.index)) for worker in floor.workers]
        self._streams = streams
        self.desk: ContactDesk

    # -- shifts

    def begin(self) -> None:
        """Put every agent at the start of the world into a plausible place and plan the first shift."""
        for worker in self._floor.workers:
            rng = self._streams.of("shift", worker.index)
            now_ms = self._agenda.now_ms
            if rng.random() < self._scenario.early_share:
                started_ms = now_ms - rng.randrange(0, 120 * _MINUTE_MS)
                worker.activity = self._floor.activities[AVAILABLE]
                worker.activity_since_ms = started_ms
                worker.idle_since_ms = started_ms
                note_idleness(worker)
                self._plan_shift(worker, started_ms, rng)
            else:
                self._agenda.at(now_ms + rng.randrange(_MINUTE_MS, 90 * _MINUTE_MS), self._log_in, worker)

    def _log_in(self, worker: Worker) -> None:
        rng = self._streams.of("shift", worker.index)
        mind = self._minds[worker.index]
        self._plan_shift(worker, self._agenda.now_ms, rng)
        mind.turn += 1
        if rng.random() < 0.3:
            self._transitions.set_activity(worker, self._floor.activities[UNAVAILABLE], self._agenda.now_ms)
            self._agenda.after(rng.randrange(2_000, 90_000), self._come_back, worker, mind.turn)
        else:
            self._transitions.set_activity(worker, self._floor.activities[AVAILABLE], self._agenda.now_ms)
            self._router.worker_changed(worker)

    def _plan_shift(self, worker: Worker, started_ms: int, rng: random.Random) -> None:
        scenario, activities = self._scenario, self._floor.activities
        shift_ms = scenario.shift_s * 1000
        end_ms = started_ms + shift_ms
        self._minds[worker.index].shift_end_ms = end_ms
        plans = [
            (0.22, activities[BREAK], scenario.break_s),
            (0.45, activities[LUNCH], scenario.lunch_s),
            (0.72, activities[BREAK], scenario.break_s),
        ]
        if rng.random() < scenario.meeting_share:
            plans.append((rng.uniform(0.05, 0.95), activities[rng.choice((MEETING, TRAINING))], 1800))
        if rng.random() < scenario.meeting_share:
            plans.append((rng.uniform(0.05, 0.95), activities[BACK_OFFICE], 1200))
        duties = [(share, activity.name, length_s) for share, activity, length_s in plans]
        self._transitions.ledger.shift_planned(worker, started_ms, end_ms, duties)
        for share, activity, length_s in plans:
            due_ms = started_ms + round(shift_ms * share) + rng.randrange(-10 * _MINUTE_MS, 10 * _MINUTE_MS)
            duration_ms = round(length_s * 1000 * rng.uniform(0.85, 1.15))
            if due_ms > self._agenda.now_ms:
                self._agenda.at(due_ms, self._fall_due, worker, _Duty(activity, duration_ms))
        self._agenda.at(
            end_ms + rng.randrange(0, 5 * _MINUTE_MS), self._fall_due, worker, _Duty(self._floor.offline, None)
        )
        self._plan_short_pause(worker)

    def _plan_short_pause(self, worker: Worker) -> None:
        per_ms = self._scenario.short_pauses_per_hour / _HOUR_MS  # a rate next to nothing comes out as nothing
        if per_ms > 0:
            rng = self._streams.of("pause", worker.index)
            self._agenda.after(rng.expovariate(per_ms), self._take_short_pause, worker)

    def _take_short_pause(self, worker: Worker) -> None:
        if worker.activity is self._floor.offline:
            return  # the next log-in plans the next pause
        rng = self._streams.of("pause", worker.index)
        if rng.random() < 0.2:
            # A slip of the mouse: away and back within seconds.
            duty = _Duty(self._floor.activities[UNAVAILABLE], rng.randrange(400, 6_000))
        else:
            duty = _Duty(self._floor.activities[rng.choice((BREAK, UNAVAILABLE))], rng.randrange(20_000, 360_000))
        self._fall_due(worker, duty)
        self._plan_short_pause(worker)

    # -- going away

    def _fall_due(self, worker: Worker, duty: _Duty) -> None:
        leaves = duty.duration_ms is None
        if worker.activity is self._floor.offline or (not leaves and not worker.activity.available):
            return
        if not leaves and self._minds[worker.index].due is not None:
            return
        self._go_or_wait(worker, duty)
        if self._minds[worker.index].due is duty:
            self._agenda.after(_PATIENCE_WITH_CHATS_MS, self._go_anyway, worker, duty)

    def _go_or_wait(self, worker: Worker, duty: _Duty) -> None:
        mind, scenario = self._minds[worker.index], self._scenario
        leaves = duty.duration_ms is None
        if not worker.open:
            share = 1.0
        elif _rings(worker):
            share = 0.0
        elif _on_voice(worker):
            share = 0.0 if leaves else scenario.changes_on_contact
        else:
            share = scenario.leaves_chats_at_night if leaves else scenario.parks_chats
        if share >= 1.0 or mind.rng.random() < share:
            self._go(worker, duty)
        else:
            mind.due = duty

    def _go_anyway(self, worker: Worker, duty: _Duty) -> None:
        if self._minds[worker.index].due is not duty:
            return
        if _rings(worker) or _on_voice(worker):
            self._agenda.after(_MINUTE_MS, self._go_anyway, worker, duty)
        else:
            self._go(worker, duty)

    def _go(self, worker: Worker, duty: _Duty) -> None:
        mind = self._minds[worker.index]
        mind.due = None
        if worker.held or worker.activity is duty.activity:
            return
        mind.turn += 1
        self._transitions.set_activity(worker, duty.activity, self._agenda.now_ms)
        if duty.duration_ms is None:
            begun_ms = mind.shift_end_ms - self._scenario.shift_s * 1000
            self._agenda.at(begun_ms + _DAY_MS, self._log_in, worker)
        else:
            self._agenda.after(duty.duration_ms, self._come_back, worker, mind.turn)

    def _come_back(self, worker: Worker, turn: int) -> None:
        mind = self._minds[worker.index]
        if mind.turn != turn:
            return
        if self._agenda.now_ms >= mind.shift_end_ms:
            self._fall_due(worker, _Duty(self._floor.offline, None))
            return
        mind.turn += 1
        self._transitions.set_activity(worker, self._floor.activities[AVAILABLE], self._agenda.now_ms)
        self._router.worker_changed(worker)

    # -- ringing

    def on_offer(self, reservation: Reservation) -> None:
        """Something rings: decide what to do and when."""
        scenario = self._scenario
        rng = self._minds[reservation.worker.index].rng
        timeout_ms = scenario.reservation_timeout_s * 1000
        self._agenda.after(timeout_ms, self._time_out, reservation)
        choice = rng.random()
        delay_ms = min(timeout_ms - 500, max(700, rng.lognormvariate(0, 0.5) * scenario.answer_s * 1000))
        if choice < scenario.times_out:
            return
        choice -= scenario.times_out
        if choice < scenario.rejects:
            self._agenda.after(delay_ms, self._refuse, reservation)
        elif choice < scenario.rejects + scenario.rejects_by_leaving:
            self._agenda.after(delay_ms, self._refuse_by_leaving, reservation)
        else:
            self._agenda.after(delay_ms, self._answer, reservation)

    def _answer(self, reservation: Reservation) -> None:
        if reservation.status is ReservationStatus.PENDING:
            self.desk.accepted(reservation)

    def _refuse(self, reservation: Reservation) -> None:
        if reservation.status is ReservationStatus.PENDING:
            self._transitions.reject(reservation, self._agenda.now_ms)
            self.desk.refused(reservation)
            self.after_contact(reservation.worker)

    def _refuse_by_leaving(self, reservation: Reservation) -> None:
        worker = reservation.worker
        if reservation.status is not ReservationStatus.PENDING:
            return
        if not worker.activity.available or worker.held or _dials(worker):
            self._refuse(reservation)
            return
        mind, now_ms = self._minds[worker.index], self._agenda.now_ms
        mind.turn += 1
        activity = self._floor.activities[UNAVAILABLE]
        ringing = [one for one in worker.open.values() if one.status is ReservationStatus.PENDING]
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
        self._agenda.after(mind.rng.randrange(20_000, 240_000), self._come_back, worker, mind.turn)

    def _time_out(self, reservation: Reservation) -> None:
        worker = reservation.worker
        if reservation.status is not ReservationStatus.PENDING:
            return
        self._transitions.time_out(reservation, self._agenda.now_ms)
        if worker.activity.available:
            self._transitions.hold(worker, True)
            self._agenda.after(self._transitions.gap_ms(30, 400), self._apply_timeout_activity, worker)
        self.desk.refused(reservation)

    def _apply_timeout_activity(self, worker: Worker) -> None:
        if not worker.held:
            return
        self._transitions.hold(worker, False)
        mind = self._minds[worker.index]
        mind.turn += 1
        self._transitions.set_activity(worker, self._floor.timeout_activity, self._agenda.now_ms)
        self._agenda.after(mind.rng.randrange(10_000, 150_000), self._come_back, worker, mind.turn)

    def after_contact(self, worker: Worker) -> None:
        """A reservation of this worker is over: do what has become due, or take the next one."""
        duty = self._minds[worker.index].due
        if duty is not None:
            self._go_or_wait(worker, duty)
        self._router.worker_changed(worker)

    # -- administration

    def administrate(self, kind: str) -> None:
        """Now and then a supervisor edits somebody: `attributes` or `capacity`."""
        rng = self._streams.of("administration", kind)
        scenario = self._scenario
        rate = scenario.attribute_updates_per_hour if kind == "attributes" else scenario.capacity_updates_per_hour
        if rate <= 0:
            return
        worker = rng.choice(self._floor.workers)
        if kind == "attributes":
            attributes = json.loads(worker.attributes)
            attributes["routing"]["levels"] = {"support": rng.randrange(1, 5)}
            self._transitions.update_attributes(worker, attributes, self._agenda.now_ms)
        else:
            self._transitions.update_capacity(worker, "chat", rng.choice((2, 3, 4)), self._agenda.now_ms)
            self._router.worker_changed(worker)
        self.plan_administration(kind, rate)

    def plan_administration(self, kind: str, rate: float) -> None:
        """Plan the next edit of this kind; `rate` is per agent-hour."""
        per_ms = rate * self._scenario.agents / _HOUR_MS
        if per_ms > 0:
            gap = self._streams.of("administration", kind).expovariate(per_ms)
            self._agenda.after(gap, self.administrate, kind)


def _rings(worker: Worker) -> bool:
    return any(one.status is ReservationStatus.PENDING for one in worker.open.values())


def _dials(worker: Worker) -> bool:
    return any(
        one.status is ReservationStatus.PENDING and one.task.direction == "outbound" for one in worker.open.values()
    )


def _on_voice(worker: Worker) -> bool:
    return any(one.task.medium == "voice" for one in worker.open.values())

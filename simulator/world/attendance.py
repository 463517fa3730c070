"""What agents make of their schedule: they come, go on breaks when they can, stay longer, and leave."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulator.world.agenda import Agenda
from simulator.world.calendar import HOUR_MS, MINUTE_MS
from simulator.world.entities import Worker
from simulator.world.figures_ledger import PlannedDuty, PlannedShift
from simulator.world.floor import AVAILABLE, BREAK, UNAVAILABLE, Floor
from simulator.world.minds import Errand, Mind, on_voice, rings
from simulator.world.roster import Roster
from simulator.world.router import Router
from simulator.world.sids import Streams, between, pick
from simulator.world.transitions import Transitions, note_readiness

_PATIENCE_WITH_CHATS_MS = 10 * MINUTE_MS


class Attendance:
    """Drives every worker of the floor through its shifts.

    Attributes:
        minds: by the worker's index.
        on_log_in: an agent has come to work, with the browser open.
        on_log_out: an agent goes home; true if by closing the browser alone.
    """

    on_log_in: Callable[[Worker], None]
    on_log_out: Callable[[Worker], bool]

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        transitions: Transitions,
        router: Router,
        roster: Roster,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._rules = floor.scenario.adherence
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._roster = roster
        self._streams = streams
        self._late, self._leaves_early = self._rules.late.drawer(), self._rules.leaves_early.drawer()
        self._overtime = self._rules.overtime.drawer()
        self.minds: list[Mind] = []

    # -- shifts

    def begin(self) -> None:
        """Put every agent at the start of the world into a plausible place."""
        now_ms = self._agenda.now_ms
        for worker in self._floor.workers:
            self.join(worker)
            shift = self._roster.next_shift(worker, now_ms)
            if shift.start_ms > now_ms or self._is_absent(worker, shift):
                self._expect(worker, shift)
            else:
                self._start_within(worker, shift)

    def join(self, worker: Worker) -> Mind:
        """Give a worker a mind of its own."""
        mind = Mind(self._streams.of("agent", worker.index))
        self.minds.append(mind)
        return mind

    def expect(self, worker: Worker) -> None:
        """Plan the worker's next shift."""
        self._expect(worker, self._roster.next_shift(worker, self._agenda.now_ms))

    def _expect(self, worker: Worker, shift: PlannedShift) -> None:
        mind, rng = self.minds[worker.index], self.minds[worker.index].rng
        mind.shift += 1
        self._transitions.ledger.shift_planned(worker, shift)
        late_ms = self._late(rng) if rng.random() < self._rules.late_share else None
        absent = self._is_absent(worker, shift)
        early_ms = round(rng.random() * self._rules.punctual_within_s * 1000)
        starts_ms = shift.start_ms - early_ms if late_ms is None else shift.start_ms + late_ms
        if absent or shift.start_ms <= self._agenda.now_ms or starts_ms >= shift.end_ms:
            self._agenda.at(shift.end_ms, self._try_next, worker, mind.shift)
        else:
            self._agenda.at(starts_ms, self._log_in, worker, shift, mind.shift)

    def _is_absent(self, worker: Worker, shift: PlannedShift) -> bool:
        draw = Streams(self._floor.scenario.seed).of("absent", worker.index, shift.start_ms).random()
        return draw < self._rules.absent_share

    def _try_next(self, worker: Worker, number: int) -> None:
        if self.minds[worker.index].shift == number and worker.deleted_ms is None:
            self.expect(worker)

    def _start_within(self, worker: Worker, shift: PlannedShift) -> None:
        """The world begins in the middle of the shift: the agent is where the plan says."""
        mind, now_ms = self.minds[worker.index], self._agenda.now_ms
        self._transitions.ledger.shift_planned(worker, shift)
        duty = next((one for one in shift.duties if one.start_ms <= now_ms < one.end_ms), None)
        since_ms = max((one.end_ms for one in shift.duties if one.end_ms <= now_ms), default=shift.start_ms)
        worker.activity = worker.resting = self._floor.activities[duty.name if duty else AVAILABLE]
        worker.activity_since_ms = duty.start_ms if duty else since_ms
        mind.at_work = True
        mind.shift += 1
        note_readiness(worker)
        self._plan_day(worker, shift)
        if duty is not None:
            self._agenda.at(duty.end_ms, self.come_back, worker, mind.turn)

    def _log_in(self, worker: Worker, shift: PlannedShift, number: int) -> None:
        mind = self.minds[worker.index]
        if mind.shift != number or worker.deleted_ms is not None:
            return
        mind.at_work, mind.due = True, None
        mind.turn += 1
        self.on_log_in(worker)
        self._plan_day(worker, shift)
        activity, now_ms = worker.activity, self._agenda.now_ms
        if mind.rng.random() < self._rules.logs_in_unavailable_share:
            first = self._floor.activities[UNAVAILABLE]
            self._agenda.after(between(mind.rng, 2_000, 90_000), self.come_back, worker, mind.turn)
        else:
            first = self._floor.activities[AVAILABLE]
        if first is not activity:
            self._transitions.set_activity(worker, first, now_ms)
        self._router.worker_changed(worker)

    def _plan_day(self, worker: Worker, shift: PlannedShift) -> None:
        """Duties, pauses and the end of a shift, as this agent will take them."""
        mind, rules, now_ms = self.minds[worker.index], self._rules, self._agenda.now_ms
        rng = mind.rng
        for duty in shift.duties:
            self._plan_duty(worker, duty, now_ms)
        choice, early_ms, overtime_ms = rng.random(), self._leaves_early(rng), self._overtime(rng)
        end_ms = shift.end_ms + round(rng.random() * rules.leaves_within_s * 1000)
        if choice < rules.leaves_early_share:
            end_ms = max(now_ms, shift.end_ms - early_ms)
        elif choice < rules.leaves_early_share + rules.overtime_share:
            end_ms = shift.end_ms + overtime_ms
        mind.shift_end_ms = end_ms
        self._agenda.at(end_ms, self._fall_due, worker, mind.shift, Errand(self._floor.offline, None))
        self._plan_short_pause(worker, mind.shift)

    def _plan_duty(self, worker: Worker, duty: PlannedDuty, now_ms: int) -> None:
        mind, rules = self.minds[worker.index], self._rules
        rng = mind.rng
        shift_s = (2 * rng.random() - 1) * rules.duty_starts_within_s
        length = 1 + (2 * rng.random() - 1) * rules.duty_length_spread
        keeps = rng.random() >= rules.skips_duty_share
        due_ms = duty.start_ms + round(shift_s * 1000)
        if keeps and due_ms > now_ms:
            errand = Errand(
                self._floor.activities[duty.name], max(1_000, round((duty.end_ms - duty.start_ms) * length))
            )
            self._agenda.at(due_ms, self._fall_due, worker, mind.shift, errand)

    def _plan_short_pause(self, worker: Worker, number: int) -> None:
        per_hour = self._rules.short_pauses_per_hour
        if per_hour > 0:
            gap_ms = exponential_ms(self.minds[worker.index].rng.random(), HOUR_MS / per_hour)
            self._agenda.after(gap_ms, self._take_short_pause, worker, number)

    def _take_short_pause(self, worker: Worker, number: int) -> None:
        mind = self.minds[worker.index]
        if mind.shift != number or not mind.at_work:
            return  # the next log-in plans the next pause
        rng = mind.rng
        if rng.random() < self._rules.slips_share:
            # A slip of the mouse: away and back within seconds.
            errand = Errand(self._floor.activities[UNAVAILABLE], between(rng, 400, 6_000))
        else:
            name = pick(rng, (BREAK, UNAVAILABLE))
            errand = Errand(self._floor.activities[name], between(rng, 20_000, 360_000))
        self._fall_due(worker, number, errand)
        self._plan_short_pause(worker, number)

    # -- going away

    def _fall_due(self, worker: Worker, number: int, errand: Errand) -> None:
        mind = self.minds[worker.index]
        leaves = errand.duration_ms is None
        if mind.shift != number or not mind.at_work or worker.deleted_ms is not None:
            return
        if not leaves and (not worker.connected or mind.due is not None or not worker.resting.available):
            return
        if not worker.connected:
            self._go(worker, errand)  # the browser is closed: the agent just goes home
            return
        self._go_or_wait(worker, errand)
        if mind.due is errand:
            self._agenda.after(_PATIENCE_WITH_CHATS_MS, self._go_anyway, worker, errand)

    def _go_or_wait(self, worker: Worker, errand: Errand) -> None:
        mind, rules = self.minds[worker.index], self._rules
        leaves = errand.duration_ms is None
        if not worker.open:
            share = 1.0
        elif rings(worker):
            share = 0.0
        elif on_voice(worker):
            share = 0.0 if leaves else rules.changes_on_contact_share
        else:
            share = rules.leaves_chats_at_night_share if leaves else rules.parks_chats_share
        if share >= 1.0 or mind.rng.random() < share:
            self._go(worker, errand)
        else:
            mind.due = errand

    def _go_anyway(self, worker: Worker, errand: Errand) -> None:
        if self.minds[worker.index].due is not errand:
            return
        if rings(worker) or on_voice(worker):
            self._agenda.after(MINUTE_MS, self._go_anyway, worker, errand)
        else:
            self._go(worker, errand)

    def _go(self, worker: Worker, errand: Errand) -> None:
        mind = self.minds[worker.index]
        mind.due = None
        if worker.deleted_ms is not None:
            return
        if errand.duration_ms is None:
            self._go_home(worker)
        elif not worker.held and worker.activity is not errand.activity:
            mind.turn += 1
            self._transitions.set_activity(worker, errand.activity, self._agenda.now_ms)
            self._agenda.after(errand.duration_ms, self.come_back, worker, mind.turn)

    def _go_home(self, worker: Worker) -> None:
        mind = self.minds[worker.index]
        if worker.held:
            # TaskRouter moves the worker in this very moment; then the agent goes.
            self._agenda.after(1_000, self._fall_due, worker, mind.shift, Errand(self._floor.offline, None))
            return
        mind.turn += 1
        mind.at_work = False
        by_browser = self.on_log_out(worker)
        if not by_browser and worker.activity is not self._floor.offline:
            self._transitions.set_activity(worker, self._floor.offline, self._agenda.now_ms)
        self.expect(worker)

    def come_back(self, worker: Worker, turn: int) -> None:
        """Make the agent available again, unless something else has happened since `turn`."""
        mind = self.minds[worker.index]
        if mind.turn != turn or worker.deleted_ms is not None or not worker.connected:
            return
        if self._agenda.now_ms >= mind.shift_end_ms:
            self._fall_due(worker, mind.shift, Errand(self._floor.offline, None))
            return
        self.make_available(worker)

    def make_available(self, worker: Worker) -> None:
        """The agent sets the activity that takes work."""
        self.minds[worker.index].turn += 1
        if worker.activity is not self._floor.activities[AVAILABLE]:
            self._transitions.set_activity(worker, self._floor.activities[AVAILABLE], self._agenda.now_ms)
        self._router.worker_changed(worker)

    def after_contact(self, worker: Worker) -> None:
        """A reservation of this worker is over: do what has become due, or take the next one."""
        errand = self.minds[worker.index].due
        if errand is not None and worker.connected:
            self._go_or_wait(worker, errand)
        self._router.worker_changed(worker)


def exponential_ms(draw: float, mean_ms: float) -> float:
    """A memoryless gap from a draw between 0 and 1."""
    return -math.log(1.0 - draw) * mean_ms

"""Browsers that close, by accident, at the end of a shift or in an outage, and what Flex makes of it."""

from __future__ import annotations

from collections.abc import Callable

from simulator.world.agenda import Agenda
from simulator.world.attendance import Attendance, exponential_ms
from simulator.world.calendar import HOUR_MS, MINUTE_MS
from simulator.world.entities import Worker
from simulator.world.floor import Floor
from simulator.world.scenario.work import Outage
from simulator.world.sids import Streams
from simulator.world.transitions import Transitions


class Browsers:
    """Opens and closes connections; the functions are told of each."""

    on_close: Callable[[Worker], None]
    on_open: Callable[[Worker], None]

    def __init__(
        self, floor: Floor, agenda: Agenda, transitions: Transitions, attendance: Attendance, streams: Streams
    ) -> None:
        self._floor = floor
        self._rules = floor.scenario.browser
        self._away = self._rules.away.drawer()
        self._agenda = agenda
        self._transitions = transitions
        self._attendance = attendance
        self._streams = streams

    def begin(self) -> None:
        """Plan the accidents of those who are at work, and the outages."""
        for worker in self._floor.workers:
            if self._attendance.minds[worker.index].at_work:
                self._plan_accident(worker)
        for outage in self._floor.scenario.outages:
            start_ms = self._floor.scenario.start_ms + round(outage.starts_min * MINUTE_MS)
            self._agenda.at(start_ms, self._fail, outage)

    def log_in(self, worker: Worker) -> None:
        """The agent opens the browser at the beginning of a shift."""
        if not worker.connected:
            worker.connected = True
            self.on_open(worker)
        self._plan_accident(worker)

    def log_out(self, worker: Worker) -> bool:
        """The agent goes home; true if without logging out, by closing the browser alone."""
        if not worker.connected:
            return True
        rng = self._streams.of("browser", worker.index)
        forgets = rng.random() < self._rules.forgets_log_out_share
        if forgets:
            self._close(worker)
        return forgets

    # -- accidents

    def _plan_accident(self, worker: Worker) -> None:
        per_hour = self._rules.closes_per_hour
        if per_hour > 0:
            draw = self._streams.of("browser", worker.index).random()
            shift = self._attendance.minds[worker.index].shift
            self._agenda.after(exponential_ms(draw, HOUR_MS / per_hour), self._have_accident, worker, shift)

    def _have_accident(self, worker: Worker, shift: int) -> None:
        mind = self._attendance.minds[worker.index]
        if mind.shift != shift or not mind.at_work or worker.deleted_ms is not None:
            return
        if worker.connected:
            self._close(worker)
            self._agenda.after(self._away(self._streams.of("browser", worker.index)), self._come_back, worker, shift)
        self._plan_accident(worker)

    def _fail(self, outage: Outage) -> None:
        """The platform throws agents out; they come back in the minutes after it works again."""
        rng = self._streams.of("outage")
        for worker in self._floor.workers:
            mind = self._attendance.minds[worker.index]
            is_here = outage.site in ("", worker.site) and mind.at_work and worker.deleted_ms is None
            if is_here and rng.random() < outage.disconnects_share and worker.connected:
                self._agenda.after(rng.random() * 20_000, self._throw_out, worker, mind.shift)
                back_ms = (outage.minutes + 5 * rng.random()) * MINUTE_MS + 20_000
                self._agenda.after(back_ms, self._come_back, worker, mind.shift)

    def _throw_out(self, worker: Worker, shift: int) -> None:
        if worker.connected and self._attendance.minds[worker.index].shift == shift and worker.deleted_ms is None:
            self._close(worker)

    # -- the connection

    def _close(self, worker: Worker) -> None:
        mind = self._attendance.minds[worker.index]
        worker.connected = False
        mind.closed += 1
        self.on_close(worker)
        if self._rules.auto_offline:
            self._agenda.after(self._rules.offline_after_s * 1000, self._log_out, worker, mind.closed)

    def _log_out(self, worker: Worker, closed: int) -> None:
        """Flex moves who has been gone for too long to the logged-out activity."""
        if worker.connected or self._attendance.minds[worker.index].closed != closed or worker.deleted_ms is not None:
            return
        if worker.held:
            self._agenda.after(1_000, self._log_out, worker, closed)
        elif worker.activity is not self._floor.offline:
            self._transitions.set_activity(worker, self._floor.offline, self._agenda.now_ms)

    def _come_back(self, worker: Worker, shift: int) -> None:
        mind = self._attendance.minds[worker.index]
        if worker.connected or mind.shift != shift or not mind.at_work or worker.deleted_ms is not None:
            return
        worker.connected = True
        mind.turn += 1
        self.on_open(worker)
        if worker.held:
            return  # TaskRouter is about to move the worker, who comes back from there
        self._attendance.come_back(worker, mind.turn)

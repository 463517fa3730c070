"""The roster: which shift each agent works, when it is planned to begin and end, and what is planned within it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Protocol, TypeVar

from simulator.world.calendar import HOUR_MS, MINUTE_MS, LocalClock, days_from
from simulator.world.entities import Worker
from simulator.world.figures_ledger import PlannedDuty, PlannedShift
from simulator.world.scenario import Scenario
from simulator.world.scenario.people import DAYS, Duty, Shift
from simulator.world.sids import Streams

_FIVE_MINUTES_MS = 5 * MINUTE_MS
_LOOKS_BACK = timedelta(days=2)  # a shift that began so long ago is over by now


class _Weighed(Protocol):
    @property
    def share(self) -> float: ...


W = TypeVar("W", bound=_Weighed)


class Roster:
    """Plans shifts, each when it is asked for; the same worker has the same plan whoever asks when."""

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self._scenario = scenario
        self._streams = streams
        self._clocks = {site.name: LocalClock(site.time_zone) for site in scenario.sites}
        self._patterns: dict[int, Shift] = {}

    def next_shift(self, worker: Worker, after_ms: int) -> PlannedShift:
        """The worker's first planned shift that ends after an instant: it may have begun by then."""
        pattern = self._pattern(worker)
        clock = self._clocks[worker.site]
        for day in days_from(clock.day_of(after_ms) - _LOOKS_BACK):
            if DAYS[day.weekday()] in pattern.days:
                start_ms = clock.at(day, pattern.starts)
                if start_ms + round(pattern.hours * HOUR_MS) > after_ms:
                    return self._plan(worker, pattern, day, start_ms)
        raise AssertionError("days do not end")

    def _pattern(self, worker: Worker) -> Shift:
        known = self._patterns.get(worker.index)
        if known is None:
            fitting = [shift for shift in self._scenario.shifts if shift.site in ("", worker.site)]
            draw = self._streams.of("pattern", worker.site).random()
            known = self._patterns[worker.index] = weighed(fitting, draw)
        return known

    def _plan(self, worker: Worker, pattern: Shift, day: date, start_ms: int) -> PlannedShift:
        # A stream of its own for each shift, so that it is the same plan however often it is made.
        rng = Streams(self._scenario.seed).of("plan", worker.index, day.isoformat())
        length_ms = round(pattern.hours * HOUR_MS)
        wishes = []
        for duty in self._scenario.duties:
            is_planned = rng.random() < duty.share
            anywhere = 0.05 + 0.85 * rng.random()
            if is_planned:
                wishes.append((anywhere if duty.at is None else duty.at, duty))
        return PlannedShift(start_ms, start_ms + length_ms, tuple(_without_clashes(wishes, start_ms, length_ms)))


def _without_clashes(wishes: Iterable[tuple[float, Duty]], start_ms: int, length_ms: int) -> list[PlannedDuty]:
    """The duties on a grid of five minutes; nobody is planned to be at two places."""
    planned: list[PlannedDuty] = []
    for share, duty in sorted(wishes, key=lambda wish: wish[0]):
        duty_ms = start_ms + round(length_ms * share / _FIVE_MINUTES_MS) * _FIVE_MINUTES_MS
        end_ms = min(start_ms + length_ms, duty_ms + round(duty.minutes * MINUTE_MS))
        if duty_ms < end_ms and (not planned or planned[-1].end_ms <= duty_ms):
            planned.append(PlannedDuty(duty_ms, end_ms, duty.activity))
    return planned


def weighed(items: Sequence[W], draw: float) -> W:
    """The item on which a draw from 0 to 1 falls when each takes as much room as its share."""
    left = draw * sum(item.share for item in items)
    for item in items:
        left -= item.share
        if left < 0:
            return item
    return [item for item in items if item.share][-1]


def parted(items: Sequence[W], count: int) -> list[W]:
    """`count` items in all, each as often as its share says, to the nearest whole number."""
    total = sum(item.share for item in items)
    found: list[W] = []
    done = 0.0
    for item in items:
        done += item.share
        found.extend([item] * (round(count * done / total) - len(found)))
    return found

"""Local clocks: when a time of day is at a site, and how busy that moment is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from simulator.world.scenario.people import DAYS
from simulator.world.scenario.work import Curve, Spike

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
STEP_MS = 15 * MINUTE_MS


class LocalClock:
    """The clock of a time zone; daylight-saving time is the zone's business."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)

    def local(self, ms: int) -> datetime:
        """What the clock shows."""
        return datetime.fromtimestamp(ms // 1000, self._zone)

    def day_of(self, ms: int) -> date:
        """The date that the calendar shows."""
        return self.local(ms).date()

    def at(self, day: date, time_of_day: str, plus_days: int = 0) -> int:
        """When the clock shows this time (HH:MM) on this day.

        A time that the clock skips in spring counts as if it had not; one that it shows twice in autumn is the first.
        """
        hour, minute = time_of_day.split(":")
        moment = datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=self._zone)
        return round((moment + timedelta(days=plus_days)).timestamp()) * 1000


class Dent:
    """A time of the world in which the demand differs, whatever the clock shows."""

    __slots__ = ("end_ms", "factor", "start_ms")

    def __init__(self, start_ms: int, end_ms: int, factor: float) -> None:
        self.start_ms = start_ms
        self.end_ms = end_ms
        self.factor = factor


class Demand:
    """How many times the stated rate contacts of one kind come, by the clock of a site.

    It is a step function: the factor at the middle of each quarter of an hour holds for the whole of it.
    """

    def __init__(self, curve: Curve, clock: LocalClock, spikes: tuple[Spike, ...], dents: tuple[Dent, ...]) -> None:
        self._curve = curve
        self._clock = clock
        self._spikes = spikes
        self._dents = dents
        self._steps: dict[int, float] = {}

    def factor(self, ms: int) -> float:
        """The factor of the step in which an instant lies."""
        number = ms // STEP_MS
        known = self._steps.get(number)
        if known is None:
            if len(self._steps) > 1000:
                self._steps.clear()
            known = self._steps[number] = self._work_out(number * STEP_MS + STEP_MS // 2)
        return known

    def _work_out(self, ms: int) -> float:
        local = self._clock.local(ms)
        hours = self._curve.hours
        here, there = hours[local.hour], hours[(local.hour + 1) % 24]
        part = local.minute / 60
        factor = (here + (there - here) * part) * self._curve.weekdays[local.weekday()]
        for spike in self._spikes:
            if not spike.days or DAYS[local.weekday()] in spike.days:
                start_ms = self._clock.at(local.date(), spike.starts)
                if start_ms <= ms < start_ms + spike.minutes * MINUTE_MS:
                    factor *= spike.factor
        for dent in self._dents:
            if dent.start_ms <= ms < dent.end_ms:
                factor *= dent.factor
        return factor

    def work_between(self, from_ms: int, to_ms: int) -> float:
        """The factor summed up over time, in milliseconds at a factor of 1."""
        done, at_ms = 0.0, from_ms
        while at_ms < to_ms:
            step_end_ms = min(to_ms, (at_ms // STEP_MS + 1) * STEP_MS)
            done += (step_end_ms - at_ms) * self.factor(at_ms)
            at_ms = step_end_ms
        return done

    def arrivals_until(self, after_ms: int, work: float) -> int:
        """When so much `work`, in milliseconds at a factor of 1, has been done since `after_ms`.

        Drawn from the standard exponential distribution, and divided by the rate, it gives the next arrival of a
        Poisson process whose rate follows the steps exactly.
        """
        at_ms = float(after_ms)
        for _ in range(_HORIZON_STEPS):
            step_end_ms = (int(at_ms) // STEP_MS + 1) * STEP_MS
            factor = self.factor(int(at_ms))
            done = (step_end_ms - at_ms) * factor
            if done >= work and factor:
                return int(at_ms + work / factor)
            work -= done
            at_ms = float(step_end_ms)
        return _NOT_SOON_MS + after_ms


_HORIZON_STEPS = 60 * 96  # two months: what comes later than that is planned anew, from there on, if anything is
_NOT_SOON_MS = 200 * 366 * DAY_MS


def days_from(day: date) -> Iterator[date]:
    """This day and those after it."""
    while True:
        yield day
        day += timedelta(days=1)

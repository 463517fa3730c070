"""Moves the events of a log to another time, and stretches or squeezes the time between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.world.events import Event

_INSTANTS = ("task_date_created", "task_queue_entered_date", "task_virtual_start_time", "transfer_started")
_LENGTHS_S = ("worker_time_in_previous_activity",)
_LENGTHS_MS = ("worker_time_in_previous_activity_ms",)
_NEWEST_SECONDS = 100_000_000_000  # a larger number is one of milliseconds


@dataclass(frozen=True, slots=True)
class Restamp:
    """What happened at `from_ms` happens at `to_ms`, and everything after it `speed` times as fast."""

    from_ms: int
    to_ms: int
    speed: float = 1.0

    def instant(self, ms: int) -> int:
        """Where an instant of the log comes to lie."""
        return self.to_ms + round((ms - self.from_ms) / self.speed)

    def length(self, length_ms: int, end_ms: int) -> int:  # noqa: ARG002
        """How long something now lasts that lasted so long and ended at `end_ms`."""
        return round(length_ms / self.speed)

    def event(self, event: Event) -> Event:
        """The event at its new time; the times and lengths in its data fit it."""
        return restamped(event, self)


class TimeMap(Protocol):
    """Where the instants of a log come to lie, and how long what was between them lasts."""

    def instant(self, ms: int) -> int: ...
    def length(self, length_ms: int, end_ms: int) -> int: ...


def restamped(event: Event, times: TimeMap) -> Event:
    """An event at the time that `times` gives it; the times and lengths in its data fit it."""
    ms = times.instant(event.ms)
    extra = _data(event.data(), event.ms, ms, times)
    worker = {key: value for key, value in extra.items() if key.startswith("worker_")}
    at_ms = ms if event.at_ms == event.ms else times.instant(event.at_ms)
    return event._replace(at_ms=at_ms, ms=ms, worker=worker, task_base={}, task_status="", extra=extra)


def _data(data: Mapping[str, str], was_ms: int, ms: int, times: TimeMap) -> dict[str, str]:
    found = dict(data)
    for name in _INSTANTS:
        if found.get(name, "").isdigit():
            found[name] = _number(int(found[name]), times)
    for name in _LENGTHS_MS:
        if found.get(name, "").isdigit():
            found[name] = str(times.length(int(found[name]), was_ms))
    for name in _LENGTHS_S:
        exact = found.get(f"{name}_ms", "")
        if found.get(name, "").isdigit():
            length_ms = int(exact) if exact.isdigit() else times.length(int(found[name]) * 1000, was_ms)
            found[name] = str(length_ms // 1000)
    if found.get("task_age", "").isdigit() and found.get("task_date_created", "").isdigit():
        created_s = int(found["task_date_created"])
        created_s = created_s if created_s < _NEWEST_SECONDS else created_s // 1000
        found["task_age"] = str(max(0, ms // 1000 - created_s))
    return found


def _number(value: int, times: TimeMap) -> str:
    """An instant in seconds or milliseconds, in the same unit."""
    if value < _NEWEST_SECONDS:
        return str(times.instant(value * 1000) // 1000)
    return str(times.instant(value))


def clock_lines(start_ms: int, anchor_ms: int, speed: float) -> str:
    """The settings with which a connector's clock shows the log's own time."""
    table = {"start_ms": start_ms, "anchor_ms": anchor_ms, "speed": float(speed)}
    return "[clock]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())

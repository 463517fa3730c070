"""The Events list: which window of the log a request means, and which of its events it wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import request

from simulator.twilio.paging import Key
from simulator.twilio.problems import RestProblem
from simulator.world.events import Event, EventLog

_MINUTE_MS = 60_000
_DEFAULT_WINDOW_MS = 15 * _MINUTE_MS
_KEPT_MS = 30 * 24 * 60 * _MINUTE_MS

_TESTS: dict[str, Callable[[Event, str], bool]] = {
    "Sid": lambda event, value: event.sid == value,
    "EventType": lambda event, value: event.type == value,
    "WorkerSid": lambda event, value: event.worker_sid == value,
    "TaskSid": lambda event, value: event.task_sid == value,
    "ReservationSid": lambda event, value: event.resource_type == "reservation" and event.resource_sid == value,
    "TaskQueueSid": lambda event, value: event.task.get("task_queue_sid") == value,
    "WorkflowSid": lambda event, value: event.task.get("workflow_sid") == value,
    "TaskChannel": lambda event, value: (
        value in {event.task.get("task_channel_sid"), event.task.get("task_channel_unique_name")}
    ),
}


def place(event: Event) -> Key:
    """Where a row stands in the list: its time and its number in the log; both never change."""
    return event.ms, f"{event.seq:012d}"


class EventWindows:
    """The events that requests ask for, in the order of the list.

    A window is read page by page, so the last one is kept; only one that lies in the past, for nothing joins it then.
    """

    def __init__(self) -> None:
        self._asked: tuple[object, ...] = ()
        self._rows: list[Event] = []

    def rows(self, log: EventLog, now_ms: int) -> list[Event]:
        """Those of the present request; raises RestProblem for an impossible window."""
        first_ms, last_ms = time_window(now_ms)
        wanted = [(name, value) for name in _TESTS if (value := request.args.get(name))]
        asked = (id(log), log.first_seq, first_ms, last_ms, *wanted)
        if asked != self._asked or last_ms >= now_ms:
            tests = [(_TESTS[name], value) for name, value in wanted]
            events = log.between(first_ms, min(last_ms, now_ms))
            if tests:
                events = [event for event in events if all(test(event, value) for test, value in tests)]
            self._asked, self._rows = asked, sorted(events, key=place)
        return self._rows


def kept_events(log: EventLog, now_ms: int) -> list[Event]:
    """What REST still knows: the last 30 days."""
    return log.between(now_ms - _KEPT_MS, now_ms)


def time_window(now_ms: int) -> tuple[int, int]:
    """First and last millisecond of the window that the present request means; RestProblem for an impossible one."""
    minutes, start, end = (request.args.get(name) for name in ("Minutes", "StartDate", "EndDate"))
    if minutes is not None:
        if start is not None or end is not None:
            raise RestProblem.invalid("Minutes excludes StartDate and EndDate")
        if not (minutes.isascii() and minutes.isdigit()) or not 1 <= int(minutes) <= _KEPT_MS // _MINUTE_MS:
            raise RestProblem.invalid("Minutes must be a number of minutes within the last 30 days")
        return now_ms - int(minutes) * _MINUTE_MS, now_ms
    # Both dates are inclusive and whole seconds: the whole last second belongs to the window.
    last_ms = now_ms if end is None else _parse("EndDate", end) + 999
    # Without a start the default window reaches back from the end (assumed).
    first_ms = min(last_ms, now_ms) - _DEFAULT_WINDOW_MS if start is None else _parse("StartDate", start)
    if first_ms < now_ms - _KEPT_MS:
        raise RestProblem.invalid("StartDate must lie within the last 30 days")
    return first_ms, last_ms


def _parse(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RestProblem.invalid(f"{name} must be a date such as 2026-01-05T10:00:00Z") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000

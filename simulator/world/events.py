"""The append-only event log, from which the REST, callback and stream views of an event are rendered."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import count
from typing import NamedTuple


class Event(NamedTuple):
    """One TaskRouter event; all values of the blocks are texts under Twilio's snake_case names.

    It sorts by the time at which it is told and its number. The worker's block and what seldom changes of the task's
    are shared between events.

    Attributes:
        at_ms: when it is told.
        ms: the time that it states; in `worker.deleted` alone that may be another.
    """

    at_ms: int
    seq: int
    sid: str
    type: str
    ms: int
    resource_type: str
    resource_sid: str
    worker_sid: str
    task_sid: str
    worker: Mapping[str, str]
    task_base: Mapping[str, str]
    task_status: str
    task_version: int
    extra: Mapping[str, str]

    @property
    def task(self) -> dict[str, str]:
        """The task's block."""
        if not self.task_base:
            return {}
        return {
            **self.task_base,
            "task_assignment_status": self.task_status,
            "task_version": str(self.task_version),
        }

    def data(self) -> dict[str, str]:
        """The blocks merged: REST's `event_data`, and in CamelCase the callback's parameters."""
        base = self.task_base
        if not base:
            return {**self.worker, **self.extra}
        merged = {**base, **self.worker, **self.extra}
        merged["task_assignment_status"] = self.task_status
        merged["task_version"] = str(self.task_version)
        # A difference of truncated seconds, as Twilio counts it (reference 13 row 6).
        merged["task_age"] = str(self.ms // 1000 - int(base["task_date_created"]))
        if self.resource_type == "reservation":
            merged["reservation_sid"] = self.resource_sid
        elif self.type == "task.created":
            # Documented: a task has no queue yet when it is created.
            for key in _QUEUE_KEYS:
                merged.pop(key, None)
        return merged

    @property
    def description(self) -> str:
        """Twilio's sentence about the event; it may hold personal data (reference 13 row 11)."""
        name = self.worker.get("worker_name", self.resource_sid)
        if self.type == "worker.activity.update":
            return f"Worker {name} updated to {self.worker.get('worker_activity_name', '')} Activity"
        if self.type == "worker.attributes.update":
            return f"Worker {name} attributes updated to {self.worker.get('worker_attributes', '')}"
        subject = name if self.resource_type == "worker" else self.resource_sid
        return f"{self.resource_type.capitalize()} {subject} {self.type.rpartition('.')[2]}"


class EventLog:
    """Takes events in any order of the next few milliseconds and keeps them in order of time.

    Attributes:
        draw: gives the number of the next event.
        stage: takes an event that is told now or in a few milliseconds.
    """

    def __init__(self) -> None:
        self._settled: list[Event] = []
        self._staged: list[Event] = []
        self._forgotten = 0
        self.draw: Callable[[], int] = count().__next__
        self.stage: Callable[[Event], None] = self._staged.append

    def __len__(self) -> int:
        """How many events there were, those that are forgotten included."""
        return self._forgotten + len(self._settled)

    @property
    def first_seq(self) -> int:
        """The number of the oldest event that is still known; 0 where there is none."""
        return self._settled[0].seq if self._settled else 0

    def __iter__(self) -> Iterator[Event]:
        return iter(self._settled)

    def next_ms(self) -> int | None:
        """When the next staged event is told."""
        return min(self._staged).at_ms if self._staged else None

    def last_ms(self) -> int | None:
        """When the last staged event is told."""
        return max(self._staged).at_ms if self._staged else None

    def settle(self, until_ms: int) -> list[Event]:
        """Append what has been told up to `until_ms`; gives the new ones."""
        staged = self._staged
        staged.sort()
        told = len(staged) if staged and staged[-1].at_ms <= until_ms else _position(staged, until_ms + 1)
        settled = staged[:told]
        del staged[:told]
        self._settled.extend(settled)
        return settled

    def forget_before(self, ms: int) -> None:
        """Let go of events told before this; REST knows them no more."""
        old = _position(self._settled, ms)
        del self._settled[:old]
        self._forgotten += old

    def between(self, first_ms: int, last_ms: int) -> list[Event]:
        """The events told in `[first_ms, last_ms]`, oldest first."""
        return self._settled[_position(self._settled, first_ms) : _position(self._settled, last_ms + 1)]


_QUEUE_KEYS = ("task_queue_sid", "task_queue_name", "task_queue_target_expression", "task_queue_entered_date")


def _position(events: list[Event], ms: int) -> int:
    return bisect_left(events, ms, key=_told_ms)


def _told_ms(event: Event) -> int:
    return event.at_ms


@lru_cache(maxsize=256)
def camel(name: str) -> str:
    """`worker_activity_sid` -> `WorkerActivitySid`."""
    return "".join(part.capitalize() for part in name.split("_"))


def callback_parameters(event: Event, *, account_sid: str, workspace_sid: str, workspace_name: str) -> dict[str, str]:
    """The form parameters of an event callback (Twilio reference 1.3)."""
    parameters = {
        "AccountSid": account_sid,
        "EventDescription": event.description,
        "EventType": event.type,
        "ResourceSid": event.resource_sid,
        "ResourceType": event.resource_type,
        "Sid": event.sid,
        "Timestamp": str(event.ms // 1000),
        "TimestampMs": str(event.ms),
        "WorkspaceName": workspace_name,
        "WorkspaceSid": workspace_sid,
    }
    for key, value in event.data().items():
        parameters[camel(key)] = value
    return parameters

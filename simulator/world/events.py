"""The append-only event log, from which the REST, callback and stream views of an event are rendered."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Event:
    """One TaskRouter event; all values of the blocks are texts under Twilio's snake_case names.

    The worker and the task block are shared between events as long as the resource does not change.
    """

    seq: int
    sid: str
    type: str
    ms: int
    resource_type: str
    resource_sid: str
    worker_sid: str
    task_sid: str
    worker: Mapping[str, str]
    task: Mapping[str, str]
    extra: Mapping[str, str]

    def data(self) -> dict[str, str]:
        """The blocks merged: REST's `event_data`, and in CamelCase the callback's parameters."""
        merged = {**self.task, **self.worker, **self.extra}
        if self.task:
            # A difference of truncated seconds, as Twilio counts it (reference 13 row 6).
            merged["task_age"] = str(self.ms // 1000 - int(self.task["task_date_created"]))
        if self.resource_type == "reservation":
            merged["reservation_sid"] = self.resource_sid
        if self.type == "task.created":
            # Documented: a task has no queue yet when it is created.
            merged = {key: value for key, value in merged.items() if not key.startswith("task_queue_")}
        return merged

    @property
    def description(self) -> str:
        """Twilio's sentence about the event; it may hold personal data (reference 13 row 11)."""
        if self.type == "worker.activity.update":
            return f"Worker {self.worker['worker_name']} updated to {self.worker['worker_activity_name']} Activity"
        if self.type == "worker.attributes.update":
            worker = self.worker
            return f"Worker {worker['worker_name']} attributes updated to {worker['worker_attributes']}"
        subject = self.worker["worker_name"] if self.resource_type == "worker" else self.resource_sid
        return f"{self.resource_type.capitalize()} {subject} {self.type.rpartition('.')[2]}"


class EventLog:
    """Takes events in any order of the next few milliseconds and keeps them in order of time."""

    def __init__(self) -> None:
        self._settled: list[Event] = []
        self._staged: list[tuple[int, int, Event]] = []
        self._drawn = 0
        self._forgotten = 0

    def __len__(self) -> int:
        """How many events there were, those that are forgotten included."""
        return self._forgotten + len(self._settled)

    def forget_before(self, ms: int) -> None:
        """Let go of events older than this; REST knows them no more."""
        old = self._position(ms)
        del self._settled[:old]
        self._forgotten += old

    def __iter__(self) -> Iterator[Event]:
        return iter(self._settled)

    def next_number(self) -> int:
        """The number of the next event to stage."""
        return self._drawn

    def stage(self, event: Event) -> Event:
        """Take an event that happens now or in a few milliseconds."""
        self._drawn += 1
        heapq.heappush(self._staged, (event.ms, event.seq, event))
        return event

    def next_ms(self) -> int | None:
        """When the next staged event happens."""
        return self._staged[0][0] if self._staged else None

    def settle(self, until_ms: int) -> list[Event]:
        """Append what has happened up to `until_ms`; gives the new ones."""
        settled = []
        while self._staged and self._staged[0][0] <= until_ms:
            settled.append(heapq.heappop(self._staged)[2])
        self._settled.extend(settled)
        return settled

    def between(self, first_ms: int, last_ms: int) -> list[Event]:
        """The events of `[first_ms, last_ms]`, oldest first."""
        return self._settled[self._position(first_ms) : self._position(last_ms + 1)]

    def _position(self, ms: int) -> int:
        low, high = 0, len(self._settled)
        while low < high:
            middle = (low + high) // 2
            if self._settled[middle].ms < ms:
                low = middle + 1
            else:
                high = middle
        return low

    def dump(self) -> bytes:
        """The whole log as JSON lines; equal bytes mean equal worlds."""
        lines = [
            json.dumps(
                {"sid": event.sid, "type": event.type, "ms": event.ms, "resource": event.resource_sid, **event.data()},
                sort_keys=True,
                ensure_ascii=False,
            )
            for event in self._settled
        ]
        return ("\n".join(lines) + "\n").encode()


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

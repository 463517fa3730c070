"""The inbox: everything the fake WFM accepted or refused, in order, with the machine time; bounded."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

_MAX_REPORTS = 20_000
_MAX_REJECTIONS = 20_000
_MAX_CAPTURED = 20_000

_T = TypeVar("_T")


class StateRow(NamedTuple):
    """One accepted state; `request` is the number of the request it came in, `start_time` as it stood on the wire."""

    accepted_s: float
    request: int
    agent_id: Any
    agent_value: Any
    event_id: Any
    event_reason: Any
    start_time: Any


class _Log(Generic[_T]):
    """A list that forgets its beginning, but whose sequence numbers go on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: list[_T] = []
        self._dropped = 0

    def add(self, item: _T) -> None:
        self._items.append(item)
        if len(self._items) > self._limit + self._limit // 8:  # in steps, since cutting the front moves the rest
            excess = len(self._items) - self._limit
            del self._items[:excess]
            self._dropped += excess

    def after(self, seq: int, limit: int) -> Iterator[tuple[int, _T]]:
        first = max(0, seq - self._dropped)
        yield from enumerate(self._items[first : first + limit], start=self._dropped + first + 1)

    def clear(self) -> None:
        self._items.clear()
        self._dropped = 0


class Inbox:
    """What came in; sequence numbers start at 1 and have no holes."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._states: _Log[StateRow] = _Log(limit)
        self._reports: _Log[dict[str, Any]] = _Log(_MAX_REPORTS)
        self._rejections: _Log[dict[str, Any]] = _Log(_MAX_REJECTIONS)
        self._captured: _Log[dict[str, Any]] = _Log(_MAX_CAPTURED)
        self._is_capturing = False
        self._counters: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counters[name] += 1

    def accept_states(self, rows: Iterable[tuple[Any, Any, Any, Any, Any]]) -> None:
        """Keep the states of one request: agent id, agent value, event id, event reason, start time."""
        with self._lock:
            accepted_s = time.time()
            self._counters["state_requests"] += 1
            request = self._counters["state_requests"]
            for row in rows:
                self._counters["states"] += 1
                self._states.add(StateRow(accepted_s, request, *row))

    def accept_report(self, kind: str, body: Any) -> None:
        """Keep a report; `kind` is agent_activity or queue."""
        with self._lock:
            self._counters["reports"] += 1
            self._reports.add({"kind": kind, "accepted_s": time.time(), "body": body})

    def reject(self, endpoint: str, status: int, problem: str) -> None:
        """Note a refused request, or a refused row of a request that was taken in part."""
        with self._lock:
            self._counters["rejections"] += 1
            row = {"at_s": time.time(), "endpoint": endpoint, "status": status, "problem": problem[:2000]}
            self._rejections.add(row)

    def capture(self, *, on: bool) -> None:
        """Keep whole requests from now on, or no more; what was kept stays."""
        with self._lock:
            self._is_capturing = on

    def keep(self, endpoint: str, received_ms: int, status: int, payload: Any) -> None:
        """Keep a request as it came, with the answer it got, where requests are captured."""
        with self._lock:
            if self._is_capturing:
                received = (
                    f"{datetime.fromtimestamp(received_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{received_ms % 1000:03d}Z"
                )
                facts = {"endpoint": endpoint, "received": received, "status": status}
                self._captured.add({**facts, "payload": payload})

    def captured(self, after: int, limit: int) -> list[dict[str, Any]]:
        """The captured requests after a sequence number."""
        with self._lock:
            return [{"seq": seq, **row} for seq, row in self._captured.after(after, limit)]

    def states(self, after: int, limit: int) -> dict[str, Any]:
        """The states after a sequence number, and the number to go on from."""
        with self._lock:
            rows = [{"seq": seq, **row._asdict()} for seq, row in self._states.after(after, limit)]
        return {"rows": rows, "next": rows[-1]["seq"] if rows else after}

    def reports(self, after: int, limit: int) -> list[dict[str, Any]]:
        """The reports after a sequence number."""
        with self._lock:
            return [{"seq": seq, **report} for seq, report in self._reports.after(after, limit)]

    def rejections(self, after: int, limit: int) -> list[dict[str, Any]]:
        """The refusals after a sequence number."""
        with self._lock:
            return [{"seq": seq, **row} for seq, row in self._rejections.after(after, limit)]

    def counters(self) -> dict[str, int]:
        """The counters; `requests` are those to the agent states and report endpoints, whatever became of them."""
        names = ("states", "reports", "requests", "tokens", "refreshes", "heartbeats", "acd_lookups", "rejections")
        with self._lock:
            return {name: self._counters[name] for name in (*names, "mishaps")}

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._states.clear()
            self._reports.clear()
            self._rejections.clear()
            self._captured.clear()
            self._counters.clear()

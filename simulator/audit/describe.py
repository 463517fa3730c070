"""Findings with enough around them to debug: the state, the row, the events and the nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from simulator.audit.records import DeliveredRow
from simulator.audit.timeline import Entry
from simulator.audit.verdict import Fault, Finding

_NEIGHBOURS = 2


class Describer:
    """Builds the findings of one agent."""

    def __init__(self, agent_id: str, name: str, timeline: Sequence[Entry], rows: Sequence[DeliveredRow]) -> None:
        self._agent_id = agent_id
        self._name = name
        self._timeline = timeline
        self._rows = rows

    def finding(self, fault: Fault, note: str, *, row: int | None = None, index: int | None = None) -> Finding:
        """A finding about a row, a state, or both."""
        near = self._near_truth(row, index)
        causes = [self._timeline[i].cause_sid for i in sorted(near, key=lambda i: (i != index, i))]
        return Finding(
            fault=fault,
            agent_id=self._agent_id,
            agent_name=self._name,
            note=note,
            expected=None if index is None else _entry(self._timeline[index]),
            got=None if row is None else row_dict(self._rows[row]),
            causes=tuple(sid for sid in causes if sid is not None),
            near_truth=tuple(_entry(self._timeline[i]) for i in near),
            near_rows=tuple(row_dict(self._rows[i]) for i in self._near_rows(row, index)),
        )

    def _near_truth(self, row: int | None, index: int | None) -> range:
        if index is None:
            start_ms = None if row is None else self._rows[row].start_ms
            if start_ms is None:
                return range(0)
            index = sum(entry.start_ms <= start_ms for entry in self._timeline) - 1
        return range(max(0, index - _NEIGHBOURS), min(len(self._timeline), index + _NEIGHBOURS + 1))

    def _near_rows(self, row: int | None, index: int | None) -> range:
        if row is None:
            start_ms = 0 if index is None else self._timeline[index].start_ms
            earlier = [
                i for i, told in enumerate(self._rows) if told.start_ms is not None and told.start_ms <= start_ms
            ]
            row = earlier[-1] if earlier else 0
        return range(max(0, row - _NEIGHBOURS), min(len(self._rows), row + _NEIGHBOURS + 1))


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "event_id": entry.pair[0],
        "event_reason": entry.pair[1],
        "start": _utc(entry.start_ms),
        "start_ms": entry.start_ms,
        "lasted_ms": None if entry.end_ms is None else entry.end_ms - entry.start_ms,
        "demanded": entry.demanded,
        "cause_sid": entry.cause_sid,
    }


def row_dict(row: DeliveredRow) -> dict[str, Any]:
    """A delivered row for people and JSON."""
    return {
        "event_id": row.event_id,
        "event_reason": row.event_reason,
        "start": row.start_text,
        "seq": row.seq,
        "request": row.request,
        "accepted": _utc(round(row.accepted_s * 1000)),
    }


def _utc(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unknown_agent(row: DeliveredRow) -> Finding:
    """The finding about a row of an agent whom the truth does not know."""
    return Finding(
        fault=Fault.UNKNOWN_AGENT,
        agent_id=row.agent_id,
        agent_name="",
        note="the truth has no such agent",
        got=row_dict(row),
    )

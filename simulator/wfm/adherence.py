"""Adherence: an agent's actual activities against the scheduled ones, in states, spans, per cent and CSV.

Definitions: CXone reference 5.1 (states) and 5.2 (per cent).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from simulator.wfm.history import ratio
from simulator.wfm.holdings import Told
from simulator.wfm.schedule import LOGIN, LOGOFF, Schedule, Stretch

HOUR_MS = 3_600_000


class RtaState(StrEnum):
    """How an agent's actual activity stands to the scheduled one."""

    IN = "In"
    OOA = "OOA"  # out of adherence
    OOA_OPEN = "OOA Open"  # scheduled open, and at other work that is open
    SEVERE_OOA = "Severe OOA"  # scheduled open, and not at open work
    NOT_CALCULATED = "Not calculated"  # what the agent does is not known or not mapped


_OUT = (RtaState.OOA, RtaState.OOA_OPEN, RtaState.SEVERE_OOA)


def compare(schedule: Schedule, scheduled: str | None, actual: str | None) -> RtaState:
    """The state for a scheduled activity (None: nothing is scheduled) and an actual one (None: not mapped)."""
    if actual is None:
        return RtaState.NOT_CALCULATED
    if scheduled is None:
        # Being gone is right when nothing is scheduled; so is having just logged in.
        return RtaState.IN if actual in (LOGOFF, LOGIN) else RtaState.OOA
    is_open = schedule.is_open(scheduled)
    if actual == LOGIN:
        return RtaState.IN if is_open else RtaState.OOA
    if actual != LOGOFF:
        if schedule.by_category:
            wanted, found = (_category(schedule, name) for name in (scheduled, actual))
            if bool(wanted) != bool(found):
                return RtaState.OOA  # a category missing on one side only
            if wanted and wanted == found:
                return RtaState.IN
        if scheduled == actual:
            return RtaState.IN
    if is_open:
        return RtaState.OOA_OPEN if schedule.is_open(actual) else RtaState.SEVERE_OOA
    return RtaState.OOA


def _category(schedule: Schedule, activity: str) -> str:
    code = schedule.codes.get(activity)
    return "" if code is None else code.category


@dataclass(frozen=True, slots=True)
class Actual:
    """What an agent did, half-open in time; `told` is None where the WFM knows that no event was in force.

    `known` is False where the WFM cannot know what the agent did.
    """

    start_ms: int
    end_ms: int
    told: Told | None = None
    known: bool = True

    def activity(self, schedule: Schedule) -> str | None:
        """The activity it is mapped to."""
        if not self.known:
            return None
        return LOGOFF if self.told is None else schedule.activity_of(self.told.event_id, self.told.event_reason)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span in which neither the schedule nor the agent changes."""

    start_ms: int
    end_ms: int
    state: RtaState
    scheduled: str | None
    actual: str | None
    told: Told | None
    known: bool

    @property
    def out(self) -> bool:
        """Out of adherence, whichever way."""
        return self.state in _OUT

    @property
    def works(self) -> bool:
        """Logged in, at whatever: what conformance counts (assumed)."""
        return self.known and self.told is not None and self.actual != LOGOFF


def pieces_of(
    schedule: Schedule, stretches: Sequence[Stretch], actuals: Iterable[Actual], from_ms: int, to_ms: int
) -> list[Piece]:
    """Schedule and reality laid over one another between two instants; `actuals` has no holes there."""
    pieces: list[Piece] = []
    for actual in actuals:
        start_ms, end_ms = max(actual.start_ms, from_ms), min(actual.end_ms, to_ms)
        if start_ms >= end_ms:
            continue
        borders = {start_ms, end_ms}
        for stretch in stretches:
            borders.update(ms for ms in (stretch.start_ms, stretch.end_ms) if start_ms < ms < end_ms)
        ordered = sorted(borders)
        activity = actual.activity(schedule)
        for begin_ms, finish_ms in pairwise(ordered):
            scheduled = _scheduled_at(stretches, begin_ms)
            state = compare(schedule, scheduled, activity)
            pieces.append(Piece(begin_ms, finish_ms, state, scheduled, activity, actual.told, actual.known))
    return pieces


def _scheduled_at(stretches: Sequence[Stretch], ms: int) -> str | None:
    return next((one.activity for one in stretches if one.start_ms <= ms < one.end_ms), None)


def out_spans(pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """The spans out of adherence; neighbours that differ in nothing shown are one."""
    spans: list[dict[str, Any]] = []
    for piece in pieces:
        if not piece.out:
            continue
        told = piece.told
        row = {
            "start_ms": piece.start_ms,
            "end_ms": piece.end_ms,
            "state": piece.state.value,
            "scheduled": piece.scheduled,
            "actual": piece.actual,
            "event_id": told.event_id if told else None,
            "event_reason": told.event_reason if told else None,
        }
        last = spans[-1] if spans else None
        shown = ("state", "scheduled", "actual", "event_id", "event_reason")
        if last is not None and last["end_ms"] == piece.start_ms and all(last[name] == row[name] for name in shown):
            last["end_ms"] = piece.end_ms
        else:
            spans.append(row)
    return [{**span, "duration_s": span["end_ms"] // 1000 - span["start_ms"] // 1000} for span in spans]


def measures(pieces: Iterable[Piece], from_ms: int, to_ms: int) -> dict[str, Any]:
    """Seconds and per cent between two instants.

    in_adherence_percent = time in adherence / scheduled time * 100, both while something is scheduled; likewise
    out. conformance_percent = time worked, scheduled or not, / scheduled time * 100; None where nothing is scheduled.
    """
    sums = dict.fromkeys(("scheduled_s", "in_adherence_s", "out_of_adherence_s", "not_calculated_s", "worked_s"), 0)
    for piece in pieces:
        start_ms, end_ms = max(piece.start_ms, from_ms), min(piece.end_ms, to_ms)
        if start_ms >= end_ms:
            continue
        seconds = end_ms // 1000 - start_ms // 1000
        sums["worked_s"] += seconds * piece.works
        if piece.scheduled is not None:
            sums["scheduled_s"] += seconds
            name = "in_adherence_s" if piece.state is RtaState.IN else "out_of_adherence_s"
            sums["not_calculated_s" if piece.state is RtaState.NOT_CALCULATED else name] += seconds
    scheduled_s = sums["scheduled_s"]
    return {
        **sums,
        "in_adherence_percent": ratio(100 * sums["in_adherence_s"], scheduled_s),
        "out_of_adherence_percent": ratio(100 * sums["out_of_adherence_s"], scheduled_s),
        "conformance_percent": ratio(100 * sums["worked_s"], scheduled_s),
    }


def hours_of(pieces: Sequence[Piece], from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """The measures of each hour of the clock in which something was scheduled or worked."""
    hours = []
    for start_ms in range(from_ms // HOUR_MS * HOUR_MS, to_ms, HOUR_MS):
        begin_ms, end_ms = max(start_ms, from_ms), min(start_ms + HOUR_MS, to_ms)
        found = measures(pieces, begin_ms, end_ms)
        if found["scheduled_s"] or found["worked_s"]:
            hours.append({"start_ms": begin_ms, "end_ms": end_ms, **found})
    return hours


_HOUR_COLUMNS = (
    "scheduled_s", "in_adherence_s", "out_of_adherence_s", "not_calculated_s", "worked_s", "in_adherence_percent",
    "out_of_adherence_percent", "conformance_percent",
)  # fmt: skip
_SPAN_COLUMNS = ("state", "scheduled", "actual", "event_id", "event_reason", "duration_s")


def as_csv(agents: Iterable[dict[str, Any]], rows: str = "hours") -> str:
    """The hours, or with `rows` = `spans` the spans out of adherence, as CSV; dates and times in UTC."""
    columns = _SPAN_COLUMNS if rows == "spans" else _HOUR_COLUMNS
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["agent_id", "agent_name", "start_utc", "end_utc", *columns])
    for agent in agents:
        for row in agent["out_spans" if rows == "spans" else "hours"]:
            values = ["" if row[name] is None else row[name] for name in columns]
            ends = [_utc(row["start_ms"]), _utc(row["end_ms"])]
            writer.writerow([_plain(cell) for cell in (agent["agent_id"], agent["agent_name"], *ends, *values)])
    return out.getvalue()


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _plain(cell: Any) -> Any:
    """A spreadsheet takes a text that begins so for a formula; the names come from outside."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell

"""Lays the rows of one held report beside the true rows of its interval: right, wrong, missing, invented, repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.audit.reports_records import HeldReport, Row, TrueInterval, when
from simulator.audit.reports_verdict import ReportCounts, ReportFault, ReportFinding

# What a row is known by, and what is compared in it. An optional field is compared where the report has it.
KEYS = {
    "queue_report": ("queue_id",),
    "agent_queue_report": ("queue_id", "agent_id"),
    "agent_system_performance_report": ("agent_id",),
}
FIELDS: dict[str, tuple[str, ...]] = {
    "queue_report": (
        "contacts_received",
        "contacts_handled",
        "contacts_abandoned",
        "contacts_answered_in_sl",
        "contacts_abandoned_in_sl",
        "handle_time_s",
        "work_time_s",
        "queue_delay_s",
    ),
    "agent_queue_report": ("contacts_handled", "handle_time_s", "work_time_s"),
    "agent_system_performance_report": (
        "internal_calls",
        "internal_time_s",
        "ready_time_s",
        "idle_time_s",
        "out_calls",
        "out_time_s",
        "login_time_s",
    ),
}
OPTIONAL_FIELDS: dict[str, tuple[str, ...]] = {
    "queue_report": ("backlog", "backlog_not_expired", "backlog_expired", "service_level", "queue_name"),
    "agent_queue_report": (),
    "agent_system_performance_report": (),
}
_ROUNDING = 0.006  # of a service level in per cent


def low_of(row: Row, field: str) -> Any:
    """The least that a report may say: the true value without what began before the connector."""
    opening = row.get("opening") or {}
    return row[field] - opening.get(field, 0) if isinstance(opening, Mapping) else row[field]


def high_of(row: Row, field: str) -> Any:
    """The most that a report may say: the true value and what may be taken for more of what began before."""
    more = row.get("opening_more") or {}
    return row[field] + more.get(field, 0)


@dataclass(slots=True)
class RowJudge:
    """Judges the parts of one interval and enters the result in the books.

    Args:
        counts: the books.
        note: takes each finding.
        known_from_ms: since when the connector could know what happens; None: since ever.
    """

    counts: ReportCounts
    note: Callable[[ReportFinding], None]
    known_from_ms: int | None

    def judge(self, truth: TrueInterval, held: HeldReport) -> None:
        """Compare every part of a held report."""
        for part, rows in held.parts.items():
            true_rows = truth.parts[part]
            self.counts.rows_expected += len(true_rows)
            self.counts.rows_held += len(rows)
            place = _Place(held, part, when(truth.start_ms))
            if part == "report_data":
                _Activities(self, place).judge(true_rows, rows)
            else:
                self._judge_figures(place, true_rows, rows)

    # -- figures: rows known by their ids

    def _judge_figures(self, place: _Place, true_rows: Sequence[Row], rows: Sequence[Row]) -> None:
        key = KEYS[place.part]
        held: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            ids = tuple(row.get(name) for name in key)
            if ids in held:
                self.counts.repeated_row += 1
                self.note(place.finding(ReportFault.REPEATED_ROW, "a row with these ids stands there already", got=row))
            else:
                held[ids] = row
        for true in true_rows:
            got = held.pop(tuple(true[name] for name in key), None)
            if got is None:
                self._untold(place, true, left_out=_began_before(place.part, true))
            else:
                self.enter(place, true, [*self._compared(place.part, true, got)])
        for row in held.values():
            self.invented(place, row)

    def _compared(self, part: str, true: Row, got: Row) -> Iterable[tuple[str, Any, Any, bool]]:
        """Field, expected, got, and whether that is right."""
        for name in FIELDS[part]:
            value = got.get(name)
            expected, low, high = true[name], low_of(true, name), high_of(true, name)
            right = value == expected
            if not right and _is_number(value) and low <= value <= high:
                right = True
                self.counts.fields_approximate += 1
            yield name, expected, value, right
        for name in OPTIONAL_FIELDS[part]:
            value = got.get(name)
            if value is not None:
                yield name, true[name], value, self._optional_is_right(true, name, value)

    def _optional_is_right(self, true: Row, name: str, value: Any) -> bool:
        expected = true[name]
        if value == expected:
            return True
        if name == "queue_name" or not _is_number(value):
            return False
        if name == "service_level":
            if true.get("opening"):
                self.counts.fields_approximate += 1
                return bool(0 <= value <= 100)
            return expected is not None and bool(abs(value - expected) <= _ROUNDING)
        approximate = bool(low_of(true, name) <= value <= high_of(true, name))
        self.counts.fields_approximate += approximate
        return approximate

    # -- entries in the books

    def enter(self, place: _Place, true: Row, compared: Sequence[tuple[str, Any, Any, bool]]) -> None:
        """A true row and its counterpart."""
        self.counts.fields_judged += len(compared)
        wrong = [(name, expected, got) for name, expected, got, right in compared if not right]
        self.counts.rows_wrong += bool(wrong)
        self.counts.rows_right += not wrong
        self.counts.wrong_field += len(wrong)
        for name, expected, got in wrong:
            note = f"{name} is {got!r} and should be {expected!r}"
            self.note(place.finding(ReportFault.WRONG_FIELD, note, true=true, field=name, expected=expected, got=got))

    def _untold(self, place: _Place, true: Row, *, left_out: bool) -> None:
        if left_out:
            self.counts.rows_left_out += 1
            return
        self.counts.missing_row += 1
        self.note(place.finding(ReportFault.MISSING_ROW, "the report has no such row", true=true, expected=dict(true)))

    def invented(self, place: _Place, row: Row) -> None:
        """A held row without a true counterpart."""
        self.counts.invented_row += 1
        names = (*FIELDS.get(place.part, ()), "backlog")
        empty = place.part in FIELDS and not any(row.get(name) for name in names)
        note = "a row where everything is zero" if empty else "nothing of the kind happened in this interval"
        self.note(place.finding(ReportFault.INVENTED_ROW, note, got=row))

    def untold_activity(self, place: _Place, true: Row) -> None:
        """A true activity without a counterpart."""
        self._untold(place, true, left_out=bool(true.get("opening")))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which report a row stands."""

    report: HeldReport
    part: str
    interval: str

    def finding(
        self,
        fault: ReportFault,
        note: str,
        *,
        true: Row | None = None,
        field: str = "",
        expected: Any = None,
        got: Any = None,
    ) -> ReportFinding:
        row = true if true is not None else got
        names = ("queue_id", "agent_id", "start_ms") if self.part == "report_data" else ("queue_id", "agent_id")
        numbers = _is_number(expected) and _is_number(got)
        return ReportFinding(
            fault=fault,
            kind=self.report.kind,
            note=note,
            interval=self.interval,
            part=self.part,
            ids={name: row[name] for name in names if name in row},
            field=field,
            expected=expected,
            got=dict(got) if isinstance(got, Mapping) else got,
            difference=got - expected if numbers else None,
            seq=self.report.seq,
        )


class _Activities:
    """Pairs the activities of one interval; a report may hold several of one agent.

    Counterparts are looked for in this order, each row taken once: same agent, event, reason and start; for an
    activity that began before the connector, same agent, event, reason and end, with any start up to then; same
    agent and start; same agent and end. Times count in whole seconds, truncated.
    """

    def __init__(self, judge: RowJudge, place: _Place) -> None:
        self._judge = judge
        self._place = place

    def judge(self, true_rows: Sequence[Row], rows: Sequence[Row]) -> None:
        pairs: list[tuple[Row, Row]] = []
        ways: tuple[Callable[[Row], Any], ...] = (_by_all, _by_end_and_event, _by_start, _by_end)
        left_true, left = list(true_rows), list(rows)
        for way in ways:
            found, left_true, left = self._paired(way, left_true, left)
            pairs.extend(found)
        for true, got in pairs:
            self._judge.enter(self._place, true, [*self._compared(true, got)])
        for true in left_true:
            self._judge.untold_activity(self._place, true)
        told = {_by_all(got) for _, got in pairs}
        for row in left:
            if _by_all(row) in told:
                self._judge.counts.repeated_row += 1
                note = "this activity stands there already"
                self._judge.note(self._place.finding(ReportFault.REPEATED_ROW, note, got=row))
            else:
                self._judge.invented(self._place, row)

    def _paired(
        self, way: Callable[[Row], Any], true_rows: list[Row], rows: list[Row]
    ) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
        by_key: dict[Any, list[Row]] = {}
        for row in rows:
            by_key.setdefault(way(row), []).append(row)
        pairs: list[tuple[Row, Row]] = []
        left_true: list[Row] = []
        for true in true_rows:
            candidates = by_key.get(way(true))
            if not candidates or (way is _by_end_and_event and not self._may_begin(true, candidates[0])):
                left_true.append(true)
            else:
                pairs.append((true, candidates.pop(0)))
        taken = {id(row) for _, row in pairs}
        return pairs, left_true, [row for row in rows if id(row) not in taken]

    def _may_begin(self, true: Row, got: Row) -> bool:
        """Whether a start that is not the true one is taken, because the activity began before the connector."""
        start_s, latest_ms = _second(got, "start_ms"), max(true["start_ms"], self._judge.known_from_ms or 0)
        return bool(true.get("opening")) and start_s is not None and start_s <= latest_ms // 1000

    def _compared(self, true: Row, got: Row) -> Iterable[tuple[str, Any, Any, bool]]:
        start_s, end_s = _second(got, "start_ms"), _second(got, "end_ms")
        exact = start_s == _second(true, "start_ms")
        opening = not exact and self._may_begin(true, got)
        self._judge.counts.fields_approximate += opening
        for name in ("event_id", "event_reason"):
            value = got.get(name) or ""
            yield name, true[name], value, value == true[name]
        yield "start_ms", _whole(true, "start_ms"), _whole(got, "start_ms"), exact or opening
        yield "end_ms", _whole(true, "end_ms"), _whole(got, "end_ms"), end_s == _second(true, "end_ms")
        # What a longer or shorter activity must last is said by its own times.
        duration_s = true["duration_s"]
        if opening and start_s is not None and end_s is not None:
            duration_s = end_s - start_s
        yield "duration_s", duration_s, got.get("duration_s"), got.get("duration_s") == duration_s


def _by_all(row: Row) -> Any:
    return row.get("agent_id"), row.get("event_id"), row.get("event_reason") or "", _second(row, "start_ms")


def _by_end_and_event(row: Row) -> Any:
    return row.get("agent_id"), row.get("event_id"), row.get("event_reason") or "", _second(row, "end_ms")


def _by_start(row: Row) -> Any:
    return row.get("agent_id"), _second(row, "start_ms")


def _by_end(row: Row) -> Any:
    return row.get("agent_id"), _second(row, "end_ms")


def _second(row: Row, name: str) -> int | None:
    value = row.get(name)
    return value // 1000 if isinstance(value, int) else None


def _whole(row: Row, name: str) -> int | None:
    second = _second(row, name)
    return None if second is None else second * 1000


def _began_before(part: str, true: Row) -> bool:
    """Whether all that the row says began before the connector, so that it may be left out."""
    names = FIELDS[part] + tuple(name for name in OPTIONAL_FIELDS[part] if name.startswith("backlog"))
    return not any(low_of(true, name) for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

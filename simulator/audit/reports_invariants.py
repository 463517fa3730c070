"""Identities over many rows that hold whatever happened, checked on what the WFM holds; docstrings define them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.audit.reports_match import FIELDS, KEYS, high_of, low_of
from simulator.audit.reports_records import INTERVAL_MS, HeldReport, Row, TrueInterval, when
from simulator.audit.reports_verdict import ReportCounts, ReportFault, ReportFinding

_DAY_MS = 86_400_000
_LEAST_LOOKS = 16  # fewer looks at a backlog say nothing about its mean

Sums = dict[tuple[Any, ...], Counter[str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One interval that counts, with the reports that the WFM holds of it, by kind."""

    truth: TrueInterval
    held: Mapping[str, HeldReport]


@dataclass(slots=True)
class _Day:
    """The sums of one UTC day so far, by part and row: the truth, its bounds, and what the WFM holds."""

    truth: dict[str, Sums] = field(default_factory=lambda: {part: {} for part in KEYS})
    low: dict[str, Sums] = field(default_factory=lambda: {part: {} for part in KEYS})
    high: dict[str, Sums] = field(default_factory=lambda: {part: {} for part in KEYS})
    held: dict[str, Sums] = field(default_factory=lambda: {part: {} for part in KEYS})
    # Per queue: what each interval's report says of its backlog; None where it says nothing.
    looks: dict[tuple[Any, ...], list[int | None]] = field(default_factory=dict)
    intervals: int = 0

    def add(self, one: Judged) -> None:
        """One interval more."""
        held = one.held["queue"]
        for part in KEYS:
            rows = one.truth.parts[part]
            _sum(self.truth[part], rows, part)
            _sum(self.low[part], map(_low, rows), part)
            _sum(self.high[part], map(_high, rows), part)
            _sum(self.held[part], held.parts[part], part)
        seen = {_ids(row, "queue_report"): row.get("backlog") for row in held.parts["queue_report"]}
        for ids in seen.keys() | self.looks.keys():
            # Without a row nobody waits.
            self.looks.setdefault(ids, [0] * self.intervals).append(seen.get(ids, 0))
        self.intervals += 1


@dataclass(slots=True)
class InvariantJudge:
    """Checks the invariants; `little_tolerance` is in standard errors, see `littles_law`."""

    counts: ReportCounts
    note: Callable[[ReportFinding], None]
    little_tolerance: float = 6.0
    _days: dict[int, _Day] = field(default_factory=dict)

    def add(self, judged: Sequence[Judged], totals: TrueInterval | None) -> None:
        """Take a stretch of intervals, and check it against its totals where they are known and nothing is missing."""
        complete = [one for one in judged if "queue" in one.held]
        for one in complete:
            self._days.setdefault(one.truth.start_ms // _DAY_MS, _Day()).add(one)
        if totals is not None and complete and len(complete) * INTERVAL_MS == totals.end_ms - totals.start_ms:
            self._totals(complete, totals)

    def close(self, before_ms: int | None = None) -> None:
        """Check every UTC day that ended by `before_ms` and forget it; None: every day."""
        for day in sorted(self._days):
            if before_ms is None or (day + 1) * _DAY_MS <= before_ms:
                self._judge_day(when(day * _DAY_MS)[:10], self._days.pop(day))

    def _judge_day(self, day: str, sums: _Day) -> None:
        truth, low, high, held = sums.truth, sums.low, sums.high, sums.held
        for part in KEYS:
            for ids in truth[part].keys() | held[part].keys():
                self._sums(day, part, ids, truth[part], (low[part], high[part]), held[part])
        for ids in truth["queue_report"].keys() & held["queue_report"].keys():
            opened = truth["queue_report"][ids] != low["queue_report"][ids]
            self._balance(day, ids, truth["queue_report"][ids], held["queue_report"][ids], opened)
            self._agents_of_queue(day, ids, held)
            if not opened:
                row = held["queue_report"][ids]
                waited_s = row["queue_delay_s"] + truth["queue_report"][ids]["unserved_delay_s"]
                self._littles_law(day, ids, sums.looks[ids], waited_s, row["contacts_received"])
        part = "agent_system_performance_report"
        for ids in truth[part].keys() & held[part].keys():
            self._login(day, ids, truth[part][ids], held[part][ids])

    def _sums(
        self, day: str, part: str, ids: tuple[Any, ...], truth: Sums, bounds: tuple[Sums, Sums], held: Sums
    ) -> None:
        """The sums over the intervals of a day are the true figures of that day."""
        for name in FIELDS[part]:
            expected, got = truth.get(ids, Counter())[name], held.get(ids, Counter())[name]
            low, high = (bound.get(ids, Counter())[name] for bound in bounds)
            holds = low <= got <= high
            self._enter(holds, day, part, ids, "the sum of the day", name, expected, got)

    def _totals(self, complete: Sequence[Judged], totals: TrueInterval) -> None:
        """The sums over all intervals are the figures of the whole stretch, which the model computed at once."""
        for part in KEYS:
            truth, low = _summed(totals.parts[part], part), _summed(map(_low, totals.parts[part]), part)
            high = _summed(map(_high, totals.parts[part]), part)
            held = _summed((row for one in complete for row in one.held["queue"].parts[part]), part)
            for ids in truth.keys() | held.keys():
                self._sums(f"{when(totals.start_ms)}/{when(totals.end_ms)}", part, ids, truth, (low, high), held)

    def _balance(self, day: str, ids: tuple[Any, ...], truth: Counter[str], held: Counter[str], opened: bool) -> None:
        """received = handled + abandoned + diverted, per queue and day; diverted, which no report carries, is the
        model's."""
        rest = held["contacts_received"] - held["contacts_handled"] - held["contacts_abandoned"]
        diverted = truth["contacts_diverted"]
        holds = 0 <= rest <= diverted if opened else rest == diverted
        rule = "received = handled + abandoned + diverted"
        self._enter(holds, day, "queue_report", ids, rule, "contacts_received", held["contacts_received"] - rest +
                    diverted, held["contacts_received"])  # fmt: skip

    def _agents_of_queue(self, day: str, ids: tuple[Any, ...], held: Mapping[str, Sums]) -> None:
        """What the agents of a queue handled is what the queue handled, per day."""
        queue_id = ids[0]
        shares: Counter[str] = Counter()
        for (queue, _), row in held["agent_queue_report"].items():
            if queue == queue_id:
                shares.update(row)
        row = held["queue_report"][ids]
        for name in FIELDS["agent_queue_report"]:
            rule = "the agents' shares add up to the queue's"
            self._enter(shares[name] == row[name], day, "agent_queue_report", ids, rule, name, row[name], shares[name])

    def _login(self, day: str, ids: tuple[Any, ...], truth: Counter[str], held: Counter[str]) -> None:
        """login = ready + idle + busy, per agent and day; busy, which no report carries, is the model's."""
        expected = held["ready_time_s"] + held["idle_time_s"] + truth["busy_time_s"]
        part = "agent_system_performance_report"
        holds = held["login_time_s"] == expected
        self._enter(holds, day, part, ids, "login = ready + idle + busy", "login_time_s", expected,
                    held["login_time_s"])  # fmt: skip

    def _littles_law(
        self, day: str, ids: tuple[Any, ...], looks: Sequence[int | None], waited_s: int, contacts: int
    ) -> None:
        """Little's law per queue and day: the mean backlog is the rate of arrivals times the mean wait.

        The right side is the time waited in the contacts' whole lives, by the held queue delay and the model's waits
        of those whom nobody answered, over the length of the day. The left side is the mean of one look per
        interval, so the two agree within `little_tolerance` standard errors: the square root of
        (s^2 + L + 1/n) * (1 + 2 w / 900) / n, with n looks of variance s^2, L the right side, w the mean wait.
        Contacts booked in another day than they waited in add the largest backlog times w over the length.
        """
        if len(looks) < _LEAST_LOOKS or None in looks:
            return
        backlog = [float(look) for look in looks if look is not None]
        n, length_s = len(backlog), len(backlog) * INTERVAL_MS / 1000
        mean, expected = sum(backlog) / n, waited_s / length_s
        wait_s = waited_s / max(1, contacts)
        variance = sum((look - mean) ** 2 for look in backlog) / n
        error = math.sqrt((variance + expected + 1 / n) * (1 + 2 * wait_s / 900) / n)
        allowed = self.little_tolerance * error + max(backlog) * wait_s / length_s
        rule = f"the mean backlog is arrivals times wait, within {allowed:.3f}"
        holds = abs(mean - expected) <= allowed
        self._enter(holds, day, "queue_report", ids, rule, "backlog", round(expected, 3), round(mean, 3))

    def _enter(
        self, holds: bool, when_: str, part: str, ids: tuple[Any, ...], rule: str, field: str, expected: Any, got: Any
    ) -> None:
        self.counts.invariants += 1
        if holds:
            return
        self.counts.broken_invariant += 1
        self.note(
            ReportFinding(
                fault=ReportFault.BROKEN_INVARIANT,
                kind="queue",
                note=f"{rule}: {field} is {got} and should be {expected}",
                interval=when_,
                part=part,
                ids=dict(zip(KEYS[part], ids, strict=False)),
                field=field,
                expected=expected,
                got=got,
                difference=got - expected,
            )
        )


def _ids(row: Row, part: str) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in KEYS[part])


def _low(row: Row) -> Row:
    return {name: low_of(row, name) if isinstance(value, int) else value for name, value in row.items()}


def _high(row: Row) -> Row:
    return {name: high_of(row, name) if isinstance(value, int) else value for name, value in row.items()}


def _summed(rows: Iterable[Row], part: str) -> Sums:
    sums: Sums = {}
    _sum(sums, rows, part)
    return sums


def _sum(sums: Sums, rows: Iterable[Row], part: str) -> None:
    for row in rows:
        numbers = {name: value for name, value in row.items() if isinstance(value, int)}
        sums.setdefault(_ids(row, part), Counter()).update(numbers)

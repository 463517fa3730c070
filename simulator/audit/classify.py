"""Judges one agent: each delivered row and each state of its timeline gets exactly one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.audit.align import Skip, align, skipped
from simulator.audit.describe import Describer
from simulator.audit.records import DeliveredRow
from simulator.audit.timeline import Entry, Key, Pair
from simulator.audit.verdict import Counts, Fault, Finding


def keys_of(rows: Sequence[DeliveredRow]) -> list[Key | None]:
    """What each row says: its pair and its second; None where the start could not be read."""
    return [None if row.start_ms is None else ((row.event_id, row.event_reason), row.start_ms // 1000) for row in rows]


@dataclass(slots=True)
class _Placed:
    """How the rows lie against the timeline."""

    told: dict[int, int] = field(default_factory=dict)  # state -> the row that told it first
    stale: dict[int, int] = field(default_factory=dict)  # row -> the older state it tells after a newer one
    late: dict[int, int] = field(default_factory=dict)  # those of them that tell it for the first time
    repeats: list[int] = field(default_factory=list)  # rows that tell the newest state again
    misfits: list[int] = field(default_factory=list)  # rows that tell no state
    order: list[tuple[int, int]] = field(default_factory=list)  # (row, state) of the rows that went forward


class AgentJudge:
    """Judges the rows of one agent against its timeline and enters the result in the books."""

    def __init__(
        self,
        timeline: Sequence[Entry],
        rows: Sequence[DeliveredRow],
        *,
        describer: Describer,
        counts: Counts,
        redelivery_allowed: bool,
        choices: Sequence[int | None] | None = None,
    ) -> None:
        """`choices` is what `align` says of these rows, where it has been asked already."""
        self._timeline = timeline
        self._rows = rows
        self._describe = describer
        self._counts = counts
        self._redelivery_allowed = redelivery_allowed
        self._keys = keys_of(rows)
        self._placed = self._place(align(timeline, self._keys) if choices is None else choices)
        self._wrong: dict[int, int] = {}  # state -> the row that tells it wrongly

    def judge(self) -> list[Finding]:
        """Enter everything in the books and return the faults, rows first, then what is missing."""
        counts = self._counts
        counts.states += len(self._timeline)
        counts.expected += sum(entry.demanded for entry in self._timeline)
        counts.rows += len(self._rows)
        counts.delivered += len(self._placed.told)
        counts.expected_delivered += sum(self._timeline[index].demanded for index in self._placed.told)
        counts.opening_approximate += sum(
            self._keys[row] != self._timeline[index].key for index, row in self._placed.told.items()
        )
        counts.repeated += len(self._placed.repeats)
        counts.duplicated += len(self._placed.repeats)
        return [*self._judge_stale(), *self._judge_misfits(), *self._judge_untold()]

    def delays(self, planned: Mapping[str, float]) -> list[float]:
        """Seconds from the planned callback of each told state's cause to acceptance; states without one left out."""
        delays: list[float] = []
        for index, row in self._placed.told.items():
            cause_sid = self._timeline[index].cause_sid
            if cause_sid is not None and cause_sid in planned:
                delays.append(self._rows[row].accepted_s - planned[cause_sid])
        return delays

    def _place(self, choices: Sequence[int | None]) -> _Placed:
        placed = _Placed()
        newest = -1
        for row, index in enumerate(choices):
            if index is None:
                placed.misfits.append(row)
            elif index > newest:
                newest = index
                placed.told[index] = row
                placed.order.append((row, index))
            elif index in placed.told and not self._tells_again(row, index, placed.told[index]):
                placed.misfits.append(row)  # the opening state with yet another start
            elif index == newest:
                placed.repeats.append(row)
            else:
                placed.stale[row] = index
        for row, index in placed.stale.items():
            if index not in placed.told:
                placed.told[index] = row
                placed.late[row] = index
        return placed

    def _tells_again(self, row: int, index: int, first: int) -> bool:
        """Whether a row says of a state what its first row said, or what is exactly true."""
        return self._keys[row] in (self._keys[first], self._timeline[index].key)

    def _judge_stale(self) -> list[Finding]:
        findings: list[Finding] = []
        for row, index in self._placed.stale.items():
            first = row in self._placed.late
            self._counts.duplicated += not first
            if not first and self._redelivery_allowed and self._request_ends_newest(row):
                self._counts.redelivered += 1
                continue
            self._counts.out_of_order += 1
            self._counts.late_first += first
            note = "an older state came after a newer one" + ("" if first else ", and not for the first time")
            findings.append(self._describe.finding(Fault.OUT_OF_ORDER, note, row=row, index=index))
        return findings

    def _request_ends_newest(self, row: int) -> bool:
        """Whether the request of this row leaves the agent in the newest state told so far or a newer one."""
        request = self._rows[row].request
        last = max(i for i, other in enumerate(self._rows) if other.request == request)
        return last in self._placed.repeats or any(last == forward for forward, _ in self._placed.order)

    def _judge_misfits(self) -> list[Finding]:
        findings: list[Finding] = []
        for row in self._placed.misfits:
            delivered = self._rows[row]
            if delivered.start_ms is None:
                self._counts.unreadable += 1
                note = f"the start {delivered.start_text!r} cannot be read as a time"
                findings.append(self._describe.finding(Fault.UNREADABLE, note, row=row))
                continue
            index, note = self._nearest_untold(row, delivered.start_ms)
            if index is not None:
                self._wrong[index] = row
                self._counts.wrong_expected += self._timeline[index].demanded
            if index is not None or note:
                self._counts.wrong += 1
                findings.append(self._describe.finding(Fault.WRONG, note, row=row, index=index))
                continue
            self._counts.invented += 1
            note = "the agent was not in this state at that time"
            findings.append(self._describe.finding(Fault.INVENTED, note, row=row))
        return findings

    def _nearest_untold(self, row: int, start_ms: int) -> tuple[int | None, str]:
        """The untold state that a misfit was meant to tell, and what is wrong with it; ("" for: invented)."""
        untold = [i for i in range(len(self._timeline)) if i not in self._placed.told and i not in self._wrong]
        after, before = self._gap(row)
        second = start_ms // 1000
        same_time = [i for i in untold if self._timeline[i].start_s == second]
        opening = [i for i in untold if after < i < before and self._in_force_at_start(i, second)]
        if same_time or opening:
            found = min([*same_time, *opening], key=lambda i: not self._timeline[i].demanded)
            return found, "the time is right, the state is not"
        pair = (self._rows[row].event_id, self._rows[row].event_reason)
        same_pair = [i for i in untold if after < i < before and self._timeline[i].pair == pair]
        if same_pair:
            # A state that must be told explains a row better than one that need not be, however near.
            nearest = min(
                same_pair,
                key=lambda i: (not self._timeline[i].demanded, abs(self._timeline[i].start_ms - start_ms)),
            )
            return nearest, "the state is right, its start is not"
        if self._in_force(pair, start_ms):
            return None, "the agent was in this state at that time, but it began at another"
        return None, ""

    def _in_force_at_start(self, index: int, second: int) -> bool:
        entry = self._timeline[index]
        return entry.in_window and entry.opening_s is not None and second <= entry.opening_s

    def _gap(self, row: int) -> tuple[int, int]:
        """The newest state told before this row and the next one told after it."""
        after = max((index for at, index in self._placed.order if at < row), default=-1)
        before = min((index for at, index in self._placed.order if at > row), default=len(self._timeline))
        return after, before

    def _in_force(self, pair: Pair, start_ms: int) -> bool:
        second = start_ms // 1000
        return any(
            entry.pair == pair and entry.start_s <= second and (entry.end_ms is None or second <= entry.end_ms // 1000)
            for entry in self._timeline
        )

    def _judge_untold(self) -> list[Finding]:
        findings: list[Finding] = []
        # A state told wrongly interrupts what the WFM holds just as a state told rightly does.
        marks = sorted([*(index for _, index in self._placed.order), *self._wrong, len(self._timeline)])
        held = -1
        for mark in marks:
            for index, skip in skipped(self._timeline, held, mark):
                if index not in self._placed.late.values():
                    findings.extend(self._judge_skip(index, self._after_wrong(skip, held)))
            held = mark
        return findings

    def _after_wrong(self, skip: Skip, held: int) -> Skip:
        """A state is absorbed only by the same state told rightly."""
        return Skip.MISSING if skip is Skip.ABSORBED and held in self._wrong else skip

    def _judge_skip(self, index: int, skip: Skip) -> list[Finding]:
        demanded = self._timeline[index].demanded
        if skip is Skip.SHORT:
            self._counts.skipped_short += 1
        elif skip is Skip.EXCUSED:
            self._counts.excused += 1
        elif skip is Skip.ABSORBED:
            self._counts.absorbed += demanded
        elif skip is Skip.MISSING and demanded:
            self._counts.missing += 1
            return [self._describe.finding(Fault.MISSING, "no row tells this state", index=index)]
        return []

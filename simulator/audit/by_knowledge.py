"""The audit of states where events come late, twice and in any order: each row against what was known when it came.

At each instant at which the connector learns something it must tell what now follows from all it knows: every state
that began after the one it told last, and at the end the present one. What lies before the state told last is past and
may not be told any more. Nothing else is forgiven, and once everything is known the same words must give the truth.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.audit.belief import TASK_ENDS, Belief, Catalogue, Doing
from simulator.audit.describe import Describer, unknown_agent
from simulator.audit.records import DeliveredRow, StateCodes, TruthAgent, TruthState
from simulator.audit.timeline import Entry, Pair, Window, build_timeline
from simulator.audit.verdict import Counts, Fault, Finding, Verdict

_MOST_FINDINGS = 1_000
_OPENING = 2**62  # stands for the start of the state in which the connector found the agent, which nobody knows


class KnownEvent(Protocol):
    """An event as the floor logs it; `data` is REST's `event_data`."""

    @property
    def type(self) -> str: ...
    @property
    def ms(self) -> int: ...
    @property
    def worker_sid(self) -> str: ...
    @property
    def task_sid(self) -> str: ...
    def data(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class _State:
    """A state that is believed: the pair, and since when."""

    pair: Pair
    start_ms: int
    end_ms: int | None

    def optional(self, min_state_ms: int) -> bool:
        return self.end_ms is not None and self.end_ms - self.start_ms < min_state_ms


@dataclass(slots=True)
class _Case:
    """One agent.

    Attributes:
        held: the state that the WFM heard last; None before the first.
        told: seconds and pairs of the rows that are not settled yet.
        truth: the true states that are not settled yet.
        settled_ms: up to when belief and truth were compared.
    """

    agent_id: str
    name: str
    belief: Belief
    settled_ms: int
    held: _State | None = None
    told: list[tuple[int, Pair]] = field(default_factory=list)
    truth: list[TruthState] = field(default_factory=list)
    rows: list[DeliveredRow] = field(default_factory=list)
    has_rows: bool = False


class KnowledgeAudit:
    """Judges a run step by step: `learn` what the connector was told, then `look` at what the WFM has got by that."""

    def __init__(self, codes: StateCodes, catalogue: Catalogue, window: Window) -> None:
        self._codes = codes
        self._catalogue = catalogue
        self._window = window
        self._cases: dict[str, _Case] = {}
        self._workers_of: dict[str, set[str]] = {}
        self._task_ends: dict[str, tuple[int, int]] = {}
        self._dues: list[tuple[int, str]] = []
        self._touched: set[str] = set()
        self._counts = Counts()
        self._findings: list[Finding] = []

    # -- what is known

    def open(self, agent_id: str, name: str, activity_sid: str, since_ms: int) -> None:
        """An agent as a look at the floor shows it when the connector starts."""
        belief = Belief(self._catalogue)
        belief.saw_activity(since_ms, activity_sid)
        self._cases[agent_id] = _Case(agent_id, name, belief, settled_ms=self._window.from_ms)
        self._touched.add(agent_id)

    def open_work(self, agent_id: str, sid: str, ms: int, status: str, data: Mapping[str, Any]) -> None:
        """A reservation as a look at the floor shows it when the connector starts."""
        self._cases[agent_id].belief.saw_work(sid, ms, status, data, self._window.from_ms)
        self._workers_of.setdefault(data["task_sid"], set()).add(agent_id)

    def learn(self, events: Iterable[KnownEvent], now_ms: int) -> None:
        """These events reached the connector at `now_ms`; the same one twice teaches nothing."""
        for event in events:
            case = self._cases.get(event.worker_sid)
            if case is not None:
                self._touched.add(case.agent_id)
                task = case.belief.learn(event.type, event.ms, event.data(), now_ms)
                if task is not None:
                    self._workers_of.setdefault(task, set()).add(case.agent_id)
                    if task in self._task_ends:
                        self._end_task(case, task)
            elif event.type in TASK_ENDS and event.task_sid not in self._task_ends:
                self._task_ends[event.task_sid] = event.ms, now_ms
                for agent_id in self._workers_of.get(event.task_sid, ()):
                    self._end_task(self._cases[agent_id], event.task_sid)

    def _end_task(self, case: _Case, task: str) -> None:
        due_ms = case.belief.task_ended(task, *self._task_ends[task])
        if due_ms is not None:
            heapq.heappush(self._dues, (due_ms, case.agent_id))

    # -- what was told

    def look(self, rows: Iterable[DeliveredRow], now_ms: int) -> None:
        """The connector has done what it does at `now_ms`; these rows the WFM has accepted since the last look."""
        by_agent: dict[str, list[DeliveredRow]] = {}
        for row in rows:
            self._counts.rows += 1
            by_agent.setdefault(row.agent_id, []).append(row)
        while self._dues and self._dues[0][0] <= now_ms:
            self._touched.add(heapq.heappop(self._dues)[1])
        for agent_id in sorted(self._touched | by_agent.keys()):
            case, own = self._cases.get(agent_id), by_agent.get(agent_id, [])
            if case is None:
                self._counts.unknown_agent += len(own)
                self._note(*map(unknown_agent, own))
            else:
                self._judge(case, own, now_ms)
        self._touched.clear()

    def _judge(self, case: _Case, rows: Sequence[DeliveredRow], now_ms: int) -> None:
        expected, line = self._expected(case, now_ms)
        case.has_rows = case.has_rows or bool(rows)
        case.rows = [*case.rows[-4:], *rows]
        at = 0
        for row in rows:
            found = next((i for i in range(at, len(expected)) if self._tells(row, expected[i])), None)
            if found is not None:
                self._skip(case, expected[at:found])
                second = _OPENING if case.held is None else expected[found].start_ms // 1000
                case.told.append((second, expected[found].pair))
                case.held = expected[found]
                at = found + 1
            elif case.held is not None and self._tells(row, case.held):
                self._counts.repeated += 1
                self._counts.duplicated += 1
            else:
                self._refuse(case, row, line, now_ms)
        self._skip(case, expected[at:])

    def _expected(self, case: _Case, now_ms: int) -> tuple[list[_State], list[_State]]:
        """What must be told now, in order, and all that is believed since the state told last."""
        held = case.held
        from_ms = self._window.from_ms if held is None else held.start_ms
        line = self._states(case.belief.line(from_ms, now_ms))
        if held is None:
            # The start tells the present alone; when it began need not be known.
            return line[-1:], line
        if line[0].pair == held.pair:
            return line[1:], line
        # What was told last is not believed any more. What was in force instead is told if it began then, or still is.
        first = line[0]
        since_ms = case.belief.since(first.start_ms, now_ms, lambda doing: self._pair(doing) == first.pair)
        line[0] = first = _State(first.pair, since_ms, first.end_ms)
        return (line if since_ms >= held.start_ms or first.end_ms is None else line[1:]), line

    def _states(self, line: Sequence[tuple[int, Doing]]) -> list[_State]:
        merged: list[tuple[int, Pair]] = []
        for ms, doing in line:
            pair = self._pair(doing)
            if not merged or merged[-1][1] != pair:
                merged.append((ms, pair))
        ends: list[int | None] = [*(ms for ms, _ in merged[1:]), None]
        return [_State(pair, ms, end_ms) for (ms, pair), end_ms in zip(merged, ends, strict=True)]

    def _pair(self, doing: Doing) -> Pair:
        return self._codes.event_id(doing.state, doing.channel, doing.direction), doing.reason or ""

    def _tells(self, row: DeliveredRow, state: _State) -> bool:
        if row.start_ms is None or (row.event_id, row.event_reason) != state.pair:
            return False
        second, from_s = row.start_ms // 1000, self._window.from_ms // 1000
        # Of what was in force at the connector's start nobody knows for certain when it began.
        return second == state.start_ms // 1000 or (state.start_ms <= self._window.from_ms and second <= from_s)

    def _skip(self, case: _Case, states: Sequence[_State]) -> None:
        """These were believed and not told: short ones need not be, nor what the WFM holds all the same."""
        unbroken = True
        for state in states:
            if state.optional(self._window.min_state_ms):
                continue
            if unbroken and case.held is not None and state.pair == case.held.pair:
                continue
            unbroken = False
            self._counts.expected += 1
            self._counts.missing += 1
            note = "it was known, no later state had been told, and no row tells it"
            self._note(self._describer(case, [state]).finding(Fault.MISSING, note, index=0))
            case.held = state  # the fault is noted once

    def _refuse(self, case: _Case, row: DeliveredRow, line: Sequence[_State], now_ms: int) -> None:
        counts = self._counts
        describe = self._describer(case, line)
        at = case.rows.index(row)
        if row.start_ms is None:
            counts.unreadable += 1
            self._note(describe.finding(Fault.UNREADABLE, f"the start {row.start_text!r} is no time", row=at))
        elif self._is_past(case, row, row.start_ms, now_ms):
            counts.duplicated += 1
            counts.out_of_order += 1
            self._note(describe.finding(Fault.OUT_OF_ORDER, "an older state after a later one was told", row=at))
        else:
            counts.invented += 1
            note = "nothing that was known when it came says that the agent was in this state, and had not been told"
            self._note(describe.finding(Fault.INVENTED, note, row=at))

    def _is_past(self, case: _Case, row: DeliveredRow, start_ms: int, now_ms: int) -> bool:
        """Whether the row tells a state that is believed, but lies before the one told last."""
        if case.held is None or start_ms // 1000 > case.held.start_ms // 1000:
            return False
        around = case.belief.line(start_ms // 1000 * 1000, now_ms)
        pair = (row.event_id, row.event_reason)
        return any(self._pair(doing) == pair for ms, doing in around if ms // 1000 == start_ms // 1000)

    def _describer(self, case: _Case, states: Sequence[_State]) -> Describer:
        return Describer(case.agent_id, case.name, [_entry(state) for state in states], case.rows)

    # -- what was true

    def settle(self, agents: Iterable[TruthAgent], until_ms: int, now_ms: int) -> None:
        """All events up to `until_ms` have reached the connector by `now_ms`: then what is believed must be the truth.

        `agents` are the states that have begun since the last time.
        """
        for agent in agents:
            self._cases[agent.agent_id].truth.extend(agent.states)
        for case in self._cases.values():
            self._compare(case, until_ms, now_ms)
            # The state told last, and the one that is not settled yet, are looked at again from their starts on.
            kept_ms = min(case.settled_ms, case.settled_ms if case.held is None else case.held.start_ms)
            case.belief.forget_before(kept_ms, now_ms)
        for task, (ms, _) in list(self._task_ends.items()):
            if ms < until_ms:
                del self._task_ends[task]
                self._workers_of.pop(task, None)

    def _compare(self, case: _Case, until_ms: int, now_ms: int) -> None:
        timeline = build_timeline(TruthAgent(case.agent_id, case.name, tuple(case.truth)), self._codes, self._window)
        settled = [one for one in timeline if one.end_ms is not None and one.end_ms <= until_ms]
        believed = {(one.start_ms, one.pair) for one in self._states(case.belief.line(case.settled_ms, now_ms))}
        for one in settled:
            self._book(case, one, believed)
        case.truth = case.truth[timeline[len(settled)].position :] if len(settled) < len(timeline) else []
        # What is left began before and lasts; the belief is compared from its start on.
        case.settled_ms = max(case.settled_ms, case.truth[0].start_ms if case.truth else until_ms)
        told_s = case.settled_ms // 1000
        self._counts.believed += sum(1 for second, _ in case.told if second < told_s)
        case.told = [one for one in case.told if one[0] >= told_s]

    def _book(self, case: _Case, one: Entry, believed: set[tuple[int, Pair]]) -> None:
        counts = self._counts
        counts.states += 1
        if one.start_ms > self._window.from_ms and (one.start_ms, one.pair) not in believed:
            counts.expected += 1
            counts.missing += 1
            note = "nothing that the connector took tells of this state"
            states = [_State(one.pair, one.start_ms, one.end_ms)]
            self._note(self._describer(case, states).finding(Fault.MISSING, note, index=0))
            return
        opening = one.in_window and one.start_ms <= self._window.from_ms
        key = (_OPENING if opening else one.start_s, one.pair)
        if key in case.told:
            case.told.remove(key)
            counts.delivered += 1
            counts.expected += one.demanded
            counts.expected_delivered += one.demanded
        elif one.short:
            counts.skipped_short += one.in_window
        else:
            counts.overtaken += one.in_window

    # -- the verdict

    def verdict(self, now_ms: int) -> Verdict:
        """The verdict on everything; the floor has ended, and all events have come."""
        self.settle([], 2**62, now_ms)
        counts = self._counts
        for case in self._cases.values():
            counts.agents_without_rows += not case.has_rows
            counts.believed += len(case.told)
            self._judge_last(case)
        counts.agents = len(self._cases)
        problems = counts.problems()
        if problems:
            raise AssertionError("; ".join(problems))
        return Verdict(counts=counts, latency=None, findings=tuple(self._findings))

    def _judge_last(self, case: _Case) -> None:
        """The state in which the floor leaves the agent is the one that the WFM holds."""
        counts = self._counts
        timeline = build_timeline(TruthAgent(case.agent_id, case.name, tuple(case.truth)), self._codes, self._window)
        counts.states += 1
        counts.expected += 1
        if case.held is not None and timeline and case.held.pair == timeline[-1].pair:
            counts.expected_delivered += 1
            if case.told:  # one of the rows that are left tells it, exactly or nearly
                counts.delivered += 1
                counts.believed -= 1
            return
        counts.missing += 1
        self._note(self._describer(case, []).finding(Fault.MISSING, "the WFM does not hold the last state"))

    @property
    def counts(self) -> Counts:
        """The books so far."""
        return self._counts

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found so far."""
        return Verdict(counts=self._counts, latency=None).failures

    def _note(self, *findings: Finding) -> None:
        self._findings.extend(findings)
        del self._findings[_MOST_FINDINGS:]


def _entry(state: _State) -> Entry:
    return Entry(
        pair=state.pair,
        start_ms=state.start_ms,
        end_ms=state.end_ms,
        short=False,
        excused=False,
        in_window=True,
        opening_s=None,
        cause_sid=None,
    )

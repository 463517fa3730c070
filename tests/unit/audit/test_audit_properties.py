"""Whatever the floor did: a faultless delivery is clean, and each kind of damage is found and given its class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from simulator.audit import DeliveredRow, TruthAgent, TruthState, Verdict, Window, audit

T0 = 1_767_600_000_000
STATES = ("AVAILABLE", "UNAVAILABLE", "RESERVED", "CONTACT", "WRAPUP", "OFFLINE")
DURATIONS_MS = st.one_of(st.just(0), st.integers(1, 2999), st.integers(3000, 60_000), st.integers(300_000, 900_000))
# At least a second apart: each row can only mean one state.
DISTINCT_MS = st.one_of(st.integers(1000, 2999), st.integers(3000, 60_000), st.integers(300_000, 900_000))


class Codes:
    """The state's own word as event id."""

    def event_id(self, state: str, channel: str | None = None, direction: str | None = None) -> str:
        return state

    def parse_time(self, wire: object) -> int:
        return int(str(wire))


@dataclass(frozen=True)
class Case:
    """An agent's truth with the end of each state (None for the open one), and a faultless delivery of it."""

    agent: TruthAgent
    from_ms: int
    ends_ms: tuple[int | None, ...]
    told: tuple[int, ...]  # which states the rows tell, in order
    rows: tuple[DeliveredRow, ...]

    def short(self, state: int) -> bool:
        end_ms = self.ends_ms[state]
        return end_ms is not None and end_ms - self.agent.states[state].start_ms < 3000


def row_for(state: TruthState, seq: int, **changes: object) -> DeliveredRow:
    row = DeliveredRow(
        seq=seq,
        request=seq,
        accepted_s=seq * 1.0,
        agent_id="WK1",
        event_id=state.state,
        event_reason=state.reason or "",
        start_ms=state.start_ms // 1000 * 1000,
        start_text="",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    skip_short: bool = True,
    repeats: bool = True,
    from_start: bool = False,
    rough_opening: bool = True,
    durations: st.SearchStrategy[int] = DURATIONS_MS,
) -> Case:
    """A truth without equal neighbours, a connector start inside it, and a delivery without fault."""
    size = draw(st.integers(1, 14))
    states: list[TruthState] = []
    at_ms = T0 + draw(st.integers(0, 999))
    for number in range(size):
        word = draw(st.sampled_from([s for s in STATES if not states or s != states[-1].state]))
        states.append(
            TruthState(
                at_ms,
                word,
                reason="Break" if word == "UNAVAILABLE" else None,
                cause_sid=f"EV{number}" if number else None,
            )
        )
        at_ms += draw(durations)
    ends: tuple[int | None, ...] = (*(state.start_ms for state in states[1:]), None)
    from_ms = T0 if from_start else draw(st.integers(T0, at_ms))
    rows: list[DeliveredRow] = []
    told: list[int] = []
    for number, (state, end_ms) in enumerate(zip(states, ends, strict=True)):
        if end_ms is not None and end_ms <= from_ms:
            continue  # over before the connector started
        short = end_ms is not None and end_ms - state.start_ms < 3000
        if skip_short and short and draw(st.booleans()):
            continue
        held = states[told[-1]].state if told else None
        if skip_short and held == state.state and draw(st.booleans()):
            continue  # nothing but skipped short states lies between: the WFM holds it already
        opening = (end_ms is None or end_ms > from_ms) and state.start_ms <= from_ms
        rough = rough_opening and opening and draw(st.booleans())
        changes = {"start_ms": draw(st.integers(T0 - 100_000, from_ms)) // 1000 * 1000} if rough else {}
        told.append(number)
        rows.append(row_for(state, len(rows) + 1, **changes))
        if repeats and draw(st.integers(0, 9)) == 0:
            rows.append(replace(rows[-1], seq=len(rows) + 1))
    return Case(TruthAgent("WK1", "Ana", tuple(states)), from_ms, ends, tuple(told), tuple(rows))


def judge(case: Case, rows: list[DeliveredRow] | tuple[DeliveredRow, ...]) -> Verdict:
    renumbered = [replace(row, seq=number) for number, row in enumerate(rows)]
    return audit([case.agent], renumbered, codes=Codes(), window=Window(from_ms=case.from_ms))


@given(cases())
def test_a_faultless_delivery_is_clean(case: Case) -> None:
    """Any truth told exactly, with short states left out at will and states repeated at will, is clean."""
    verdict = judge(case, case.rows)
    assert verdict.clean, verdict.findings
    assert verdict.counts.rows == len(case.rows)


@given(cases(skip_short=False, repeats=False, durations=DISTINCT_MS), st.data())
def test_a_dropped_row_is_missing(case: Case, data: st.DataObject) -> None:
    """A demanded state whose row is dropped is missing, once, and nothing else is wrong."""
    demanded = [at for at, state in enumerate(case.told) if not case.short(state)]
    at = data.draw(st.sampled_from(demanded))
    verdict = judge(case, case.rows[:at] + case.rows[at + 1 :])
    assert verdict.failures == {"missing": 1}


@given(cases(skip_short=False, repeats=False, durations=DISTINCT_MS), st.data())
def test_a_changed_pair_is_wrong(case: Case, data: st.DataObject) -> None:
    """A row whose event id or reason was changed is wrong."""
    at = data.draw(st.integers(0, len(case.rows) - 1))
    change = data.draw(st.sampled_from([{"event_id": "OTHER"}, {"event_reason": "Other"}]))
    rows = [*case.rows[:at], replace(case.rows[at], **change), *case.rows[at + 1 :]]  # type: ignore[arg-type]
    assert judge(case, rows).failures == {"wrong": 1}


@given(cases(skip_short=False, repeats=False, durations=DISTINCT_MS), st.data())
def test_a_shifted_start_is_wrong(case: Case, data: st.DataObject) -> None:
    """A row whose start is off by a second or more is wrong, unless it now tells another state exactly."""
    at = data.draw(st.integers(0, len(case.rows) - 1))
    shift_s = data.draw(st.integers(1, 10_000)) * data.draw(st.sampled_from([-1, 1]))
    start_ms = (case.rows[at].start_ms or 0) + shift_s * 1000
    opening = case.agent.states[case.told[at]].start_ms <= case.from_ms
    assume(start_ms // 1000 > case.agent.states[0].start_ms // 1000)  # the first state may be older than the world
    assume(not opening or start_ms // 1000 > case.from_ms // 1000)  # any earlier start is taken for the opening state
    assume(all(start_ms // 1000 != state.start_ms // 1000 for state in case.agent.states))
    verdict = judge(case, [*case.rows[:at], replace(case.rows[at], start_ms=start_ms), *case.rows[at + 1 :]])
    assert verdict.failures == {"wrong": 1}


@given(cases(skip_short=False, durations=DISTINCT_MS), st.data())
def test_a_made_up_row_is_invented(case: Case, data: st.DataObject) -> None:
    """A row for a state the agent never was in is invented, wherever it arrives and whatever its start."""
    at = data.draw(st.integers(0, len(case.rows)))
    start_ms = T0 + data.draw(st.integers(-100_000, 2_000_000))
    assume(all(start_ms // 1000 != state.start_ms // 1000 for state in case.agent.states))
    made_up = replace(case.rows[0], event_id="NEVER", start_ms=start_ms)
    verdict = judge(case, [*case.rows[:at], made_up, *case.rows[at:]])
    assert verdict.failures == {"invented": 1}


@given(cases(repeats=False, from_start=True, durations=DISTINCT_MS), st.data())
def test_swapped_rows_are_out_of_order(case: Case, data: st.DataObject) -> None:
    """Two neighbouring rows that arrive the other way round are one fault: the older one came late."""
    assume(len(case.rows) > 1)
    at = data.draw(st.integers(0, len(case.rows) - 2))
    verdict = judge(case, swapped(case.rows, at))
    assert verdict.counts.out_of_order == verdict.counts.late_first == 1


@given(cases(repeats=False, from_start=True, rough_opening=False), st.data())
def test_swapped_rows_of_a_flickering_agent_are_found(case: Case, data: st.DataObject) -> None:
    """Also where states come back within a second, rows of different seconds cannot be swapped unseen."""
    places = [
        at
        for at, (first, second) in enumerate(pairwise(case.rows))
        if (first.start_ms or 0) // 1000 != (second.start_ms or 0) // 1000
    ]
    assume(places)
    assert judge(case, swapped(case.rows, data.draw(st.sampled_from(places)))).counts.out_of_order >= 1


def swapped(rows: tuple[DeliveredRow, ...], at: int) -> list[DeliveredRow]:
    return [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]


@given(cases(repeats=False, from_start=True), st.data())
def test_a_clean_verdict_means_that_the_wfm_holds_the_truth(case: Case, data: st.DataObject) -> None:
    """However the rows were damaged: if the verdict is clean, the rows replayed show the truth in every long state.

    The replay shares nothing with the audit: it looks up, for the middle of each long state, which pair a WFM
    that believes each row from its start onward would show.
    """
    rows = list(case.rows)
    for _ in range(data.draw(st.integers(0, 3))):
        damage(rows, data)
    verdict = judge(case, rows)
    assume(verdict.clean)
    for number, state in enumerate(case.agent.states):
        end_ms = case.ends_ms[number]
        if case.short(number) or state.start_ms < case.from_ms:
            continue
        at_ms = state.start_ms + 1500 if end_ms is None else (state.start_ms + end_ms) // 2
        held = [row for row in rows if row.start_ms is not None and row.start_ms // 1000 <= at_ms // 1000]
        assert held, f"nothing told of {state}"
        assert (held[-1].event_id, held[-1].event_reason) == (state.state, state.reason or "")
    assert (rows[-1].event_id, rows[-1].event_reason) == (
        case.agent.states[-1].state,
        case.agent.states[-1].reason or "",
    )


def damage(rows: list[DeliveredRow], data: st.DataObject) -> None:
    if not rows:
        return
    at = data.draw(st.integers(0, len(rows) - 1))
    kind = data.draw(st.sampled_from(["drop", "pair", "shift", "insert", "swap", "repeat"]))
    if kind == "drop":
        del rows[at]
    elif kind == "pair":
        rows[at] = replace(rows[at], event_id=data.draw(st.sampled_from(STATES)))
    elif kind == "shift":
        shift_ms = data.draw(st.integers(-5, 5)) * 1000
        rows[at] = replace(rows[at], start_ms=(rows[at].start_ms or 0) + shift_ms)
    elif kind == "insert":
        word = data.draw(st.sampled_from(STATES))
        rows.insert(at, replace(rows[at], event_id=word, event_reason="Break" if word == "UNAVAILABLE" else ""))
    elif kind == "swap" and at + 1 < len(rows):
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    elif kind == "repeat":
        rows.insert(at, rows[at])


@given(cases(repeats=False, from_start=True), st.data())
def test_the_books_balance_whatever_the_damage(case: Case, data: st.DataObject) -> None:
    """Every row and every expected state lands in exactly one class, and a failed verdict names its faults."""
    rows = list(case.rows)
    for _ in range(data.draw(st.integers(0, 8))):
        damage(rows, data)
    verdict = judge(case, rows)
    assert verdict.counts.problems() == []
    assert len(verdict.findings) == sum(verdict.failures.values())
    assert verdict.clean == (not verdict.findings)

"""The audit in rounds comes to the verdict of the audit at once, and forgets what it has judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from audit_bench import CALL, T0, Codes, rows, truth
from hypothesis import given
from hypothesis import strategies as st

from simulator.audit import DeliveredRow, TruthAgent, Verdict, Window
from simulator.audit.rolling import RollingAudit

from .test_audit_properties import Case, cases, damage, judge
from .test_audit_properties import Codes as Words


def in_rounds(agent: TruthAgent, delivered: Sequence[DeliveredRow], marks: Sequence[int], from_ms: int = T0) -> Verdict:
    """The verdict in rounds that end at these instants; a row comes when its state begins, or with the one before."""
    audit = RollingAudit(Words(), Window(from_ms=from_ms))
    numbered = [replace(row, seq=number) for number, row in enumerate(delivered)]
    arrivals_ms = list(accumulate((row.start_ms or 0 for row in numbered), max))
    told = begun = 0
    for until_ms in (*sorted(marks), 2**62):
        states = [state for state in agent.states[begun:] if state.start_ms <= until_ms]
        coming = [row for row, at_ms in zip(numbered[told:], arrivals_ms[told:], strict=True) if at_ms <= until_ms]
        begun, told = begun + len(states), told + len(coming)
        audit.take([replace(agent, states=tuple(states))], coming)
        if until_ms < 2**62:
            audit.settle(until_ms)
    return audit.verdict()


MARKS = st.lists(st.integers(T0, T0 + 6_000_000), max_size=6)


@given(cases(repeats=False), MARKS)
def test_a_faultless_delivery_has_the_same_books_in_rounds(case: Case, marks: list[int]) -> None:
    """However the time is cut, every count is the one of the audit at once."""
    verdict = in_rounds(case.agent, case.rows, marks, case.from_ms)
    assert verdict.clean, verdict.findings
    at_once = judge(case, case.rows)
    assert verdict.counts == at_once.counts


@given(cases(repeats=False, from_start=True), MARKS, st.data())
def test_no_round_hides_a_fault(case: Case, marks: list[int], data: st.DataObject) -> None:
    """What the audit at once finds at fault, the audit in rounds finds too, and its books balance."""
    told = list(case.rows)
    for _ in range(data.draw(st.integers(1, 3))):
        damage(told, data)
    if not judge(case, told).clean:
        assert not in_rounds(case.agent, told, marks, case.from_ms).clean


def test_what_is_judged_is_forgotten() -> None:
    """After a round only the newest told state is kept."""
    audit = RollingAudit(Codes(), Window(from_ms=T0))
    audit.take([truth(*CALL)], rows(*CALL))
    audit.settle(T0 + 10**9)
    (case,) = audit._cases.values()
    assert (len(case.states), len(case.rows)) == (1, 1)
    assert audit.counts.delivered == 4
    assert audit.verdict().counts.delivered == 5


def test_an_older_row_after_the_round_is_a_fault() -> None:
    """Nobody remembers the state it tells; it counts as invented."""
    audit = RollingAudit(Codes(), Window(from_ms=T0))
    audit.take([truth(*CALL)], rows(*CALL))
    audit.settle(T0 + 10**9)
    audit.take([], rows(CALL[1], first_seq=10))
    assert audit.verdict().failures == {"invented": 1}


def test_a_row_of_a_stranger_is_noted_at_once() -> None:
    """An agent whom the truth does not know needs no round."""
    audit = RollingAudit(Codes(), Window(from_ms=T0))
    audit.take([truth(*CALL)], rows(CALL[0], agent_id="WK9"))
    assert audit.failures == {"unknown_agent": 1}

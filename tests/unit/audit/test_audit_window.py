"""Where the audit begins and ends: the opening state, what was before it, and what could not be known."""

from __future__ import annotations

import pytest
from audit_bench import CALL, judge, rows, truth


def test_the_opening_state_is_demanded() -> None:
    """The state in force when the connector starts is demanded; older ones are not."""
    assert judge(truth(*CALL), rows(*CALL[2:]), from_s=100).clean
    assert judge(truth(*CALL), rows(*CALL[3:]), from_s=100).failures == {"missing": 1}
    assert judge(truth(*CALL), rows((70, "WRAPUP"), *CALL[3:]), from_s=100).failures == {"wrong": 1}


@pytest.mark.parametrize("start_s", [20, 80, 100])
def test_the_opening_state_may_have_another_start(start_s: float) -> None:
    """REST does not always tell when the opening state began: any start up to the connector's is taken, and counted."""
    verdict = judge(truth(*CALL), rows((start_s, "CONTACT"), *CALL[3:]), from_s=100)
    assert (verdict.clean, verdict.counts.opening_approximate) == (True, 1)


def test_the_opening_state_cannot_begin_after_the_connector() -> None:
    """A start later than the connector's own is wrong also for the opening state."""
    assert judge(truth(*CALL), rows((101, "CONTACT"), *CALL[3:]), from_s=100).failures == {"wrong": 1}


def test_the_opening_state_may_carry_the_start_of_an_older_one() -> None:
    """REST shows since when an agent is in an activity, although work lay between: that row is the opening state."""
    happened = truth((0, "AVAILABLE"), (60, "CONTACT"), (300, "AVAILABLE"), (400, "RESERVED"))
    assert judge(happened, rows((0, "AVAILABLE"), (400, "RESERVED")), from_s=350).clean
    assert judge(happened, rows((0, "AVAILABLE"), (60, "CONTACT"), (400, "RESERVED")), from_s=350).failures == {
        "missing": 1
    }


def test_the_state_the_world_began_with_may_be_older_than_the_world() -> None:
    """The truth knows the first state of an agent from the world's beginning on; a row may know it from before."""
    assert judge(truth(*CALL), rows((-4000, "AVAILABLE"), *CALL[2:]), from_s=100).clean
    assert judge(truth(*CALL), rows((-4000, "WRAPUP"), *CALL[2:]), from_s=100).failures == {"invented": 1}
    assert judge(truth(*CALL), rows((30, "AVAILABLE"), *CALL[2:]), from_s=100).failures == {"wrong": 1}


def test_the_opening_state_keeps_the_start_it_was_told_with() -> None:
    """A second row for the opening state with yet another start is wrong; the same row again is a repeat."""
    told = ((80, "CONTACT"), (80, "CONTACT"), (70, "CONTACT"))
    assert judge(truth(*CALL), rows(*told, *CALL[3:]), from_s=100).counts.repeated == 2
    assert judge(truth(*CALL), rows(*told[:1], (90, "CONTACT"), *CALL[3:]), from_s=100).failures == {"wrong": 1}


def test_true_states_from_before_the_start_are_welcome() -> None:
    """A connector that also tells what it read in the history is clean if that was true."""
    assert judge(truth(*CALL), rows(*CALL), from_s=100).clean
    assert judge(truth(*CALL), rows((30, "WRAPUP"), *CALL[1:]), from_s=100).failures == {"invented": 1}


def test_a_state_that_ended_at_the_start_is_not_demanded() -> None:
    """A state that begins at the very instant of the start is the one in force, not the one before."""
    assert judge(truth(*CALL), rows(*CALL[2:]), from_s=70).clean


def test_states_after_the_window_are_not_demanded() -> None:
    """What began after the window's end may be told or not."""
    assert judge(truth(*CALL), rows(*CALL[:3]), until_s=299).clean
    assert judge(truth(*CALL), rows(*CALL), until_s=299).clean
    assert judge(truth(*CALL), rows(*CALL[:3]), until_s=300).failures == {"missing": 1}


def test_a_state_that_was_over_before_it_could_be_known_is_excused() -> None:
    """What began and ended while the connector was down may be left out; what was still in force may not."""
    down = {"EV1": 100.0, "EV2": 100.0}  # RESERVED 60-70, CONTACT 70-300
    excused = judge(truth(*CALL), rows(CALL[0], *CALL[2:]), known_from_s=down)
    assert (excused.clean, excused.counts.excused) == (True, 1)
    assert judge(truth(*CALL), rows(*CALL), known_from_s=down).clean
    assert judge(truth(*CALL), rows(CALL[0], *CALL[3:]), known_from_s=down).failures == {"missing": 1}

"""The board: one condition out of what several witnesses say, since when, and one log line at each change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from flex_plugin_backend.flow.condition import ALARMS, Condition, ConditionBoard, Standing, Trouble, Witness, gravest

DOWN = (Condition.WFM_DOWN, Trouble.WFM_UNREACHABLE)
BLIND = (Condition.BLIND, Trouble.FEED_SILENT)


def show(board: ConditionBoard, now_ms: int, what: tuple[Condition, Trouble] | Condition, witness: Witness) -> None:
    condition, trouble = what if isinstance(what, tuple) else (what, None)
    board.show(condition, now_ms, trouble=trouble, witness=witness)


def lines(logs: list[Any]) -> list[tuple[str, str]]:
    """(event, alarm or condition) of each line."""
    return [(one["event"], one.get("alarm") or one["condition"]) for one in logs]


def test_the_gravest_of_all_witnesses_is_shown_with_its_own_since_when() -> None:
    """Blind since 20 behind a WFM that was down from 30 to 40 is blind since 20."""
    board = ConditionBoard("acme", 10)
    show(board, 15, Condition.OK, Witness.DELIVERY)
    show(board, 20, BLIND, Witness.FEED)
    assert (board.standing.condition, board.standing.since_ms) == (Condition.BLIND, 20)
    show(board, 30, DOWN, Witness.DELIVERY)
    assert (board.standing.condition, board.standing.since_ms) == (Condition.WFM_DOWN, 30)
    assert [one.condition for one in board.alarms] == [Condition.WFM_DOWN, Condition.BLIND]
    show(board, 40, Condition.OK, Witness.DELIVERY)
    assert (board.standing.condition, board.standing.since_ms) == (Condition.BLIND, 20)
    show(board, 50, Condition.OK, Witness.FEED)
    assert (board.standing.condition, board.standing.since_ms, board.alarms) == (Condition.OK, 50, [])


def test_each_change_is_one_line_and_each_alarm_has_its_end() -> None:
    """The end says how long it lasted, and what is shown from then on."""
    board = ConditionBoard("acme", 10)
    with capture_logs() as logs:
        show(board, 15, Condition.OK, Witness.DELIVERY)
        show(board, 20_000, BLIND, Witness.FEED)
        show(board, 20_500, BLIND, Witness.FEED)
        show(board, 80_000, Condition.OK, Witness.FEED)
        show(board, 80_001, Condition.OK, Witness.FEED)
    assert lines(logs) == [("feed.condition", "ok"), ("feed.alarm", "blind"), ("feed.alarm_ended", "blind")]
    assert (logs[1]["log_level"], logs[1]["cause"]) == ("error", "feed silent")
    assert "event callback URL" in logs[1]["to_do"]
    assert (logs[2]["lasted_s"], logs[2]["condition"]) == (60.0, "ok")


def test_another_trouble_under_the_same_word_is_another_alarm() -> None:
    """What to do about it is another thing, so the first one ends and says so."""
    board = ConditionBoard("acme", 10)
    board.show(Condition.HELD, 20, trouble=Trouble.WFM_REFUSES)
    with capture_logs() as logs:
        board.show(Condition.HELD, 30, trouble=Trouble.STATES_REFUSED)
    assert [one["event"] for one in logs] == ["feed.alarm_ended", "feed.alarm"]
    assert board.standing.since_ms == 30


def test_an_alarm_from_before_a_restart_goes_on_with_its_since_when() -> None:
    """It is neither begun again nor ended by the restart; until its witness speaks it is not shown as the condition."""
    board = ConditionBoard("acme", 1_000)
    board.recall([Standing(Condition.BLIND, 20, "", Trouble.FEED_SILENT, Witness.FEED)])
    assert board.standing.condition is Condition.STARTING
    with capture_logs() as logs:
        show(board, 1_010, Condition.OK, Witness.DELIVERY)
        assert [one.since_ms for one in board.alarms] == [20]
        show(board, 1_020, BLIND, Witness.FEED)
    assert (board.standing.condition, board.standing.since_ms) == (Condition.BLIND, 20)
    assert lines(logs) == [("feed.condition", "ok"), ("feed.condition", "blind")]


def test_an_alarm_from_before_a_restart_that_is_over_ends_when_its_witness_speaks() -> None:
    """Its end is told, with the whole time it lasted."""
    board = ConditionBoard("acme", 1_000)
    board.recall([Standing(*(Condition.WFM_DOWN, 20), "", Trouble.WFM_UNREACHABLE, Witness.DELIVERY)])
    with capture_logs() as logs:
        board.show(Condition.STARTING, 1_001)
        board.show(Condition.STANDBY, 1_002)
        assert [one["event"] for one in logs] == ["feed.condition"]
        show(board, 1_020, Condition.OK, Witness.DELIVERY)
    assert (logs[-1]["event"], logs[-1]["lasted_s"]) == ("feed.alarm_ended", 1.0)
    assert board.alarms == []


def test_two_witnesses_of_the_same_trouble_make_one_alarm() -> None:
    """States and reports meet the same outage: it begins with the first and ends with the last."""
    board = ConditionBoard("acme", 0)
    with capture_logs() as logs:
        show(board, 10, DOWN, Witness.DELIVERY)
        show(board, 20, DOWN, Witness.REPORTS)
        show(board, 30, Condition.OK, Witness.DELIVERY)
        assert [(one.condition, one.since_ms) for one in board.alarms] == [(Condition.WFM_DOWN, 10)]
        show(board, 40, Condition.OK, Witness.REPORTS)
    assert lines(logs) == [("feed.alarm", "wfm down"), ("feed.alarm_ended", "wfm down")]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_says_what_to_do(trouble: Trouble) -> None:
    """Nobody is left with a word alone."""
    assert len(Standing(Condition.HELD, 0, "", trouble).to_do) > 10


SAID = st.tuples(st.sampled_from(list(Witness)), st.sampled_from(list(Condition)), st.sampled_from([None, *Trouble]))


@given(st.lists(SAID, max_size=40))
def test_whatever_is_said_there_is_one_condition_and_every_alarm_that_began_ends_once(
    said: list[tuple[Witness, Condition, Trouble | None]],
) -> None:
    """Begin and end alternate for each alarm, the one shown is the gravest, and since never lies in the future."""
    board = ConditionBoard("acme", 0)
    present = {Witness.DELIVERY: Condition.STARTING}
    with capture_logs() as logs:
        for at_ms, (witness, condition, trouble) in enumerate(said, 1):
            board.show(condition, at_ms, trouble=trouble, witness=witness)
            present[witness] = condition
            assert board.standing.condition is gravest(present.values())
            assert board.standing.since_ms <= at_ms
            assert {one.condition for one in board.alarms} == {one for one in present.values() if one in ALARMS}
        for witness in Witness:
            board.show(Condition.OK, len(said) + 1, witness=witness)
    begun = sorted((one["alarm"], str(one["cause"])) for one in logs if one["event"] == "feed.alarm")
    ended = sorted((one["alarm"], str(one["cause"])) for one in logs if one["event"] == "feed.alarm_ended")
    assert begun == ended
    assert (board.standing.condition, board.alarms) == (Condition.OK, [])

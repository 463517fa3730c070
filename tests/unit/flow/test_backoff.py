"""The back-off: growing, capped, jittered, and never shorter than the peer asks for."""

from __future__ import annotations

import random

import pytest

from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.condition import Condition, ConditionBoard

BACKOFF = Backoff(first_s=1.0, cap_s=60.0)


class Always(random.Random):
    """Chance that always falls the same way."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


@pytest.mark.parametrize(("failures", "full_s"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60), (10**6, 60)])
def test_each_failure_doubles_the_pause_up_to_the_cap(failures: int, full_s: float) -> None:
    """Without jitter the n-th pause is first * 2^(n-1), at most the cap, also after years of failures."""
    assert BACKOFF.delay_s(failures, Always(0.0)) == full_s


def test_chance_takes_off_less_than_half() -> None:
    """The jitter spreads many connectors over half the pause and never makes it vanish."""
    chance = random.Random(1)
    waits = [BACKOFF.delay_s(7, chance) for _ in range(500)]
    assert 30.0 < min(waits) < 33.0
    assert 57.0 < max(waits) <= 60.0


@pytest.mark.parametrize(("asked_s", "wait_s"), [(None, 4.0), (0.0, 4.0), (3.9, 4.0), (500.0, 500.0)])
def test_what_the_peer_asks_for_is_the_least(asked_s: float | None, wait_s: float) -> None:
    """`Retry-After` may lengthen the pause beyond the cap, but never shorten it."""
    assert BACKOFF.delay_s(3, Always(0.0), asked_s) == wait_s


def test_the_board_moves_since_only_when_the_condition_changes() -> None:
    """A new detail of the same condition keeps since-when."""
    board = ConditionBoard("acme", 10)
    assert board.standing.condition is Condition.STARTING
    board.show(Condition.WFM_DOWN, 20, "one")
    board.show(Condition.WFM_DOWN, 30, "two")
    assert (board.standing.since_ms, board.standing.detail) == (20, "two")
    board.show(Condition.OK, 40)
    assert (board.standing.since_ms, board.standing.detail) == (40, "")

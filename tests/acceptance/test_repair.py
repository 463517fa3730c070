"""Events that vanish on the way: every one is found, and the WFM holds the truth within half an hour."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from repair_floor import HOUR, MINUTE, RepairFloor

from simulator.world.events import Event

HEALED_WITHIN = 2 * 15 * MINUTE
FULL = os.environ.get("FLEX_WFM_SOAK") == "full"

Make = Callable[..., RepairFloor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Builds floors and closes them."""
    made: list[RepairFloor] = []

    def build(doomed: Callable[[Event, random.Random], bool], **more: Any) -> RepairFloor:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(RepairFloor(folder, doomed, **more))
        return made[-1]

    yield build
    for one in made:
        one.close()


def assert_true(floor: RepairFloor, *, states_too: bool = True) -> None:
    """Every lost event is in the ledger, each counted in one hole, and all of it healed; the WFM holds the truth.

    Without `states_too` only the present states are judged, and that nothing older was told after something newer.
    """
    lost = floor.loss.lost
    assert {one.sid for one in lost} <= floor.stored()
    assert sum(one["events"] for one in floor.gaps()) == len(lost)
    assert {one["state"] for one in floor.gaps()} <= {"healed", "clear"}
    # Twilio's own totals of the queues agree with the event log.
    assert "Statistics" in floor.twilio.asked
    assert floor.differing_totals() == []
    states, reports = floor.verdict()
    assert reports.clean, reports.to_dict()
    assert states.clean or not states_too, states.to_dict()
    told = floor.told()
    assert {agent: line[-1][1:] for agent, line in told.items()} == floor.present()
    withdrawn = floor.withdrawn()
    for agent, line in told.items():
        # A state that was told and turned out never to have been is followed by the right one, which may be older.
        starts = [start_ms for start_ms, *_ in line if (agent, start_ms) not in withdrawn]
        assert starts == sorted(starts)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 21 if FULL else 3))
def test_random_losses_are_all_found_and_healed_within_two_intervals(make: Make, seed: int) -> None:
    """One event in thirty, any type, any agent: 100 % recall, no false holes, nothing told out of order."""
    floor = make(lambda _event, chance: chance.random() < 1 / 30, seed=seed, agents=40 if FULL else 6)
    floor.run(6 * HOUR if FULL else HOUR)
    floor.end()
    assert len(floor.loss.lost) >= 5
    assert_true(floor)
    holes = floor.gaps()
    assert {one["cause"] for one in holes} == {"unknown"}
    for event in floor.loss.lost:
        healed = [one["healed_ms"] for one in holes if one["from_ms"] <= event.ms <= one["to_ms"]]
        assert min(healed) - event.ms <= HEALED_WITHIN


def test_a_feed_that_was_silent_for_an_hour_is_caught_up(make: Make) -> None:
    """Nothing came, and the connector did not know: the states of the past are not told late, the figures are right."""
    floor = make(lambda event, _chance: silent[0] <= event.ms < silent[1], agents=5)
    silent = (floor.now_ms + 10 * MINUTE, floor.now_ms + 70 * MINUTE)
    floor.run(80 * MINUTE)
    floor.end()
    assert len(floor.loss.lost) > 100
    assert_true(floor)
    assert "feed blind" in {one["cause"] for one in floor.gaps()}


def test_a_connector_that_was_away_for_hours_catches_up(make: Make) -> None:
    """What happened while it was down, older than any window of memory, is in the reports of those hours."""
    floor = make(lambda _event, _chance: False, settle_ms=3 * HOUR, agents=5)
    floor.run(20 * MINUTE)
    floor.stay_away(2 * HOUR)
    floor.run(10 * MINUTE)
    floor.end()
    assert len(floor.loss.lost) > 300
    assert_true(floor, states_too=False)
    restart = [one for one in floor.gaps() if one["cause"] == "restart"]
    assert [one["events"] for one in restart] == [len(floor.loss.lost)]
    assert restart[0]["intervals"] >= 7


def test_twilio_and_the_feed_away_together_are_caught_up_when_both_are_back(make: Make) -> None:
    """REST answers 503, then 429 with and without a wish, while events are lost: nothing is missing in the end."""
    floor = make(
        lambda event, chance: away[0] <= event.ms < away[1] and chance.random() < 0.3, settle_ms=3 * HOUR, agents=5
    )
    away = (floor.now_ms + 10 * MINUTE, floor.now_ms + 70 * MINUTE)

    def answers(_path: str) -> tuple[int, dict[str, str]] | None:
        minutes = (floor.now_ms - away[0]) // MINUTE
        if 0 <= minutes < 40:
            return 503, {}
        if 40 <= minutes < 55:
            return 429, {"Retry-After": "20"} if minutes % 2 else {}
        return None

    floor.twilio.answers = answers
    floor.run(80 * MINUTE)
    floor.end()
    assert len(floor.loss.lost) > 20
    assert_true(floor)

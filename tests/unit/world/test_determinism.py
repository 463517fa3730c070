"""One seed gives one world."""

from __future__ import annotations

import gc

from simulator.world.engine import World
from simulator.world.run import lean_memory, run_world
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import load_scenario
from simulator.world.sids import SidFactory, Streams

TWO_HOURS_MS = 2 * 3_600_000


def _run(scenario: Scenario, *, step_ms: int = TWO_HOURS_MS) -> World:
    world = World(scenario)
    for until_ms in range(scenario.start_ms + step_ms, scenario.start_ms + TWO_HOURS_MS + 1, step_ms):
        world.advance_to(until_ms)
    return world


def test_equal_seeds_give_byte_equal_logs_and_truth() -> None:
    """Two worlds with the same scenario differ in no byte."""
    first, second = _run(Scenario(agents=12, seed=3)), _run(Scenario(agents=12, seed=3))
    assert list(first.log) == list(second.log)
    assert first.truth.states == second.truth.states
    assert len(first.log) > 500


def test_the_size_of_the_steps_does_not_matter() -> None:
    """A world advanced minute by minute is the world advanced at once."""
    whole, stepped = _run(Scenario(agents=8, seed=4)), _run(Scenario(agents=8, seed=4), step_ms=60_000)
    assert list(whole.log) == list(stepped.log)
    assert whole.truth.states == stepped.truth.states


def test_other_seeds_give_other_worlds() -> None:
    """The seed decides about people, credentials and events."""
    first, second = _run(Scenario(agents=8, seed=5)), _run(Scenario(agents=8, seed=6))
    assert list(first.log) != list(second.log)
    assert {worker.sid for worker in first.floor.workers}.isdisjoint(worker.sid for worker in second.floor.workers)
    assert first.scenario.account_sid != second.scenario.account_sid


def test_one_change_does_not_shift_the_rest() -> None:
    """Without outbound calls the first inbound calls arrive at the same moments with the same callers."""
    with_calls = Scenario(agents=10, seed=8)
    without = with_calls.with_({"outbound.per_agent_hour": 0.0})

    def callers(world: World) -> list[tuple[int, str]]:
        return [
            (event.ms, event.task["task_attributes"].split('"caller":"')[1][:12])
            for event in world.log
            if event.type == "task.created" and '"caller":"' in event.task["task_attributes"]
        ]

    assert callers(_run(with_calls)) == callers(_run(without))


def test_sids_look_like_twilios_and_repeat_with_the_seed() -> None:
    """A sid is a prefix and 32 hex digits, the n-th one the same for the same seed."""
    first, second = SidFactory(1), SidFactory(1)
    drawn = [first.new("WT") for _ in range(3)]
    assert drawn == [second.new("WT") for _ in range(3)]
    assert len(set(drawn)) == 3
    assert all(len(sid) == 34 and int(sid[2:], 16) >= 0 for sid in drawn)


def test_streams_are_independent() -> None:
    """Drawing from one stream leaves the others where they were."""
    quiet, busy = Streams(1), Streams(1)
    busy.of("a").random()
    assert quiet.of("b").random() == busy.of("b").random()
    assert quiet.of("a") is quiet.of("a")


def test_a_world_leaves_no_garbage_that_has_to_be_looked_for() -> None:
    """Nothing dies in circles, so that a run needs no collector and its memory stays where it is."""
    scenario = load_scenario("everything-strange", {"agents": 15, "hours": 6.0, "start": "2026-01-05T08:00:00Z"})
    gc.collect()
    with lean_memory():
        result = run_world(scenario)
        assert gc.collect() == 0
    assert result.contacts > 200

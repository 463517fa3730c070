"""What holds for every world, whatever its seed and temper."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.engine import World
from simulator.world.scenario import Scenario

_HOUR_MS = 3_600_000


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Small floors, from calm to unbearable."""
    share = st.floats(0, 0.3)
    return Scenario(
        agents=draw(st.integers(1, 9)),
        seed=draw(st.integers(0, 2**31)),
        arrivals={medium: draw(st.floats(0, 12)) for medium in ("voice", "chat", "sms", "web")},
        outbound_per_hour=draw(st.floats(0, 4)),
        internal_per_hour=draw(st.floats(0, 4)),
        rejects=draw(share),
        rejects_by_leaving=draw(share),
        times_out=draw(share),
        hangs_up_ringing=draw(share),
        transfers_to_queue=draw(share),
        transfers_to_worker=draw(share),
        skips_wrap_up=draw(share),
        early_share=draw(st.floats(0, 1)),
        shift_s=draw(st.sampled_from([1800, 5400, 9 * 3600])),
        short_pauses_per_hour=draw(st.floats(0, 6)),
    )


@settings(max_examples=40, deadline=None)
@given(scenarios(), st.lists(st.integers(1, 2 * _HOUR_MS), max_size=6))
def test_a_world_is_the_same_however_it_is_advanced_and_its_truth_tiles_time(
    scenario: Scenario, stops: list[int]
) -> None:
    """Stops on the way change nothing; each timeline starts at the birth, moves forward and never repeats a state."""
    whole, stepped = World(scenario), World(scenario)
    end_ms = scenario.start_ms + 2 * _HOUR_MS
    whole.advance_to(end_ms)
    for stop in sorted(stops):
        stepped.advance_to(scenario.start_ms + stop)
    stepped.advance_to(end_ms)
    assert whole.log.dump() == stepped.log.dump()
    assert whole.truth.states == stepped.truth.states
    for states in whole.truth.states.values():
        assert states[0].start_ms == scenario.start_ms
        for before, after in pairwise(states):
            assert before.start_ms < after.start_ms
            assert before.value != after.value


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_the_open_reservations_of_a_world_fit_its_tasks(scenario: Scenario) -> None:
    """At any end, what is open at a worker is open at its task, and no ended task has anything open."""
    world = World(scenario)
    world.advance_to(scenario.start_ms + 3 * _HOUR_MS)
    for worker in world.floor.workers:
        for sid, reservation in worker.open.items():
            assert reservation.sid == sid
            assert reservation.is_open
            assert reservation in reservation.task.reservations
            assert not reservation.task.ended
    for task in world.tasks(world.now_ms):
        for reservation in task.open_reservations():
            assert reservation.worker.open[reservation.sid] is reservation

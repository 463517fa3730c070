"""The plan of send times: what each shape promises, and that a plan is fixed before the run."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.shapes import Burst, Ramp, Shape, Steady, send_times

RATES = st.floats(0.5, 500)
LENGTHS = st.floats(0.5, 60)
SHAPES = st.one_of(
    st.builds(Steady, RATES, LENGTHS),
    st.builds(Ramp, RATES, LENGTHS),
    st.builds(Burst, RATES, LENGTHS, st.floats(2, 20), st.floats(0.1, 2)),
)


def even(shape: Shape) -> list[float]:
    return list(send_times(shape, "even", random.Random(1)))


@given(shape=SHAPES, arrivals=st.sampled_from(["even", "poisson"]), seed=st.integers(0, 9))
def test_times_rise_and_lie_within_the_run(shape: Steady | Ramp | Burst, arrivals: str, seed: int) -> None:
    """Whatever the shape: in order, none before the beginning, none after the end."""
    times = list(send_times(shape, arrivals, random.Random(seed)))  # type: ignore[arg-type]
    assert all(before <= after for before, after in pairwise(times))
    assert all(0 <= one <= shape.duration_s * (1 + 1e-9) for one in times)


@given(shape=SHAPES)
def test_even_arrivals_are_as_many_as_the_shape_says(shape: Shape) -> None:
    """The rate is kept to the last callback."""
    assert len(even(shape)) == math.ceil(shape.total)


def test_steady_callbacks_are_evenly_spaced() -> None:
    """Four a second, one each quarter."""
    assert even(Steady(4, 1)) == [0.0, 0.25, 0.5, 0.75]


def test_a_burst_has_everything_at_the_beginning_of_its_period() -> None:
    """Ten a second on average: a hundred within each first second, then silence."""
    times = even(Burst(10, 25, every_s=10, within_s=1))
    assert len(times) == 300
    assert [sum(1 for one in times if at <= one < at + 1) for at in (0, 1, 9, 10, 11, 20, 21)] == [
        100, 0, 0, 100, 0, 100, 0,
    ]  # fmt: skip


def test_a_ramp_rises_in_a_straight_line() -> None:
    """After half of the time a quarter is due."""
    times = even(Ramp(100, 10))
    assert len(times) == 500
    assert sum(1 for one in times if one < 5) == 125


def test_poisson_arrivals_have_the_shape_s_mean_and_a_spread_as_large() -> None:
    """Counts of a second scatter with the variance of their mean; evenly spaced ones do not scatter."""
    counts = [0] * 400
    for one in send_times(Steady(50, 400), "poisson", random.Random(7)):
        counts[int(one)] += 1
    mean = sum(counts) / len(counts)
    variance = sum((one - mean) ** 2 for one in counts) / (len(counts) - 1)
    assert mean == pytest.approx(50, rel=0.05)
    assert variance == pytest.approx(mean, rel=0.25)


def test_one_seed_gives_one_plan() -> None:
    """And another seed another one."""
    first, again, other = (list(send_times(Steady(20, 5), "poisson", random.Random(seed))) for seed in (3, 3, 4))
    assert first == again
    assert first != other

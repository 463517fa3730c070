"""Formulas against published values, against one another, and against what they must be in the extremes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.theory.queues import Queue, erlang_b, erlang_c
from simulator.theory.special import chi_square_tail, incomplete_beta, kolmogorov_tail, student_tails, upper_gamma


@pytest.mark.parametrize(
    ("agents", "load", "blocked"),
    # From tables of the Erlang B formula, to the digits they give.
    [(1, 1.0, 0.5), (2, 1.0, 0.2), (5, 3.0, 0.1101), (10, 5.0, 0.0184), (10, 10.0, 0.2146), (20, 12.0, 0.0098)],
)
def test_erlang_b_is_that_of_the_tables(agents: int, load: float, blocked: float) -> None:
    """The share of calls that are lost."""
    assert erlang_b(agents, load) == pytest.approx(blocked, abs=5e-5)


@pytest.mark.parametrize(("agents", "load"), [(1, 0.3), (1, 0.9), (4, 2.5), (10, 8.0), (50, 45.0)])
def test_erlang_c_is_its_definition(agents: int, load: float) -> None:
    """As the sum over all states; with one agent it is the load."""
    below = sum(load**n / math.factorial(n) for n in range(agents))
    above = load**agents / math.factorial(agents) * agents / (agents - load)
    assert erlang_c(agents, load) == pytest.approx(above / (below + above))
    if agents == 1:
        assert erlang_c(1, load) == pytest.approx(load)


def test_more_load_than_agents_makes_everybody_wait() -> None:
    """And has no solution with endless patience."""
    assert erlang_c(3, 3.0) == 1.0
    with pytest.raises(ValueError, match="below the number of agents"):
        Queue(agents=3, per_s=1.0, talk_s=3.0).solve()


_QUEUES = st.builds(
    Queue,
    agents=st.integers(1, 40),
    per_s=st.floats(0.001, 0.2),
    talk_s=st.floats(10, 400),
    patience_s=st.floats(5, 600),
)


@given(_QUEUES)
def test_palms_model_keeps_its_books(queue: Queue) -> None:
    """Calls that do not give up are talked to, and Little's law holds."""
    found = queue.solve()
    assert found.busy * queue.agents == pytest.approx(queue.load * (1 - found.abandons), rel=1e-6)
    assert found.mean_queue == pytest.approx(queue.per_s * found.mean_wait_s, rel=1e-9)
    assert 0 <= found.abandons <= 1
    assert 0 <= found.waits <= 1


@given(st.integers(1, 30), st.floats(0.1, 30.0), st.floats(20, 300))
def test_who_is_as_patient_as_a_talk_is_long_makes_the_queue_endlessly_wide(
    agents: int, load: float, talk_s: float
) -> None:
    """Then calls leave at the same rate waiting or talking: the number present is a Poisson variable."""
    queue = Queue(agents=agents, per_s=load / talk_s, talk_s=talk_s, patience_s=talk_s)
    below = sum(math.exp(-load + n * math.log(load) - math.lgamma(n + 1)) for n in range(agents))
    assert queue.solve().waits == pytest.approx(1 - below, abs=1e-9)


def test_palms_model_lies_between_erlangs() -> None:
    """Without patience calls are lost as Erlang B has it; with endless patience they wait as Erlang C has it."""
    restless = Queue(agents=10, per_s=0.04, talk_s=200.0, patience_s=0.001).solve()
    assert restless.abandons == pytest.approx(erlang_b(10, 8.0), rel=1e-3)
    patient = Queue(agents=10, per_s=0.04, talk_s=200.0, patience_s=1e9).solve()
    endless = Queue(agents=10, per_s=0.04, talk_s=200.0)
    assert patient.waits == pytest.approx(erlang_c(10, 8.0), rel=1e-3)
    # Mean wait: C / (c mu - lambda) = 0.4092 / (10 / 200 - 0.04) = 40.9 s
    assert endless.solve().mean_wait_s == pytest.approx(erlang_c(10, 8.0) / 0.01)
    assert endless.solve().waits == pytest.approx(erlang_c(10, 8.0))
    assert endless.waits_longer(0) == pytest.approx(0.4092, abs=5e-5)


@pytest.mark.parametrize(
    ("statistic", "freedom", "tail"),
    [(3.841, 1, 0.05), (18.307, 10, 0.05), (6.635, 1, 0.01), (124.342, 100, 0.05), (0.0, 5, 1.0), (2.706, 1, 0.1)],
)
def test_the_tail_of_chi_square_is_that_of_the_tables(statistic: float, freedom: int, tail: float) -> None:
    """To the digits they give."""
    assert chi_square_tail(statistic, freedom) == pytest.approx(tail, abs=5e-5)


@pytest.mark.parametrize(
    ("statistic", "freedom", "tails"),
    [(12.706, 1, 0.05), (2.228, 10, 0.05), (-2.228, 10, 0.05), (3.169, 10, 0.01), (1.984, 100, 0.05), (0.0, 7, 1.0)],
)
def test_the_tails_of_student_are_those_of_the_tables(statistic: float, freedom: int, tails: float) -> None:
    """Two-sided."""
    assert student_tails(statistic, freedom) == pytest.approx(tails, abs=5e-5)


@pytest.mark.parametrize(("x", "tail"), [(1.3581, 0.05), (1.6276, 0.01), (1.2238, 0.1), (0.05, 1.0)])
def test_the_tail_of_kolmogorov_is_that_of_the_tables(x: float, tail: float) -> None:
    """For a great many draws the distance times the root of their number."""
    assert kolmogorov_tail(x / 1e6, 10**12) == pytest.approx(tail, abs=5e-5)


@given(st.floats(0.1, 200), st.floats(0, 400))
def test_the_gamma_function_meets_itself_where_its_two_ways_meet(shape: float, x: float) -> None:
    """It falls from 1 to 0, and for whole shapes it is a Poisson sum."""
    assert 0 <= upper_gamma(shape, x) <= 1
    assert upper_gamma(shape, x) >= upper_gamma(shape, x + 1) - 1e-12
    whole = max(1, round(shape))
    poisson = sum(math.exp(-x + n * math.log(x) - math.lgamma(n + 1)) for n in range(whole)) if x > 0 else 1.0
    assert upper_gamma(whole, x) == pytest.approx(min(1.0, poisson), abs=1e-9)


@given(st.floats(0.2, 50), st.floats(0.2, 50), st.floats(0.001, 0.999))
def test_the_beta_function_is_its_own_mirror(a: float, b: float, x: float) -> None:
    """I(a, b, x) and I(b, a, 1 - x) make 1."""
    assert incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == pytest.approx(1, abs=1e-9)

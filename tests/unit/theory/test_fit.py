"""The tests of significance take what fits and refuse what does not."""

from __future__ import annotations

import random

import pytest

from simulator.theory.fit import SIGNIFICANCE, counts_check, distribution_check, mean_check, total_check
from simulator.world.scenario import Constant, Duration, Exponential, LogNormal, Never, Weibull


@pytest.mark.parametrize(
    "length",
    [
        Exponential(mean_s=120.0), LogNormal(median_s=60.0, spread=0.7), Weibull(scale_s=200.0, shape=0.8),
        Weibull(scale_s=200.0, shape=2.5), LogNormal(median_s=3.0, spread=0.1),
    ],
)  # fmt: skip
def test_draws_of_a_length_fit_its_distribution_and_no_other(length: Duration) -> None:
    """Each kind is drawn as its distribution says, its mean included; a tenth longer is found out."""
    rng, draw = random.Random(5), length.drawer()
    values = [draw(rng) / 1000 for _ in range(20_000)]
    assert distribution_check("", "", values, length.below, length.mean_s).fits
    assert sum(values) / len(values) == pytest.approx(length.mean_s, rel=0.03)
    assert not distribution_check("", "", [1.1 * value for value in values], length.below, length.mean_s).fits


def test_a_constant_is_constant_and_never_does_not_come() -> None:
    """The two kinds without chance."""
    assert {Constant(seconds=4.0).drawer()(random.Random(n)) for n in range(9)} == {4000}
    assert Constant(seconds=4.0).below(4.0) == 1.0
    assert Never().drawer()(random.Random(1)) > 10**12
    assert Never().below(1e12) == 0.0


def test_right_hypotheses_are_refused_as_seldom_as_stated() -> None:
    """Over many samples the probabilities are spread evenly, as they must be."""
    rng = random.Random(2)
    draw = Exponential(mean_s=1.0)
    fits = [distribution_check("", "", [rng.expovariate(1) for _ in range(50)], draw.below, 1.0) for _ in range(400)]
    means = [mean_check("", "", [rng.gauss(5, 2) for _ in range(6)], 5.0) for _ in range(400)]
    for checks in (fits, means):
        assert sum(check.probability < 0.5 for check in checks) == pytest.approx(200, abs=45)
        assert sum(check.probability < 0.05 for check in checks) <= 40
        assert sum(not check.fits for check in checks) <= 4


def test_counts_of_a_poisson_process_fit_and_those_of_another_rate_do_not() -> None:
    """Small cells are put together, so that chi-square means something."""
    rng = random.Random(3)
    expected = [3.0] * 400
    counts = [sum(rng.random() < 0.003 for _ in range(1000)) for _ in expected]
    check = counts_check("", "", counts, expected)
    assert check.fits
    assert check.count == 400 // 3
    assert not counts_check("", "", counts, [2.0, 4.0] * 200).fits
    assert total_check("", "", sum(counts), 1200.0).fits
    assert not total_check("", "", sum(counts), 1400.0).fits
    assert counts_check("", "", [0], [0.5]).probability == 1.0


def test_a_mean_without_spread_fits_only_itself() -> None:
    """Where nothing is random any difference counts."""
    assert mean_check("", "", [2.0, 2.0, 2.0], 2.0).fits
    assert not mean_check("", "", [2.0, 2.0, 2.0], 2.1).fits
    assert 0 < SIGNIFICANCE < 0.01

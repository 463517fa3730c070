"""Tails of the distributions that tests of significance need: normal sums, chi-square, Student's t, Kolmogorov."""

from __future__ import annotations

import math

_TINY = 1e-300
_STEPS = 10_000
_EXACT = 1e-15


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The probability that a chi-square number with so many degrees of freedom is at least this large."""
    return upper_gamma(freedom / 2, statistic / 2)


def student_tails(statistic: float, freedom: float) -> float:
    """The probability that a number of Student's t distribution is at least so far from 0, on either side."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + statistic**2))


def kolmogorov_tail(distance: float, count: int) -> float:
    """The probability that the empirical distribution of `count` draws is at least so far from the true one.

    Kolmogorov's limit with Stephens' correction for the count, which is good from about five draws on.
    """
    root = math.sqrt(count)
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.2:
        return 1.0
    total = 0.0
    for k in range(1, 101):
        term = 2 * (-1) ** (k - 1) * math.exp(-2 * k * k * x * x)
        total += term
        if abs(term) < _EXACT:
            break
    return min(1.0, max(0.0, total))


def upper_gamma(shape: float, x: float) -> float:
    """The regularized upper incomplete gamma function: by its series for small x, by its continued fraction else."""
    if x <= 0:
        return 1.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for n in range(1, _STEPS):
            term *= x / (shape + n)
            total += term
            if term < total * _EXACT:
                break
        return max(0.0, 1 - front * total)
    b, c = x + 1 - shape, 1 / _TINY
    d = fraction = 1 / b
    for n in range(1, _STEPS):
        a = -n * (n - shape)
        b += 2
        d = 1 / _nonzero(a * d + b)
        c = _nonzero(b + a / c)
        fraction *= d * c
        if abs(d * c - 1) < _EXACT:
            break
    return front * fraction


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    logs = a * math.log(x) + b * math.log(1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + logs) / a
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for n in range(1, _STEPS):
        even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n))
        odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1))
        for step in (even, odd):
            d = 1 / _nonzero(1 + step * d)
            c = _nonzero(1 + step / c)
            fraction *= d * c
        if abs(d * c - 1) < _EXACT:
            break
    return front * fraction


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

"""Tests of significance: does what was measured fit what theory says, or would chance hardly ever bring it about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.theory.special import chi_square_tail, kolmogorov_tail, student_tails

SIGNIFICANCE = 0.001
_LEAST_EXPECTED = 8.0  # a chi-square cell with less is put together with the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One comparison.

    Attributes:
        subject: what was compared, such as a queue.
        name: what was measured, with its unit.
        test: how the probability was worked out.
        theory, measured: the two values; for a fit of distributions the mean.
        count: measurements.
        probability: of a difference at least so large if theory is right.
    """

    subject: str
    name: str
    test: str
    theory: float
    measured: float
    count: int
    probability: float

    @property
    def fits(self) -> bool:
        """Chance explains the difference."""
        return self.probability >= SIGNIFICANCE

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "subject": self.subject,
            "name": self.name,
            "test": self.test,
            "theory": self.theory,
            "measured": self.measured,
            "count": self.count,
            "probability": self.probability,
            "fits": self.fits,
        }


def mean_check(subject: str, name: str, values: Sequence[float], theory: float) -> Check:
    """Are these independent values spread around the theoretical mean: Student's t test, two-sided."""
    count = len(values)
    mean = sum(values) / count
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    error = spread / math.sqrt(count)
    if error == 0:
        probability = float(math.isclose(mean, theory, rel_tol=1e-9, abs_tol=1e-12))
    else:
        probability = student_tails((mean - theory) / error, count - 1)
    return Check(
        subject=subject, name=name, test="t", theory=theory, measured=mean, count=count, probability=probability
    )


def distribution_check(
    subject: str, name: str, values: Sequence[float], below: Callable[[float], float], mean: float
) -> Check:
    """Do these values come from a continuous distribution: the Kolmogorov-Smirnov test."""
    ordered = sorted(values)
    count = len(ordered)
    distance = 0.0
    for number, value in enumerate(ordered):
        expected = below(value)
        distance = max(distance, (number + 1) / count - expected, expected - number / count)
    return Check(
        subject=subject, name=name, test="KS", theory=mean, measured=sum(ordered) / count, count=count,
        probability=kolmogorov_tail(distance, count),
    )  # fmt: skip


def counts_check(subject: str, name: str, counts: Sequence[int], expected: Sequence[float]) -> Check:
    """Are these counts of independent Poisson variables with these means: Pearson's chi-square test."""
    cells: list[tuple[int, float]] = []
    seen, mean = 0, 0.0
    for count, one in zip(counts, expected, strict=True):
        seen, mean = seen + count, mean + one
        if mean >= _LEAST_EXPECTED:
            cells.append((seen, mean))
            seen, mean = 0, 0.0
    if cells and mean:
        cells[-1] = (cells[-1][0] + seen, cells[-1][1] + mean)
    statistic = sum((count - one) ** 2 / one for count, one in cells)
    return Check(
        subject=subject, name=name, test="chi-square", theory=sum(expected), measured=sum(counts), count=len(cells),
        probability=chi_square_tail(statistic, len(cells)) if cells else 1.0,
    )  # fmt: skip


def total_check(subject: str, name: str, count: int, expected: float) -> Check:
    """Is this a Poisson number with this mean, which is not small: its distance in standard deviations, two-sided.

    Many cells that are all a little too full show here long before chi-square notices.
    """
    probability = math.erfc(abs(count - expected) / math.sqrt(2 * expected))
    return Check(
        subject=subject, name=name, test="Poisson", theory=expected, measured=count, count=1, probability=probability
    )

"""When callbacks are due: send times fixed before the run, by a shape's rate and a way of arriving."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Arrivals = Literal["poisson", "even"]


class Shape(Protocol):
    """How the rate goes over the run."""

    @property
    def total(self) -> float:
        """How many callbacks are due in the whole run, on average."""

    def when(self, count: float) -> float:
        """The second by which `count` callbacks are due, for 0 <= count < total; it never falls."""


@dataclass(frozen=True, slots=True)
class Steady:
    """`rate` callbacks a second for `duration_s`."""

    rate: float
    duration_s: float

    @property
    def total(self) -> float:
        """Rate by time."""
        return self.rate * self.duration_s

    def when(self, count: float) -> float:
        """Time by rate."""
        return count / self.rate


@dataclass(frozen=True, slots=True)
class Ramp:
    """From nothing to `rate` callbacks a second, in a straight line."""

    rate: float
    duration_s: float

    @property
    def total(self) -> float:
        """The triangle under the line."""
        return self.rate * self.duration_s / 2

    def when(self, count: float) -> float:
        """count = rate * t^2 / (2 * duration), solved for t."""
        return math.sqrt(2 * self.duration_s * count / self.rate)


@dataclass(frozen=True, slots=True)
class Burst:
    """`rate` callbacks a second on average; those of every `every_s` are due within its first `within_s`."""

    rate: float
    duration_s: float
    every_s: float = 10.0
    within_s: float = 1.0

    @property
    def total(self) -> float:
        """All whole periods, and of the last one what is due before the end."""
        periods, rest_s = divmod(self.duration_s, self.every_s)
        return self.rate * self.every_s * (periods + min(1.0, rest_s / self.within_s))

    def when(self, count: float) -> float:
        """The period, and how far into its burst."""
        period, left = divmod(count, self.rate * self.every_s)
        return period * self.every_s + left / (self.rate * self.every_s) * self.within_s


def send_times(shape: Shape, arrivals: Arrivals, chance: random.Random) -> Iterator[float]:
    """The seconds after the beginning at which callbacks are due, in order.

    `even` spaces them by the shape alone. `poisson` draws independent gaps and lets the shape stretch them, which is
    how callbacks of many independent agents arrive; how many there are is then a matter of chance, too.
    """
    count = 0.0
    while True:
        if arrivals == "poisson":
            count -= math.log(1.0 - chance.random())
        if count >= shape.total:
            return
        yield shape.when(count)
        if arrivals == "even":
            count += 1.0

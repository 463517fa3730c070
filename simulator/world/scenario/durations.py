"""Lengths of time as a scenario states them: a kind of distribution and its parameters, drawn in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from simulator.world.scenario import fields as f
from simulator.world.scenario.fields import Part

Draw = Callable[[Random], int]
_TWO_PI = 6.283185307179586
NEVER_MS = 100 * 366 * 86_400_000  # so far away that the agenda forgets it


class _Kind(Part):
    """One kind of a table; the word that tells the kinds apart counts as written even where it was not."""

    def model_post_init(self, _context: object) -> None:
        self.model_fields_set.add("kind")


class Constant(_Kind):
    """Always the same."""

    kind: Literal["constant"] = f.word("constant")
    seconds: float = f.seconds(0.0, "the length")

    @property
    def mean_s(self) -> float:
        """The mean in seconds."""
        return self.seconds

    def drawer(self) -> Draw:
        """A function that draws a length in milliseconds."""
        ms = round(self.seconds * 1000)
        return lambda _rng: ms

    def below(self, length_s: float) -> float:
        """The probability of a length up to and including this one."""
        return float(length_s >= self.seconds)


class Exponential(_Kind):
    """Memoryless: what theory means by patience or service when it says no more."""

    kind: Literal["exponential"] = f.word("exponential")
    mean_s: float = f.seconds(..., "mean", above_zero=True)

    def drawer(self) -> Draw:
        """A function that draws a length in milliseconds."""
        log, mean_ms = math.log, self.mean_s * 1000

        def draw(rng: Random) -> int:
            return int(-log(1.0 - rng.random()) * mean_ms + 0.5)

        return draw

    def below(self, length_s: float) -> float:
        """The probability of a length up to and including this one."""
        return 1 - math.exp(-max(0.0, length_s) / self.mean_s)


class LogNormal(_Kind):
    """Many short ones and a long tail, as handle times are."""

    kind: Literal["lognormal"] = f.word("lognormal")
    median_s: float = f.seconds(..., "median", above_zero=True)
    spread: float = f.number(0.6, "standard deviation of the natural logarithm", "1")

    @property
    def mean_s(self) -> float:
        """The mean in seconds: above the median, because of the tail."""
        return self.median_s * math.exp(self.spread**2 / 2)

    def drawer(self) -> Draw:
        """A function that draws a length in milliseconds."""
        exp, log, sqrt, cos = math.exp, math.log, math.sqrt, math.cos
        median_ms, spread = self.median_s * 1000, self.spread

        def draw(rng: Random) -> int:
            # Box and Muller, with two plain draws each time. `random.gauss` keeps a number back and `normalvariate`
            # draws as often as it needs to; their ways may change with the version of Python.
            random = rng.random
            return int(exp(sqrt(-2.0 * log(1.0 - random())) * cos(_TWO_PI * random()) * spread) * median_ms + 0.5)

        return draw

    def below(self, length_s: float) -> float:
        """The probability of a length up to and including this one."""
        if length_s <= 0:
            return 0.0
        if self.spread == 0:
            return float(length_s >= self.median_s)
        return math.erfc(-math.log(length_s / self.median_s) / (self.spread * math.sqrt(2))) / 2


class Weibull(_Kind):
    """With a shape below 1 those who have waited long go on waiting; above 1 they lose patience all the faster."""

    kind: Literal["weibull"] = f.word("weibull")
    scale_s: float = f.seconds(..., "63 % are shorter than this", above_zero=True)
    shape: float = f.number(1.0, "1 is exponential", "1", above_zero=True)

    @property
    def mean_s(self) -> float:
        """The mean in seconds."""
        return self.scale_s * math.gamma(1 + 1 / self.shape)

    def drawer(self) -> Draw:
        """A function that draws a length in milliseconds."""
        log, scale_ms, power = math.log, self.scale_s * 1000, 1 / self.shape

        def draw(rng: Random) -> int:
            return int((-log(1.0 - rng.random())) ** power * scale_ms + 0.5)

        return draw

    def below(self, length_s: float) -> float:
        """The probability of a length up to and including this one."""
        return 1 - math.exp(-((max(0.0, length_s) / self.scale_s) ** self.shape))


class Never(_Kind):
    """Endless: whoever has this patience waits for good."""

    kind: Literal["never"] = f.word("never")

    @property
    def mean_s(self) -> float:
        """Infinite."""
        return math.inf

    def drawer(self) -> Draw:
        """A function that draws what never comes."""
        return lambda _rng: NEVER_MS

    def below(self, _length_s: float) -> float:
        """Nothing is so long."""
        return 0.0


Duration = Annotated[Constant | Exponential | LogNormal | Weibull | Never, Field(discriminator="kind")]

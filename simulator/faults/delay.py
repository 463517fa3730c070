"""Delays: some events arrive late, so that others overtake them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from simulator.faults.letter import Letter


@dataclass(frozen=True, slots=True)
class Delay:
    """A `share` of the letters is late by a time between `least_s` and `most_s` virtual seconds."""

    share: float
    most_s: float
    least_s: float = 0.0

    def apply(self, letters: Iterable[Letter], chance: random.Random) -> list[Letter]:
        """The letters, some of them later."""
        return [
            replace(letter, at_ms=letter.at_ms + round(chance.uniform(self.least_s, self.most_s) * 1000))
            if chance.random() < self.share
            else letter
            for letter in letters
        ]

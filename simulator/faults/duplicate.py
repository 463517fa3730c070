"""Duplicates: some events arrive a second time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from simulator.faults.letter import Letter


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A `share` of the letters comes again, up to `within_s` virtual seconds later."""

    share: float = 0.05
    within_s: float = 3600.0

    def apply(self, letters: Iterable[Letter], chance: random.Random) -> list[Letter]:
        """The letters and their copies."""
        arriving: list[Letter] = []
        for letter in letters:
            arriving.append(letter)
            if chance.random() < self.share:
                arriving.append(replace(letter, at_ms=letter.at_ms + round(chance.random() * self.within_s * 1000)))
        return arriving

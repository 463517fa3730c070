"""Duplicates: some events arrive a second time."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f


class Duplicate(LetterFault):
    """An event comes a second time."""

    name: ClassVar[str] = "duplicate"

    within_s: float = f.seconds(3600.0, "the copy is later by so much at most")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter and its copy."""
        return [letter, letter.later(chance.random() * self.within_s)]

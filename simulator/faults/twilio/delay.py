"""Delays: some events arrive late."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f


class Delay(LetterFault):
    """An event comes minutes or hours late."""

    name: ClassVar[str] = "delay"

    least_s: float = f.seconds(60.0, "late by so much at least")
    most_s: float = f.seconds(3600.0, "late by so much at most")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter, later."""
        return [letter.later(chance.uniform(self.least_s, self.most_s))]

"""Disorder: an event is overtaken by those that follow it."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f


class Reorder(LetterFault):
    """An event is overtaken by those that follow it in the next seconds."""

    name: ClassVar[str] = "reorder"

    most_s: float = f.seconds(20.0, "late by so much at most")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter, a little later."""
        return [letter.later(chance.random() * self.most_s)]

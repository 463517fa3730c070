"""Replayed requests: a captured request is sent again, hours later, byte for byte and rightly signed."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f


class Replayed(LetterFault):
    """A request is captured and sent again up to a day later; its signature is right (Twilio reference 1.5)."""

    name: ClassVar[str] = "replayed"

    least_s: float = f.seconds(3600.0, "later by so much at least")
    most_s: float = f.seconds(86_400.0, "later by so much at most")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter, and again."""
        return [letter, letter.later(chance.uniform(self.least_s, self.most_s))]

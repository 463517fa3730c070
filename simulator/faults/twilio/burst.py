"""Bursts: events are held back and then come all at once."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f


class Burst(LetterFault):
    """Events are held back and come all at once."""

    name: ClassVar[str] = "burst"

    every_s: float = f.seconds(60.0, "so often a burst comes", above_zero=True)

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:  # noqa: ARG002
        """The letter at the time of the next burst."""
        every_ms = round(self.every_s * 1000)
        return [replace(letter, at_ms=-(-letter.at_ms // every_ms) * every_ms)]

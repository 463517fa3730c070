"""Silent loss: an event never arrives, and nobody is told."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter


class Drop(LetterFault):
    """An event vanishes, and nobody is told (Twilio reference 8)."""

    name: ClassVar[str] = "drop"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:  # noqa: ARG002
        """Nothing."""
        return []

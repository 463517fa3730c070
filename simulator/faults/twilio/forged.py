"""Forged requests: somebody who has no key makes an event up."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.faults.lies import drawn_sid, lie_about


class Forged(LetterFault):
    """Beside a true event comes one that says the opposite, made up by somebody without the key."""

    name: ClassVar[str] = "forged"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter and the lie."""
        lie = letter.made_up(drawn_sid("EV", chance), lie_about(letter.event, letter.at_ms))
        return [letter, replace(lie, signing="wrong")]

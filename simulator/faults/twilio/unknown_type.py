"""Unknown event types: Twilio adds types without notice."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.faults.lies import drawn_sid

_TYPES = ("worker.teleported", "reservation.enriched", "task.summarised", "galaxy.created")


class UnknownType(LetterFault):
    """Beside a true event comes one of a type that nobody knows."""

    name: ClassVar[str] = "unknown-type"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter and the news."""
        kind = _TYPES[int(chance.random() * len(_TYPES))]
        return [letter, letter.made_up(drawn_sid("EV", chance), {"EventType": kind})]

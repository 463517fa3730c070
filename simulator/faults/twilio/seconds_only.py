"""Times in whole seconds: the milliseconds are seen in live traffic and promised nowhere."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter


class SecondsOnly(LetterFault):
    """An event states its time in whole seconds only (Twilio reference 1.3)."""

    name: ClassVar[str] = "seconds-only"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:  # noqa: ARG002
        """The letter without milliseconds."""
        return [letter.changed({"TimestampMs": None, "WorkerTimeInPreviousActivityMs": None})]

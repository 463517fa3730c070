"""Missing signatures: what a proxy that drops unknown headers makes of every callback."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter


class MissingSignature(LetterFault):
    """An event's request has no signature, so it must be refused and be recovered otherwise."""

    name: ClassVar[str] = "missing-signature"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:  # noqa: ARG002
        """The letter without its signature."""
        return [replace(letter, signing="missing")]

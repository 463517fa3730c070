"""Wrong signatures: what a proxy that rewrites the address makes of every callback."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter


class WrongSignature(LetterFault):
    """An event's request has a signature that does not fit, so it must be refused and be recovered otherwise."""

    name: ClassVar[str] = "wrong-signature"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:  # noqa: ARG002
        """The letter, signed with another key."""
        return [replace(letter, signing="wrong")]

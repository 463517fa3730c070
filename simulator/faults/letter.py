"""What a fault works on: an event on its way, and when it arrives."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from simulator.world.events import Event


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery of an event; `at_ms` is when it arrives, virtual epoch milliseconds."""

    at_ms: int
    event: Event


class Fault(Protocol):
    """Changes what arrives, and when."""

    def apply(self, letters: Iterable[Letter], chance: random.Random) -> list[Letter]:
        """The letters that arrive instead of these."""

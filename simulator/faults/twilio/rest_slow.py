"""Slow reads."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import RestFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class RestSlow(RestFault):
    """Twilio answers a read late; where the wait is longer than the reader's patience, not at all."""

    name: ClassVar[str] = "rest-slow"

    wait_s: float = f.seconds(20.0, "how late, seconds of the machine")

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The true answer, late."""
        return Mishap(wait_s=self.wait_s)

"""Twilio out of reach."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import RestFault
from simulator.faults.mishap import Mishap


class RestDown(RestFault):
    """Twilio's REST API cannot be reached."""

    name: ClassVar[str] = "rest-down"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """No connection."""
        return Mishap(broken="refused")

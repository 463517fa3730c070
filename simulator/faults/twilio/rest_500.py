"""Twilio's own failures."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import RestFault
from simulator.faults.mishap import Mishap


class RestError(RestFault):
    """Twilio answers a read with 500."""

    name: ClassVar[str] = "rest-500"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """A failure without a reason."""
        return Mishap(status=500, body={"code": 20500, "message": "Internal server error", "status": 500})

"""Twilio's limit of requests."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import RestFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class RestLimit(RestFault):
    """Twilio answers a read with 429, with and without the pause it wishes for (Twilio reference 3.1)."""

    name: ClassVar[str] = "rest-429"

    pause_share: float = f.share(0.5, "how many of them say how long to wait")
    pause_s: float = f.seconds(5.0, "how long they say")

    def strike(self, chance: random.Random) -> Mishap:
        """A refusal that asks for a pause, or does not."""
        pauses = chance.random() < self.pause_share
        headers = {"Retry-After": f"{self.pause_s:g}"} if pauses else {}
        return Mishap(status=429, headers=headers, body={"code": 20429, "message": "Too many requests", "status": 429})

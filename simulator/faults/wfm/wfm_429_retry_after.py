"""The WFM's limit of requests, with a wish."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmLimitWithPause(WfmFault):
    """The WFM answers 429 and says how long to wait."""

    name: ClassVar[str] = "wfm-429-retry-after"

    pause_s: float = f.seconds(30.0, "how long it says")

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The refusal with the wish."""
        return Mishap(status=429, headers={"Retry-After": f"{self.pause_s:g}"}, body={"status": 429})

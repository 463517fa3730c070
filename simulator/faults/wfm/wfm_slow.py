"""Slow answers."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmSlow(WfmFault):
    """The WFM carries a request out and answers late."""

    name: ClassVar[str] = "wfm-slow"

    wait_s: float = f.seconds(2.0, "how late, seconds of the machine")

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The true answer, late."""
        return Mishap(wait_s=self.wait_s)

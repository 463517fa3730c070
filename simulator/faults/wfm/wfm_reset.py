"""Reset connections."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmReset(WfmFault):
    """The connection to the WFM is reset while its answer is waited for."""

    name: ClassVar[str] = "wfm-reset"

    applied_share: float = f.share(0.5, "how many of the requests are carried out all the same")

    def strike(self, chance: random.Random) -> Mishap:
        """A reset."""
        return Mishap(broken="reset", applied=chance.random() < self.applied_share)

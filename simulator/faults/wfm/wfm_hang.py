"""Answers that never come."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmHang(WfmFault):
    """The WFM takes a request and never answers; whether it was carried out nobody knows."""

    name: ClassVar[str] = "wfm-hang"

    applied_share: float = f.share(0.5, "how many of the requests are carried out all the same")

    def strike(self, chance: random.Random) -> Mishap:
        """Silence."""
        return Mishap(broken="hang", wait_s=60.0, applied=chance.random() < self.applied_share)

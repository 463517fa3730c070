"""The WFM out of reach."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class WfmDown(WfmFault):
    """The WFM cannot be reached."""

    name: ClassVar[str] = "wfm-down"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """No connection."""
        return Mishap(broken="refused")

"""Rows that are refused one by one."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmPartialReject(WfmFault):
    """The WFM refuses some good rows of a request by name and takes the others."""

    name: ClassVar[str] = "wfm-partial-reject"

    rows_share: float = f.share(0.2, "how many of the rows it refuses")

    def strike(self, chance: random.Random) -> Mishap:
        """The answer that names the refused rows."""
        return Mishap(refuse_rows=self.rows_share, draw=chance.random())

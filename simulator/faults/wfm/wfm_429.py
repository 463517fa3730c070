"""The WFM's limit of requests, without a wish."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class WfmLimit(WfmFault):
    """The WFM answers 429 and does not say how long to wait."""

    name: ClassVar[str] = "wfm-429"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The refusal."""
        return Mishap(status=429, body={"status": 429, "error": "Too Many Requests"})

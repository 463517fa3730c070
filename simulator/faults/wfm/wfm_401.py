"""Refused tokens."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class Wfm401(WfmFault):
    """The WFM answers 401 although the token is good."""

    name: ClassVar[str] = "wfm-401"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """A Spring error."""
        return Mishap(status=401, body={"status": 401, "error": "Unauthorized", "message": "simulated"})

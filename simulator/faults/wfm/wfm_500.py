"""The WFM's own failures."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class Wfm500(WfmFault):
    """The WFM answers 500."""

    name: ClassVar[str] = "wfm-500"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """A Spring error."""
        return Mishap(status=500, body={"status": 500, "error": "Internal Server Error", "message": "simulated"})

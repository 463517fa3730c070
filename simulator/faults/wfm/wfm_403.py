"""Missing rights."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class Wfm403(WfmFault):
    """The WFM answers 403: the access key has lost its right."""

    name: ClassVar[str] = "wfm-403"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """A Spring error."""
        return Mishap(status=403, body={"status": 403, "error": "Forbidden", "message": "simulated"})

"""Answers that break off."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class WfmHalfAnswer(WfmFault):
    """The WFM carries a request out and its answer breaks off in the middle."""

    name: ClassVar[str] = "wfm-half-answer"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """Half of the true answer."""
        return Mishap(broken="half", applied=True)

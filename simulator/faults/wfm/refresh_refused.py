"""Refresh tokens that are not taken any more."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class RefreshRefused(WfmFault):
    """The WFM forgets access and refresh tokens, so that only a new login helps."""

    name: ClassVar[str] = "refresh-refused"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The true answer to tokens that are no longer good."""
        return Mishap(revoke="all")

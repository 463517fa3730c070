"""Tokens that die in the middle of the work."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class TokenExpiry(WfmFault):
    """The WFM forgets the access tokens while a request is on its way."""

    name: ClassVar[str] = "token-expiry"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The true answer to a token that is no longer good."""
        return Mishap(revoke="access")

"""A certificate that has run out."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class WfmTls(WfmFault):
    """The WFM's certificate is not valid, so that no connection comes about."""

    name: ClassVar[str] = "wfm-tls"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """A failed handshake."""
        return Mishap(broken="tls")

"""A gateway in front of the WFM that speaks HTML."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap


class WfmBadGateway(WfmFault):
    """A gateway in front of the WFM answers 502 with a page of HTML."""

    name: ClassVar[str] = "wfm-502-html"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The page."""
        page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
        return Mishap(status=502, headers={"Content-Type": "text/html"}, body=page)

"""Lists that break off between two pages."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import RestFault
from simulator.faults.mishap import Mishap

_MESSAGE = "Paged requests must include a PageToken"


class RestPageRefused(RestFault):
    """Twilio refuses a page of a list: 400 with the code 70002, as if its token were missing (Twilio reference 3.1)."""

    name: ClassVar[str] = "rest-70002"

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The refusal."""
        return Mishap(status=400, body={"code": 70002, "message": _MESSAGE, "status": 400})

"""Two connectors on one ledger."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class TwoConnectors(HostFault):
    """A second connector joins on the same ledger, events go to both in turn, and the first stops in the end."""

    name: ClassVar[str] = "two-connectors"

    minutes: float | None = f.minutes(10.0, "how long there are two")

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """The second starts."""
        host.join_second()

    def end(self, host: Host) -> None:
        """The first stops, and the second goes on alone."""
        host.drop_first()

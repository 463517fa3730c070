"""Clocks that differ a little."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class ClockSkew(HostFault):
    """The machine's clock and Twilio's differ by seconds, in one direction or the other."""

    name: ClassVar[str] = "clock-skew"

    minutes: float | None = f.minutes(60.0, "for how long")
    by_s: float = f.seconds(4.0, "by how much")
    ahead: bool = f.flag(True, "is the machine's clock ahead of Twilio's")

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """It is off."""
        host.shift_clock(self.by_s if self.ahead else -self.by_s)

    def end(self, host: Host) -> None:
        """It is set right."""
        host.shift_clock(-self.by_s if self.ahead else self.by_s)

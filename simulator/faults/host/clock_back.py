"""A clock that jumps back."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class ClockBack(HostFault):
    """The machine's clock jumps back, and is set right when the window ends."""

    name: ClassVar[str] = "clock-back"

    minutes: float | None = f.minutes(10.0, "for how long it is wrong")
    by_s: float = f.seconds(600.0, "by how much")

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """It jumps."""
        host.shift_clock(-self.by_s)

    def end(self, host: Host) -> None:
        """It is set right."""
        host.shift_clock(self.by_s)

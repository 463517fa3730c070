"""A disk that takes nothing more."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class DiskFull(HostFault):
    """The disk is full: nothing can be written."""

    name: ClassVar[str] = "disk-full"

    minutes: float | None = f.minutes(10.0, "for how long")

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """Writing fails."""
        host.spoil_disk("full")

    def end(self, host: Host) -> None:
        """Writing succeeds again."""
        host.mend_disk()

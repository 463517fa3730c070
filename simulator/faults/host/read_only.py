"""A disk that has become read-only."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class ReadOnly(HostFault):
    """The disk is read-only, as after an error of the file system."""

    name: ClassVar[str] = "read-only"

    minutes: float | None = f.minutes(10.0, "for how long")

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """Writing fails."""
        host.spoil_disk("read-only")

    def end(self, host: Host) -> None:
        """Writing succeeds again."""
        host.mend_disk()

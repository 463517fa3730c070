"""Power cuts."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Host
from simulator.world.scenario import fields as f


class TornWrite(HostFault):
    """The power fails in the middle of a write: what the disk had not confirmed is there in part or not at all."""

    name: ClassVar[str] = "torn-write"

    minutes: float | None = f.minutes(5.0, "for how long it is away")
    nth: int = f.count(5, "at the nth write from then on", least=1)

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """The machine goes out."""
        host.kill("after commit", self.nth, torn=True)

    def end(self, host: Host) -> None:
        """It comes back."""
        host.start()

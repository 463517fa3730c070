"""Sudden death."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import HostFault
from simulator.faults.host_face import Death, Host
from simulator.world.scenario import fields as f


class Kill(HostFault):
    """The connector is killed (`kill -9`) and started again when the window ends."""

    name: ClassVar[str] = "kill"

    minutes: float | None = f.minutes(5.0, "for how long it is away")
    when: Death = f.choice("now", "at once, before or after a commit, or before it hears an answer of the WFM")
    nth: int = f.count(1, "at the nth of these", least=1)

    def begin(self, host: Host, chance: random.Random) -> None:  # noqa: ARG002
        """It dies."""
        host.kill(self.when, self.nth)

    def end(self, host: Host) -> None:
        """It is started on the ledger that it left."""
        host.start()

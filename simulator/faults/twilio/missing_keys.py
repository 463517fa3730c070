"""Missing keys: what Twilio does not document may change or vanish without notice."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.world.scenario import fields as f

# Keys that are seen in live traffic and promised nowhere (Twilio reference 1.3), except the time in milliseconds.
UNDOCUMENTED = (
    "Sid", "OperatingUnitSid", "WorkerPreviousActivityName", "TaskQueueName", "WorkflowName", "WorkflowFilterName",
    "TaskDateCreated", "TaskQueueEnteredDate", "TaskVirtualStartTime", "TaskVersion", "TaskIgnoreCapacity", "Reason",
    "ReservationVersion", "ReservationReasonCode", "WorkerChannelCapacity", "WorkerChannelConsumedCapacity",
)  # fmt: skip


class MissingKeys(LetterFault):
    """An event lacks keys that Twilio sends and does not promise, its own sid among them."""

    name: ClassVar[str] = "missing-keys"

    each_share: float = f.share(0.5, "how likely each of these keys is missing")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter without some of its keys."""
        return [letter.changed({key: None for key in UNDOCUMENTED if chance.random() < self.each_share})]

"""Events of another account: rightly signed, because accounts may share a key, but not ours."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter
from simulator.faults.lies import drawn_sid, lie_about
from simulator.world.scenario import fields as f


class OtherAccount(LetterFault):
    """Beside a true event comes one of another account or workspace that says the opposite, rightly signed."""

    name: ClassVar[str] = "other-account"

    workspace_share: float = f.share(0.5, "how many of them are of our account, and of another workspace")

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter and the stranger."""
        what, prefix = ("WorkspaceSid", "WS") if chance.random() < self.workspace_share else ("AccountSid", "AC")
        changes = {**lie_about(letter.event, letter.at_ms), what: drawn_sid(prefix, chance)}
        return [letter, letter.made_up(drawn_sid("EV", chance), changes)]

"""Answers of another shape."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap

_SHAPES: tuple[Any, ...] = (
    "OK", [], [[]], "null", {"rejected": "none"}, {"code": {}, "message": [], "accepted": "all"}, {"accepted": -1},
    {"rejected": [{"index": "first"}, None, 7]},
)  # fmt: skip


class WfmWrongSchema(WfmFault):
    """The WFM carries a request out and answers 200 with something that is not its schema."""

    name: ClassVar[str] = "wfm-wrong-schema"

    def strike(self, chance: random.Random) -> Mishap:
        """One of the wrong shapes."""
        return Mishap(status=200, body=_SHAPES[int(chance.random() * len(_SHAPES))], applied=True)

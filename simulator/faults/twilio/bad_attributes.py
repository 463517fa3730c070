"""Bad attributes: a customer's code has written something that is no JSON object."""

from __future__ import annotations

import random
from typing import ClassVar

from simulator.faults.fault import LetterFault
from simulator.faults.letter import Letter

_BROKEN = ("", "{", "null", "[1, 2]", '"text"', "{'single': 'quotes'}", '{"a": NaN', "\x00", '{"\\ud800": "\\udfff"}')


class BadAttributes(LetterFault):
    """The attributes of an event's worker, and of its task, are no JSON object."""

    name: ClassVar[str] = "bad-attributes"

    def strike(self, letter: Letter, chance: random.Random) -> list[Letter]:
        """The letter with broken attributes."""
        broken = _BROKEN[int(chance.random() * len(_BROKEN))]
        data = letter.event.data()
        there = {"WorkerAttributes": "worker_attributes", "TaskAttributes": "task_attributes"}
        return [letter.changed({name: broken for name, key in there.items() if key in data})]

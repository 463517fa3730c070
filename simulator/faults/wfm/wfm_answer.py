"""Scripted answers: whatever a test wants the WFM to say."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from pydantic import Field, field_validator

from simulator.faults.fault import WfmFault
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f


class WfmAnswer(WfmFault):
    """The WFM answers what the fault says."""

    name: ClassVar[str] = "wfm-answer"

    times: int | None = f.count(1, "how often it strikes at most", least=1)
    status: int | None = f.count(None, "status of the answer; the true answer if not given", least=200, most=599)
    headers: dict[str, str] = f.table({}, "headers of the answer")
    body: Any = Field(None, description="body of the answer: a text as it is, anything else as JSON")
    wait_s: float = f.seconds(0.0, "how long it waits before, seconds of the machine")
    apply: bool = f.flag(False, "carry the request out, so that only its answer is wrong")

    @field_validator("headers")
    @classmethod
    def _printable(cls, given: dict[str, str]) -> dict[str, str]:
        if not all(text.isprintable() for pair in given.items() for text in pair):
            raise ValueError("names and values must be printable")
        return given

    def strike(self, chance: random.Random) -> Mishap:  # noqa: ARG002
        """The scripted answer."""
        return Mishap(status=self.status, headers=self.headers, body=self.body, wait_s=self.wait_s, applied=self.apply)

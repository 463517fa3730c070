"""What every fault is: a checked table with a name, a side, a probability and a window of virtual time."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

from simulator.faults.host_face import Host
from simulator.faults.letter import Letter
from simulator.faults.mishap import Mishap
from simulator.world.scenario import fields as f
from simulator.world.scenario.fields import Part


class Side(StrEnum):
    """Where a fault happens."""

    EVENTS = "events"
    REST = "rest"
    WFM = "wfm"
    HOST = "host"


class Fault(Part, ABC):
    """One thing that goes wrong; subclasses add what they need as fields.

    The first sentence of a subclass's docstring is its description.
    """

    name: ClassVar[str]
    side: ClassVar[Side]

    share: float = f.share(1.0, "how likely it strikes, each time it can")
    from_minutes: float = f.minutes(0.0, "how long after it was set it can strike, virtual time")
    minutes: float | None = f.minutes(None, "for how long it can strike from then on; for ever if not given")
    skip: int = f.count(0, "how many times it could strike and does not, before all others")
    times: int | None = f.count(None, "how often it strikes at most", least=1)

    def strikes_at(self, set_ms: int, now_ms: int) -> bool:
        """Whether an instant lies in the window of a fault that was set at `set_ms`."""
        from_ms, until_ms = self.window(set_ms)
        return from_ms <= now_ms and (until_ms is None or now_ms < until_ms)

    def window(self, set_ms: int) -> tuple[int, int | None]:
        """From when until when it can strike, epoch milliseconds; no end is None."""
        from_ms = set_ms + round(self.from_minutes * 60_000)
        return from_ms, None if self.minutes is None else from_ms + round(self.minutes * 60_000)

    @classmethod
    def description(cls) -> str:
        """What goes wrong, in a sentence."""
        return re.sub(r" \(Twilio reference [^)]*\)", "", " ".join((cls.__doc__ or "").split("\n\n")[0].split()))

    def to_table(self) -> dict[str, Any]:
        """As a scenario file or the control face states it."""
        return {"fault": self.name, **self.model_dump(exclude_unset=True, mode="json")}


class LetterFault(Fault):
    """Changes an event on its way to the connector."""

    side: ClassVar[Side] = Side.EVENTS

    @abstractmethod
    def strike(self, letter: Letter, chance: random.Random) -> Sequence[Letter]:
        """What arrives instead of this letter."""


class AnswerFault(Fault):
    """Changes an answer to the connector."""

    endpoint: str = f.text("*", "which requests; for the WFM an endpoint of the profile, for REST the path's last word")

    @abstractmethod
    def strike(self, chance: random.Random) -> Mishap:
        """What becomes of a request."""


class RestFault(AnswerFault):
    """Changes an answer of Twilio's REST API."""

    side: ClassVar[Side] = Side.REST


class WfmFault(AnswerFault):
    """Changes an answer of the WFM."""

    side: ClassVar[Side] = Side.WFM


class HostFault(Fault):
    """Does something to the machine when its window begins, and undoes it when the window ends."""

    side: ClassVar[Side] = Side.HOST

    @abstractmethod
    def begin(self, host: Host, chance: random.Random) -> None:
        """The window has begun."""

    def end(self, host: Host) -> None:
        """The window has ended."""

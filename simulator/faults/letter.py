"""What a fault of events works on: an event on its way, when it arrives, and what is wrong with its request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from simulator.world.events import Event

Signing = Literal["right", "wrong", "missing"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery of an event.

    Attributes:
        at_ms: when it arrives, virtual epoch milliseconds.
        changes: parameters of the callback that differ from the event's, by Twilio's names; None takes one away. They
            are signed as they are.
        signing: what the request's signature is worth.
        tells: whether who takes it learns of the event; what is only made up tells nothing.
    """

    at_ms: int
    event: Event
    changes: Mapping[str, str | None] = field(default_factory=dict)
    signing: Signing = "right"
    tells: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether the request is as Twilio would make it."""
        return not self.changes and self.signing == "right"

    def later(self, seconds: float) -> Letter:
        """The same, so much later."""
        return replace(self, at_ms=self.at_ms + round(seconds * 1000))

    def changed(self, changes: Mapping[str, str | None]) -> Letter:
        """The same with other parameters."""
        return replace(self, changes={**self.changes, **changes})

    def made_up(self, sid: str, changes: Mapping[str, str | None]) -> Letter:
        """A letter that no event stands behind."""
        return replace(self, changes={**self.changes, "Sid": sid, **changes}, tells=False)

    def applied_to(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """The parameters with the changes in them."""
        merged = {**parameters, **self.changes}
        return {name: value for name, value in merged.items() if value is not None}

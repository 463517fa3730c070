"""Change: one difference between two contracts, classed for those who write payloads and for those who read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Impact(IntEnum):
    """What a change does to a program that still keeps to the old contract; the larger the worse."""

    SAFE = 0
    MEANING = 1
    WIRE = 2

    @property
    def words(self) -> str:
        """As reports say it."""
        return ("safe", "breaking in meaning", "breaking on the wire")[self]


# Numbers of the changes, never used again for something else.
CHANGES = {
    "D01": "an endpoint is added, removed or called otherwise",
    "D02": "an object is added or removed",
    "D03": "a field is added",
    "D04": "a field is removed",
    "D05": "a field has another name on the wire",
    "D06": "a value has another type",
    "D07": "a field becomes required or optional",
    "D08": "null or an empty text becomes allowed or refused",
    "D09": "a bound on a number, text or list moves",
    "D10": "unknown fields become refused or accepted",
    "D11": "instants or durations are written otherwise",
    "D12": "the event table changes",
    "D13": "a figure of the contract changes",
    "D14": "what is sent where nothing is given changes",
    "D15": "an entry becomes documented or assumed",
    "D16": "allowed values change",
    "D17": "the schema changes in a way that is not understood",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes:
        rule: its kind, a key of CHANGES.
        where: its place: `dto.AgentState.fields.agent_id` of a profile, a JSON Pointer of a schema.
        what: the difference in words.
        old, new: what stood and what stands there; None for nothing.
        writers: what it does to a program that writes payloads by the old contract, when the reader keeps to the new.
        readers: what it does to a program that reads payloads by the old contract, when the writer keeps to the new.
        why: the reason for the class, for the worse of both.
    """

    rule: str
    where: str
    what: str
    old: Any
    new: Any
    writers: Impact
    readers: Impact
    why: str

    @property
    def impact(self) -> Impact:
        """The worse of both."""
        return max(self.writers, self.readers)

    def facts(self) -> dict[str, Any]:
        """What programs want to know of it, as plain JSON."""
        return {
            "impact": self.impact.name.lower(),
            "writers": self.writers.name.lower(),
            "readers": self.readers.name.lower(),
            "old": self.old,
            "new": self.new,
        }

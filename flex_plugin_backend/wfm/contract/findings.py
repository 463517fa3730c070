"""Finding: one thing that is wrong with a payload, said so that the reader can repair it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a payload with such a finding is refused; a note asks for nothing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a payload.

    Attributes:
        rule: the rule's id, `S..` for shape, `M..` for meaning.
        pointer: JSON Pointer (RFC 6901) to the value; "" is the whole payload.
        message: what is wrong.
        expected: what would be right.
        repair: what to do.
        severity: an error makes the payload invalid, a warning does not.
    """

    rule: str
    pointer: str
    message: str
    expected: str
    repair: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.rule} {self.pointer or '/'}: {self.message}; expected {self.expected}. {self.repair}"

    def to_dict(self) -> dict[str, str]:
        """The fields as plain strings."""
        return {name: str(value) for name, value in asdict(self).items()}


def pointer_join(pointer: str, *steps: str | int) -> str:
    """`pointer` with further steps, escaped as RFC 6901 wants it."""
    return pointer + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointer_order(pointer: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts list positions in the order of their numbers."""
    return tuple(
        (0, int(step), "") if step.isascii() and step.isdigit() else (1, 0, step) for step in pointer.split("/")[1:]
    )

"""What became of every letter of a run: planned, sent and answered, as plain arrays of numbers."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from enum import IntEnum


class Failure(IntEnum):
    """Why a letter has no status; kept as a negative number beside the HTTP statuses."""

    UNSENT = 0
    CONNECT = -1
    LOST = -2
    TIMEOUT = -3
    GARBLED = -4

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    Failure.UNSENT: "no answer when the run ended",
    Failure.CONNECT: "no connection",
    Failure.LOST: "the connection broke before the answer",
    Failure.TIMEOUT: "no answer in time",
    Failure.GARBLED: "the answer was not HTTP",
}
_NAN = math.nan


class Records:
    """By the letter's number. All times are seconds of the event loop's clock, which nobody sets.

    Attributes:
        due: when it was to be sent.
        woke: when the generator got to it. Later than due by nobody's fault but the generator's.
        sent: when it was written to a connection; the rest of the way is the receiver's.
        answered: when the whole answer had come; or when it was given up.
        status: of HTTP, or a Failure.
    """

    def __init__(self) -> None:
        self.due, self.woke, self.sent, self.answered = (array("d") for _ in range(4))
        self.status = array("h")
        self.resent = 0

    def __len__(self) -> int:
        return len(self.due)

    def open(self, due: float, woke: float) -> int:
        """A letter's turn has come; gives its number."""
        self.due.append(due)
        self.woke.append(woke)
        self.sent.append(_NAN)
        self.answered.append(_NAN)
        self.status.append(Failure.UNSENT)
        return len(self.due) - 1

    def taken(self, number: int) -> bool:
        """Whether the receiver said that it has it."""
        return 200 <= self.status[number] < 300

    def outcomes(self) -> dict[str, int]:
        """How many of each outcome: HTTP statuses as numbers, failures in words."""
        counts = Counter(self.status)
        return {str(code) if code > 0 else Failure(code).words: counts[code] for code in sorted(counts, reverse=True)}

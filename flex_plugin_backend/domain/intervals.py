"""The 15-minute UTC grid: which interval owns an instant, what of a span lies in an interval, and one after the other.

Attribution has one meaning for all of the reports, and this module is its only home:

* a contact belongs, with all of its figures, to the interval that owns the instant at which it ended ("When Contact
  Ended", CXone reference 3): the end of wrap-up of a handled one, the end of the wait of one that was not handled;
* an agent's activity belongs to the interval that owns the end of its segment (CXone reference 1.5);
* logged-in, ready, idle and busy time is clipped to the interval;
* backlog is what is open at the end instant of the interval.

The grid is counted from the epoch, so no time zone, month or leap day can move it. POSIX time has no leap seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INTERVAL_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """One quarter of an hour, half-open: `start_ms` belongs to it, `end_ms` to the next one."""

    start_ms: int

    def __post_init__(self) -> None:
        if self.start_ms % INTERVAL_MS:
            raise ValueError(f"{self.start_ms} ms is not on the 15-minute UTC grid")

    @property
    def end_ms(self) -> int:
        """The first instant that no longer belongs to it."""
        return self.start_ms + INTERVAL_MS

    @property
    def next(self) -> Interval:
        """The interval that begins where this one ends."""
        return Interval(self.end_ms)

    def owns(self, at_ms: int) -> bool:
        """Does this interval own the instant."""
        return owner(at_ms) == self

    def clip_s(self, start_ms: int, end_ms: int) -> int:
        """The whole seconds of `[start_ms, end_ms)` that lie in this interval."""
        return max(0, whole_seconds(max(start_ms, self.start_ms), min(end_ms, self.end_ms)))

    def holds_at_end(self, start_ms: int, end_ms: int | None) -> bool:
        """Is what began at `start_ms` and ended at `end_ms`, or has not ended, open at this interval's end instant."""
        return start_ms < self.end_ms and (end_ms is None or end_ms >= self.end_ms)


def owner(at_ms: int) -> Interval:
    """The one interval that owns an instant; an instant on a boundary belongs to the interval that starts there."""
    return Interval(at_ms - at_ms % INTERVAL_MS)


def first_whole(from_ms: int) -> Interval:
    """The first interval that lies wholly at or after an instant."""
    return owner(from_ms - 1).next


def intervals(from_ms: int, to_ms: int) -> Iterator[Interval]:
    """Every interval that has an instant of `[from_ms, to_ms)` in it, each once, oldest first."""
    if from_ms >= to_ms:
        return
    one = owner(from_ms)
    while one.start_ms < to_ms:
        yield one
        one = one.next


def whole_seconds(start_ms: int, end_ms: int) -> int:
    """The seconds between two instants, each cut to its second first.

    So the parts of a span always add up to the whole, wherever it is cut.
    """
    return end_ms // 1000 - start_ms // 1000

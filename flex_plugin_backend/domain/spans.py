"""Spans of time, half-open: what of one is not covered by others, and how it is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`[start_ms, end_ms)`, epoch milliseconds; never empty."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.start_ms >= self.end_ms:
            raise ValueError(f"a span from {self.start_ms} to {self.end_ms} ms is empty")

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms

    def holds(self, at_ms: int) -> bool:
        """Does the instant lie in it."""
        return self.start_ms <= at_ms < self.end_ms

    def touches(self, other: Span) -> bool:
        """Do the two overlap, or follow one another without a hole."""
        return self.start_ms <= other.end_ms and other.start_ms <= self.end_ms

    def within(self, other: Span) -> Span | None:
        """The part of it that lies in the other."""
        start_ms, end_ms = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return Span(start_ms, end_ms) if start_ms < end_ms else None


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same instants in as few spans as possible, oldest first."""
    found: list[Span] = []
    for one in sorted(spans):
        if found and one.touches(found[-1]):
            found[-1] = Span(found[-1].start_ms, max(found[-1].end_ms, one.end_ms))
        else:
            found.append(one)
    return found


def without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """What of the span no other covers, oldest first."""
    found: list[Span] = []
    from_ms = span.start_ms
    for one in joined(covered):
        if one.end_ms <= from_ms:
            continue
        if one.start_ms >= span.end_ms:
            break
        if one.start_ms > from_ms:
            found.append(Span(from_ms, one.start_ms))
        from_ms = one.end_ms
    if from_ms < span.end_ms:
        found.append(Span(from_ms, span.end_ms))
    return found


def first_piece(span: Span, length_ms: int) -> Span:
    """The beginning of the span, up to the next mark on a grid of this length."""
    mark_ms = span.start_ms - span.start_ms % length_ms + length_ms
    return Span(span.start_ms, min(span.end_ms, mark_ms))


def last_piece(span: Span, length_ms: int) -> Span:
    """The end of the span, at most so long."""
    return Span(max(span.start_ms, span.end_ms - length_ms), span.end_ms)

"""One agent's states in a row, laid out from the books: as they were, and as the agent activity report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.world.figures_ledger import Doing, Stint
from simulator.world.figures_rules import FigureRules

_Value = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A state from `start_ms` until `end_ms`, which is None for the last one."""

    start_ms: int
    end_ms: int | None
    state: str
    channel: str
    direction: str
    reason: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A row of the agent activity report to be; `first` says that the agent's history begins in it."""

    start_ms: int
    end_ms: int | None
    state: str
    event_id: str
    event_reason: str
    first: bool = False


def stint_end_ms(stint: Stint, cap_ms: float) -> int | None:
    """When a reservation is over for everybody who counts: at its end, but wrap-up goes on no longer than its cap."""
    if stint.wrapped_ms is None:
        return stint.ended_ms
    capped_ms = stint.wrapped_ms + round(cap_ms)
    return capped_ms if stint.ended_ms is None else min(stint.ended_ms, capped_ms)


def spans_of(activities: Sequence[Doing], stints: Iterable[Stint], rules: FigureRules, until_ms: int) -> list[Span]:
    """The agent's states that began by `until_ms`, neighbours always different.

    Contact before wrap-up before ringing before the activity; of several contacts voice, else the oldest.
    """
    moments: dict[int, list[tuple[Stint, str] | Doing]] = {}
    for doing in activities:
        moments.setdefault(doing.start_ms, []).append(doing)
    for stint in stints:
        steps = {
            "ringing": stint.created_ms,
            "talking": stint.accepted_ms,
            "wrapping": stint.wrapped_ms,
            "": stint_end_ms(stint, rules.wrap_up_cap_s * 1000),
        }
        for phase, ms in steps.items():
            if ms is not None:
                moments.setdefault(ms, []).append((stint, phase))
    activity = activities[0]
    phases: dict[int, tuple[Stint, str]] = {}
    found: list[tuple[int, _Value]] = []
    for ms in sorted(moments):
        if ms > until_ms:
            break
        for change in moments[ms]:
            if isinstance(change, Doing):
                activity = change
            elif change[1]:
                phases[id(change[0])] = change
            else:
                phases.pop(id(change[0]), None)
        value = _value(activity, phases.values())
        if not found or found[-1][1] != value:
            found.append((ms, value))
    ends: list[int | None] = [*(ms for ms, _ in found[1:]), None]
    return [Span(ms, end_ms, *value) for (ms, value), end_ms in zip(found, ends, strict=True)]


def _value(activity: Doing, phases: Iterable[tuple[Stint, str]]) -> _Value:
    by_phase: dict[str, list[Stint]] = {"ringing": [], "talking": [], "wrapping": []}
    for stint, phase in phases:
        by_phase[phase].append(stint)
    if by_phase["talking"]:
        main = min(by_phase["talking"], key=lambda one: (one.medium != "voice", one.accepted_ms or 0))
        return ("CONTACT", main.medium, main.direction, "")
    if by_phase["wrapping"]:
        return ("WRAPUP", "", "", "")
    if by_phase["ringing"]:
        dials = all(one.direction == "outbound" for one in by_phase["ringing"])
        return ("DIALLING" if dials else "RESERVED", "", "", "")
    return (activity.state, "", "", activity.name if activity.state == "UNAVAILABLE" else "")


def segments_of(spans: Sequence[Span], rules: FigureRules) -> list[Segment]:
    """The states as the WFM is told of them, short ones absorbed.

    A short one goes into the one before; at the very start, into the one after, which is then measured anew. What
    so comes to stand beside its like becomes one with it. The last state, still open, is never short.
    """
    segments: list[Segment] = []
    begun_ms: int | None = None  # where the short ones at the very start began
    for span in _alike_made_one(spans, rules):
        start_ms = span.start_ms if begun_ms is None else begun_ms
        short = span.end_ms is not None and span.end_ms - start_ms < rules.min_state_s * 1000
        last = segments[-1] if segments else None
        if last is None and short:
            begun_ms = start_ms
        elif last is None:
            segments.append(Segment(start_ms, span.end_ms, span.state, span.event_id, span.event_reason, first=True))
            begun_ms = None
        elif short or (last.event_id, last.event_reason) == (span.event_id, span.event_reason):
            segments[-1] = Segment(
                last.start_ms, span.end_ms, last.state, last.event_id, last.event_reason, first=last.first
            )
        else:
            segments.append(span)
    return segments


def _alike_made_one(spans: Iterable[Span], rules: FigureRules) -> list[Segment]:
    """Neighbours with the same event id and reason as one; a profile may give two states one id."""
    told: list[Segment] = []
    for span in spans:
        event_id = rules.event_id(span.state, span.channel, span.direction)
        reason = span.reason if span.state == "UNAVAILABLE" else ""
        start_ms = span.start_ms
        if told and (told[-1].event_id, told[-1].event_reason) == (event_id, reason):
            start_ms = told.pop().start_ms
        told.append(Segment(start_ms, span.end_ms, span.state, event_id, reason))
    return told

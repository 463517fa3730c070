"""An agent's raw line of states -> the segments of the activity report, and the time per kind of state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.intervals import Interval
from flex_plugin_backend.domain.mapping import MappingRules, State, Unmapped, WfmState

BUSY = frozenset({State.RESERVED, State.DIALLING, State.CONTACT, State.WRAPUP})


@dataclass(frozen=True, slots=True)
class ActivitySegment:
    """What the WFM is told of a span: its event id and reason, or why there are none.

    Attributes:
        end_ms: `None` while it lasts.
        told: the pair; `Unmapped` where the state has no counterpart.
        offline: logged out; such a segment is no row of the activity report.
    """

    start_ms: int
    end_ms: int | None
    told: WfmState | Unmapped
    offline: bool


def activity_segments(
    segments: Sequence[Segment], until_ms: int, mapping: MappingRules, min_state_ms: int
) -> list[ActivitySegment]:
    """The segments of the activity report, from a raw line of states that is known up to `until_ms`.

    Neighbours that mean the same pair are one. Then a segment shorter than `min_state_ms` is absorbed by the one before
    it; the first of all by the one after it, one after the other until what has gathered is long enough (rules 14 and
    27). So the segments have no hole. The time before anything was known of the agent is none of them.

    The line may begin at the agent's first state or at the start of any segment that this function returned before:
    what follows comes out the same.
    """
    smoothed: list[ActivitySegment] = []
    first = 0  # where the run without a gap begins
    for one in _merged(segments, until_ms, mapping):
        if one is None:
            first = len(smoothed)
            continue
        last = smoothed[-1] if len(smoothed) > first else None
        if last is None:
            smoothed.append(one)
        elif len(smoothed) == first + 1 and _ms(last) < min_state_ms:
            smoothed[-1] = replace(one, start_ms=last.start_ms)
        elif _ms(one) < min_state_ms or _same(one, last):
            smoothed[-1] = replace(last, end_ms=one.end_ms)
        else:
            smoothed.append(one)
    return [replace(one, end_ms=None) if one.end_ms == until_ms else one for one in smoothed]


def _merged(segments: Sequence[Segment], until_ms: int, mapping: MappingRules) -> list[ActivitySegment | None]:
    """The raw line in the WFM's words, equal neighbours as one; `None` stands for a gap in what is known."""
    merged: list[ActivitySegment | None] = []
    for index, segment in enumerate(segments):
        if segment.start_ms >= until_ms:
            break
        end_ms = min(segments[index + 1].start_ms, until_ms) if index + 1 < len(segments) else until_ms
        if segment.state.state is State.UNKNOWN and segment.state.activity_sid is None:
            merged.append(None)
            continue
        told = mapping.wfm_state(segment.state)
        one = ActivitySegment(segment.start_ms, end_ms, told, segment.state.state is State.OFFLINE)
        last = merged[-1] if merged else None
        if last is not None and _same(one, last):
            merged[-1] = replace(last, end_ms=end_ms)
        else:
            merged.append(one)
    return merged


def _same(one: ActivitySegment, other: ActivitySegment) -> bool:
    return one.told == other.told and one.offline == other.offline


def _ms(one: ActivitySegment) -> int:
    return (one.end_ms or one.start_ms) - one.start_ms


@dataclass(frozen=True, slots=True)
class AgentTime:
    """How an agent spent an interval, whole seconds, clipped to it (rules 1 and 2; raw line of states).

    A state that nobody knows counts nowhere.
    """

    ready_s: int = 0
    idle_s: int = 0
    busy_s: int = 0

    @property
    def login_s(self) -> int:
        """All that is not logged out: ready, idle and busy time together."""
        return self.ready_s + self.idle_s + self.busy_s

    def __add__(self, other: AgentTime) -> AgentTime:
        return AgentTime(self.ready_s + other.ready_s, self.idle_s + other.idle_s, self.busy_s + other.busy_s)


def time_in(segments: Sequence[Segment], interval: Interval, until_ms: int) -> AgentTime:
    """The time per kind of state in an interval, from a raw line of states that is known up to `until_ms`."""
    ready_s = idle_s = busy_s = 0
    for index, segment in enumerate(segments):
        end_ms = min(segments[index + 1].start_ms, until_ms) if index + 1 < len(segments) else until_ms
        seconds = interval.clip_s(segment.start_ms, end_ms)
        state = segment.state.state
        if state is State.AVAILABLE:
            ready_s += seconds
        elif state is State.UNAVAILABLE:
            idle_s += seconds
        elif state in BUSY:
            busy_s += seconds
    return AgentTime(ready_s, idle_s, busy_s)

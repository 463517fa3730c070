"""The activity track of one worker: from observations in any order to the spans spent in each activity."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import MappingRules

# A worker block may still show the old activity for a moment (Twilio reference 13, row 6). Without versions to
# compare, a block that contradicts a younger activity change than this is taken for such a laggard.
BLOCK_LAG_MS = 5_000


class Source(IntEnum):
    """Where an observation comes from; also its rank among observations of one instant."""

    BLOCK = 0
    SNAPSHOT = 1
    CHANGE = 2


@dataclass(frozen=True, slots=True, order=True)
class Observation:
    """At `at_ms` the worker was seen in an activity. Sorts by time, version, source, event sid."""

    at_ms: int
    version: int
    source: Source
    event_sid: str
    activity_sid: str = field(compare=False)
    activity_name: str | None = field(default=None, compare=False)
    previous_sid: str | None = field(default=None, compare=False)
    previous_name: str | None = field(default=None, compare=False)
    previous_ms: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ActivitySpan:
    """From `start_ms` to the next span's start the worker was in this activity.

    `seen` is False where the start is a guess: nobody saw the change, only that it must have happened.
    """

    start_ms: int
    activity_sid: str
    activity_name: str | None
    version: int = -1
    seen: bool = True


def observe(event: TaskRouterEvent, source: Source) -> Observation | None:
    """The observation in an event, if it names the worker's activity."""
    if event.activity_sid is None:
        return None
    version = -1 if event.worker_version is None else event.worker_version
    if source is not Source.CHANGE:
        return Observation(event.occurred_ms, version, source, event.sid, event.activity_sid, event.activity_name)
    return Observation(
        event.occurred_ms,
        version,
        source,
        event.sid,
        event.activity_sid,
        event.activity_name,
        event.previous_activity_sid,
        event.previous_activity_name,
        event.previous_activity_ms,
    )


class ActivityTrack:
    """Observations kept sorted, and the spans that follow from them; arrival order leaves no trace."""

    def __init__(self, base: ActivitySpan | None = None, observations: Sequence[Observation] = ()) -> None:
        self.base = base
        self.observations = list(observations)
        # Their records, in step with them: a timeline is stored with each of its events.
        self._records = [_observation_record(seen) for seen in self.observations]
        self._spans: list[ActivitySpan] | None = None

    def add(self, observation: Observation, rules: MappingRules) -> int | None:
        """Take one more observation, wherever in time it belongs; the same one twice changes nothing.

        Returns the earliest instant (ms) at which the worker now counts as in another activity than before.
        """
        at = bisect_right(self.observations, observation)
        if at and self.observations[at - 1] == observation:
            return None
        before = list(self.spans(rules))
        self.observations.insert(at, observation)
        self._records.insert(at, _observation_record(observation))
        if at == len(self.observations) - 1 and self._spans is not None:
            _fold_one(self._spans, observation, rules)
        else:
            self._spans = None
        return _first_difference(before, self.spans(rules))

    def spans(self, rules: MappingRules) -> list[ActivitySpan]:
        """The spans, oldest first."""
        if self._spans is None:
            self._spans = _fold(self.base, self.observations, rules)
        return self._spans

    def forget_spans(self) -> None:
        """The rules have changed: fold again when next asked."""
        self._spans = None

    def at(self, at_ms: int, rules: MappingRules) -> ActivitySpan | None:
        """The span in force at an instant; before anything was seen there is none."""
        spans = self.spans(rules)
        index = bisect_right(spans, at_ms, key=lambda span: span.start_ms)
        return spans[index - 1] if index else None

    def prune(self, before_ms: int, rules: MappingRules) -> None:
        """Fold what lies before `before_ms` into the base."""
        cut = bisect_right(self.observations, before_ms, key=lambda seen: seen.at_ms)
        if cut == 0:
            return
        folded = _fold(self.base, self.observations[:cut], rules)
        self.base = folded[-1] if folded else self.base
        del self.observations[:cut], self._records[:cut]
        self._spans = None

    def to_record(self) -> dict[str, Any]:
        """The track as JSON-able data."""
        return {
            "base": _span_record(self.base) if self.base else None,
            "seen": list(self._records),
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> ActivityTrack:
        """The track back from `to_record`."""
        base = record.get("base")
        seen = [Observation(row[0], row[1], Source(row[2]), *row[3:]) for row in record.get("seen", ())]
        return cls(ActivitySpan(*base) if base else None, seen)


def _span_record(span: ActivitySpan) -> list[Any]:
    return [span.start_ms, span.activity_sid, span.activity_name, span.version, span.seen]


def _observation_record(seen: Observation) -> list[Any]:
    return [
        seen.at_ms, seen.version, int(seen.source), seen.event_sid, seen.activity_sid, seen.activity_name,
        seen.previous_sid, seen.previous_name, seen.previous_ms,
    ]  # fmt: skip


def _first_difference(before: Sequence[ActivitySpan], after: Sequence[ActivitySpan]) -> int | None:
    for one, other in zip(before, after, strict=False):
        if (one.start_ms, one.activity_sid, one.activity_name) != (
            other.start_ms,
            other.activity_sid,
            other.activity_name,
        ):
            return min(one.start_ms, other.start_ms)
    if len(before) == len(after):
        return None
    longer = before if len(before) > len(after) else after
    return longer[min(len(before), len(after))].start_ms


def _fold(base: ActivitySpan | None, seen: Sequence[Observation], rules: MappingRules) -> list[ActivitySpan]:
    """Observations in order -> spans: changes count, blocks only where they prove a lost change."""
    spans = [base] if base else []
    for one in seen:
        _fold_one(spans, one, rules)
    return spans


def _fold_one(spans: list[ActivitySpan], one: Observation, rules: MappingRules) -> None:
    _fill_lost_slice(spans, one, rules)
    current = spans[-1] if spans else None
    if current is not None and not _tells_more(one, current, rules):
        if one.activity_sid == current.activity_sid and one.version > current.version:
            spans[-1] = replace(current, version=one.version)
        return
    span = ActivitySpan(
        one.at_ms, one.activity_sid, one.activity_name, one.version, seen=one.source is not Source.BLOCK
    )
    if current is not None and current.start_ms >= one.at_ms:
        spans[-1] = replace(span, start_ms=current.start_ms)
    else:
        spans.append(span)


def _tells_more(one: Observation, current: ActivitySpan, rules: MappingRules) -> bool:
    """Does this observation end the current span."""
    if one.activity_sid == current.activity_sid or rules.is_pseudo(one.activity_sid, one.activity_name):
        return False
    if one.source is not Source.BLOCK:
        return True
    if one.version >= 0 and current.version >= 0:
        return one.version > current.version
    return one.at_ms - current.start_ms > BLOCK_LAG_MS


def _fill_lost_slice(spans: list[ActivitySpan], one: Observation, rules: MappingRules) -> None:
    """A change that names another previous activity than the one known tells of a lost change: insert its slice.

    The slice goes back as far as Twilio says (`WorkerTimeInPreviousActivityMs`), but never over what was seen.
    At first sight of a worker nothing is invented.
    """
    if one.source is not Source.CHANGE or one.previous_sid is None or one.previous_ms is None or not spans:
        return
    current = spans[-1]
    begun_ms = one.at_ms - one.previous_ms
    if one.previous_sid == current.activity_sid:
        if not current.seen and len(spans) > 1:
            start_ms = max(begun_ms, spans[-2].start_ms)
            if start_ms < current.start_ms:
                spans[-1] = replace(current, start_ms=start_ms)
        return
    if rules.is_pseudo(one.previous_sid, one.previous_name) or one.previous_sid == one.activity_sid:
        return
    start_ms = max(begun_ms, current.start_ms)
    if start_ms >= one.at_ms:
        return
    lost = ActivitySpan(start_ms, one.previous_sid, one.previous_name, current.version, seen=False)
    if start_ms == current.start_ms:
        spans[-1] = lost
    else:
        spans.append(lost)

"""What the line of an agent's states must be, straight from the domain and the events that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations

from flex_plugin_backend.domain.agents import AgentTimeline, Rules, Segment, ends_task
from flex_plugin_backend.domain.events import TaskRouterEvent


def line_of(events: Sequence[TaskRouterEvent], worker: str, as_of_ms: int, rules: Rules) -> list[Segment]:
    """The worker's raw line when all is known and every timer has rung; the unknown at its beginning left out."""
    timeline = _timeline(events, worker, rules)
    for one in events:
        if ends_task(one) and one.task_sid is not None:
            timeline.end_task(one.task_sid, one.occurred_ms, one.occurred_ms)
    return _known(timeline.segments(0, as_of_ms, rules))


def lines_of(events: Sequence[TaskRouterEvent], worker: str, as_of_ms: int, rules: Rules) -> Iterator[list[Segment]]:
    """Every line that may be derived from these events, by which ends of tasks count already."""
    ends = [one for one in events if ends_task(one)]
    for counted in _subsets(ends):
        timeline = _timeline(events, worker, rules)
        for one in counted:
            timeline.end_task(one.task_sid or "", one.occurred_ms, one.occurred_ms)
        yield timeline.segments(0, max(as_of_ms, timeline.newest_ms), rules)


def _timeline(events: Sequence[TaskRouterEvent], worker: str, rules: Rules) -> AgentTimeline:
    timeline = AgentTimeline(worker)
    for one in sorted(events, key=lambda event: event.occurred_ms):
        if one.worker_sid == worker:
            timeline.apply(one, rules)
    return timeline


def _subsets(ends: Sequence[TaskRouterEvent]) -> Iterable[tuple[TaskRouterEvent, ...]]:
    return chain.from_iterable(combinations(ends, size) for size in range(len(ends) + 1))


def _known(line: list[Segment]) -> list[Segment]:
    return line[1:] if line and line[0].state.activity_sid is None and line[0].state.state == "UNKNOWN" else line

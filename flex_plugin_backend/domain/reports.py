"""The facts of an interval -> the rows of the three reports, in one order; the same facts give the same rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.contacts import HandledContact, Outcome, QueueVisit, TaskFacts
from flex_plugin_backend.domain.intervals import Interval, intervals, owner, whole_seconds
from flex_plugin_backend.domain.mapping import Channel, Direction, MappingRules, Unmapped
from flex_plugin_backend.domain.metrics import AgentFigures, Handled, QueueFigures, figures_of_queue
from flex_plugin_backend.domain.report_rules import REPORTABLE, ReportRules
from flex_plugin_backend.domain.segments import AgentTime, activity_segments, time_in


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One worker's raw line of states, oldest first, each state lasting to the next.

    It must begin at the worker's first state, or at the start of a row of the activity report that begins no later
    than the interval. `agent_id` is what the WFM calls the worker; workers with the same one share their rows.
    """

    worker_sid: str
    agent_id: str
    agent_value: str | None
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One segment that ended in the interval, whole, also where it began earlier."""

    agent_id: str
    agent_value: str | None
    event_id: str
    event_reason: str
    start_ms: int
    end_ms: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue and channel; the figures are defined in `domain.metrics`."""

    queue_id: str
    queue_name: str | None
    channel: Channel
    contacts_received: int
    contacts_handled: int
    contacts_abandoned: int
    contacts_abandoned_short: int
    contacts_abandoned_long: int
    contacts_diverted: int
    contacts_answered_in_sl: int
    contacts_abandoned_in_sl: int
    handle_time_s: int
    talk_time_s: int
    hold_time_s: int
    work_time_s: int
    ring_time_s: int
    queue_delay_s: int
    service_level: float | None
    backlog: int
    backlog_not_expired: int
    backlog_expired: int


@dataclass(frozen=True, slots=True)
class AgentQueueRow:
    """What one agent handled of one queue and channel."""

    queue_id: str
    channel: Channel
    agent_id: str
    contacts_handled: int
    handle_time_s: int
    talk_time_s: int
    hold_time_s: int
    work_time_s: int
    ring_time_s: int


@dataclass(frozen=True, slots=True)
class AgentPerformanceRow:
    """One agent's time, and its contacts that belong to no queue."""

    agent_id: str
    internal_calls: int
    internal_time_s: int
    ready_time_s: int
    idle_time_s: int
    busy_time_s: int
    out_calls: int
    out_time_s: int
    login_time_s: int


@dataclass(frozen=True, slots=True)
class NotReportable:
    """Contacts that ended in the interval and that the WFM does not take, and why; counted, never silently dropped."""

    queue_id: str
    channel: Channel
    direction: Direction
    cause: str
    contacts: int


@dataclass(frozen=True, slots=True)
class IntervalRows:
    """All rows of one interval.

    Attributes:
        unmapped: states without an event id, and workers whose agent id is not known but who handled contacts, as
            (worker sid, problem).
        mixed_queues: queues that had rows of more than one channel.
    """

    interval: Interval
    activities: tuple[ActivityRow, ...]
    queues: tuple[QueueRow, ...]
    agent_queues: tuple[AgentQueueRow, ...]
    performance: tuple[AgentPerformanceRow, ...]
    not_reportable: tuple[NotReportable, ...]
    unmapped: tuple[tuple[str, str], ...]
    mixed_queues: tuple[str, ...]


CHANNEL_NOT_REPORTED = "the WFM takes no contacts of this channel"
NEVER_QUEUED = "cancelled before it entered a queue"
NO_AGENT_ID = "its agent id in the WFM is not known, so it has no row as an agent"


def rows_of(
    interval: Interval,
    *,
    visits: Iterable[QueueVisit],
    contacts: Iterable[HandledContact],
    lines: Iterable[AgentLine],
    rules: ReportRules,
    mapping: MappingRules,
    as_of_ms: int,
) -> IntervalRows:
    """Build the rows of an interval.

    Args:
        visits, contacts, lines: at least all that concern the interval, in any order; what does not is left out here.
        as_of_ms: up to when the facts are known; what ends later has not ended.
    """
    return _Build(interval, rules, mapping, as_of_ms).rows(tuple(visits), tuple(contacts), tuple(lines))


class _Build:
    def __init__(self, interval: Interval, rules: ReportRules, mapping: MappingRules, as_of_ms: int) -> None:
        self.interval = interval
        self.rules = rules
        self.mapping = mapping
        self.as_of_ms = as_of_ms
        self.refused: dict[tuple[str, Channel, Direction, str], int] = defaultdict(int)
        self.unmapped: set[tuple[str, str]] = set()

    def rows(
        self,
        visits: tuple[QueueVisit, ...],
        contacts: tuple[HandledContact, ...],
        lines: tuple[AgentLine, ...],
    ) -> IntervalRows:
        agent_ids = {line.worker_sid: line.agent_id for line in lines}
        ended = self._reportable([one for one in contacts if self._ends_here(one.end_ms)])
        inbound = [one for one in ended if one.direction is Direction.INBOUND]
        queues = self._queue_rows(visits, inbound)
        named = [one for one in ended if self._has_agent(one, agent_ids)]
        agent_queues = self._agent_queue_rows([one for one in named if one.direction is Direction.INBOUND], agent_ids)
        return IntervalRows(
            interval=self.interval,
            activities=tuple(sorted(self._activity_rows(lines), key=lambda row: (row.agent_id, row.start_ms))),
            queues=queues,
            agent_queues=agent_queues,
            performance=self._performance_rows(lines, named, agent_ids),
            not_reportable=tuple(NotReportable(*key, count) for key, count in sorted(self.refused.items())),
            unmapped=tuple(sorted(self.unmapped)),
            mixed_queues=_mixed(queues),
        )

    def _ends_here(self, end_ms: int | None) -> bool:
        return end_ms is not None and end_ms <= self.as_of_ms and self.interval.owns(end_ms)

    def _reportable(self, contacts: list[HandledContact]) -> list[HandledContact]:
        taken = []
        for one in contacts:
            if one.channel in REPORTABLE:
                taken.append(one)
            else:
                self._refuse(one, one.direction, CHANNEL_NOT_REPORTED)
        return taken

    def _refuse(self, one: HandledContact | QueueVisit, direction: Direction, cause: str) -> None:
        queue_id = self.rules.queue_id(one.queue_sid, one.queue_name, one.channel)
        self.refused[queue_id, one.channel, direction, cause] += 1

    def _has_agent(self, one: HandledContact, agent_ids: Mapping[str, str]) -> bool:
        if one.worker_sid in agent_ids:
            return True
        self.unmapped.add((one.worker_sid or "", NO_AGENT_ID))
        return False

    # -- queues

    def _queue_rows(self, visits: tuple[QueueVisit, ...], contacts: list[HandledContact]) -> tuple[QueueRow, ...]:
        handled: dict[_Queue, list[HandledContact]] = defaultdict(list)
        unserved: dict[_Queue, list[QueueVisit]] = defaultdict(list)
        waiting: dict[_Queue, list[QueueVisit]] = defaultdict(list)
        for contact in contacts:
            handled[_key(contact)].append(contact)
        for visit in visits:
            if self._waits_at_end(visit):
                waiting[_key(visit)].append(visit)
            if visit.outcome in _UNSERVED and self._ends_here(visit.end_ms):
                if visit.outcome is Outcome.NEVER_QUEUED:
                    self._refuse(visit, Direction.INBOUND, NEVER_QUEUED)
                elif visit.channel not in REPORTABLE:
                    self._refuse(visit, Direction.INBOUND, CHANNEL_NOT_REPORTED)
                else:
                    unserved[_key(visit)].append(visit)
        rows = []
        for queue in handled.keys() | unserved.keys() | waiting.keys():
            facts: list[HandledContact | QueueVisit] = [*handled[queue], *unserved[queue], *waiting[queue]]
            name = _newest_name(facts)
            figures = figures_of_queue(
                handled[queue],
                unserved[queue],
                waiting[queue],
                min(self.interval.end_ms, self.as_of_ms),
                self.rules.threshold_ms(queue[0], name),
                self.rules,
            )
            rows.append(_queue_row(self.rules.queue_id(queue[0], name, queue[1]), name, queue[1], figures))
        return tuple(sorted(rows, key=lambda row: (row.queue_id, row.channel, row.queue_name or "")))

    def _waits_at_end(self, visit: QueueVisit) -> bool:
        if visit.outcome is Outcome.NEVER_QUEUED or visit.channel not in REPORTABLE:
            return False
        end_ms = visit.end_ms
        return self.interval.end_ms <= self.as_of_ms and self.interval.holds_at_end(visit.start_ms, end_ms)

    # -- agents

    def _agent_queue_rows(
        self, contacts: list[HandledContact], agent_ids: Mapping[str, str]
    ) -> tuple[AgentQueueRow, ...]:
        shares: dict[tuple[_Queue, str], list[HandledContact]] = defaultdict(list)
        names: dict[_Queue, list[HandledContact | QueueVisit]] = defaultdict(list)
        for one in contacts:
            shares[_key(one), agent_ids[one.worker_sid or ""]].append(one)
            names[_key(one)].append(one)
        rows = []
        for (queue, agent_id), share in shares.items():
            queue_id = self.rules.queue_id(queue[0], _newest_name(names[queue]), queue[1])
            rows.append(_agent_queue_row(queue_id, queue[1], agent_id, Handled(tuple(share))))
        return tuple(sorted(rows, key=lambda row: (row.queue_id, row.channel, row.agent_id)))

    def _performance_rows(
        self, lines: tuple[AgentLine, ...], contacts: list[HandledContact], agent_ids: Mapping[str, str]
    ) -> tuple[AgentPerformanceRow, ...]:
        times: dict[str, AgentTime] = defaultdict(AgentTime)
        calls: dict[tuple[str, Direction], list[HandledContact]] = defaultdict(list)
        for line in lines:
            times[line.agent_id] += time_in(line.segments, self.interval, self.as_of_ms)
        for one in contacts:
            calls[agent_ids[one.worker_sid or ""], one.direction].append(one)
        rows = []
        for agent_id in sorted(times):
            outbound = Handled(tuple(calls[agent_id, Direction.OUTBOUND]))
            internal = Handled(tuple(calls[agent_id, Direction.INTERNAL]))
            row = _performance_row(agent_id, AgentFigures(times[agent_id], outbound, internal))
            if row.login_time_s or row.out_calls or row.internal_calls:
                rows.append(row)
        return tuple(rows)

    def _activity_rows(self, lines: tuple[AgentLine, ...]) -> Iterable[ActivityRow]:
        for line in lines:
            for one in activity_segments(line.segments, self.as_of_ms, self.mapping, self.rules.min_state_ms):
                if one.end_ms is None or one.offline or not self._ends_here(one.end_ms):
                    continue
                duration_s = whole_seconds(one.start_ms, one.end_ms)
                if isinstance(one.told, Unmapped):
                    self.unmapped.add((line.worker_sid, one.told.problem))
                elif duration_s:
                    event_id, reason = one.told.event_id, one.told.reason
                    yield ActivityRow(
                        line.agent_id, line.agent_value, event_id, reason, one.start_ms, one.end_ms, duration_s
                    )


_Queue = tuple[str | None, Channel]
_UNSERVED = frozenset({Outcome.ABANDONED, Outcome.DIVERTED, Outcome.NEVER_QUEUED})


def _key(one: HandledContact | QueueVisit) -> _Queue:
    return (one.queue_sid, one.channel)


def _newest_name(facts: Iterable[HandledContact | QueueVisit]) -> str | None:
    """A queue may have been renamed: the name of the fact that ended last."""
    named = [(one.end_ms or 0, one.queue_name) for one in facts if one.queue_name is not None]
    return max(named)[1] if named else None


def _mixed(rows: Sequence[QueueRow]) -> tuple[str, ...]:
    channels: dict[str, set[Channel]] = defaultdict(set)
    for row in rows:
        channels[row.queue_name or row.queue_id].add(row.channel)
    return tuple(sorted(name for name, found in channels.items() if len(found) > 1))


def _queue_row(queue_id: str, name: str | None, channel: Channel, figures: QueueFigures) -> QueueRow:
    return QueueRow(
        queue_id=queue_id,
        queue_name=name,
        channel=channel,
        contacts_received=figures.contacts_received,
        contacts_handled=figures.handled.contacts_handled,
        contacts_abandoned=figures.contacts_abandoned,
        contacts_abandoned_short=figures.contacts_abandoned_short,
        contacts_abandoned_long=figures.contacts_abandoned_long,
        contacts_diverted=figures.contacts_diverted,
        contacts_answered_in_sl=figures.contacts_answered_in_sl,
        contacts_abandoned_in_sl=figures.contacts_abandoned_in_sl,
        handle_time_s=figures.handled.handle_time_s,
        talk_time_s=figures.handled.talk_time_s,
        hold_time_s=figures.handled.hold_time_s,
        work_time_s=figures.handled.work_time_s,
        ring_time_s=figures.handled.ring_time_s,
        queue_delay_s=figures.handled.queue_delay_s,
        service_level=figures.service_level,
        backlog=figures.backlog,
        backlog_not_expired=figures.backlog_not_expired,
        backlog_expired=figures.backlog_expired,
    )


def _agent_queue_row(queue_id: str, channel: Channel, agent_id: str, share: Handled) -> AgentQueueRow:
    return AgentQueueRow(
        queue_id=queue_id,
        channel=channel,
        agent_id=agent_id,
        contacts_handled=share.contacts_handled,
        handle_time_s=share.handle_time_s,
        talk_time_s=share.talk_time_s,
        hold_time_s=share.hold_time_s,
        work_time_s=share.work_time_s,
        ring_time_s=share.ring_time_s,
    )


def _performance_row(agent_id: str, figures: AgentFigures) -> AgentPerformanceRow:
    return AgentPerformanceRow(
        agent_id=agent_id,
        internal_calls=figures.internal_calls,
        internal_time_s=figures.internal_time_s,
        ready_time_s=figures.ready_time_s,
        idle_time_s=figures.idle_time_s,
        busy_time_s=figures.busy_time_s,
        out_calls=figures.out_calls,
        out_time_s=figures.out_time_s,
        login_time_s=figures.login_time_s,
    )


def touched_by_task(before: TaskFacts | None, after: TaskFacts, as_of_ms: int) -> frozenset[Interval]:
    """The intervals whose rows may differ because a task's facts changed, up to the one that owns `as_of_ms`."""
    held = before or TaskFacts(after.task_sid)
    if held == after:
        return frozenset()
    found: set[Interval] = set()
    for old, new in zip_longest(held.visits, after.visits):
        if old != new:
            found.update(_touched_by_visit(old, new, as_of_ms))
    for contact in set(held.contacts) ^ set(after.contacts):
        if contact.end_ms is not None and contact.end_ms <= as_of_ms:
            found.add(owner(contact.end_ms))
    return frozenset(found)


def _touched_by_visit(old: QueueVisit | None, new: QueueVisit | None, as_of_ms: int) -> Iterator[Interval]:
    """Its end counts once, and it is backlog wherever it lies over the end of an interval."""
    ends = [as_of_ms if one is None or one.end_ms is None else min(one.end_ms, as_of_ms) for one in (old, new)]
    if old is not None and new is not None and _place(old) == _place(new):
        # The same wait, which ended at another time, or ends now: before that nothing is different.
        yield from intervals(min(ends), max(ends) + 1)
        return
    for one, end_ms in zip((old, new), ends, strict=True):
        if one is not None:
            yield from intervals(one.start_ms, end_ms + 1)


def _place(visit: QueueVisit) -> tuple[object, ...]:
    return visit.queue_sid, visit.queue_name, visit.channel, visit.start_ms


def touched_by_states(changed_from_ms: int, rules: ReportRules, as_of_ms: int) -> frozenset[Interval]:
    """The intervals whose rows may differ because an agent's line of states changed from an instant on."""
    # Whether a segment that began this much earlier is short may depend on what changed.
    return frozenset(intervals(changed_from_ms - rules.min_state_ms, as_of_ms + 1))

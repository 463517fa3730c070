"""One task's events -> facts: its queue visits and its handled contacts; order and repetition leave no trace."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import whole_seconds
from flex_plugin_backend.domain.mapping import Channel, Direction, MappingRules, direction_of
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.task_log import Seen, observe
from flex_plugin_backend.domain.visits import Ending, Leg, Stay, TaskFold

_NEVER_MS = 2**62


class Outcome(StrEnum):
    """How a queue visit ended; the first three make a received contact."""

    HANDLED = "handled"
    ABANDONED = "abandoned"
    DIVERTED = "diverted"
    MOVED = "moved"
    DROPPED = "dropped"
    OPEN = "open"
    NEVER_QUEUED = "never_queued"  # cancelled before it entered any queue: no contact


class Flag(StrEnum):
    """What is known of a handled contact only indirectly."""

    ACCEPT_ESTIMATED = "accept_estimated"  # nobody saw the acceptance
    ENDED_WITH_TASK = "ended_with_task"  # no end of its own
    ENDED_WITH_WORKER = "ended_with_worker"  # the worker was deleted
    FOUND_GONE = "found_gone"  # a later look did not show it any more
    WAIT_ESTIMATED = "wait_estimated"  # the entry into the queue was not seen
    WRAP_UP_CAPPED = "wrap_up_capped"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueVisit:
    """One stay of one inbound task in one queue; (`task_sid`, `number`) is its identity.

    Attributes:
        queue_sid: `None` for a task without a queue.
        end_ms: `None` while it is open.
        reservation_sid: the one that accepted it, when handled; what is booked of it is that contact's.
        estimated: its start or queue is inferred.
    """

    task_sid: str
    number: int
    queue_sid: str | None
    queue_name: str | None
    channel: Channel
    start_ms: int
    end_ms: int | None
    outcome: Outcome
    reservation_sid: str | None = None
    estimated: bool = False

    @property
    def wait_ms(self) -> int | None:
        """From the entry to the end of the visit; `None` while it is open."""
        return None if self.end_ms is None else self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledContact:
    """What one agent did of one task: one accepted reservation, whose sid is its identity.

    Attributes:
        wait_from_ms: the start of the visit that it ended; `None` for outbound and internal ones, which have no queue.
        offered_ms: when it began to ring; `None` where that was not seen.
        talk_end_ms, end_ms: end of talk and of wrap-up; `None` while open. In wrap-up `end_ms` is already known: the
            cap, unless an earlier end comes.
        holds: the spans on hold within the talk; `None` where hold is not measured and therefore part of talk.
    """

    reservation_sid: str
    task_sid: str
    worker_sid: str | None
    queue_sid: str | None
    queue_name: str | None
    channel: Channel
    direction: Direction
    wait_from_ms: int | None
    offered_ms: int | None
    accepted_ms: int
    talk_end_ms: int | None
    end_ms: int | None
    holds: tuple[tuple[int, int], ...] | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def wait_ms(self) -> int | None:
        """From the entry into the queue to the acceptance, ringing included (rule 4)."""
        return None if self.wait_from_ms is None else max(0, self.accepted_ms - self.wait_from_ms)

    @property
    def ring_ms(self) -> int | None:
        """From the offer to the acceptance (Twilio reference 6.2)."""
        return None if self.offered_ms is None else max(0, self.accepted_ms - self.offered_ms)

    @property
    def talk_ms(self) -> int | None:
        """From the acceptance to the wrap-up, less measured hold (Twilio reference 6.2)."""
        return None if self.talk_end_ms is None else self.talk_end_ms - self.accepted_ms - (self.hold_ms or 0)

    @property
    def hold_ms(self) -> int | None:
        """The time on hold; `None` where it is not measured."""
        return None if self.holds is None else sum(end - start for start, end in self.holds)

    @property
    def wrap_up_ms(self) -> int | None:
        """From the wrap-up to the completion, at most the cap (rules 11 and 12)."""
        return None if self.end_ms is None or self.talk_end_ms is None else self.end_ms - self.talk_end_ms

    @property
    def hold_s(self) -> int:
        """Hold in whole seconds."""
        return sum(whole_seconds(start, end) for start, end in self.holds or ())


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """All that the reports need of one task."""

    task_sid: str
    visits: tuple[QueueVisit, ...] = ()
    contacts: tuple[HandledContact, ...] = ()

    def span(self, told: tuple[int, int]) -> tuple[int, int | None]:
        """From when to when anything of it counts (ms), given when its first and last events were; None: still."""
        starts = [one.start_ms for one in self.visits] + [one.accepted_ms for one in self.contacts]
        ends = [one.end_ms for one in self.visits] + [one.end_ms for one in self.contacts]
        closed = [end_ms for end_ms in ends if end_ms is not None]
        return min([*starts, told[0]]), None if len(closed) < len(ends) else max([*closed, told[1]])


class TaskStory:
    """All that was told of one task, kept in order; facts follow from it.

    An event that is the newest so far is folded in; an older one has the task's history folded again when facts are
    next asked for. Channel and direction are the task's own: the earliest that was told counts, and a channel that
    the task's attributes name counts before one that had to be guessed from the task channel.
    """

    def __init__(self, task_sid: str) -> None:
        self.task_sid = task_sid
        self.seen: list[Seen] = []
        self._channel: tuple[int, int, str, str] | None = None
        self._direction: tuple[int, str, str] | None = None
        self._fold: TaskFold | None = TaskFold()
        self._facts: TaskFacts | None = None
        self._rules: ReportRules | None = None  # those by which the facts were worked out

    def apply(self, event: TaskRouterEvent, mapping: MappingRules) -> bool:
        """Merge one event that names this task, wherever in time it belongs; tells whether that said anything new."""
        described = self._describe(event, mapping)
        if described:
            self._facts = None
        seen = observe(event)
        if seen is None:
            return described
        if self._has(seen):
            return described
        at = bisect_left(self.seen, seen)
        self._facts = None
        self.seen.insert(at, seen)
        if self._fold is not None and at == len(self.seen) - 1:
            self._fold.step(seen)
        else:
            self._fold = None
        return True

    def _has(self, seen: Seen) -> bool:
        """Was it told before: under the same sid, or by another route that may give the event another one."""
        at = bisect_left(self.seen, seen.moment, key=lambda one: one.moment)
        while at < len(self.seen) and self.seen[at].moment == seen.moment:
            if self.seen[at].event_sid == seen.event_sid or self.seen[at].content == seen.content:
                return True
            at += 1
        return False

    def _describe(self, event: TaskRouterEvent, mapping: MappingRules) -> bool:
        before = (self._channel, self._direction)
        channel, direction = mapping.channel_of(event), direction_of(event)
        if channel is not None:
            told = (channel[0], event.occurred_ms, event.sid, channel[1].value)
            self._channel = told if self._channel is None else min(self._channel, told)
        if direction is not None:
            said = (event.occurred_ms, event.sid, direction.value)
            self._direction = said if self._direction is None else min(self._direction, said)
        return before != (self._channel, self._direction)

    @property
    def channel(self) -> Channel:
        """The task's channel; OTHER where none was told."""
        return Channel.OTHER if self._channel is None else Channel(self._channel[3])

    @property
    def direction(self) -> Direction:
        """The task's direction; inbound where none was told."""
        return Direction.INBOUND if self._direction is None else Direction(self._direction[2])

    def workers(self) -> frozenset[str]:
        """The workers that its reservations name."""
        return frozenset(leg.worker_sid for leg in self._folded().legs.values() if leg.worker_sid)

    @property
    def told_ms(self) -> tuple[int, int]:
        """When its first and its last observation were."""
        return (self.seen[0].at_ms, self.seen[-1].at_ms) if self.seen else (0, 0)

    @property
    def begun_ms(self) -> int:
        """When its first visit or contact began, as far as is known; the end of time where there is none."""
        fold = self._folded()
        starts = [stay.start_ms for stay in fold.stays]
        starts += [leg.accepted_ms for leg in fold.legs.values() if leg.accepted_ms is not None]
        return min(starts, default=_NEVER_MS)

    @property
    def is_open(self) -> bool:
        """Does somebody surely wait, or talk, still; a cheap look that may say no too often."""
        fold = self._folded()
        waits = fold.waiting is not None and self.direction is Direction.INBOUND
        return fold.ended_ms is None and (waits or any(leg.talks and leg.gone_ms is None for leg in fold.legs.values()))

    def facts(self, rules: ReportRules, gone: Mapping[str, int] | None = None) -> TaskFacts:
        """The facts as they are known now; they are kept until the next event.

        Args:
            gone: for workers that were deleted: when (`AgentTimeline.deleted_ms`); their open contacts end there.
        """
        if self._facts is None or self._rules is not rules or (gone and self.workers() & gone.keys()):
            self._facts, self._rules = self._work_out(rules, gone or {}), rules
        return self._facts

    def _work_out(self, rules: ReportRules, gone: Mapping[str, int]) -> TaskFacts:
        fold = self._folded()
        visits: list[QueueVisit] = []
        if self.direction is Direction.INBOUND:
            visits = [self._visit(number, stay, rules) for number, stay in enumerate(fold.stays)]
            if fold.never_queued is not None:
                visits.append(self._never_queued(len(visits), fold, fold.never_queued))
        accepted = (leg for leg in fold.legs.values() if leg.accepted_ms is not None)
        contacts = [self._contact(leg, leg.accepted_ms or 0, fold, rules, gone) for leg in accepted]
        contacts.sort(key=lambda one: (one.accepted_ms, one.reservation_sid))
        return TaskFacts(self.task_sid, tuple(visits), tuple(contacts))

    def _folded(self) -> TaskFold:
        if self._fold is None:
            self._fold = TaskFold()
            for seen in self.seen:
                self._fold.step(seen)
        return self._fold

    def _visit(self, number: int, stay: Stay, rules: ReportRules) -> QueueVisit:
        return QueueVisit(
            task_sid=self.task_sid,
            number=number,
            queue_sid=stay.queue_sid,
            queue_name=stay.queue_name,
            channel=self.channel,
            start_ms=stay.start_ms,
            end_ms=stay.end_ms,
            outcome=_outcome(stay, rules),
            reservation_sid=stay.reservation_sid,
            estimated=stay.estimated,
        )

    def _never_queued(self, number: int, fold: TaskFold, seen: Seen) -> QueueVisit:
        start_ms = seen.at_ms if fold.created_ms is None else min(fold.created_ms, seen.at_ms)
        return QueueVisit(
            task_sid=self.task_sid,
            number=number,
            queue_sid=None,
            queue_name=None,
            channel=self.channel,
            start_ms=start_ms,
            end_ms=seen.at_ms,
            outcome=Outcome.NEVER_QUEUED,
        )

    def _contact(
        self, leg: Leg, accepted_ms: int, fold: TaskFold, rules: ReportRules, gone: Mapping[str, int]
    ) -> HandledContact:
        flags = {Flag.ACCEPT_ESTIMATED} if leg.accept_estimated else set()
        end_ms = _end(leg, fold, rules, gone, flags)
        talk_end_ms = leg.wrapup_ms if leg.wrapup_ms is not None else end_ms
        if end_ms is not None:
            end_ms = max(end_ms, accepted_ms)
            talk_end_ms = end_ms if talk_end_ms is None else min(max(talk_end_ms, accepted_ms), end_ms)
        stay = leg.stay
        inbound = self.direction is Direction.INBOUND
        if inbound and stay is not None and stay.estimated:
            flags.add(Flag.WAIT_ESTIMATED)
        return HandledContact(
            reservation_sid=leg.sid,
            task_sid=self.task_sid,
            worker_sid=leg.worker_sid,
            queue_sid=stay.queue_sid if stay else None,
            queue_name=stay.queue_name if stay else None,
            channel=self.channel,
            direction=self.direction,
            wait_from_ms=stay.start_ms if stay and inbound else None,
            offered_ms=leg.offered_ms,
            accepted_ms=accepted_ms,
            talk_end_ms=talk_end_ms,
            end_ms=end_ms,
            holds=_holds(fold, accepted_ms, talk_end_ms),
            flags=tuple(sorted(flags)),
        )


def _outcome(stay: Stay, rules: ReportRules) -> Outcome:
    if stay.ending is Ending.CANCELED:
        return Outcome.DIVERTED if rules.is_diverted(stay.reason, stay.abandoned) else Outcome.ABANDONED
    return Outcome.OPEN if stay.ending is None else _OUTCOMES[stay.ending]


_OUTCOMES = {
    Ending.ACCEPTED: Outcome.HANDLED,
    Ending.FAILED: Outcome.ABANDONED,
    Ending.LEFT: Outcome.MOVED,
    Ending.DROPPED: Outcome.DROPPED,
}


def _end(leg: Leg, fold: TaskFold, rules: ReportRules, gone: Mapping[str, int], flags: set[Flag]) -> int | None:
    """When an accepted reservation ended: its own end, else its task's.

    The cap of wrap-up and the worker's deletion end it sooner. In wrap-up this is never `None`: the cap is its end
    until an earlier one is known.
    """
    end_ms = leg.ended_ms
    if end_ms is None:
        end_ms, cause = fold.ended_ms, Flag.ENDED_WITH_TASK
        if leg.gone_ms is not None and (end_ms is None or leg.gone_ms < end_ms):
            end_ms, cause = leg.gone_ms, Flag.FOUND_GONE
        if end_ms is not None:
            flags.add(cause)
    if leg.wrapup_ms is not None:
        cap_ms = leg.wrapup_ms + rules.states.wrap_up_cap_ms
        if end_ms is None or end_ms > cap_ms:
            end_ms = cap_ms
            flags -= {Flag.ENDED_WITH_TASK, Flag.FOUND_GONE}
            flags.add(Flag.WRAP_UP_CAPPED)
    gone_ms = gone.get(leg.worker_sid or "")
    if gone_ms is not None and (end_ms is None or gone_ms < end_ms):
        end_ms = gone_ms
        flags -= {Flag.ENDED_WITH_TASK, Flag.FOUND_GONE, Flag.WRAP_UP_CAPPED}
        flags.add(Flag.ENDED_WITH_WORKER)
    return end_ms


def _holds(fold: TaskFold, from_ms: int, to_ms: int | None) -> tuple[tuple[int, int], ...] | None:
    """The measured holds within a talk; `None` where nobody told of any hold of this task."""
    if not fold.holds or to_ms is None:
        return None
    spans = ((max(start, from_ms), to_ms if end is None else min(end, to_ms)) for start, end in fold.holds)
    return tuple((start, end) for start, end in spans if start < end)

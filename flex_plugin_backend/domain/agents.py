"""One agent: activity and open reservations -> effective state at any instant, and the segments that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.domain import events as ev
from flex_plugin_backend.domain.activity import ActivityTrack, Source, observe
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Channel, Direction, EffectiveState, MappingRules, State
from flex_plugin_backend.domain.reservations import TASK_ENDINGS, Reservation, StateRules, Status, least

# An events filter for a WFM leaves these out. When a deleted worker left must not depend on whether they came.
OF_CAPACITY = frozenset({"worker.capacity.update", "worker.channel.availability.update"})


@dataclass(frozen=True, slots=True)
class Rules:
    """Names and state settings together: all that derivation depends on besides the events."""

    mapping: MappingRules
    states: StateRules


@dataclass(frozen=True, slots=True)
class Segment:
    """From `start_ms` to the next segment's start, or still, the agent was in `state`."""

    start_ms: int
    state: EffectiveState


class AgentTimeline:
    """All that is known of one worker, merged so that neither order nor repetition of events matters.

    It keeps what can still change: everything since `floor_ms`, and before that only the activity in force and the
    open reservations. An event older than the floor needs the whole history again (`too_old`).
    """

    def __init__(self, worker_sid: str) -> None:
        self.worker_sid = worker_sid
        self.worker_name: str | None = None
        self.agent_key: str | None = None
        self.named_ms = -1
        self.newest_ms = 0
        self.floor_ms = 0
        self.deleted = False
        self.activity = ActivityTrack()
        self.reservations: dict[str, Reservation] = {}

    def too_old(self, at_ms: int) -> bool:
        """Does an event of this time lie before what is kept in memory."""
        return at_ms < self.floor_ms

    def apply(self, event: TaskRouterEvent, rules: Rules) -> int | None:
        """Merge one event that names this worker.

        Returns the earliest instant (ms) from which the agent's state may be another than before, `None` if no
        instant can be.
        """
        deleted_before = self.deleted_ms
        if event.type not in OF_CAPACITY:
            self.newest_ms = max(self.newest_ms, event.occurred_ms)
        self._name(event)
        affected_ms = self._dispatch(event, rules)
        if self.deleted_ms != deleted_before:
            affected_ms = least(affected_ms, least(deleted_before, self.deleted_ms))
        return affected_ms

    def _dispatch(self, event: TaskRouterEvent, rules: Rules) -> int | None:
        kind, _, step = event.type.partition(".")
        if event.type == ev.SNAPSHOT_WORKER:
            return self._observe(event, Source.SNAPSHOT, rules)
        if event.type in (ev.SNAPSHOT_RESERVATION, ev.SNAPSHOT_RESERVATION_GONE):
            return self._snapshot_reservation(event, rules)
        if event.type in ("worker.deleted", ev.SNAPSHOT_WORKER_GONE):
            self.deleted = True
            return None
        if event.type in ("worker.activity.update", "worker.created"):
            return self._observe(event, Source.CHANGE, rules)
        if kind == "worker":
            return self._observe(event, Source.BLOCK, rules)
        if kind != "reservation":
            return None
        affected_ms = self._observe(event, Source.BLOCK, rules)
        if event.reservation_sid is None:
            return affected_ms
        reservation = self._reservation(event.reservation_sid)
        before = reservation.facts()
        reservation.take(event, step, rules.mapping)
        return least(affected_ms, reservation.changed_from_ms(before))

    def _observe(self, event: TaskRouterEvent, source: Source, rules: Rules) -> int | None:
        seen = observe(event, source)
        if seen is None:
            return None
        return self.activity.add(seen, rules.mapping)

    def _snapshot_reservation(self, event: TaskRouterEvent, rules: Rules) -> int | None:
        if event.reservation_sid is None:
            return None
        if event.type == ev.SNAPSHOT_RESERVATION_GONE:
            held = self.reservations.get(event.reservation_sid)
            if held is None:
                return None
            before = held.facts()
            held.gone_ms = least(held.gone_ms, event.occurred_ms)
            return held.changed_from_ms(before)
        reservation = self._reservation(event.reservation_sid)
        before = reservation.facts()
        reservation.take_snapshot(event, rules.mapping)
        return reservation.changed_from_ms(before)

    def expect_unseen_end(self, event: TaskRouterEvent, seen_ms: int, open_sids: frozenset[str]) -> int | None:
        """A snapshot of `seen_ms` showed these reservations open: an event from before it about another one is of one

        that has ended meanwhile, unless events from after the snapshot say otherwise. Then it counts from its start on:
        returns that instant, `None` where nothing is new.
        """
        sid = event.reservation_sid
        if sid is None or not event.type.startswith("reservation."):
            return None
        held = self.reservations.get(sid)
        if held is None and event.occurred_ms < seen_ms and sid not in open_sids:
            self.reservations[sid] = Reservation(sid=sid, unseen_end=True)
        elif held is not None and held.unseen_end and event.occurred_ms >= seen_ms:
            held.unseen_end = False
            return held.open_since_ms() or None
        return None

    def end_task(self, task_sid: str, at_ms: int, due_ms: int) -> int | None:
        """The task ended at `at_ms`: its reservations that get no end event of their own by `due_ms` end with it.

        Returns the earliest instant from which the state may be another, `None` where nothing is new.
        """
        affected_ms: int | None = None
        for reservation in self.reservations.values():
            if reservation.task_sid == task_sid:
                ended_ms = least(reservation.task_ended_ms, at_ms)
                if ended_ms != reservation.task_ended_ms:
                    reservation.task_ended_ms = ended_ms
                    reservation.task_end_due_ms = least(reservation.task_end_due_ms, due_ms)
                    affected_ms = least(affected_ms, ended_ms)
        return affected_ms

    def _reservation(self, sid: str) -> Reservation:
        found = self.reservations.get(sid)
        if found is None:
            found = self.reservations[sid] = Reservation(sid=sid)
        return found

    def _name(self, event: TaskRouterEvent) -> None:
        if event.occurred_ms < self.named_ms or (event.worker_name is None and event.agent_key is None):
            return
        self.named_ms = event.occurred_ms
        self.worker_name = event.worker_name or self.worker_name
        self.agent_key = event.agent_key or self.agent_key

    @property
    def deleted_ms(self) -> int | None:
        """When a deleted worker left: the newest time of its events, as the deletion bears an old stamp."""
        return self.newest_ms if self.deleted else None

    def effective_at(self, at_ms: int, as_of_ms: int, rules: Rules) -> EffectiveState:
        """The one state in force at `at_ms`, as far as is known at `as_of_ms` (Twilio reference 5.3)."""
        gone_ms = self.deleted_ms
        if gone_ms is not None and at_ms >= gone_ms:
            return EffectiveState(State.OFFLINE)
        span = self.activity.at(at_ms, rules.mapping)
        resting = (
            rules.mapping.activity_state(span.activity_sid, span.activity_name)
            if span is not None
            else EffectiveState(State.UNKNOWN)
        )
        main: Reservation | None = None
        wrapping = dialling = ringing = False
        for reservation in self.reservations.values():
            status = reservation.status_at(at_ms, as_of_ms, rules.states)
            if status is Status.ACCEPTED:
                if not self._parked(reservation, at_ms, resting, span.start_ms if span else 0, rules.states):
                    main = reservation if main is None else min(main, reservation, key=_precedence)
            elif status is Status.WRAPPING:
                wrapping = True
            elif status is Status.PENDING:
                outbound = reservation.direction is Direction.OUTBOUND
                dialling, ringing = dialling or outbound, ringing or not outbound
        if main is not None:
            return EffectiveState(State.CONTACT, main.channel or Channel.OTHER, main.direction or Direction.INBOUND)
        if wrapping:
            return EffectiveState(State.WRAPUP)
        if ringing or dialling:
            return EffectiveState(State.RESERVED if ringing else State.DIALLING)
        return resting

    @staticmethod
    def _parked(
        reservation: Reservation, at_ms: int, resting: EffectiveState, resting_since_ms: int, rules: StateRules
    ) -> bool:
        """Does the activity win over this accepted messaging contact (setting `parked_messaging`)."""
        if rules.parked_messaging == "contact" or reservation.channel is Channel.VOICE:
            return False
        if resting.state not in (State.UNAVAILABLE, State.OFFLINE):
            return False
        if rules.parked_messaging == "activity":
            return True
        return at_ms >= max(resting_since_ms, reservation.accepted_ms or 0) + rules.parked_limit_ms

    def segments(self, from_ms: int, as_of_ms: int, rules: Rules) -> list[Segment]:
        """The states in force from `from_ms` to `as_of_ms`; adjacent equal ones are one, so they tile the time."""
        instants = {from_ms}
        instants.update(span.start_ms for span in self.activity.spans(rules.mapping))
        for reservation in self.reservations.values():
            instants.update(reservation.instants(as_of_ms, rules.states))
        instants.update(self._parking_instants(rules))
        if self.deleted_ms is not None:
            instants.add(self.deleted_ms)
        segments: list[Segment] = []
        for at_ms in sorted(at for at in instants if from_ms <= at <= max(as_of_ms, from_ms)):
            state = self.effective_at(at_ms, as_of_ms, rules)
            if not segments or segments[-1].state != state:
                segments.append(Segment(at_ms, state))
        return segments

    def _parking_instants(self, rules: Rules) -> Iterable[int]:
        if rules.states.parked_messaging != "limited":
            return
        for reservation in self.reservations.values():
            if reservation.accepted_ms is not None and reservation.channel is not Channel.VOICE:
                for span in self.activity.spans(rules.mapping):
                    yield max(span.start_ms, reservation.accepted_ms) + rules.states.parked_limit_ms

    def next_due(self, as_of_ms: int, rules: Rules) -> tuple[int, int] | None:
        """The next instant at which time alone may change the state, and the instant from which it then differs."""
        return min((one for one in self._dues(rules) if one[0] > as_of_ms), default=None)

    def due_from_ms(self, after_ms: int, until_ms: int, rules: Rules) -> int | None:
        """The earliest instant from which the state differs by what time alone does after `after_ms`, to `until_ms`."""
        return min((from_ms for due_ms, from_ms in self._dues(rules) if after_ms < due_ms <= until_ms), default=None)

    def _dues(self, rules: Rules) -> list[tuple[int, int]]:
        """When time alone may change the state, each with the instant from which it then differs."""
        due: list[tuple[int, int]] = []
        for reservation in self.reservations.values():
            if reservation.ended_ms is None and reservation.task_ended_ms is not None:
                due.append((reservation.task_end_due_ms or 0, reservation.task_ended_ms))
            if reservation.wrapup_ms is not None:
                # Also where its end is known by now: it may have come with the cap, before anybody looked.
                cap_ms = reservation.wrapup_ms + rules.states.wrap_up_cap_ms
                if reservation.ended_ms is None or reservation.ended_ms > cap_ms:
                    # Events that say what the agent did just before the cap may be on their way.
                    due.append((cap_ms + rules.states.task_end_grace_ms, cap_ms))
        due.extend((at_ms, at_ms) for at_ms in self._parking_instants(rules))
        return due

    def already_shows(self, event: TaskRouterEvent, rules: Rules) -> bool:
        """Does this snapshot finding say nothing that is not known."""
        if event.type == ev.SNAPSHOT_WORKER:
            # REST cuts its times to the second; and what is known of later says nothing about then.
            span = self.activity.at(event.occurred_ms + 999, rules.mapping)
            same = span is not None and span.activity_sid == event.activity_sid
            return same and event.occurred_ms < self.newest_ms
        held = self.reservations.get(event.reservation_sid or "")
        if event.type != ev.SNAPSHOT_RESERVATION or held is None:
            return False
        known = {"wrapping": held.wrapup_ms, "accepted": held.accepted_ms, "pending": held.created_ms}
        # It may tell when one began that has ended since: at a start nothing else does.
        is_over = held.ended_ms is not None and held.ended_ms <= event.occurred_ms
        return is_over or known.get(event.reservation_status or "") is not None

    def open_reservations(self, as_of_ms: int, rules: Rules) -> list[Reservation]:
        """The reservations that are open at `as_of_ms`."""
        return [one for one in self.reservations.values() if one.status_at(as_of_ms, as_of_ms, rules.states)]

    def prune(self, before_ms: int, as_of_ms: int, rules: Rules) -> None:
        """Let go of what ended before `before_ms`; an event older than that asks for a replay."""
        if before_ms <= self.floor_ms:
            return
        self.activity.prune(before_ms, rules.mapping)
        for sid, reservation in list(self.reservations.items()):
            end_ms = reservation.end_ms(as_of_ms, rules.states)
            if end_ms is None or reservation.may_end_earlier(as_of_ms):
                continue
            if max(end_ms, reservation.latest_ms()) < before_ms:
                del self.reservations[sid]
        self.floor_ms = before_ms

    def to_record(self) -> dict[str, Any]:
        """The timeline as JSON-able data."""
        return {
            "worker_sid": self.worker_sid,
            "worker_name": self.worker_name,
            "agent_key": self.agent_key,
            "named_ms": self.named_ms,
            "newest_ms": self.newest_ms,
            "floor_ms": self.floor_ms,
            "deleted": self.deleted,
            "activity": self.activity.to_record(),
            "reservations": [one.to_record() for one in self.reservations.values()],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> AgentTimeline:
        """The timeline back from `to_record`."""
        timeline = cls(record["worker_sid"])
        for name in ("worker_name", "agent_key", "named_ms", "newest_ms", "floor_ms", "deleted"):
            setattr(timeline, name, record[name])
        timeline.activity = ActivityTrack.from_record(record["activity"])
        found = (Reservation.from_record(one) for one in record["reservations"])
        timeline.reservations = {one.sid: one for one in found}
        return timeline


def _precedence(reservation: Reservation) -> tuple[bool, int, str]:
    """Voice before messaging, else the oldest contact; the sid decides ties, so that order of arrival does not."""
    return (reservation.channel is not Channel.VOICE, reservation.accepted_ms or 0, reservation.sid)


def ends_task(event: TaskRouterEvent) -> bool:
    """Is this the end of a task, whatever became of its reservations."""
    return event.type in TASK_ENDINGS and event.task_sid is not None

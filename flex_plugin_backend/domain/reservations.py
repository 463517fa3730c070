"""One reservation as four instants, each a minimum over its events, so that order and repeats do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Channel, Direction, MappingRules, direction_of


class Status(StrEnum):
    """Where an open reservation stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    WRAPPING = "wrapping"


ENDINGS = frozenset({"completed", "rejected", "timeout", "canceled", "rescinded"})
TASK_ENDINGS = frozenset({"task.canceled", "task.completed", "task.deleted", "task.system-deleted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRules:
    """The settings of state derivation.

    Attributes:
        task_end_grace_ms: how long a task's end waits for the reservation's own end event before it closes it.
        wrap_up_cap_ms: wrap-up ends after this, whatever comes later.
        parked_messaging: a messaging contact open while the agent's activity takes no work: `contact` wins, `activity`
            wins, or the contact wins only for `parked_limit_ms` (`limited`). Voice always wins.
    """

    task_end_grace_ms: int = 30_000
    wrap_up_cap_ms: int = 3_600_000
    parked_messaging: str = "contact"
    parked_limit_ms: int = 3_600_000


def least(one: int | None, other: int | None) -> int | None:
    """The smaller of two instants, of which either may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def nearer(one: int | None, other: int | None) -> int | None:
    """The smaller of two instants, but of two in one second the exact one: REST cuts its times to the second."""
    first_ms = least(one, other)
    if one is None or other is None or first_ms is None or first_ms % 1000 or one // 1000 != other // 1000:
        return first_ms
    return max(one, other)


@dataclass(slots=True, kw_only=True)
class Reservation:
    """What is known of one reservation of one worker.

    Attributes:
        created_ms, accepted_ms, wrapup_ms, ended_ms: the earliest event of each kind, `None` where none was seen; what
            REST told of the same in whole seconds gives way to it.
        gone_ms: when a look at Twilio did not show it any more; it stands for the end until the end's own event is
            known, even one that is later, because the look was stamped by our clock.
        task_ended_ms: the task's own end: the safety net when the reservation's end event is lost.
        task_end_due_ms: from when on the safety net holds: the grace after the task's end became known.
        unseen_end: a snapshot taken after its events did not show it any more: it has ended, nobody knows yet when.
            Until the end is known it counts as never open, so that the present is right.
        channel_place, channel_ms: how well the event that told the channel knew it (see `MappingRules.channel_of`), and
            its time; the best counts, and of those the earliest.
        direction_ms: the time of the earliest event that told the direction; that one counts.
    """

    sid: str
    task_sid: str | None = None
    created_ms: int | None = None
    accepted_ms: int | None = None
    wrapup_ms: int | None = None
    ended_ms: int | None = None
    gone_ms: int | None = None
    task_ended_ms: int | None = None
    task_end_due_ms: int | None = None
    queue_sid: str | None = None
    channel: Channel | None = None
    direction: Direction | None = None
    channel_place: int = 0
    channel_ms: int | None = None
    direction_ms: int | None = None
    unseen_end: bool = False

    def take(self, event: TaskRouterEvent, step: str, rules: MappingRules) -> None:
        """Merge one `reservation.<step>` event."""
        at_ms = event.occurred_ms
        if step == "created":
            self.created_ms = nearer(self.created_ms, at_ms)
        elif step == "accepted":
            self.accepted_ms = nearer(self.accepted_ms, at_ms)
        elif step == "wrapup":
            self.wrapup_ms = nearer(self.wrapup_ms, at_ms)
        elif step in ENDINGS:
            self.ended_ms = least(self.ended_ms, at_ms)
        self._describe(event, rules)

    def take_snapshot(self, event: TaskRouterEvent, rules: MappingRules) -> None:
        """Merge what REST says: a status and the second it was last updated; the creation where it is known."""
        at_ms = event.occurred_ms
        if event.reservation_status == "accepted":
            self.accepted_ms = nearer(self.accepted_ms, at_ms)
        elif event.reservation_status == "wrapping":
            self.wrapup_ms = nearer(self.wrapup_ms, at_ms)
        else:
            self.created_ms = nearer(self.created_ms, at_ms)
        self._describe(event, rules)

    def _describe(self, event: TaskRouterEvent, rules: MappingRules) -> None:
        self.task_sid = self.task_sid or event.task_sid
        self.queue_sid = self.queue_sid or event.task_queue_sid
        told, at_ms = rules.channel_of(event), event.occurred_ms
        if told is not None:
            place, channel = told
            if self.channel_ms is None or (place, at_ms) < (self.channel_place, self.channel_ms):
                self.channel_place, self.channel_ms, self.channel = place, at_ms, channel
        direction = direction_of(event)
        if direction is not None and (self.direction_ms is None or at_ms < self.direction_ms):
            self.direction_ms, self.direction = at_ms, direction

    def end_ms(self, as_of_ms: int, rules: StateRules) -> int | None:
        """When it ended, as far as can be told at `as_of_ms`."""
        end_ms = self.known_end_ms
        if self.ended_ms is None and self.task_end_due_ms is not None and as_of_ms >= self.task_end_due_ms:
            end_ms = least(end_ms, self.task_ended_ms)
        if self.wrapup_ms is not None:
            end_ms = least(end_ms, self.wrapup_ms + rules.wrap_up_cap_ms)
        return end_ms

    def may_end_earlier(self, as_of_ms: int) -> bool:
        """Is there an end of its task that time alone will make hold, whatever ended it so far."""
        return self.ended_ms is None and self.task_end_due_ms is not None and self.task_end_due_ms > as_of_ms

    def status_at(self, at_ms: int, as_of_ms: int, rules: StateRules) -> Status | None:
        """The status in force at an instant; the furthest step counts, and an end is final."""
        end_ms = self.end_ms(as_of_ms, rules)
        if (end_ms is not None and at_ms >= end_ms) or (self.unseen_end and self.known_end_ms is None):
            return None
        if self.wrapup_ms is not None and at_ms >= self.wrapup_ms:
            return Status.WRAPPING
        if self.accepted_ms is not None and at_ms >= self.accepted_ms:
            return Status.ACCEPTED
        if self.created_ms is not None and at_ms >= self.created_ms:
            return Status.PENDING
        return None

    @property
    def known_end_ms(self) -> int | None:
        """Its end by its own event, else by the look that did not show it any more."""
        return self.gone_ms if self.ended_ms is None else self.ended_ms

    def facts(self) -> tuple[object, ...]:
        """Everything that its status at any instant depends on, to compare a moment later."""
        return (
            (self.channel, self.direction, self.unseen_end),
            self.created_ms,
            self.accepted_ms,
            self.wrapup_ms,
            self.known_end_ms,
        )

    def changed_from_ms(self, before: tuple[object, ...]) -> int | None:
        """The earliest instant at which it may now count as something else than with those facts."""
        after = self.facts()
        if after == before or after[1] is after[2] is after[3] is None:
            return None  # nothing new, or never seen open
        if after[0] != before[0]:
            return self.open_since_ms()
        differing = [pair for pair in zip(before[1:], after[1:], strict=True) if pair[0] != pair[1]]
        instants = [at for pair in differing for at in pair if isinstance(at, int)]
        if after[4] != before[4] and self.unseen_end:
            instants.append(self.open_since_ms())
        if after[4] != before[4] and self.task_ended_ms is not None:
            # Until its own end was known the task's end stood for it.
            instants.append(self.task_ended_ms)
        return min(instants)

    def open_since_ms(self) -> int:
        """The earliest instant it is known to have been open."""
        known = [at for at in (self.created_ms, self.accepted_ms, self.wrapup_ms) if at is not None]
        return min(known) if known else 0

    def latest_ms(self) -> int:
        """The latest instant of its own events."""
        known = [at for at in (self.created_ms, self.accepted_ms, self.wrapup_ms, self.known_end_ms) if at is not None]
        return max(known) if known else 0

    def instants(self, as_of_ms: int, rules: StateRules) -> list[int]:
        """Every instant at which its status may change, as far as can be told at `as_of_ms`."""
        own = (self.created_ms, self.accepted_ms, self.wrapup_ms, self.end_ms(as_of_ms, rules))
        return [at for at in own if at is not None]

    def to_record(self) -> dict[str, Any]:
        """The reservation as JSON-able data, without what is not known."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) not in (None, False)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Reservation:
        """The reservation back from `to_record`."""
        known = dict(record)
        described_ms = known.pop("described_ms", None)  # of a record of before, where one event told both
        if described_ms is not None:
            known |= {"channel_ms": described_ms, "direction_ms": described_ms if "direction" in known else None}
        if "channel" in known:
            known["channel"] = Channel(known["channel"])
        if "direction" in known:
            known["direction"] = Direction(known["direction"])
        return cls(**known)

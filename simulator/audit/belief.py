"""What one who knows some of an agent's events must take the agent to be doing: the words of docs/states.md, once more.

Shares no code with the connector. Once all events are known the belief must be the truth, and the audit checks that it
is; so what it says of less knowledge can be trusted as far as these few rules can be read.
"""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

GRACE_MS = 30_000  # of `task_end_grace_s`
_BLOCK_LAG_MS = 5_000
_ENDS = frozenset({"completed", "rejected", "timeout", "canceled", "rescinded"})
TASK_ENDS = frozenset({"task.canceled", "task.completed", "task.deleted", "task.system-deleted"})
_MESSAGING = frozenset({"chat", "sms", "web"})


@dataclass(frozen=True, slots=True)
class Doing:
    """A state in the model's words; channel and direction only while on a contact, the reason only when unavailable."""

    state: str
    channel: str | None = None
    direction: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The workspace's activities, by sid: name, and whether work is offered in it; and the logged-out one."""

    activities: Mapping[str, tuple[str, bool]]
    offline_sid: str

    def doing(self, activity_sid: str) -> Doing:
        """What an activity means to an agent without work."""
        name, available = self.activities[activity_sid]
        if activity_sid == self.offline_sid:
            return Doing("OFFLINE")
        return Doing("AVAILABLE") if available else Doing("UNAVAILABLE", reason=name)


@dataclass(frozen=True, slots=True, order=True)
class _Sight:
    """The agent was seen in an activity; `changed`: it is the change itself that was seen."""

    ms: int
    version: int
    changed: bool
    activity: str = field(compare=False)
    previous: str = field(default="", compare=False)
    previous_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class _Span:
    ms: int
    activity: str
    version: int
    sure: bool  # the change was seen, or told by the next one


@dataclass(slots=True)
class _Work:
    """One reservation: when each step was taken, as far as is known."""

    known_ms: int
    task: str
    channel: str
    direction: str
    created_ms: int | None = None
    accepted_ms: int | None = None
    wrapped_ms: int | None = None
    ended_ms: int | None = None
    task_ended_ms: int | None = None
    task_due_ms: int | None = None  # from when on the task's end counts for the reservation's

    def end_ms(self, as_of_ms: int) -> int | None:
        """When it ended, by what counts at `as_of_ms`."""
        if self.ended_ms is None and self.task_due_ms is not None and self.task_due_ms <= as_of_ms:
            return self.task_ended_ms
        return self.ended_ms

    def phase(self, ms: int, as_of_ms: int) -> str:
        """ringing, talking, wrapping, or nothing."""
        end_ms = self.end_ms(as_of_ms)
        if end_ms is not None and ms >= end_ms:
            return ""
        for phase, since_ms in (
            ("wrapping", self.wrapped_ms),
            ("talking", self.accepted_ms),
            ("ringing", self.created_ms),
        ):
            if since_ms is not None and ms >= since_ms:
                return phase
        return ""

    def instants(self, as_of_ms: int) -> Iterator[int]:
        for ms in (self.created_ms, self.accepted_ms, self.wrapped_ms, self.end_ms(as_of_ms)):
            if ms is not None:
                yield ms


class Belief:
    """All that is known of one agent."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._sights: list[_Sight] = []
        self._spans: list[_Span] | None = None
        self._works: dict[str, _Work] = {}

    # -- learning

    def saw_activity(self, ms: int, activity: str) -> None:
        """A look, not an event: the agent has been in this activity since `ms`."""
        self._see(_Sight(ms, -1, True, activity))

    def saw_work(self, sid: str, ms: int, status: str, data: Mapping[str, Any], known_ms: int) -> None:
        """A look: the reservation came to this status at `ms`."""
        work = self._work(sid, data, known_ms)
        if status == "pending":
            work.created_ms = _least(work.created_ms, ms)
        elif status == "accepted":
            work.accepted_ms = _least(work.accepted_ms, ms)
        else:
            work.wrapped_ms = _least(work.wrapped_ms, ms)

    def learn(self, kind: str, ms: int, data: Mapping[str, str], known_ms: int) -> str | None:
        """An event that names this agent, under the names of REST's `event_data`; the task whose work was new."""
        if kind in ("worker.activity.update", "worker.created"):
            self._see(
                _Sight(
                    ms,
                    int(data.get("worker_version", -1)),
                    True,
                    data["worker_activity_sid"],
                    data.get("worker_previous_activity_sid", ""),
                    int(data.get("worker_time_in_previous_activity_ms", 0)),
                )
            )
            return None
        if "worker_activity_sid" in data:
            self._see(_Sight(ms, int(data.get("worker_version", -1)), False, data["worker_activity_sid"]))
        family, _, step = kind.partition(".")
        if family != "reservation":
            return None
        sid = data["reservation_sid"]
        is_new = sid not in self._works
        work = self._work(sid, data, known_ms)
        if step == "created":
            work.created_ms = _least(work.created_ms, ms)
        elif step == "accepted":
            work.accepted_ms = _least(work.accepted_ms, ms)
        elif step == "wrapup":
            work.wrapped_ms = _least(work.wrapped_ms, ms)
        elif step in _ENDS:
            work.ended_ms = _least(work.ended_ms, ms)
        return work.task if is_new else None

    def task_ended(self, task: str, ms: int, known_ms: int) -> int | None:
        """The task ended at `ms`, which is known since `known_ms`; when that begins to count, if it ever does."""
        due_ms: int | None = None
        for work in self._works.values():
            if work.task == task and work.task_ended_ms is None:
                work.task_ended_ms = ms
                work.task_due_ms = max(known_ms, work.known_ms) + GRACE_MS
                due_ms = work.task_due_ms
        return due_ms

    def _work(self, sid: str, data: Mapping[str, Any], known_ms: int) -> _Work:
        work = self._works.get(sid)
        if work is None:
            channel, direction = _described(data)
            work = self._works[sid] = _Work(known_ms, data["task_sid"], channel, direction)
        return work

    def _see(self, sight: _Sight) -> None:
        if sight not in self._sights:
            insort(self._sights, sight)
            self._spans = None

    # -- believing

    def line(self, from_ms: int, as_of_ms: int) -> list[tuple[int, Doing]]:
        """The states from the one in force at `from_ms` on, each with its start; that of the first is no later."""
        instants = {from_ms}
        instants.update(span.ms for span in self._activity_spans() if from_ms < span.ms)
        for work in self._works.values():
            instants.update(ms for ms in work.instants(as_of_ms) if from_ms < ms)
        line: list[tuple[int, Doing]] = []
        for ms in sorted(instants):
            doing = self.at(ms, as_of_ms)
            if not line or line[-1][1] != doing:
                line.append((ms, doing))
        return line

    def since(self, ms: int, as_of_ms: int, same: Any) -> int:
        """Since when the agent has been in a state that is the `same` (a predicate) as the one in force at `ms`."""
        instants = {span.ms for span in self._activity_spans() if span.ms <= ms}
        for work in self._works.values():
            instants.update(at_ms for at_ms in work.instants(as_of_ms) if at_ms <= ms)
        since_ms = ms
        for at_ms in sorted(instants, reverse=True):
            if not same(self.at(at_ms, as_of_ms)):
                break
            since_ms = at_ms
        return since_ms

    def at(self, ms: int, as_of_ms: int) -> Doing:
        """The one state in force at an instant; the highest row of the table in docs/states.md wins."""
        talking: _Work | None = None
        wrapping = ringing = dialling = False
        for work in self._works.values():
            phase = work.phase(ms, as_of_ms)
            if phase == "talking":
                talking = work if talking is None else min(talking, work, key=_precedence)
            elif phase == "wrapping":
                wrapping = True
            elif phase == "ringing":
                dialling = dialling or work.direction == "outbound"
                ringing = ringing or work.direction != "outbound"
        if talking is not None:
            return Doing("CONTACT", talking.channel, talking.direction)
        if wrapping:
            return Doing("WRAPUP")
        if ringing or dialling:
            return Doing("RESERVED" if ringing else "DIALLING")
        activity = ""
        for span in self._activity_spans():
            if span.ms > ms:
                break
            activity = span.activity
        return self._catalogue.doing(activity) if activity else Doing("UNKNOWN")

    def _activity_spans(self) -> list[_Span]:
        if self._spans is None:
            self._spans = []
            for sight in self._sights:
                self._go_on(self._spans, sight)
        return self._spans

    def _go_on(self, spans: list[_Span], sight: _Sight) -> None:
        self._fill(spans, sight)
        now = spans[-1] if spans else None
        if now is not None and not self._tells_more(now, sight):
            if sight.activity == now.activity and sight.version > now.version:
                spans[-1] = _Span(now.ms, now.activity, sight.version, now.sure)
            return
        spans.append(_Span(sight.ms, sight.activity, sight.version, sight.changed))

    @staticmethod
    def _tells_more(now: _Span, sight: _Sight) -> bool:
        """A change does; a mention only by a newer version, or long after the change before where there is none."""
        if sight.activity == now.activity:
            return False
        if sight.changed:
            return True
        if sight.version >= 0 and now.version >= 0:
            return sight.version > now.version
        return sight.ms - now.ms > _BLOCK_LAG_MS

    @staticmethod
    def _fill(spans: list[_Span], sight: _Sight) -> None:
        """A change tells how long the activity before it lasted, back to what is known."""
        if not spans or not sight.changed or not sight.previous:
            return
        now, begun_ms = spans[-1], sight.ms - sight.previous_ms
        if sight.previous == now.activity:
            if not now.sure and len(spans) > 1 and begun_ms < now.ms:
                spans[-1] = _Span(max(begun_ms, spans[-2].ms), now.activity, now.version, now.sure)
        elif sight.previous != sight.activity and max(begun_ms, now.ms) < sight.ms:
            spans.append(_Span(max(begun_ms, now.ms), sight.previous, now.version, False))

    # -- forgetting

    def forget_before(self, ms: int, as_of_ms: int) -> None:
        """Let go of what was over by then; the activity of that time stays."""
        kept = [span for span in self._activity_spans() if span.ms <= ms]
        if kept:
            last = kept[-1]
            later = [sight for sight in self._sights if sight.ms > last.ms]
            self._sights = [_Sight(last.ms, last.version, True, last.activity), *later]
            self._spans = None
        for sid, work in list(self._works.items()):
            end_ms = work.end_ms(as_of_ms)
            if end_ms is not None and end_ms < ms:
                del self._works[sid]


def _precedence(work: _Work) -> tuple[bool, int]:
    return (work.channel != "voice", work.accepted_ms or 0)


def _described(data: Mapping[str, Any]) -> tuple[str, str]:
    """Channel and direction of the task, by its attributes and its task channel."""
    attributes = json.loads(data["task_attributes"])
    conversations = attributes.get("conversations") or {}
    direction = str(attributes.get("direction") or conversations.get("direction") or "inbound").lower()
    for name in (
        attributes.get("channelType"),
        conversations.get("communication_channel"),
        data.get("task_channel_unique_name"),
    ):
        word = str(name or "").lower()
        if word == "voice" or word in _MESSAGING:
            return word, direction
    return "other", direction


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)

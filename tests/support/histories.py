"""Builds TaskRouter histories for tests: short calls that read like what happened on the floor."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from flex_plugin_backend.domain.agents import AgentTimeline, Rules
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import (
    Activity,
    Channel,
    Direction,
    EffectiveState,
    MappingRules,
    State,
)
from flex_plugin_backend.domain.reservations import StateRules

OFFLINE, AVAILABLE, BREAK, LUNCH = "WA0", "WA1", "WA2", "WA3"
NAMES = {OFFLINE: "Abgemeldet", AVAILABLE: "Available", BREAK: "Break", LUNCH: "Lunch"}
WORKER = "WK1"

CATALOGUE: Mapping[str, Activity] = {
    sid: Activity(sid, name, available=sid == AVAILABLE) for sid, name in NAMES.items()
}

_numbers = count(1)


def event_table(state: State, channel: Channel | None, direction: Direction | None) -> str | None:
    """The default event ids."""
    if state is State.CONTACT:
        if direction is Direction.OUTBOUND:
            return "CONTACT_OUTBOUND"
        if direction is Direction.INTERNAL:
            return "CONTACT_INTERNAL"
        if channel in (Channel.VOICE, Channel.CHAT, Channel.SMS, Channel.WEB):
            return f"CONTACT_{channel.name}"
        return "CONTACT_OTHER"
    return "LOGOFF" if state is State.OFFLINE else state.value


def rules(*, states: StateRules | None = None, **mapping: Any) -> Rules:
    """The usual rules, with what a test wants otherwise."""
    settings: dict[str, Any] = {
        "event_table": event_table,
        "activities": CATALOGUE,
        "offline_activity_sid": OFFLINE,
        **mapping,
    }
    return Rules(MappingRules(**settings), states or StateRules())


def event(kind: str, at_ms: int, **fields: Any) -> TaskRouterEvent:
    """One event with a fresh sid."""
    fields.setdefault("sid", f"EV{next(_numbers):08d}")
    return TaskRouterEvent(type=kind, occurred_ms=at_ms, **fields)


def activity(at_ms: int, to: str, *, worker: str = WORKER, **fields: Any) -> TaskRouterEvent:
    """The worker changed its activity."""
    return event(
        "worker.activity.update", at_ms, worker_sid=worker, activity_sid=to, activity_name=NAMES.get(to, to), **fields
    )


def reservation(step: str, at_ms: int, number: int = 1, *, worker: str = WORKER, **fields: Any) -> TaskRouterEvent:
    """One step of reservation `WR<number>` of task `WT<number>`, a voice call unless said otherwise."""
    fields.setdefault("task_sid", f"WT{number}")
    fields.setdefault("task_channel", "voice")
    fields.setdefault("direction", "inbound")
    return event(f"reservation.{step}", at_ms, worker_sid=worker, reservation_sid=f"WR{number}", **fields)


def task(step: str, at_ms: int, number: int = 1, **fields: Any) -> TaskRouterEvent:
    """One event of task `WT<number>`."""
    return event(f"task.{step}", at_ms, task_sid=f"WT{number}", **fields)


def play(events: list[TaskRouterEvent], using: Rules | None = None, worker: str = WORKER) -> AgentTimeline:
    """A timeline that has seen these events, in the order given."""
    using = using or rules()
    timeline = AgentTimeline(worker)
    for one in events:
        if one.worker_sid == worker:
            timeline.apply(one, using)
        elif one.worker_sid is None and one.task_sid is not None and one.type.startswith("task."):
            timeline.end_task(one.task_sid, one.occurred_ms, one.occurred_ms + using.states.task_end_grace_ms)
    return timeline


def shown(timeline: AgentTimeline, until_ms: int, using: Rules | None = None) -> list[tuple[int, str, str]]:
    """The agent's line of states as the WFM would see it: (start ms, event id, reason)."""
    using = using or rules()
    line: list[tuple[int, str, str]] = []
    for segment in timeline.segments(0, until_ms, using):
        pair = using.mapping.wfm_state(segment.state)
        told = (getattr(pair, "event_id", "?"), getattr(pair, "reason", ""))
        if not line or line[-1][1:] != told:
            line.append((segment.start_ms, *told))
    return [one for one in line if one[1] != "?"]


def state_at(timeline: AgentTimeline, at_ms: int, using: Rules | None = None) -> EffectiveState:
    """The state in force at an instant, known at that instant."""
    return timeline.effective_at(at_ms, at_ms, using or rules())

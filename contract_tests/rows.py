"""Well-formed rows for the suite: few, plain, and marked as a test."""

from __future__ import annotations

import time
from typing import Any

from contract_tests.target import Marks, Target
from flex_plugin_backend.wfm.contract import Event, Profile, ReasonNeed

REASON = "flex-wfm contract test"


def now_ms() -> int:
    """The machine's time in whole seconds, as epoch milliseconds."""
    return time.time_ns() // 1_000_000_000 * 1000


def payload(target: Target, operation: str) -> dict[str, Any]:
    """A good payload with rows for agent_states, agent_activity or queue_report, as it stands on the wire."""
    profile, marks = target.profile, target.marks
    if operation == "agent_states":
        return target.states(state(profile, marks, now_ms()))
    if operation == "agent_activity":
        return target.activity(*activities(profile, marks))
    return target.queues((queue(profile, marks),), (agent_queue(profile, marks),), (performance(profile, marks),))


def event_of(profile: Profile, state: str, channel: str | None = None) -> tuple[str, str]:
    """The event id and reason of an agent's state."""
    return pair_of(profile.event(state, channel))


def pair_of(event: Event) -> tuple[str, str]:
    """An event's id, and the reason that goes with it."""
    return event.id, "" if event.reason is ReasonNeed.NONE else REASON


def state(profile: Profile, marks: Marks, start_ms: int, name: str = "AVAILABLE") -> dict[str, Any]:
    """One agent state."""
    event_id, reason = event_of(profile, name)
    return {"agent_id": marks.agent_id, "event_id": event_id, "event_reason": reason, "start_ms": start_ms}


def activity(profile: Profile, marks: Marks, from_s: int, to_s: int, name: str) -> dict[str, Any]:
    """One activity, in seconds from the start of the test interval."""
    event_id, reason = event_of(profile, name)
    return {
        "agent_id": marks.agent_id,
        "event_id": event_id,
        "event_reason": reason,
        "start_ms": marks.start_ms + from_s * 1000,
        "end_ms": marks.start_ms + to_s * 1000,
        "duration_s": to_s - from_s,
    }


def activities(profile: Profile, marks: Marks) -> tuple[dict[str, Any], ...]:
    """Two activities, one after the other."""
    return (
        activity(profile, marks, 0, 300, "AVAILABLE"),
        activity(profile, marks, 300, 420, "UNAVAILABLE"),
    )


def queue(profile: Profile, marks: Marks, handled: int = 2) -> dict[str, Any]:
    """One queue: `handled` contacts of 100 seconds with 20 of wrap-up each, and one abandoned."""
    row = {
        "queue_id": marks.queue_id,
        "queue_name": marks.queue_id,
        "contacts_received": handled + 1,
        "contacts_handled": handled,
        "contacts_abandoned": 1,
        "contacts_answered_in_sl": handled,
        "contacts_abandoned_in_sl": 0,
        "handle_time_s": 100 * handled,
        "work_time_s": 20 * handled,
        "queue_delay_s": 5 * handled,
    }
    return _known(profile, "QueueRow", row)


def agent_queue(profile: Profile, marks: Marks, handled: int = 2) -> dict[str, Any]:
    """The same contacts, all handled by the test agent."""
    row = {
        "queue_id": marks.queue_id,
        "agent_id": marks.agent_id,
        "contacts_handled": handled,
        "handle_time_s": 100 * handled,
        "work_time_s": 20 * handled,
    }
    return _known(profile, "AgentQueueRow", row)


def performance(profile: Profile, marks: Marks) -> dict[str, Any]:
    """The test agent's interval: logged in all along."""
    row = {
        "agent_id": marks.agent_id,
        "internal_calls": 0,
        "internal_time_s": 0,
        "ready_time_s": 300,
        "idle_time_s": 400,
        "out_calls": 0,
        "out_time_s": 0,
        "login_time_s": 900,
    }
    return _known(profile, "AgentPerformanceRow", row)


def _known(profile: Profile, dto: str, row: dict[str, Any]) -> dict[str, Any]:
    """Without what the profile does not know."""
    fields = profile.dto(dto)
    return {name: value for name, value in row.items() if name in fields.fields or name in fields.dropped}

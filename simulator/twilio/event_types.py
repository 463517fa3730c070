"""The event types that a workspace can be asked for (Twilio reference 1.4)."""

from __future__ import annotations

import difflib

_STEPS = {
    "worker": "created deleted attributes.update activity.update capacity.update channel.availability.update",
    "reservation": "created accepted rejected timeout canceled rescinded wrapup completed failed updated",
    "task": (
        "created updated canceled wrapup completed deleted system-deleted transfer-initiated transfer-attempt-failed "
        "transfer-failed transfer-canceled transfer-completed"
    ),
    "task-queue": "entered moved timeout created deleted expression.updated",
    "task-channel": "created updated deleted",
    "workflow": "created updated deleted entered target-matched timeout skipped",
    "activity": "created updated deleted",
    "workspace": "created updated deleted",
}
EVENT_TYPES = frozenset(f"{kind}.{step}" for kind, steps in _STEPS.items() for step in steps.split())


def unknown_types(events_filter: str) -> str:
    """What is wrong with a comma-separated filter; empty if every type in it is a known one."""
    unknown = sorted({kind.strip() for kind in events_filter.split(",")} - EVENT_TYPES - {""})
    if not unknown:
        return ""
    close = difflib.get_close_matches(unknown[0], EVENT_TYPES, n=1)
    return f"{unknown[0]!r} is no event type" + (f"; did you mean {close[0]}?" if close else "")

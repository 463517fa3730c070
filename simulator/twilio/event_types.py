"""The event types that a workspace can be asked for (Twilio reference 1.4)."""

from __future__ import annotations

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

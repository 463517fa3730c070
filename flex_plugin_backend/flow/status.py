"""How a tenant is, as /healthz says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flex_plugin_backend.domain.mapping import State
from flex_plugin_backend.flow.condition import ConditionBoard, Standing
from flex_plugin_backend.flow.projector import Projector

_NOT_LOGGED_IN = frozenset({State.OFFLINE, State.UNKNOWN})


def condition_record(board: ConditionBoard) -> dict[str, Any]:
    """The condition in force, and every alarm behind or beside it."""
    standing = board.standing
    return {
        "status": standing.condition.value,
        **_explained(standing),
        "alarms": [{"condition": one.condition.value, **_explained(one)} for one in board.alarms],
    }


def logged_in(projector: Projector) -> int:
    """How many agents are logged in by what is known."""
    with projector.looking() as floor:
        present = [one.segment for one in floor.workers.values() if not one.timeline.deleted]
    return sum(1 for one in present if one is not None and one.state.state not in _NOT_LOGGED_IN)


def iso(at_ms: int) -> str:
    """An instant as people and machines read it: UTC, whole seconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _explained(one: Standing) -> dict[str, Any]:
    cause = one.trouble.value if one.trouble else None
    return {"since": iso(one.since_ms), "cause": cause, "detail": one.detail, "to_do": one.to_do}

"""What REST does not show any more, as the events that end it."""

from __future__ import annotations

import hashlib

from flex_plugin_backend.domain.events import (
    FINDING,
    SNAPSHOT_RESERVATION_GONE,
    SNAPSHOT_WORKER_GONE,
    Route,
    TaskRouterEvent,
)


def reservation_gone(sid: str, worker_sid: str, task_sid: str | None, at_ms: int) -> TaskRouterEvent:
    """The reservation ended unseen, at this instant (epoch ms) as far as is known."""
    return TaskRouterEvent(
        sid=_finding_sid(sid),
        type=SNAPSHOT_RESERVATION_GONE,
        occurred_ms=at_ms,
        route=Route.SNAPSHOT,
        worker_sid=worker_sid,
        task_sid=task_sid,
        reservation_sid=sid,
    )


def worker_gone(sid: str, at_ms: int) -> TaskRouterEvent:
    """The worker was deleted unseen."""
    return TaskRouterEvent(
        sid=_finding_sid(sid),
        type=SNAPSHOT_WORKER_GONE,
        occurred_ms=at_ms,
        route=Route.SNAPSHOT,
        worker_sid=sid,
    )


def _finding_sid(sid: str) -> str:
    """The same finding twice is one event."""
    return FINDING + hashlib.sha256(f"gone|{sid}".encode()).hexdigest()[:32]

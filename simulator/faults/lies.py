"""Events that nobody has seen: what a forger, or another account, would say of a worker of ours."""

from __future__ import annotations

import random

from simulator.world.events import Event


def drawn_sid(prefix: str, chance: random.Random) -> str:
    """A sid that belongs to nothing."""
    return f"{prefix}{int(chance.random() * 16**12):012x}{int(chance.random() * 16**12):012x}{'0' * 8}"


def lie_about(event: Event, at_ms: int) -> dict[str, str | None]:
    """Parameters that turn an event into the news that its worker was deleted; whoever believes it shows nobody."""
    changes: dict[str, str | None] = {"Timestamp": str(at_ms // 1000), "TimestampMs": str(at_ms)}
    if event.worker_sid:
        changes |= {"EventType": "worker.deleted", "ResourceType": "worker", "ResourceSid": event.worker_sid}
    return changes

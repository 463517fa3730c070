"""What agents keep in mind: their plans, which an event can overtake."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulator.world.entities import Activity, ReservationStatus, Worker


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that takes the agent off the floor; no duration means for the rest of the shift."""

    activity: Activity
    duration_ms: int | None


@dataclass(slots=True)
class Mind:
    """One agent's own plans.

    Attributes:
        shift: counts the shifts, so that plans of an earlier one are dropped.
        turn: counts the activity changes, so that an overtaken plan is dropped.
        due: where the agent would be, were it not for a contact.
        closed: counts how often the browser was closed.
        at_work: between log-in and log-out, whatever TaskRouter shows.
    """

    rng: Random
    shift: int = 0
    shift_end_ms: int = 0
    turn: int = 0
    closed: int = 0
    due: Errand | None = None
    at_work: bool = False


def rings(worker: Worker) -> bool:
    """Whether something rings at the worker."""
    return any(one.status is ReservationStatus.PENDING for one in worker.open.values())


def dials(worker: Worker) -> bool:
    """Whether the worker waits for a customer to answer."""
    return any(
        one.status is ReservationStatus.PENDING and one.task.direction == "outbound" for one in worker.open.values()
    )


def on_voice(worker: Worker) -> bool:
    """Whether the worker has a call, wrap-up included."""
    return any(one.task.medium == "voice" for one in worker.open.values())

"""What can be done to activities and queues from outside."""

from __future__ import annotations

from simulator.world.entities import Activity, TaskQueue, Worker
from simulator.world.floor import assign, release
from simulator.world.hands.parts import Parts, Refused
from simulator.world.transitions import note_readiness

_MOST_OFFERS, _LONGEST_S = 50, 14 * 86_400  # Twilio reference 3.1


class CatalogueHands:
    """Changes the catalogue at the present instant."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # -- activities

    def create_activity(self, name: str, *, available: bool) -> Activity:
        """Let there be another activity; whether it is available never changes (Twilio reference 4.1)."""
        self._check_name(name)
        now_ms = self._parts.agenda.now_ms
        activity = Activity(self._parts.sids.new("WA"), name, available, now_ms, now_ms)
        self._parts.transitions.create_activity(activity, now_ms)
        return activity

    def rename_activity(self, activity: Activity, name: str) -> None:
        """Give an activity another name."""
        if name != activity.name:
            self._check_name(name)
            self._parts.transitions.rename_activity(activity, name, self._parts.agenda.now_ms)

    def delete_activity(self, activity: Activity) -> None:
        """Take an activity away that nobody is in and that the simulated people do not need (assumed)."""
        floor = self._parts.floor
        if activity is floor.offline or activity is floor.timeout_activity:
            raise Refused(f"Cannot delete {activity.name}: the workspace moves workers there by itself")
        if activity.created_ms <= floor.scenario.start_ms:
            raise Refused(f"Cannot delete {activity.name}: the simulated agents use it; rename it, or create another")
        if any(worker.activity is activity for worker in floor.present()):
            raise Refused(f"Cannot delete {activity.name}: there are workers in it")
        self._parts.transitions.delete_activity(activity, self._parts.agenda.now_ms)

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise Refused("FriendlyName must not be empty")
        if any(one.name == name for one in self._parts.floor.activities.values()):
            raise Refused("Activity with the same friendly name already exists")

    # -- queues

    def set_queue(
        self,
        queue: TaskQueue,
        *,
        priority: int | None = None,
        offers: int | None = None,
        timeout_s: float | None = None,
    ) -> None:
        """Change how a queue is served, from the next task on: priority, offers at once, and the workflow's timeout."""
        if offers is not None and not 1 <= offers <= _MOST_OFFERS:
            raise Refused(f"A task is offered to 1 to {_MOST_OFFERS} workers at once")
        if timeout_s is not None and not 0 <= timeout_s <= _LONGEST_S:
            raise Refused(f"The timeout of a queue lies between 0 and {_LONGEST_S} seconds")
        if offers is not None:
            queue.offers = offers
        if priority is not None:
            queue.priority = priority
        if timeout_s is not None:
            queue.timeout_ms = round(timeout_s * 1000)

    def join(self, queue: TaskQueue, worker: Worker) -> None:
        """Let a worker serve a queue, whatever its skills say."""
        self._check_members(queue)
        if queue not in worker.queues:
            assign(worker, queue)
            note_readiness(worker)
            self._parts.router.worker_changed(worker)

    def leave(self, queue: TaskQueue, worker: Worker) -> None:
        """Let a worker serve a queue no more; what is open goes on."""
        self._check_members(queue)
        if queue in worker.queues:
            release(worker, queue)

    def _check_members(self, queue: TaskQueue) -> None:
        if queue is self._parts.floor.everyone:
            raise Refused(f"{queue.name} is served by everybody")

"""What happens to workers: activities, attributes, capacities, and their coming and going."""

from __future__ import annotations

from simulator.world.entities import Activity, Worker
from simulator.world.notes import Notes, stamp


class WorkerSteps(Notes):
    """Changes workers, one documented step at a time.

    `at_ms` is when a step happens; it is moved on so that two events of a worker never share a millisecond.
    """

    def set_activity(self, worker: Worker, activity: Activity, at_ms: int) -> int:
        """Move a worker to another activity; gives the time of the event."""
        previous, since_ms = worker.activity, worker.activity_since_ms
        ms = stamp(worker, at_ms)
        worker.activity, worker.activity_since_ms = activity, ms
        _changed(worker, ms)
        note_readiness(worker)
        event = self.log_worker(
            "worker.activity.update",
            worker,
            ms,
            {
                "worker_previous_activity_name": previous.name,
                "worker_previous_activity_sid": previous.sid,
                "worker_time_in_previous_activity": str((ms - since_ms) // 1000),
                "worker_time_in_previous_activity_ms": str(ms - since_ms),
            },
        )
        if not activity.pseudo:
            worker.resting, worker.shown = activity, None
            self.ledger.activity(worker, ms)
            self._truth.observe(worker, ms, event.sid)
        return ms

    def write_attributes(self, worker: Worker, attributes_json: str, at_ms: int, name: str = "") -> None:
        """Write a worker's attributes, and with `name` another friendly name.

        The description repeats the attributes, as Twilio's does (reference 13 row 11).
        """
        ms = stamp(worker, at_ms)
        worker.attributes = attributes_json
        worker.name = name or worker.name
        _changed(worker, ms)
        self.log_worker("worker.attributes.update", worker, ms)

    def update_capacity(self, worker: Worker, channel: str, capacity: int, at_ms: int) -> None:
        """Change how many tasks of a channel a worker takes at once."""
        seen_ms = worker.seen_ms
        ms = stamp(worker, at_ms)
        worker.seen_ms = seen_ms
        own = worker.channels[channel]
        previous, own.capacity, own.updated_ms = own.capacity, capacity, ms
        worker.version += 1
        worker.block = None
        note_readiness(worker)
        self.log_worker("worker.capacity.update", worker, ms, _channel_block(worker, channel, previous))

    def switch_channel(self, worker: Worker, channel: str, available: bool, at_ms: int) -> None:
        """Let a worker take tasks of a channel, or none; what is open goes on."""
        seen_ms = worker.seen_ms
        ms = stamp(worker, at_ms)
        worker.seen_ms = seen_ms
        own = worker.channels[channel]
        own.available, own.updated_ms = available, ms
        worker.version += 1
        worker.block = None
        self.log_worker("worker.channel.availability.update", worker, ms, _channel_block(worker, channel))

    def hold(self, worker: Worker, held: bool) -> None:
        """Offer no work while TaskRouter itself is about to move the worker, or do so again."""
        worker.held = held
        note_readiness(worker)

    def create_worker(self, worker: Worker, at_ms: int) -> None:
        """Let a new worker in; the event is stamped with a whole second (reference 13 row 6)."""
        ms = at_ms // 1000 * 1000
        worker.created_ms = worker.updated_ms = worker.activity_since_ms = ms
        worker.last_event_ms, worker.seen_ms = at_ms, ms
        event = self.log_worker("worker.created", worker, ms, at_ms=at_ms)
        self._truth.begin(worker, ms, event.sid)

    def create_activity(self, activity: Activity, at_ms: int) -> None:
        """Let there be another activity."""
        self._floor.activities[activity.name] = activity
        self._log_activity("activity.created", activity, at_ms)

    def delete_activity(self, activity: Activity, at_ms: int) -> None:
        """Let there be an activity less; nobody is in it."""
        names = [name for name, one in self._floor.activities.items() if one is activity]
        for name in names:
            del self._floor.activities[name]
        self._log_activity("activity.deleted", activity, at_ms)

    def rename_activity(self, activity: Activity, name: str, at_ms: int) -> None:
        """Give an activity another name; its sid stays."""
        activity.name, activity.updated_ms = name, at_ms
        for worker in self._floor.workers:
            worker.block = None
        self._log_activity("activity.updated", activity, at_ms)

    def _log_activity(self, kind: str, activity: Activity, at_ms: int) -> None:
        block = {
            "activity_sid": activity.sid,
            "activity_name": activity.name,
            "activity_available": str(activity.available).lower(),
        }
        self.log_other(kind, activity.sid, at_ms, block)


def _channel_block(worker: Worker, channel: str, previous: int | None = None) -> dict[str, str]:
    own, used = worker.channels[channel], worker.open_on(channel)
    free = max(0, own.capacity - used)
    return {
        "worker_channel_available": str(own.available).lower(),
        "worker_channel_available_capacity": str(free * 100 // own.capacity if own.capacity else 0),
        **({} if previous is None else {"worker_channel_previous_capacity": str(previous)}),
        "worker_channel_capacity": str(own.capacity),
        "worker_channel_task_count": str(used),
        "task_channel_sid": own.channel.sid,
        "task_channel_unique_name": channel,
    }


def _changed(worker: Worker, ms: int) -> None:
    worker.version += 1
    worker.updated_ms = ms
    worker.block = None


def note_readiness(worker: Worker) -> None:
    """Keep the queues' lists of workers who could take a task in step with one worker."""
    may = worker.activity.available and not worker.held and worker.deleted_ms is None
    load, channels, busy, index = worker.load, worker.channels, len(worker.open), worker.index
    places = worker.places
    for number, queue in enumerate(worker.queues):
        place = -1
        if may:
            for name in queue.channels:
                if load.get(name, 0) < channels[name].capacity:
                    place = busy
                    break
        before = places[number]
        if place != before:
            ready = queue.ready
            if before >= 0:
                del ready[before][index]
            if place >= 0:
                while len(ready) <= place:
                    ready.append({})
                ready[place][index] = worker
            places[number] = place

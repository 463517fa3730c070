"""What can be done to workers from outside."""

from __future__ import annotations

from simulator.world.entities import Activity, ReservationStatus, Worker
from simulator.world.floor import assign, release, seat
from simulator.world.hands.parts import Parts, Refused
from simulator.world.hands.words import checked_json, full_name_of, skills_of
from simulator.world.transitions import note_readiness

_PENDING = ReservationStatus.PENDING


class WorkerHands:
    """Changes workers at the present instant.

    A worker that is `led` does nothing by itself: no simulated person sits there, and everything is done by hand.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._led: set[int] = set()

    # -- activity

    def set_activity(self, worker: Worker, activity: Activity, *, rejects_pending: bool = False) -> None:
        """Move a worker to an activity; what was planned for it before is off.

        With `rejects_pending` what rings is refused, which goes with an unavailable activity alone (Twilio reference
        4.1); without, it rings on.
        """
        self.check_activity(activity, rejects_pending=rejects_pending)
        parts, transitions = self._parts, self._parts.transitions
        if worker.held:
            transitions.hold(worker, False)
        mind = parts.attendance.minds[worker.index]
        mind.turn += 1
        mind.due = None
        if activity is not worker.activity:
            transitions.set_activity(worker, activity, parts.agenda.now_ms)
        ringing = [one for one in worker.open.values() if one.status is _PENDING] if rejects_pending else []
        for one in ringing:
            transitions.reject(one, parts.agenda.now_ms + transitions.gap_ms(1, 20))
        for one in ringing:
            parts.contacts.refused(one)
        parts.router.worker_changed(worker)

    @staticmethod
    def check_activity(activity: Activity, *, rejects_pending: bool) -> None:
        """Refused if `set_activity` would be."""
        if rejects_pending and activity.available:
            raise Refused("RejectPendingReservations goes with an activity that is not available")

    # -- attributes and name

    def write(self, worker: Worker, attributes_json: str | None = None, name: str | None = None) -> None:
        """Write a worker's attributes, its friendly name, or both; other skills are other queues."""
        before = worker.attributes
        after = before if attributes_json is None else checked_json(attributes_json)
        if name is not None and name != worker.name:
            self._check_name(name)
        worker.full_name = full_name_of(after) or worker.full_name
        self._serve(worker, set(skills_of(before)), set(skills_of(after)))
        self._parts.transitions.write_attributes(worker, after, self._parts.agenda.now_ms, name or "")
        self._parts.router.worker_changed(worker)

    def _serve(self, worker: Worker, before: set[str], after: set[str]) -> None:
        for queue in self._parts.floor.queues:
            if queue.skill in after - before and queue not in worker.queues:
                assign(worker, queue)
            elif queue.skill in before - after and queue in worker.queues:
                release(worker, queue)
        note_readiness(worker)

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise Refused("FriendlyName must not be empty")
        if any(one.name == name for one in self._parts.floor.present()):
            raise Refused("Worker with the same friendly name already exists")

    # -- channels

    def set_capacity(self, worker: Worker, channel: str, capacity: int) -> None:
        """How many tasks of a channel the worker takes at once."""
        if capacity < 0:
            raise Refused("Capacity must be 0 or more")
        if capacity != worker.channels[channel].capacity:
            self._parts.transitions.update_capacity(worker, channel, capacity, self._parts.agenda.now_ms)
            self._parts.router.worker_changed(worker)

    def switch_channel(self, worker: Worker, channel: str, available: bool) -> None:
        """Whether the worker takes tasks of a channel at all."""
        if available != worker.channels[channel].available:
            self._parts.transitions.switch_channel(worker, channel, available, self._parts.agenda.now_ms)
            self._parts.router.worker_changed(worker)

    # -- coming and going

    def create(self, name: str, attributes_json: str = "{}", activity: Activity | None = None) -> Worker:
        """Let a new worker in, led by hand; it stands in the logged-out activity unless another is given."""
        self._check_name(name)
        parts, floor, now_ms = self._parts, self._parts.floor, self._parts.agenda.now_ms
        attributes_json = checked_json(attributes_json)
        site = floor.scenario.sites[0]
        activity = activity or floor.offline
        worker = Worker(
            index=len(floor.workers),
            sid=parts.sids.new("WK"),
            name=name,
            full_name=full_name_of(attributes_json) or name,
            attributes=attributes_json,
            activity=activity,
            activity_since_ms=now_ms,
            created_ms=now_ms,
            updated_ms=now_ms,
            last_event_ms=now_ms,
            resting=activity,
            site=site.name,
            team=next((team.name for team in floor.scenario.teams if team.site in ("", site.name)), ""),
        )
        seat(floor, worker, skills_of(attributes_json), parts.sids)
        parts.transitions.create_worker(worker, now_ms)
        parts.attendance.join(worker)
        self.lead(worker)
        note_readiness(worker)
        parts.router.worker_changed(worker)
        return worker

    def delete(self, worker: Worker) -> None:
        """Take a worker away with everything that is open there, unless others have a part in it."""
        tasks = [reservation.task for reservation in worker.open.values()]
        if any(task.transfer or task.partner or len(task.open_reservations()) > 1 for task in tasks):
            raise Refused(f"Cannot delete worker {worker.sid}: others have a part in its open reservations")
        if worker.held:
            self._parts.transitions.hold(worker, False)
        stamp = self._parts.floor.scenario.personnel.deletion_stamp
        self._parts.contacts.worker_goes(worker, stamped_with_creation=stamp == "created")

    # -- who acts

    def is_led(self, worker: Worker) -> bool:
        """Whether the worker does nothing by itself."""
        return worker.index in self._led

    def lead(self, worker: Worker) -> None:
        """Take a worker over: the person there leaves the desk, and leaves everything as it is."""
        if not self.is_led(worker):
            self._led.add(worker.index)
            mind = self._parts.attendance.minds[worker.index]
            mind.shift += 1
            mind.turn += 1
            mind.due, mind.at_work = None, False
            worker.connected = False  # to the world the browser is closed: nobody answers or goes anywhere

    def let_go(self, worker: Worker) -> None:
        """Give a worker back: somebody sits down, finishes what is open, and comes and goes by the next shifts."""
        if self.is_led(worker):
            self._led.discard(worker.index)
            worker.connected = True
            self._parts.contacts.browser_opened(worker)
            self._parts.attendance.expect(worker)

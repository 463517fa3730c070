"""What supervisors and administrators do: they edit workers, hire, rename and delete them, and rename an activity."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from simulator.world.agenda import Agenda
from simulator.world.attendance import Attendance, exponential_ms
from simulator.world.blocks import as_json
from simulator.world.calendar import DAY_MS
from simulator.world.contacts import Contacts
from simulator.world.entities import Worker
from simulator.world.floor import Floor, hire
from simulator.world.people import Crowd
from simulator.world.roster import weighed
from simulator.world.router import Router
from simulator.world.sids import SidFactory, Streams, below, between, pick
from simulator.world.transitions import Transitions

_LOOKS = 40


class Supervision:
    """Edits the floor now and then, by several Poisson processes that do not follow the hours of the day."""

    def __init__(
        self,
        floor: Floor,
        agenda: Agenda,
        transitions: Transitions,
        router: Router,
        attendance: Attendance,
        contacts: Contacts,
        crowd: Crowd,
        sids: SidFactory,
        streams: Streams,
    ) -> None:
        self._floor = floor
        self._agenda = agenda
        self._transitions = transitions
        self._router = router
        self._attendance = attendance
        self._contacts = contacts
        self._crowd = crowd
        self._sids = sids
        self._streams = streams

    def begin(self) -> None:
        """Plan the first edit of each kind."""
        scenario = self._floor.scenario
        administration, personnel = scenario.administration, scenario.personnel
        per_day = 24 * scenario.agents
        for kind, rate, action in (
            ("attributes", administration.attribute_updates_per_hour * per_day, self._edit_attributes),
            ("capacity", administration.capacity_updates_per_hour * per_day, self._edit_capacity),
            ("hires", personnel.hires_per_day, self._hire),
            ("renames", personnel.renames_per_day, self._rename),
            ("deletions", personnel.deletions_per_day, self._delete),
            ("activity", personnel.activity_renames_per_day, self._rename_activity),
        ):
            self._plan(kind, rate, action)

    def _plan(self, kind: str, per_day: float, action: Callable[[Random], None]) -> None:
        if per_day > 0:
            draw = self._streams.of("administration", kind).random()
            self._agenda.after(exponential_ms(draw, DAY_MS / per_day), self._happen, kind, per_day, action)

    def _happen(self, kind: str, per_day: float, action: Callable[[Random], None]) -> None:
        action(self._streams.of("administration", kind))
        self._plan(kind, per_day, action)

    def _somebody(self, rng: Random) -> Worker | None:
        for _ in range(_LOOKS):
            worker = pick(rng, self._floor.workers)
            if worker.deleted_ms is None:
                return worker
        return None

    def _edit_attributes(self, rng: Random) -> None:
        worker = self._somebody(rng)
        attributes = None if worker is None else json.loads(worker.attributes)
        if worker is not None and isinstance(attributes, dict) and isinstance(attributes.get("routing"), dict):
            attributes["routing"]["levels"] = {"support": between(rng, 1, 4)}
            self._transitions.write_attributes(worker, as_json(attributes), self._agenda.now_ms)

    def _edit_capacity(self, rng: Random) -> None:
        worker, capacity = self._somebody(rng), between(rng, 2, 4)
        if worker is not None and capacity != worker.channels["chat"].capacity:
            self._transitions.update_capacity(worker, "chat", capacity, self._agenda.now_ms)
            self._router.worker_changed(worker)

    # -- people who come and go

    def _hire(self, rng: Random) -> None:
        scenario, now_ms = self._floor.scenario, self._agenda.now_ms
        site = weighed(scenario.sites, rng.random())
        team = weighed([team for team in scenario.teams if team.site in ("", site.name)], rng.random())
        worker = hire(self._floor, self._crowd.hire(), site, team, self._sids, self._streams, now_ms)
        worker.version = 0
        self._transitions.create_worker(worker, now_ms)
        self._attendance.join(worker)
        self._attendance.expect(worker)

    def _rename(self, rng: Random) -> None:
        worker = self._somebody(rng)
        if worker is not None:
            local, at, host = worker.name.partition("@")
            name = f"{local}.{below(rng, 1000):03d}{at}{host}"
            self._transitions.write_attributes(worker, worker.attributes, self._agenda.now_ms, name)

    def _delete(self, rng: Random) -> None:
        rules = self._floor.scenario.personnel
        at_work = rng.random() < rules.deletes_at_work_share
        for _ in range(_LOOKS):
            worker = pick(rng, self._floor.workers)
            fits = at_work or (worker.activity is self._floor.offline and not worker.open)
            if fits and worker.deleted_ms is None and not worker.held and _is_plain(worker):
                stamped = rules.deletion_stamp == "created"
                self._contacts.worker_goes(worker, stamped_with_creation=stamped)
                return

    def _rename_activity(self, rng: Random) -> None:
        name = f"{self._floor.scenario.workspace.offline_activity} {below(rng, 1000)}"
        self._transitions.rename_activity(self._floor.offline, name, self._agenda.now_ms)


def _is_plain(worker: Worker) -> bool:
    """Nothing is open in which others have a part, or whose wrap-up has ended by the clock alone.

    A deletion with an old stamp takes that end back, and a truth that was told already cannot be.
    """
    if any(reservation.capped for reservation in worker.open.values()):
        return False
    tasks = [reservation.task for reservation in worker.open.values()]
    return all(task.transfer is None and task.partner is None and len(task.open_reservations()) == 1 for task in tasks)

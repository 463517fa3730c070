"""The floor before anybody works: activities, channels, queues, workflow and workers with their skills."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.world.entities import Activity, TaskChannel, TaskQueue, Worker, WorkerChannel, Workflow
from simulator.world.people import Crowd, Person
from simulator.world.roster import parted
from simulator.world.scenario import Scenario
from simulator.world.scenario.checks import AVAILABLE, UNAVAILABLE, activities_of
from simulator.world.scenario.people import Site, Team
from simulator.world.scenario.work import Queue
from simulator.world.sids import SidFactory, Streams, below, between, some

BREAK = "Break"
EVERYONE = "Everyone"
ON_A_TASK, ON_A_TASK_NO_ACD = "On a Task", "On a Task, No ACD"
WRAP_UP, WRAP_UP_NO_ACD, EXTENDED_WRAP_UP = "Wrap Up", "Wrap Up, No ACD", "Extended Wrap Up"
# Name and availability of the activity-handler plug-in's own activities (Twilio reference 4.1).
PSEUDO_ACTIVITIES = (
    (ON_A_TASK, True),
    (ON_A_TASK_NO_ACD, False),
    (WRAP_UP, True),
    (WRAP_UP_NO_ACD, False),
    (EXTENDED_WRAP_UP, False),
)

_CHANNELS = ("default", "voice", "chat", "sms", "video")
_DAY_MS = 86_400_000
NO_QUEUE = TaskQueue("", "", "", "", 0)

__all__ = ["AVAILABLE", "BREAK", "NO_QUEUE", "PSEUDO_ACTIVITIES", "UNAVAILABLE", "Floor", "build_floor"]


@dataclass(frozen=True, slots=True)
class Floor:
    """What stands on the floor; `queues` are those a customer can wait in, `everyone` serves direct calls.

    `workers` are all that ever were, in order of creation; `present` leaves out those who were deleted.
    """

    scenario: Scenario
    operating_unit_sid: str
    activities: dict[str, Activity]
    channels: dict[str, TaskChannel]
    workflow: Workflow
    queues: list[TaskQueue]
    everyone: TaskQueue
    workers: list[Worker]
    offline: Activity

    @property
    def timeout_activity(self) -> Activity:
        """Where TaskRouter puts those who let a reservation time out."""
        return self.activities[self.scenario.workspace.timeout_activity]

    @property
    def pseudo_activities(self) -> list[Activity]:
        """Those of the activity-handler plug-in, if the workspace has it."""
        return [activity for activity in self.activities.values() if activity.pseudo]

    def all_queues(self) -> list[TaskQueue]:
        """Every queue of the workspace."""
        return [*self.queues, self.everyone]

    def present(self) -> list[Worker]:
        """The workers that TaskRouter knows now."""
        return [worker for worker in self.workers if worker.deleted_ms is None]


def build_floor(scenario: Scenario, sids: SidFactory, streams: Streams, crowd: Crowd) -> Floor:
    """Everything of the scenario that does not move, and its workers, all of them logged out."""
    born_ms = scenario.start_ms - 90 * _DAY_MS
    activities = _activities(scenario, sids, born_ms)
    own = {scenario.channels.of(queue.channel).task_channel for queue in scenario.queues}
    own |= {scenario.channels.of(queue.channel).also_task_channel for queue in scenario.queues} - {""}
    names = [*_CHANNELS, *sorted(own - set(_CHANNELS))]
    queues = [_queue(scenario, queue, sids, born_ms) for queue in scenario.queues]
    by_name = {queue.name: queue for queue in queues}
    for queue, rules in zip(queues, scenario.queues, strict=True):
        queue.overflow_to = by_name.get(rules.overflow_to)
    floor = Floor(
        scenario=scenario,
        operating_unit_sid=sids.new("OU"),
        activities=activities,
        channels={name: TaskChannel(sids.new("TC"), name, name.capitalize(), born_ms) for name in names},
        workflow=Workflow(sids.new("WW"), "Assign to Anyone", born_ms),
        queues=queues,
        everyone=TaskQueue(sids.new("WQ"), EVERYONE, "1==1", "", born_ms),
        workers=[],
        offline=activities[scenario.workspace.offline_activity],
    )
    for site, team in _seats(scenario, streams):
        hire(floor, crowd.hire(), site, team, sids, streams, scenario.start_ms)
    _fill_empty_queues(floor)
    return floor


def _activities(scenario: Scenario, sids: SidFactory, born_ms: int) -> dict[str, Activity]:
    away = activities_of(scenario)
    names = [(scenario.workspace.offline_activity, False), (AVAILABLE, True), *((name, False) for name in away)]
    found = {name: Activity(sids.new("WA"), name, available, born_ms, born_ms) for name, available in names}
    if scenario.plugin.activity_handler:
        for name, available in PSEUDO_ACTIVITIES:
            found[name] = Activity(sids.new("WA"), name, available, born_ms, born_ms, pseudo=True)
    return found


def _queue(scenario: Scenario, rules: Queue, sids: SidFactory, born_ms: int) -> TaskQueue:
    channel = scenario.channels.of(rules.channel)
    return TaskQueue(
        sid=sids.new("WQ"),
        name=rules.name,
        expression=f'routing.skills HAS "{rules.skill}"',
        medium=rules.channel,
        created_ms=born_ms,
        skill=rules.skill,
        channels=tuple(name for name in (channel.task_channel, channel.also_task_channel) if name),
        priority=rules.priority,
        offers=rules.offers,
        overflow_after_ms=round(rules.overflow_after_s * 1000) if rules.overflow_to else 0,
        moves_openly=rules.overflow_event == "moved",
        timeout_ms=round(rules.timeout_s * 1000),
    )


def _seats(scenario: Scenario, streams: Streams) -> list[tuple[Site, Team]]:
    """Site and team of each agent, as many of each as the shares say, in mixed order."""
    seats: list[tuple[Site, Team]] = []
    sites = parted(scenario.sites, scenario.agents)
    for site in scenario.sites:
        teams = [team for team in scenario.teams if team.site in ("", site.name)]
        seats.extend((site, team) for team in parted(teams, sites.count(site)))
    rng = streams.of("seats")
    return some(rng, seats, len(seats))


def hire(
    floor: Floor, person: Person, site: Site, team: Team, sids: SidFactory, streams: Streams, now_ms: int
) -> Worker:
    """A new worker, logged out, with the skills of the team, put into the queues that want them."""
    index = len(floor.workers)
    rng = streams.of("skills", index)
    few = some(rng, team.some_of, min(len(team.some_of), between(rng, team.some_least, team.some_most)))
    skills = list(dict.fromkeys([*team.skills, *few]))
    born_ms = now_ms - between(rng, 1, 60) * _DAY_MS
    attributes = {
        "full_name": person.full_name,
        "email": person.login,
        "contact_uri": "client:" + person.login.replace("@", "_40").replace(".", "_2E"),
        "roles": ["agent"],
        "employee_id": f"{10_000 + index}",
        "site": site.name,
        "team_name": team.name,
        "routing": {"skills": skills, "levels": {}},
    }
    worker = Worker(
        index=index,
        sid=sids.new("WK"),
        name=person.login,
        full_name=person.full_name,
        attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")),
        activity=floor.offline,
        activity_since_ms=now_ms - between(rng, 40_000_000, 60_000_000),
        created_ms=born_ms,
        updated_ms=born_ms,
        last_event_ms=now_ms,
        resting=floor.offline,
        site=site.name,
        team=team.name,
        version=below(rng, 400) + 1,
    )
    seat(floor, worker, skills, sids)
    return worker


def seat(floor: Floor, worker: Worker, skills: Sequence[str], sids: SidFactory) -> None:
    """Put a worker on the floor: the last one, with a place on every channel and in the queues that want its skills."""
    capacities = _capacities(floor.scenario)
    for name, channel in floor.channels.items():
        capacity = capacities.get(name, 1)
        born_ms = worker.created_ms
        worker.channels[name] = WorkerChannel(sids.new("WC"), channel, capacity, True, born_ms, born_ms)
    for queue in floor.queues:
        if queue.skill in skills:
            assign(worker, queue)
    floor.everyone.workers.append(worker)
    if floor.everyone.channels:
        worker.queues.append(floor.everyone)
        worker.places.append(-1)
    floor.workers.append(worker)


def _capacities(scenario: Scenario) -> dict[str, int]:
    """By task channel; where two media share one, the larger counts."""
    found: dict[str, int] = {"video": 0}
    for queue in scenario.queues:
        channel = scenario.channels.of(queue.channel)
        for name in (channel.task_channel, channel.also_task_channel):
            if name:
                found[name] = max(found.get(name, 1), channel.capacity)
    return found


def assign(worker: Worker, queue: TaskQueue) -> None:
    """Let a worker serve a queue."""
    queue.workers.append(worker)
    worker.queues.append(queue)
    worker.places.append(-1)


def release(worker: Worker, queue: TaskQueue) -> None:
    """Let a worker serve a queue no more."""
    number = worker.queues.index(queue)
    if worker.places[number] >= 0:
        del queue.ready[worker.places[number]][worker.index]
    del worker.queues[number], worker.places[number]
    queue.workers.remove(worker)


def open_everyone(floor: Floor) -> None:
    """Let the queue that no customer of the scenario waits in be served, by everybody and on every channel.

    It is done when the first task comes there: matching costs more with every queue that is served.
    """
    everyone = floor.everyone
    if not everyone.channels:
        everyone.channels = tuple(floor.channels)
        for worker in floor.workers:
            worker.queues.append(everyone)
            worker.places.append(-1)


def _fill_empty_queues(floor: Floor) -> None:
    # A tiny floor may have no one with a skill; then everybody takes that queue, so that no contact waits in vain.
    for queue in floor.queues:
        if not queue.workers:
            for worker in floor.workers:
                assign(worker, queue)

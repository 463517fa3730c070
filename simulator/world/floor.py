"""The floor before anybody works: activities, channels, queues, workflow and workers with their skills."""

from __future__ import annotations

import json
from dataclasses import dataclass

from simulator.world.entities import Activity, TaskChannel, TaskQueue, Worker, WorkerChannel, Workflow
from simulator.world.people import Person
from simulator.world.scenario import Scenario
from simulator.world.sids import SidFactory, Streams

AVAILABLE = "Available"
BREAK = "Break"
LUNCH = "Lunch"
MEETING = "Meeting"
TRAINING = "Training"
BACK_OFFICE = "Back Office"
UNAVAILABLE = "Unavailable"

_CHANNELS = ("default", "voice", "chat", "sms", "video")
_QUEUES = (
    ("Support", "support", "voice"),
    ("Sales", "sales", "voice"),
    ("Billing & Refunds", "billing", "voice"),
    ("Chat Support", "chat", "chat"),
    ("Web Messaging", "web", "web"),
    ("SMS Care", "sms", "sms"),
)
EVERYONE = "Everyone"


@dataclass(frozen=True, slots=True)
class Floor:
    """What stands on the floor; `queues` are those a customer can wait in, `everyone` serves direct calls."""

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
        return self.activities[self.scenario.timeout_activity]

    def all_queues(self) -> list[TaskQueue]:
        """Every queue of the workspace."""
        return [*self.queues, self.everyone]


def build_floor(scenario: Scenario, sids: SidFactory, streams: Streams, staff: list[Person]) -> Floor:
    """Everything of the scenario that does not move."""
    born_ms = scenario.start_ms - 90 * 86_400_000
    activities = {
        name: Activity(sids.new("WA"), name, available, born_ms)
        for name, available in (
            (scenario.offline_activity, False),
            (AVAILABLE, True),
            (UNAVAILABLE, False),
            (BREAK, False),
            (LUNCH, False),
            (MEETING, False),
            (TRAINING, False),
            (BACK_OFFICE, False),
        )
    }
    channels = {name: TaskChannel(sids.new("TC"), name, name.capitalize(), born_ms) for name in _CHANNELS}
    queues = [
        TaskQueue(sids.new("WQ"), name, f'routing.skills HAS "{skill}"', medium, born_ms)
        for name, skill, medium in _QUEUES
    ]
    floor = Floor(
        scenario=scenario,
        operating_unit_sid=sids.new("OU"),
        activities=activities,
        channels=channels,
        workflow=Workflow(sids.new("WW"), "Assign to Anyone", born_ms),
        queues=queues,
        everyone=TaskQueue(sids.new("WQ"), EVERYONE, "1==1", "", born_ms),
        workers=[],
        offline=activities[scenario.offline_activity],
    )
    for index, person in enumerate(staff):
        floor.workers.append(_hire(floor, index, person, sids, streams))
    _fill_empty_queues(floor)
    return floor


def _hire(floor: Floor, index: int, person: Person, sids: SidFactory, streams: Streams) -> Worker:
    scenario = floor.scenario
    rng = streams.of("skills", index)
    skills = rng.sample(["support", "sales", "billing"], rng.choice((1, 2, 2, 3)))
    if rng.random() < 0.6:
        skills += rng.sample(["chat", "web", "sms"], rng.choice((1, 2, 3)))
    born_ms = scenario.start_ms - rng.randrange(1, 60) * 86_400_000
    attributes = {
        "full_name": person.full_name,
        "email": person.login,
        "contact_uri": "client:" + person.login.replace("@", "_40").replace(".", "_2E"),
        "roles": ["agent"],
        "employee_id": f"{10_000 + index}",
        "routing": {"skills": skills, "levels": {}},
    }
    worker = Worker(
        index=index,
        sid=sids.new("WK"),
        name=person.login,
        full_name=person.full_name,
        attributes=json.dumps(attributes, ensure_ascii=False, separators=(",", ":")),
        activity=floor.offline,
        activity_since_ms=scenario.start_ms - rng.randrange(40_000_000, 60_000_000),
        created_ms=born_ms,
        updated_ms=born_ms,
        last_event_ms=scenario.start_ms,
        version=rng.randrange(1, 400),
        idle_since_ms=scenario.start_ms,
    )
    capacities = {"default": 1, "voice": 1, "video": 0}
    for name, channel in floor.channels.items():
        capacity = capacities.get(name, scenario.messaging_capacity)
        worker.channels[name] = WorkerChannel(sids.new("WC"), channel, capacity, True, born_ms, born_ms)
    for queue, (_, skill, _) in zip(floor.queues, _QUEUES, strict=True):
        if skill in skills:
            queue.workers.append(worker)
            worker.queues.append(queue)
    floor.everyone.workers.append(worker)
    return worker


def _fill_empty_queues(floor: Floor) -> None:
    # A tiny floor may have no one with a skill; then everybody takes that queue, so that no contact waits in vain.
    for queue in floor.queues:
        if not queue.workers:
            queue.workers.extend(floor.workers)
            for worker in floor.workers:
                worker.queues.append(queue)

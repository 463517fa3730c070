"""What hands from outside do to a floor is told by events, and the connector arrives at the truth of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from simulator.harness.jury import Jury
from simulator.harness.virtual import VirtualFloor, callback_route
from simulator.world.engine import World
from simulator.world.entities import ReservationStatus
from simulator.world.hands import Refused
from simulator.world.scenario import Scenario

_MINUTE_MS = 60_000
_BUSY = {
    "agents": 15,
    "channels": {"voice": {"per_agent_hour": 6.0}, "chat": {"per_agent_hour": 3.0}},
    "transfers": {"to_queue_share": 0.2, "to_worker_share": 0.2},
    "outbound": {"per_agent_hour": 1.0},
    "internal": {"per_agent_hour": 1.0},
    "personnel": {"deletion_stamp": "now"},
}


class _Meddler:
    """Draws steps and takes them; those that the rules forbid are counted apart."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def meddle(self, world: World) -> None:
        steps = self._steps(world)
        name = self.rng.choice(list(steps))
        try:
            steps[name]()
            self.done[name] += 1
        except Refused:
            self.refused[name] += 1

    def _steps(self, world: World) -> dict[str, Callable[[], object]]:
        rng, floor, workers, contacts = self.rng, world.floor, world.hands.workers, world.hands.contacts
        worker = rng.choice(floor.present())
        queue = rng.choice([one for one in floor.queues if one.medium == "voice"])
        activity = rng.choice(list(floor.activities.values()))
        found: dict[str, Callable[[], object]] = {
            "activity": lambda: workers.set_activity(worker, activity, rejects_pending=rng.random() < 0.3),
            "skills": lambda: workers.write(
                worker, json.dumps({"routing": {"skills": rng.choice(["support", "sales"])}})
            ),
            "no skills": lambda: workers.write(worker, rng.choice(["[]", "null", "{ }"])),
            "rename": lambda: workers.write(worker, name=f"renamed.{rng.random()}"),
            "create worker": lambda: workers.create(f"new.{rng.random()}", "{}", activity),
            "delete worker": lambda: workers.delete(worker),
            "lead": lambda: workers.lead(worker),
            "let go": lambda: workers.let_go(worker),
            "by workflow": lambda: contacts.create(self._attributes(queue.name), floor.channels["voice"], timeout_s=90),
            "into queue": lambda: contacts.create(self._attributes(), floor.channels["voice"], queue=queue, priority=3),
            "to worker": lambda: contacts.create(self._attributes(), floor.channels["voice"], worker=worker),
        }
        if tasks := world.tasks(world.now_ms):
            task = rng.choice(tasks)
            found |= {
                "rewrite": lambda: contacts.write(task, task.attributes_json, rng.randrange(5)),
                "cancel": lambda: contacts.cancel(task, "by hand"),
                "wrap task": lambda: contacts.wrap_task(task),
                "complete task": lambda: contacts.complete_task(task, "by hand"),
                "delete task": lambda: None if task.ended else contacts.delete_task(task),
            }
        for status, names in (("pending", ("accept", "reject")), ("accepted", ("wrap",)), ("wrapping", ("complete",))):
            rows = [
                one for each in floor.present() for one in each.open.values() if one.status is ReservationStatus(status)
            ]
            for name in names if rows else ():
                found[name] = lambda name=name, rows=rows: getattr(contacts, name)(rng.choice(rows))
        return found

    def _attributes(self, queue_name: str = "") -> str:
        direction = self.rng.choice(["inbound", "Outbound-API", "internal", ""])
        return json.dumps({"direction": direction, "queue": queue_name} if queue_name else {"direction": direction})


def _end_everything(world: World) -> None:
    """Nothing stays open that a simulated person would end only after the run."""
    for worker in world.floor.present():
        world.hands.workers.lead(worker)
    for task in world.tasks(world.now_ms):
        if task.status.value in {"assigned", "wrapping"}:
            world.hands.contacts.complete_task(task)


@pytest.mark.parametrize("seed", [3])
def test_what_hands_do_is_in_the_events_and_in_the_truth(tmp_path: Path, seed: int) -> None:
    """After a quarter of an hour of meddling with everything, states and reports are those of the truth."""
    meddler = _Meddler(seed)
    scenario = Scenario.model_validate({**_BUSY, "seed": seed})
    with VirtualFloor(scenario, tmp_path, warm_up_ms=10 * _MINUTE_MS, route=callback_route, repair=False) as floor:
        end_ms = floor.start_ms + 20 * _MINUTE_MS
        floor.service.end_ms = end_ms
        jury = Jury(floor, settle_ms=30 * _MINUTE_MS, by_knowledge=False)
        while floor.now_ms < end_ms - 5 * _MINUTE_MS:
            floor.run_to(floor.now_ms + meddler.rng.randrange(500, 8_000))
            with floor.service.in_hand() as (world, _):
                meddler.meddle(world)
        with floor.service.in_hand() as (world, _):
            _end_everything(world)
        floor.run_to(end_ms + 30 * _MINUTE_MS)
        jury.look()
        states, reports = jury.verdict(end_ms)
    assert [finding.note for finding in states.findings] == []
    assert (states.clean, dict(states.failures)) == (True, {})
    assert (reports.clean, dict(reports.failures)) == (True, {})
    assert min(meddler.done[step] for step in ("activity", "by workflow", "accept", "wrap", "complete task")) > 0
    assert meddler.refused

"""The floor by hand under /sim: agents, tasks, queues and limits, looked at and set directly by name or sid."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.limits import Limits
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Reservation, ReservationStatus, Task, TaskQueue, Worker
from simulator.world.hands import Refused

Json = dict[str, Any]
_Answer = Response | tuple[Response, int]
_STEPS = ("accept", "reject", "wrap", "complete", "cancel", "delete")
_MOST_AT_ONCE = 1000


class _Problem(Exception):
    """A request that cannot be carried out, with its status and what to do."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def add_floor_routes(blueprint: Blueprint, show: Show) -> None:
    """The routes of one floor; each change goes through the hands of the world."""
    _add_agents(blueprint, show)
    _add_tasks(blueprint, show)
    _add_queues(blueprint, show)


def _told(view: Callable[..., _Answer]) -> Callable[..., _Answer]:
    """Answer what is wrong as the control face does."""

    @wraps(view)
    def telling(**arguments: Any) -> _Answer:
        try:
            return view(**arguments)
        except _Problem as problem:
            return jsonify(problem=str(problem)), problem.status
        except Refused as refusal:
            return jsonify(problem=str(refusal)), 409

    return telling


def _fields(**kinds: tuple[type, ...]) -> Json:
    """The JSON object of the request, with known fields of the right types."""
    given = request.get_json(silent=True, force=True)
    if not isinstance(given, dict):
        raise _Problem(f"send a JSON object; known fields are {', '.join(kinds)}")
    for name, value in given.items():
        if name not in kinds:
            close = difflib.get_close_matches(name, kinds, n=1)
            raise _Problem(
                f"unknown field {name}; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(kinds)}")
            )
        if not isinstance(value, kinds[name]) or (isinstance(value, bool) and bool not in kinds[name]):
            raise _Problem(f"{name} has the wrong type")
    return given


def _named(what: str, rows: Iterable[Any], key: str) -> Any:
    """The row with this sid or name."""
    names = []
    for row in rows:
        if key in (row.sid, row.name):
            return row
        names.append(row.name)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.4)
    raise _Problem(f"there is no {what} {key}" + (f"; did you mean {close[0]}?" if close else ""), 404)


def _attributes(given: Json) -> str | None:
    value = given.get("attributes")
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# -- agents


def _add_agents(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get("/agents")
    def list_agents() -> Response:
        with show.service.present() as (world, _):
            return jsonify(agents=[_agent(world, worker) for worker in world.floor.present()])

    @blueprint.post("/agents")
    @_told
    def create_agent() -> _Answer:
        given = _fields(name=(str,), activity=(str,), attributes=(dict,), led=(bool,))
        if "name" not in given:
            raise _Problem("a new agent needs a name")
        with show.service.in_hand() as (world, _):
            hands, activities = world.hands.workers, world.floor.activities.values()
            activity = _named("activity", activities, given["activity"]) if "activity" in given else None
            worker = hands.create(given["name"], _attributes(given) or "{}", activity)
            if not given.get("led", True):
                hands.let_go(worker)
            return jsonify(_agent(world, worker)), 201

    @blueprint.get("/agents/<key>")
    @_told
    def show_agent(key: str) -> _Answer:
        with show.service.present() as (world, _):
            return jsonify(_agent(world, _named("agent", world.floor.present(), key)))

    @blueprint.post("/agents/<key>")
    @_told
    def set_agent(key: str) -> _Answer:
        given = _fields(
            activity=(str,), led=(bool,), attributes=(dict,), name=(str,), rejects_pending=(bool,), channels=(dict,)
        )
        with show.service.in_hand() as (world, _):
            worker, hands = _named("agent", world.floor.present(), key), world.hands.workers
            activities = world.floor.activities.values()
            activity = _named("activity", activities, given["activity"]) if "activity" in given else None
            channels = _channels(worker, given.get("channels", {}))
            if "led" in given:
                (hands.lead if given["led"] else hands.let_go)(worker)
            if "attributes" in given or "name" in given:
                hands.write(worker, _attributes(given), given.get("name"))
            for name, capacity in channels.items():
                hands.set_capacity(worker, name, capacity)
            if activity is not None:
                hands.set_activity(worker, activity, rejects_pending=given.get("rejects_pending", False))
            return jsonify(_agent(world, worker))

    @blueprint.delete("/agents/<key>")
    @_told
    def delete_agent(key: str) -> _Answer:
        with show.service.in_hand() as (world, _):
            world.hands.workers.delete(_named("agent", world.floor.present(), key))
        return jsonify(ok=True)


def _channels(worker: Worker, given: Json) -> dict[str, int]:
    for name, capacity in given.items():
        if name not in worker.channels or isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 0:
            raise _Problem(f"channels takes a capacity of 0 or more for each of {', '.join(worker.channels)}")
    return given


def _agent(world: World, worker: Worker) -> Json:
    state = world.truth.states[worker.sid][-1]  # what was done just now included
    return {
        "sid": worker.sid,
        "name": worker.name,
        "full_name": worker.full_name,
        "activity": worker.activity.name,
        "available": worker.activity.available,
        "state": state.state,
        "since_ms": state.start_ms,
        "led": world.hands.workers.is_led(worker),
        "queues": [queue.name for queue in worker.queues],
        "open": [
            {
                "task_sid": one.task.sid,
                "reservation_sid": one.sid,
                "status": one.status.value,
                "channel": one.task.medium,
            }
            for one in worker.open.values()
        ],
    }


# -- tasks


def _add_tasks(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get("/tasks")
    def list_tasks() -> Response:
        with show.service.present() as (world, now_ms):
            return jsonify(tasks=[_task(task) for task in world.tasks(now_ms)])

    @blueprint.post("/tasks")
    @_told
    def create_tasks() -> _Answer:
        given = _fields(
            queue=(str,),
            agent=(str,),
            channel=(str,),
            attributes=(dict,),
            priority=(int,),
            timeout_s=(int,),
            count=(int,),
        )
        count, timeout_s = given.get("count", 1), given.get("timeout_s", 86_400)
        if not 1 <= count <= _MOST_AT_ONCE or timeout_s < 1:
            raise _Problem(f"count lies between 1 and {_MOST_AT_ONCE}, and timeout_s is 1 or more")
        with show.service.in_hand() as (world, _):
            floor = world.floor
            queue = _named("queue", floor.all_queues(), given["queue"]) if "queue" in given else None
            worker = _named("agent", floor.present(), given["agent"]) if "agent" in given else None
            name = given.get("channel") or (queue.channels[0] if queue is not None and queue.channels else "voice")
            if name not in floor.channels:
                raise _Problem(f"there is no channel {name}; there are {', '.join(floor.channels)}", 404)
            made = [
                world.hands.contacts.create(
                    _task_attributes(given, queue),
                    floor.channels[name],
                    queue=queue,
                    worker=worker,
                    priority=given.get("priority"),
                    timeout_s=timeout_s,
                )
                for _ in range(count)
            ]
            return jsonify(tasks=[_task(task) for task in made]), 201

    @blueprint.get("/tasks/<sid>")
    @_told
    def show_task(sid: str) -> _Answer:
        with show.service.present() as (world, now_ms):
            return jsonify(_task(_found(world, sid, now_ms)))

    @blueprint.post("/tasks/<sid>")
    @_told
    def step_task(sid: str) -> _Answer:
        given = _fields(step=(str,), agent=(str,), reason=(str,))
        if given.get("step") not in _STEPS:
            raise _Problem(f"step is one of {', '.join(_STEPS)}")
        with show.service.in_hand() as (world, now_ms):
            task = _found(world, sid, now_ms)
            worker = _named("agent", world.floor.present(), given["agent"]) if "agent" in given else None
            _take_step(world, task, given["step"], worker, given.get("reason", ""))
            return jsonify(_task(task))


def _take_step(world: World, task: Task, step: str, worker: Worker | None, reason: str) -> None:
    hands = world.hands.contacts
    if step == "cancel":
        hands.cancel(task, reason)
    elif step == "delete":
        if task.ended:
            raise Refused(f"Cannot delete task {task.sid} because it is {task.status.value}")
        hands.delete_task(task)
    elif step in ("accept", "reject"):
        reservation = _reservation(task, worker, ReservationStatus.PENDING)
        (hands.accept if step == "accept" else hands.reject)(reservation)
    elif worker is None:
        hands.wrap_task(task) if step == "wrap" else hands.complete_task(task, reason)
    elif step == "wrap":
        hands.wrap(_reservation(task, worker, ReservationStatus.ACCEPTED))
    else:
        hands.complete(_reservation(task, worker, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING))


def _reservation(task: Task, worker: Worker | None, *statuses: ReservationStatus) -> Reservation:
    found = [one for one in task.reservations if one.status in statuses and worker in (None, one.worker)]
    if not found:
        where = "" if worker is None else f" at {worker.name}"
        raise Refused(f"Task {task.sid} has no reservation that is {' or '.join(statuses)}{where}")
    return found[0]


def _task_attributes(given: Json, queue: TaskQueue | None) -> str:
    """The attributes given; the medium of the queue stands in them, because its channel alone may not say it."""
    own = {"channelType": queue.medium} if queue is not None and queue.medium else {}
    return json.dumps({**own, **given.get("attributes", {})}, ensure_ascii=False, separators=(",", ":"))


def _found(world: World, sid: str, now_ms: int) -> Task:
    task = world.task(sid, now_ms)
    if task is None:
        raise _Problem(f"there is no task {sid}, or it ended more than five minutes ago", 404)
    return task


def _task(task: Task) -> Json:
    return {
        "sid": task.sid,
        "status": task.status.value,
        "queue": task.queue.name or None,
        "channel": task.medium,
        "direction": task.direction,
        "priority": task.priority,
        "created_ms": task.created_ms,
        "reason": task.reason,
        "reservations": [
            {"sid": one.sid, "agent": one.worker.name, "status": one.status.value} for one in task.reservations
        ],
    }


# -- queues and limits


def _add_queues(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get("/queues")
    def list_queues() -> Response:
        with show.service.present() as (world, _):
            return jsonify(queues=[_queue(world, queue) for queue in world.floor.all_queues()])

    @blueprint.get("/queues/<key>")
    @_told
    def show_queue(key: str) -> _Answer:
        with show.service.present() as (world, _):
            return jsonify(_queue(world, _named("queue", world.floor.all_queues(), key)))

    @blueprint.post("/queues/<key>")
    @_told
    def set_queue(key: str) -> _Answer:
        given = _fields(
            priority=(int,), offers=(int,), timeout_s=(int, float), join=(list,), leave=(list,), empty=(str,)
        )
        with show.service.in_hand() as (world, _):
            queue, hands = _named("queue", world.floor.all_queues(), key), world.hands.catalogue
            coming, going = (
                [_named("agent", world.floor.present(), str(one)) for one in given.get(name, [])]
                for name in ("join", "leave")
            )
            hands.set_queue(
                queue, priority=given.get("priority"), offers=given.get("offers"), timeout_s=given.get("timeout_s")
            )
            for worker in coming:
                hands.join(queue, worker)
            for worker in going:
                hands.leave(queue, worker)
            if "empty" in given:
                for task in [one for one in world.tasks(world.now_ms) if one.queue is queue and one.waits]:
                    world.hands.contacts.cancel(task, given["empty"])
            return jsonify(_queue(world, queue))

    @blueprint.post("/callbacks")
    @_told
    def send_callbacks() -> _Answer:
        """Where events go from now on; an empty address ends it."""
        given = _fields(url=(str,), filter=(str,))
        try:
            show.send_callbacks(given.get("url", show.callback_url), given.get("filter", show.events_filter))
        except ValueError as error:
            raise _Problem(str(error)) from error
        return jsonify(url=show.callback_url, filter=show.events_filter)

    @blueprint.get("/limits")
    def show_limits() -> Response:
        return jsonify(asdict(show.limiter.limits))

    @blueprint.post("/limits")
    @_told
    def set_limits() -> _Answer:
        given = _fields(**dict.fromkeys(asdict(Limits()), (int,)))
        if min(given.values(), default=0) < 0:
            raise _Problem("a limit is 0 or more; 0 is none")
        show.limiter.limits = replace(show.limiter.limits, **given)
        return jsonify(asdict(show.limiter.limits))


def _queue(world: World, queue: TaskQueue) -> Json:
    return {
        "sid": queue.sid,
        "name": queue.name,
        "channel": queue.medium or None,
        "waiting": world.waiting_in(queue),
        "priority": queue.priority,
        "offers": queue.offers,
        "timeout_s": queue.timeout_ms / 1000,
        "agents": [worker.name for worker in queue.workers if worker.deleted_ms is None],
    }

"""Workers and their channels."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.asking import (
    WORKSPACE,
    Form,
    by_creation,
    gone,
    keep,
    must_match,
    named,
    one_of,
    ordering,
    versioned,
)
from simulator.twilio.expressions import matching
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Activity, Worker, WorkerChannel

_MOST_TASKS = 1000  # assumed


def add_worker_routes(blueprint: Blueprint, show: Show) -> None:
    """All reads and writes of workers and of their channels."""
    _add_reads(blueprint, show)
    _add_writes(blueprint, show)
    _add_channels(blueprint, show)


def worker_of(world: World, sid: str) -> Worker:
    """The worker of an address."""
    worker = world.worker(sid)
    if worker is None:
        raise RestProblem.not_found()
    return worker


def activity_of(world: World, sid: str | None, parameter: str = "ActivitySid") -> Activity | None:
    """The activity that a parameter names, if it is there."""
    return None if sid is None else named(parameter, world.floor.activities.values(), sid)


def _add_reads(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{WORKSPACE}/Workers")
    def list_workers(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = keep(world.floor.present(), "ActivitySid", lambda row: row.activity.sid)
            rows = keep(rows, "ActivityName", lambda row: row.activity.name)
            rows = keep(rows, "FriendlyName", lambda row: row.name)
            rows = keep(rows, "Available", lambda row: str(row.activity.available).lower())
            rows = matching("TargetWorkersExpression", _in_queue(world, rows), lambda row: row.attributes)
            key = ordering({"DateStatusChanged": lambda row: row.activity_since_ms}) or by_creation
            return jsonify(page("workers", rows, key, resources_of(show).worker))

    @blueprint.get(f"{WORKSPACE}/Workers/<worker_sid>")
    def fetch_worker(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            worker = worker_of(world, worker_sid)
            return versioned(resources_of(show).worker(worker), worker.version)


def _in_queue(world: World, rows: list[Worker]) -> list[Worker]:
    sid, name = request.args.get("TaskQueueSid"), request.args.get("TaskQueueName")
    if not sid and not name:
        return rows
    queues = [queue for queue in world.floor.all_queues() if sid == queue.sid or name == queue.name]
    members = {worker.sid for queue in queues for worker in queue.workers}
    return [worker for worker in rows if worker.sid in members]


def _add_writes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.post(f"{WORKSPACE}/Workers")
    def create_worker(workspace_sid: str) -> Response:  # noqa: ARG001
        form = Form("FriendlyName", "ActivitySid", "Attributes")
        name, attributes = form.required("FriendlyName"), form.text("Attributes") or "{}"
        with show.service.in_hand() as (world, _):
            activity = activity_of(world, form.text("ActivitySid"))
            worker = world.hands.workers.create(name, attributes, activity)
            return versioned(resources_of(show).worker(worker), worker.version, 201)

    @blueprint.post(f"{WORKSPACE}/Workers/<worker_sid>")
    def update_worker(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        form = Form("ActivitySid", "Attributes", "FriendlyName", "RejectPendingReservations")
        rejects = form.flag("RejectPendingReservations") or False
        with show.service.in_hand() as (world, _):
            worker, hands = worker_of(world, worker_sid), world.hands.workers
            must_match(worker.version)
            activity = activity_of(world, form.text("ActivitySid"))
            attributes, name = form.text("Attributes"), form.text("FriendlyName")
            if activity is not None:
                hands.check_activity(activity, rejects_pending=rejects)  # all is carried out, or nothing
            if attributes is not None or name is not None:
                hands.write(worker, attributes, name)
            if activity is not None:
                hands.set_activity(worker, activity, rejects_pending=rejects)
            return versioned(resources_of(show).worker(worker), worker.version)

    @blueprint.delete(f"{WORKSPACE}/Workers/<worker_sid>")
    def delete_worker(workspace_sid: str, worker_sid: str) -> tuple[str, int]:  # noqa: ARG001
        with show.service.in_hand() as (world, _):
            worker = worker_of(world, worker_sid)
            must_match(worker.version)
            world.hands.workers.delete(worker)
        return gone()


def _add_channels(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{WORKSPACE}/Workers/<worker_sid>/Channels")
    def list_worker_channels(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            worker, resources = worker_of(world, worker_sid), resources_of(show)
            rows = list(worker.channels.values())
            return jsonify(page("channels", rows, by_creation, lambda row: resources.worker_channel(worker, row)))

    @blueprint.get(f"{WORKSPACE}/Workers/<worker_sid>/Channels/<sid>")
    def fetch_worker_channel(workspace_sid: str, worker_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            worker = worker_of(world, worker_sid)
            return jsonify(resources_of(show).worker_channel(worker, _channel(worker, sid)))

    @blueprint.post(f"{WORKSPACE}/Workers/<worker_sid>/Channels/<sid>")
    def update_worker_channel(workspace_sid: str, worker_sid: str, sid: str) -> Response:  # noqa: ARG001
        form = Form("Capacity", "Available")
        capacity, available = form.whole("Capacity", 0, _MOST_TASKS), form.flag("Available")
        with show.service.in_hand() as (world, _):
            worker, hands = worker_of(world, worker_sid), world.hands.workers
            own = _channel(worker, sid)
            if capacity is not None:
                hands.set_capacity(worker, own.channel.unique_name, capacity)
            if available is not None:
                hands.switch_channel(worker, own.channel.unique_name, available)
            return jsonify(resources_of(show).worker_channel(worker, own))


def _channel(worker: Worker, sid: str) -> WorkerChannel:
    rows = worker.channels.values()
    found: WorkerChannel = one_of(rows, next((one.sid for one in rows if one.channel.unique_name == sid), sid))
    return found

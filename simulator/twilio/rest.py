"""The REST routes that a connector reads: TaskRouter, the Flex configuration and the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.history import wanted_events
from simulator.twilio.paging import Key, page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import Resources, iso
from simulator.twilio.show import Show
from simulator.twilio.statistics import add_statistics_routes
from simulator.world.engine import World
from simulator.world.entities import Reservation, Task, Worker

Json = dict[str, Any]


def rest_blueprint(show: Show) -> Blueprint:
    """All read routes of this show's account; every one of them asks for credentials."""
    blueprint = Blueprint("rest", __name__)
    account = show.account

    @blueprint.before_request
    def authenticate() -> None:
        credentials = request.authorization
        username = credentials.username if credentials is not None else None
        password = credentials.password if credentials is not None else None
        if username is None or password is None or not account.admits(username, password):
            raise RestProblem(401, 20003, "Authenticate")
        named = (request.view_args or {}).get("workspace_sid")
        if named not in (None, account.workspace_sid):
            raise RestProblem.not_found()

    _account_routes(blueprint, show)
    _catalogue_routes(blueprint, show)
    _worker_routes(blueprint, show)
    _task_routes(blueprint, show)
    _event_routes(blueprint, show)
    add_statistics_routes(blueprint, show)
    return blueprint


_WORKSPACE = "/v1/Workspaces/<workspace_sid>"


def _resources(show: Show) -> Resources:
    # The address under which the caller reached us, so that the next pages lie there too.
    return Resources(show.account, request.host_url.rstrip("/"))


def _account_routes(blueprint: Blueprint, show: Show) -> None:
    account = show.account

    @blueprint.get("/2010-04-01/Accounts/<account_sid>.json")
    def fetch_account(account_sid: str) -> Response:
        if account_sid != account.account_sid:
            raise RestProblem.not_found()
        return jsonify(
            sid=account.account_sid,
            owner_account_sid=account.account_sid,
            friendly_name="Simulated account",
            status="active",
            type="Full",
            auth_token="",
            date_created="Thu, 01 May 2025 08:00:00 +0000",
            date_updated="Thu, 01 May 2025 08:00:00 +0000",
            uri=f"/2010-04-01/Accounts/{account.account_sid}.json",
            subresource_uris={},
        )

    @blueprint.get("/v1/Configuration")
    def fetch_configuration() -> Response:
        with show.service.present() as (world, _):
            floor = world.floor
            queues = floor.all_queues()
            dates = {"date_created": iso(floor.offline.created_ms), "date_updated": iso(floor.offline.created_ms)}
            return jsonify(
                account_sid=account.account_sid,
                **dates,
                status="ok",
                attributes={},
                taskrouter_workspace_sid=account.workspace_sid,
                taskrouter_target_workflow_sid=floor.workflow.sid,
                taskrouter_target_taskqueue_sid=floor.everyone.sid,
                taskrouter_taskqueues=[{"sid": queue.sid, "targettable": True} for queue in queues],
                taskrouter_skills=[],
                taskrouter_worker_channels={},
                taskrouter_worker_attributes={},
                taskrouter_offline_activity_sid=floor.offline.sid,
                runtime_domain=None,
                flex_instance_sid=account.flex_instance_sid,
                ui_language="en",
                ui_attributes={},
                ui_version="2",
                url=f"{request.host_url}v1/Configuration",
            )

    @blueprint.get(_WORKSPACE)
    def fetch_workspace(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(_resources(show).workspace(world.floor, show.callback_url, show.settings.events_filter))


def _catalogue_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{_WORKSPACE}/Activities")
    def list_activities(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = list(world.floor.activities.values())
            rows = _keep(rows, "FriendlyName", lambda row: row.name)
            rows = _keep(rows, "Available", lambda row: str(row.available).lower())
            return jsonify(page("activities", rows, _by_creation, _resources(show).activity))

    @blueprint.get(f"{_WORKSPACE}/TaskQueues")
    def list_task_queues(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = _keep(world.floor.all_queues(), "FriendlyName", lambda row: row.name)
            worker_sid = request.args.get("WorkerSid")
            if worker_sid:
                rows = [queue for queue in rows if any(worker.sid == worker_sid for worker in queue.workers)]
            return jsonify(page("task_queues", rows, _by_creation, _resources(show).task_queue))

    @blueprint.get(f"{_WORKSPACE}/TaskChannels")
    def list_task_channels(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = list(world.floor.channels.values())
            return jsonify(page("channels", rows, _by_creation, _resources(show).task_channel))

    @blueprint.get(f"{_WORKSPACE}/Workflows")
    def list_workflows(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            floor, resources = world.floor, _resources(show)
            rows = _keep([floor.workflow], "FriendlyName", lambda row: row.name)
            return jsonify(page("workflows", rows, _by_creation, lambda row: resources.workflow(row, floor)))

    @blueprint.get(f"{_WORKSPACE}/Activities/<sid>")
    def fetch_activity(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(_resources(show).activity(_one(world.floor.activities.values(), sid)))

    @blueprint.get(f"{_WORKSPACE}/TaskQueues/<sid>")
    def fetch_task_queue(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(_resources(show).task_queue(_one(world.floor.all_queues(), sid)))

    @blueprint.get(f"{_WORKSPACE}/TaskChannels/<sid>")
    def fetch_task_channel(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            found = [one for one in world.floor.channels.values() if sid in (one.sid, one.unique_name)]
            return jsonify(_resources(show).task_channel(_one(found, found[0].sid if found else sid)))

    @blueprint.get(f"{_WORKSPACE}/Workflows/<sid>")
    def fetch_workflow(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(_resources(show).workflow(_one([world.floor.workflow], sid), world.floor))


def _worker_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{_WORKSPACE}/Workers")
    def list_workers(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = _keep(world.floor.present(), "ActivitySid", lambda row: row.activity.sid)
            rows = _keep(rows, "ActivityName", lambda row: row.activity.name)
            rows = _keep(rows, "FriendlyName", lambda row: row.name)
            rows = _keep(rows, "Available", lambda row: str(row.activity.available).lower())
            rows = _in_queue(world, rows)
            key = _ordering({"DateStatusChanged": lambda row: row.activity_since_ms}) or _by_creation
            return jsonify(page("workers", rows, key, _resources(show).worker))

    @blueprint.get(f"{_WORKSPACE}/Workers/<worker_sid>")
    def fetch_worker(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            worker = _worker(world, worker_sid)
            return _versioned(_resources(show).worker(worker), worker.version)

    @blueprint.get(f"{_WORKSPACE}/Workers/<worker_sid>/Channels")
    def list_worker_channels(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            worker, resources = _worker(world, worker_sid), _resources(show)
            rows = list(worker.channels.values())
            return jsonify(page("channels", rows, _by_creation, lambda row: resources.worker_channel(worker, row)))

    @blueprint.get(f"{_WORKSPACE}/Workers/<worker_sid>/Reservations")
    def list_worker_reservations(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return _reservation_page(show, _worker(world, worker_sid).history, of_worker=True)

    @blueprint.get(f"{_WORKSPACE}/Workers/<worker_sid>/Reservations/<sid>")
    def fetch_worker_reservation(workspace_sid: str, worker_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            found = _one(_worker(world, worker_sid).history, sid)
            return _versioned(_resources(show).reservation(found, of_worker=True), found.version)


def _task_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{_WORKSPACE}/Tasks")
    def list_tasks(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = world.tasks(now_ms)
            # The client repeats the key, Twilio's own example separates by commas: both are taken.
            wanted = {part for value in request.args.getlist("AssignmentStatus") for part in value.split(",") if part}
            if wanted:
                rows = [task for task in rows if task.status.value in wanted]
            rows = _keep(rows, "TaskQueueSid", lambda row: row.queue.sid)
            rows = _keep(rows, "TaskQueueName", lambda row: row.queue.name)
            rows = _keep(rows, "WorkflowSid", lambda row: row.workflow.sid)
            rows = _keep(rows, "RoutingTarget", lambda row: row.routing_target)
            rows = _keep(rows, "Priority", lambda row: str(row.priority))
            resources = _resources(show)
            orders: dict[str, Callable[[Task], int]] = {
                "DateCreated": lambda row: row.created_ms,
                "VirtualStartTime": lambda row: row.created_ms,
                "Priority": lambda row: row.priority,
            }
            key = _ordering(orders) or _by_creation
            return jsonify(page("tasks", rows, key, lambda row: resources.task(row, now_ms)))

    @blueprint.get(f"{_WORKSPACE}/Tasks/<task_sid>")
    def fetch_task(workspace_sid: str, task_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            task = _task(world, task_sid, now_ms)
            return _versioned(_resources(show).task(task, now_ms), task.version)

    @blueprint.get(f"{_WORKSPACE}/Tasks/<task_sid>/Reservations")
    def list_task_reservations(workspace_sid: str, task_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = _keep(_task(world, task_sid, now_ms).reservations, "WorkerSid", lambda row: row.worker.sid)
            return _reservation_page(show, rows, of_worker=False)

    @blueprint.get(f"{_WORKSPACE}/Tasks/<task_sid>/Reservations/<sid>")
    def fetch_task_reservation(workspace_sid: str, task_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            found = _one(_task(world, task_sid, now_ms).reservations, sid)
            return _versioned(_resources(show).reservation(found, of_worker=False), found.version)


def _event_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{_WORKSPACE}/Events")
    def list_events(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = wanted_events(world.log, now_ms)
            # A row's place is its time and its number in the log; both never change.
            body = page("events", rows, lambda row: (row.ms, f"{row.seq:012d}"), _resources(show).event)
        return jsonify(body)

    @blueprint.get(f"{_WORKSPACE}/Events/<sid>")
    def fetch_event(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(_resources(show).event(_one(world.log, sid)))


def _keep(rows: list[Any], parameter: str, value_of: Callable[[Any], str]) -> list[Any]:
    """The rows whose value equals the request's parameter, or all if it has none."""
    wanted = request.args.get(parameter)
    if wanted is None or wanted == "":
        return list(rows)
    return [row for row in rows if value_of(row) == wanted]


def _in_queue(world: World, rows: list[Worker]) -> list[Worker]:
    sid, name = request.args.get("TaskQueueSid"), request.args.get("TaskQueueName")
    if not sid and not name:
        return rows
    queues = [queue for queue in world.floor.all_queues() if sid == queue.sid or name == queue.name]
    members = {worker.sid for queue in queues for worker in queue.workers}
    return [worker for worker in rows if worker.sid in members]


def _ordering(orders: dict[str, Callable[[Any], int]]) -> Callable[[Any], Key] | None:
    text = request.args.get("Ordering")
    if not text:
        return None
    field, _, direction = text.partition(":")
    value_of = orders.get(field)
    if value_of is None or direction not in {"", "asc", "desc"}:
        raise RestProblem.invalid(f"Ordering takes {' or '.join(orders)} with :asc or :desc")
    sign = -1 if direction == "desc" else 1
    return lambda row: (sign * value_of(row), row.sid)


def _by_creation(row: Any) -> Key:
    return (row.created_ms, row.sid)


def _reservation_page(show: Show, rows: list[Reservation], *, of_worker: bool) -> Response:
    resources = _resources(show)
    rows = _keep(rows, "ReservationStatus", lambda row: str(row.status.value))
    return jsonify(
        page("reservations", rows, _by_creation, lambda row: resources.reservation(row, of_worker=of_worker))
    )


def _versioned(body: Json, version: int) -> Response:
    answer = jsonify(body)
    answer.headers["ETag"] = f'"{version}"'
    return answer


def _one(rows: Any, sid: str) -> Any:
    for row in rows:
        if row.sid == sid:
            return row
    raise RestProblem.not_found()


def _worker(world: World, sid: str) -> Worker:
    worker = world.worker(sid)
    if worker is None:
        raise RestProblem.not_found()
    return worker


def _task(world: World, sid: str, now_ms: int) -> Task:
    task = world.task(sid, now_ms)
    if task is None:
        raise RestProblem.not_found()
    return task

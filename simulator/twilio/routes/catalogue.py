"""Activities, queues, task channels and workflows."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.asking import WORKSPACE, Form, by_creation, created, gone, keep, one_of
from simulator.twilio.paging import page
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Activity

_ANSWER = tuple[Response, int]


def add_catalogue_routes(blueprint: Blueprint, show: Show) -> None:
    """All reads, and the writes of activities; queues, channels and workflows come from the scenario."""
    _add_activity_routes(blueprint, show)
    _add_queue_routes(blueprint, show)


def _add_activity_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{WORKSPACE}/Activities")
    def list_activities(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = list(world.floor.activities.values())
            rows = keep(rows, "FriendlyName", lambda row: row.name)
            rows = keep(rows, "Available", lambda row: str(row.available).lower())
            return jsonify(page("activities", rows, by_creation, resources_of(show).activity))

    @blueprint.post(f"{WORKSPACE}/Activities")
    def create_activity(workspace_sid: str) -> _ANSWER:  # noqa: ARG001
        form = Form("FriendlyName", "Available")
        name, available = form.required("FriendlyName"), form.flag("Available") or False
        with show.service.in_hand() as (world, _):
            activity = world.hands.catalogue.create_activity(name, available=available)
            return created(resources_of(show).activity(activity))

    @blueprint.get(f"{WORKSPACE}/Activities/<sid>")
    def fetch_activity(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(resources_of(show).activity(_activity(world, sid)))

    @blueprint.post(f"{WORKSPACE}/Activities/<sid>")
    def update_activity(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        # Seen live: an update of Available is answered with 200 and changes nothing (Twilio reference 3.2).
        form = Form("FriendlyName", "Available")
        with show.service.in_hand() as (world, _):
            activity = _activity(world, sid)
            name = form.text("FriendlyName")
            if name is not None:
                world.hands.catalogue.rename_activity(activity, name)
            return jsonify(resources_of(show).activity(activity))

    @blueprint.delete(f"{WORKSPACE}/Activities/<sid>")
    def delete_activity(workspace_sid: str, sid: str) -> tuple[str, int]:  # noqa: ARG001
        with show.service.in_hand() as (world, _):
            world.hands.catalogue.delete_activity(_activity(world, sid))
        return gone()


def _activity(world: World, sid: str) -> Activity:
    found: Activity = one_of(world.floor.activities.values(), sid)
    return found


def _add_queue_routes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{WORKSPACE}/TaskQueues")
    def list_task_queues(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = keep(world.floor.all_queues(), "FriendlyName", lambda row: row.name)
            worker_sid = request.args.get("WorkerSid")
            if worker_sid:
                rows = [queue for queue in rows if any(worker.sid == worker_sid for worker in queue.workers)]
            return jsonify(page("task_queues", rows, by_creation, resources_of(show).task_queue))

    @blueprint.get(f"{WORKSPACE}/TaskChannels")
    def list_task_channels(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            rows = list(world.floor.channels.values())
            return jsonify(page("channels", rows, by_creation, resources_of(show).task_channel))

    @blueprint.get(f"{WORKSPACE}/Workflows")
    def list_workflows(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            floor, resources = world.floor, resources_of(show)
            rows = keep([floor.workflow], "FriendlyName", lambda row: row.name)
            return jsonify(page("workflows", rows, by_creation, lambda row: resources.workflow(row, floor)))

    @blueprint.get(f"{WORKSPACE}/TaskQueues/<sid>")
    def fetch_task_queue(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(resources_of(show).task_queue(one_of(world.floor.all_queues(), sid)))

    @blueprint.get(f"{WORKSPACE}/TaskChannels/<sid>")
    def fetch_task_channel(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            found = [one for one in world.floor.channels.values() if sid in (one.sid, one.unique_name)]
            return jsonify(resources_of(show).task_channel(one_of(found, found[0].sid if found else sid)))

    @blueprint.get(f"{WORKSPACE}/Workflows/<sid>")
    def fetch_workflow(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return jsonify(resources_of(show).workflow(one_of([world.floor.workflow], sid), world.floor))

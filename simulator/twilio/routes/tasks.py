"""Tasks, and the reservations of tasks and of workers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.asking import (
    WORKSPACE,
    Form,
    by_creation,
    gone,
    keep,
    must_match,
    named,
    ordering,
    versioned,
)
from simulator.twilio.expressions import matching
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Task, TaskChannel, Worker
from simulator.world.hands import ContactHands

_LONGEST_LIFE_S = 14 * 86_400  # Twilio reference 3.1
_CREATE_UNKNOWN = {"VirtualStartTime": "a task starts when it is created"}
_UPDATE_UNKNOWN = {
    "VirtualStartTime": "a task starts when it is created",
    "TaskChannel": "a task keeps its channel; create another task",
}


def add_task_routes(blueprint: Blueprint, show: Show) -> None:
    """All reads and writes of tasks."""
    _add_reads(blueprint, show)
    _add_writes(blueprint, show)


def task_of(world: World, sid: str, now_ms: int) -> Task:
    """The task of an address; five minutes after its end it is none (Twilio reference 3.1)."""
    task = world.task(sid, now_ms)
    if task is None:
        raise RestProblem.not_found()
    return task


def _add_reads(blueprint: Blueprint, show: Show) -> None:
    @blueprint.get(f"{WORKSPACE}/Tasks")
    def list_tasks(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = world.tasks(now_ms)
            # The client repeats the key, Twilio's own example separates by commas: both are taken.
            wanted = {part for value in request.args.getlist("AssignmentStatus") for part in value.split(",") if part}
            if wanted:
                rows = [task for task in rows if task.status.value in wanted]
            rows = keep(rows, "TaskQueueSid", lambda row: row.queue.sid)
            rows = keep(rows, "TaskQueueName", lambda row: row.queue.name)
            rows = keep(rows, "WorkflowSid", lambda row: row.workflow.sid)
            rows = keep(rows, "WorkflowName", lambda row: row.workflow.name)
            rows = keep(rows, "RoutingTarget", lambda row: row.routing_target)
            rows = keep(rows, "Priority", lambda row: str(row.priority))
            rows = matching("EvaluateTaskAttributes", rows, lambda row: row.attributes_json)
            resources = resources_of(show)
            orders: dict[str, Callable[[Task], int]] = {
                "DateCreated": lambda row: row.created_ms,
                "VirtualStartTime": lambda row: row.created_ms,
                "Priority": lambda row: row.priority,
            }
            key = ordering(orders) or by_creation
            return jsonify(page("tasks", rows, key, lambda row: resources.task(row, now_ms)))

    @blueprint.get(f"{WORKSPACE}/Tasks/<task_sid>")
    def fetch_task(workspace_sid: str, task_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            task = task_of(world, task_sid, now_ms)
            return versioned(resources_of(show).task(task, now_ms), task.version)


def _add_writes(blueprint: Blueprint, show: Show) -> None:
    @blueprint.post(f"{WORKSPACE}/Tasks")
    def create_task(workspace_sid: str) -> Response:  # noqa: ARG001
        form = Form(
            "Attributes", "TaskChannel", "WorkflowSid", "TaskQueueSid", "RoutingTarget", "IgnoreCapacity", "Priority",
            "Timeout", unknown=_CREATE_UNKNOWN,
        )  # fmt: skip
        if form.flag("IgnoreCapacity") is False and form.text("RoutingTarget"):
            raise RestProblem.invalid("IgnoreCapacity=false is not simulated for a task with a RoutingTarget")
        priority, timeout_s = form.whole("Priority", 0, 2**31 - 1), form.whole("Timeout", 1, _LONGEST_LIFE_S)
        with show.service.in_hand() as (world, now_ms):
            floor = world.floor
            if workflow_sid := form.text("WorkflowSid"):
                named("WorkflowSid", [floor.workflow], workflow_sid)
            queue_sid = form.text("TaskQueueSid")
            task = world.hands.contacts.create(
                form.text("Attributes") or "{}",
                _channel(world, form.text("TaskChannel") or "default"),
                queue=named("TaskQueueSid", floor.all_queues(), queue_sid) if queue_sid else None,
                worker=_target(world, form.text("RoutingTarget")),
                priority=priority,
                timeout_s=86_400 if timeout_s is None else timeout_s,
            )
            return versioned(resources_of(show).task(task, now_ms), task.version, 201)

    @blueprint.post(f"{WORKSPACE}/Tasks/<task_sid>")
    def update_task(workspace_sid: str, task_sid: str) -> Response:  # noqa: ARG001
        form = Form("Attributes", "AssignmentStatus", "Reason", "Priority", unknown=_UPDATE_UNKNOWN)
        attributes, priority = form.text("Attributes"), form.whole("Priority", 0, 2**31 - 1)
        status, reason = form.text("AssignmentStatus"), form.text("Reason") or ""
        with show.service.in_hand() as (world, now_ms):
            task, hands = task_of(world, task_sid, now_ms), world.hands.contacts
            must_match(task.version)
            if task.ended and status is None:
                raise RestProblem.invalid(f"Cannot update task {task.sid} because it is {task.status.value}")
            if attributes is not None:
                hands.checked(task, attributes)  # all of the request is carried out, or nothing
            if status is not None:
                _bring(hands, task, status, reason)
            if attributes is not None or priority is not None:
                hands.write(task, attributes, priority)
            return versioned(resources_of(show).task(task, now_ms), task.version)

    @blueprint.delete(f"{WORKSPACE}/Tasks/<task_sid>")
    def delete_task(workspace_sid: str, task_sid: str) -> tuple[str, int]:  # noqa: ARG001
        with show.service.in_hand() as (world, now_ms):
            task = task_of(world, task_sid, now_ms)
            must_match(task.version)
            if task.ended:
                raise RestProblem.invalid(f"Cannot delete task {task.sid} because it is {task.status.value}")
            world.hands.contacts.delete_task(task)
        return gone()


def _bring(hands: ContactHands, task: Task, status: str, reason: str) -> None:
    if status == "canceled":
        hands.cancel(task, reason)
    elif status == "wrapping":
        hands.wrap_task(task)
    elif status == "completed":
        hands.complete_task(task, reason)
    else:
        raise RestProblem.invalid(f"AssignmentStatus can be set to canceled, wrapping or completed, not {status}")


def _channel(world: World, given: str) -> TaskChannel:
    for channel in world.floor.channels.values():
        if given in (channel.sid, channel.unique_name):
            return channel
    names = ", ".join(world.floor.channels)
    raise RestProblem.invalid(f"TaskChannel {given} is not in this workspace, which has {names}")


def _target(world: World, sid: str | None) -> Worker | None:
    if not sid:
        return None
    if not sid.startswith("WK"):
        raise RestProblem.invalid("RoutingTarget is simulated for workers alone (WK...); for a queue give TaskQueueSid")
    found: Worker = named("RoutingTarget", world.floor.present(), sid)
    return found

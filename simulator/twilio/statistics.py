"""Statistics of queues and workers as TaskRouter's REST API gives them, counted from the event log (reference 3.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.history import time_window
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import iso
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Task, TaskQueue
from simulator.world.events import Event

Json = dict[str, Any]

_WORKSPACE = "/v1/Workspaces/<workspace_sid>"
# Documented: worker statistics are off for larger workspaces. Status and code of the refusal are assumed.
_MOST_WORKERS = 100
_COUNTED = {
    "tasks_entered": "task-queue.entered",
    "tasks_moved": "task-queue.moved",
    "tasks_canceled": "task.canceled",
    "tasks_completed": "task.completed",
    "tasks_deleted": "task.deleted",
    "reservations_created": "reservation.created",
    "reservations_accepted": "reservation.accepted",
    "reservations_rejected": "reservation.rejected",
    "reservations_timed_out": "reservation.timeout",
    "reservations_canceled": "reservation.canceled",
    "reservations_rescinded": "reservation.rescinded",
}
_WAITING, _HELD = ("pending", "reserved"), ("assigned", "wrapping")


def add_statistics_routes(blueprint: Blueprint, show: Show) -> None:
    """The statistics that a connector can compare itself with, and those that a large workspace refuses."""
    address = f"/v1/Workspaces/{show.account.workspace_sid}"
    owned = {"account_sid": show.account.account_sid, "workspace_sid": show.account.workspace_sid}

    @blueprint.get(f"{_WORKSPACE}/TaskQueues/Statistics")
    def list_queue_statistics(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            queues = world.floor.all_queues()
            if name := request.args.get("FriendlyName"):
                queues = [queue for queue in queues if queue.name == name]
            window, told = _told(world, now_ms)
            by_queue = _by_queue(told)

            def render(queue: TaskQueue) -> Json:
                return {
                    **owned,
                    "task_queue_sid": queue.sid,
                    "cumulative": _cumulative(by_queue.get(queue.sid, []), window),
                    "realtime": _realtime(world, queue, now_ms),
                }

            body = page("task_queues_statistics", queues, lambda queue: (queue.created_ms, queue.sid), render)
        return jsonify(body)

    @blueprint.get(f"{_WORKSPACE}/TaskQueues/<sid>/CumulativeStatistics")
    def fetch_queue_statistics(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            queue = next((queue for queue in world.floor.all_queues() if queue.sid == sid), None)
            if queue is None:
                raise RestProblem.not_found()
            window, told = _told(world, now_ms)
            return jsonify(
                **owned,
                task_queue_sid=sid,
                url=f"{request.host_url.rstrip('/')}{address}/TaskQueues/{sid}/CumulativeStatistics",
                **_cumulative(_by_queue(told).get(sid, []), window),
            )

    @blueprint.get(f"{_WORKSPACE}/Workers/CumulativeStatistics")
    def fetch_worker_statistics(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            if len(world.floor.present()) > _MOST_WORKERS:
                raise RestProblem(403, 20403, f"Worker statistics are off for more than {_MOST_WORKERS} workers")
            window, told = _told(world, now_ms)
            counts = Counter(event.type for event in told)
            return jsonify(
                **owned,
                start_time=iso(window[0]),
                end_time=iso(window[1]),
                url=f"{request.host_url.rstrip('/')}{address}/Workers/CumulativeStatistics",
                activity_durations=_durations(world, told),
                **{name: counts[kind] for name, kind in _COUNTED.items() if name.startswith("reservations_")},
            )


def _told(world: World, now_ms: int) -> tuple[tuple[int, int], list[Event]]:
    first_ms, last_ms = time_window(now_ms)
    events = world.log.between(first_ms, min(last_ms, now_ms))
    channel = request.args.get("TaskChannel")
    if channel:
        keys = ("task_channel_sid", "task_channel_unique_name")
        events = [event for event in events if channel in {event.task_base.get(key) for key in keys}]
    return (first_ms, last_ms), events


def _by_queue(told: Iterable[Event]) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in told:
        sid = event.extra.get("task_queue_sid") or event.task_base.get("task_queue_sid")
        if sid and event.type != "task.created":
            found.setdefault(sid, []).append(event)
    return found


def _durations(world: World, told: Iterable[Event]) -> list[Json]:
    """The stays in each activity that ended in the window."""
    stays: dict[str, list[int]] = {}
    for event in told:
        if event.type == "worker.activity.update":
            spent_s = int(event.extra["worker_time_in_previous_activity"])
            stays.setdefault(event.extra["worker_previous_activity_sid"], []).append(spent_s)
    return [
        {"sid": one.sid, "friendly_name": one.name, **_spread(stays.get(one.sid, []))}
        for one in world.floor.activities.values()
    ]


def _cumulative(told: Sequence[Event], window: tuple[int, int]) -> Json:
    counts = Counter(event.type for event in told)
    accepted = [event for event in told if event.type == "reservation.accepted"]
    canceled = [event for event in told if event.type == "task.canceled"]
    since_created = [_waited_s(event, "task_date_created") for event in accepted]
    return {
        "start_time": iso(window[0]),
        "end_time": iso(window[1]),
        **{name: counts[kind] for name, kind in _COUNTED.items()},
        "avg_task_acceptance_time": _spread(since_created)["avg"],
        # Documented: from the creation of the task, also after a transfer; the other from the entry into the queue.
        "wait_duration_until_accepted": _spread(since_created),
        "wait_duration_in_queue_until_accepted": _spread(
            [_waited_s(event, "task_queue_entered_date") for event in accepted]
        ),
        "wait_duration_until_canceled": _spread([_waited_s(event, "task_date_created") for event in canceled]),
        "split_by_wait_time": _split(accepted, canceled),
    }


def _waited_s(event: Event, since: str) -> int:
    return event.ms // 1000 - int(event.data()[since])


def _spread(seconds: list[int]) -> Json:
    total = sum(seconds)
    return {
        "avg": total // len(seconds) if seconds else 0,
        "min": min(seconds, default=0),
        "max": max(seconds, default=0),
        "total": total,
    }


def _split(accepted: Sequence[Event], canceled: Sequence[Event]) -> Json | None:
    text = request.args.get("SplitByWaitTime")
    if not text:
        return None
    if not all(part.strip().isdigit() for part in text.split(",")):
        raise RestProblem.invalid("SplitByWaitTime takes seconds, separated by commas")
    split: Json = {}
    for limit_s in [int(part) for part in text.split(",")]:
        sides = {}
        for side, above in (("above", True), ("below", False)):
            sides[side] = {
                name: sum((_waited_s(event, "task_date_created") > limit_s) is above for event in events)
                for name, events in (("tasks_canceled", canceled), ("reservations_accepted", accepted))
            }
        split[str(limit_s)] = sides
    return split


def _realtime(world: World, queue: TaskQueue, now_ms: int) -> Json:
    tasks = [task for task in world.tasks(now_ms) if task.queue.sid == queue.sid and task.terminal_ms is None]
    by_status = Counter(task.status.value for task in tasks)
    longest = min((task for task in tasks if task.status.value in _WAITING), key=_by_age, default=None)
    by_activity = Counter(worker.activity.sid for worker in queue.workers)
    return {
        "activity_statistics": [
            {"sid": one.sid, "friendly_name": one.name, "workers": by_activity[one.sid]}
            for one in world.floor.activities.values()
        ],
        "longest_task_waiting_age": 0 if longest is None else (now_ms - longest.created_ms) // 1000,
        "longest_task_waiting_sid": None if longest is None else longest.sid,
        "tasks_by_status": {status: by_status[status] for status in (*_WAITING, *_HELD)},
        "total_available_workers": sum(worker.activity.available for worker in queue.workers),
        "total_eligible_workers": len(queue.workers),
        "total_tasks": len(tasks),
    }


def _by_age(task: Task) -> int:
    return task.created_ms

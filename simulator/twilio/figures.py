"""Figures of queues, workers and workspace, counted from the event log (Twilio reference 3.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import request

from simulator.twilio.history import time_window
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import iso
from simulator.world.engine import World
from simulator.world.entities import Task, TaskQueue, Worker
from simulator.world.events import Event

Json = dict[str, Any]

COUNTED = {
    "tasks_entered": "task-queue.entered",
    "tasks_moved": "task-queue.moved",
    "tasks_canceled": "task.canceled",
    "tasks_completed": "task.completed",
    "tasks_deleted": "task.deleted",
    "tasks_created": "task.created",
    "tasks_timed_out_in_workflow": "workflow.timeout",
    "reservations_created": "reservation.created",
    "reservations_accepted": "reservation.accepted",
    "reservations_rejected": "reservation.rejected",
    "reservations_timed_out": "reservation.timeout",
    "reservations_canceled": "reservation.canceled",
    "reservations_rescinded": "reservation.rescinded",
}
_ALL = tuple(COUNTED)
OF_QUEUE = tuple(name for name in _ALL if name not in ("tasks_created", "tasks_timed_out_in_workflow"))
OF_WORKFLOW = tuple(name for name in _ALL if name != "tasks_created")
OF_WORKSPACE = tuple(name for name in _ALL if name != "tasks_entered")
_WAITING, _HELD = ("pending", "reserved"), ("assigned", "wrapping")


def told(world: World, now_ms: int) -> tuple[tuple[int, int], list[Event]]:
    """The window that the request means, and the events of its channel told in it."""
    first_ms, last_ms = time_window(now_ms)
    events = world.log.between(first_ms, min(last_ms, now_ms))
    channel = request.args.get("TaskChannel")
    if channel:
        keys = ("task_channel_sid", "task_channel_unique_name")
        events = [event for event in events if channel in {event.task_base.get(key) for key in keys}]
    return (first_ms, last_ms), events


def by_queue(told: Iterable[Event]) -> Mapping[str, list[Event]]:
    """The events of each queue."""
    found: dict[str, list[Event]] = {}
    for event in told:
        sid = event.extra.get("task_queue_sid") or event.task_base.get("task_queue_sid")
        if sid and event.type != "task.created":
            found.setdefault(sid, []).append(event)
    return found


def of_workers(world: World, told: Sequence[Event], window: tuple[int, int]) -> Json:
    """Reservations and activities of the workers that the events are about."""
    counts = Counter(event.type for event in told)
    return {
        "start_time": iso(window[0]),
        "end_time": iso(window[1]),
        "activity_durations": durations(world, told),
        **{name: counts[kind] for name, kind in COUNTED.items() if name.startswith("reservations_")},
    }


def durations(world: World, told: Iterable[Event]) -> list[Json]:
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


def cumulative(told: Sequence[Event], window: tuple[int, int], names: Iterable[str] = OF_QUEUE) -> Json:
    """What was counted in a window."""
    counts = Counter(event.type for event in told)
    accepted = [event for event in told if event.type == "reservation.accepted"]
    canceled = [event for event in told if event.type == "task.canceled"]
    since_created = [_waited_s(event, "task_date_created") for event in accepted]
    return {
        "start_time": iso(window[0]),
        "end_time": iso(window[1]),
        **{name: counts[COUNTED[name]] for name in names},
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
    if not all(part.strip().isascii() and part.strip().isdigit() for part in text.split(",")):
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


def open_tasks(world: World, now_ms: int, queue: TaskQueue | None = None) -> Json:
    """The tasks that are open now, of one queue or of all."""
    channel = request.args.get("TaskChannel")
    tasks = [
        task
        for task in world.tasks(now_ms)
        if task.terminal_ms is None
        and (queue is None or task.queue.sid == queue.sid)
        and (not channel or channel in (task.channel.sid, task.channel.unique_name))
    ]
    by_status = Counter(task.status.value for task in tasks)
    longest = min((task for task in tasks if task.status.value in _WAITING), key=_by_age, default=None)
    return {
        "longest_task_waiting_age": 0 if longest is None else (now_ms - longest.created_ms) // 1000,
        "longest_task_waiting_sid": None if longest is None else longest.sid,
        "tasks_by_priority": dict(Counter(str(task.priority) for task in tasks)),
        "tasks_by_status": {status: by_status[status] for status in (*_WAITING, *_HELD)},
        "total_tasks": len(tasks),
    }


def in_activities(world: World, workers: Iterable[Worker]) -> list[Json]:
    """How many of the workers are in each activity."""
    counts = Counter(worker.activity.sid for worker in workers if worker.deleted_ms is None)
    return [
        {"sid": one.sid, "friendly_name": one.name, "workers": counts[one.sid]}
        for one in world.floor.activities.values()
    ]


def queue_now(world: World, queue: TaskQueue, now_ms: int) -> Json:
    """A queue as it is now; what is relative to the queue counts from the entry there (assumed)."""
    workers = [worker for worker in queue.workers if worker.deleted_ms is None]
    waiting = [
        task
        for task in world.tasks(now_ms)
        if task.queue.sid == queue.sid and task.terminal_ms is None and task.status.value in _WAITING
    ]
    oldest = min(waiting, key=lambda task: task.queue_entered_ms, default=None)
    return {
        **open_tasks(world, now_ms, queue),
        "longest_relative_task_age_in_queue": 0 if oldest is None else (now_ms - oldest.queue_entered_ms) // 1000,
        "longest_relative_task_sid_in_queue": None if oldest is None else oldest.sid,
        "activity_statistics": in_activities(world, workers),
        "total_available_workers": sum(worker.activity.available for worker in workers),
        "total_eligible_workers": len(workers),
    }


def _by_age(task: Task) -> int:
    return task.created_ms

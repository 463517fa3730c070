"""The entities of the world as TaskRouter's REST resources (Twilio reference 3.2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import request

from simulator.twilio.account import TwilioAccount
from simulator.twilio.show import Show
from simulator.world.entities import (
    Activity,
    Reservation,
    Task,
    TaskChannel,
    TaskQueue,
    Worker,
    WorkerChannel,
    Workflow,
)
from simulator.world.events import Event
from simulator.world.floor import Floor

Json = dict[str, Any]


def iso(ms: int) -> str:
    """Whole seconds and `Z`: the client turns nothing else into a date."""
    return _second(ms // 1000)


@lru_cache(maxsize=8192)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resources_of(show: Show) -> Resources:
    """For the present request: under the address that the caller used, so that the next pages lie there too."""
    return Resources(show.account, request.host_url.rstrip("/"))


class Resources:
    """Renders for one account under one base address."""

    def __init__(self, account: TwilioAccount, base_url: str) -> None:
        self._account = account
        self._url = f"{base_url}/v1/Workspaces/{account.workspace_sid}"

    def _owned(self) -> Json:
        return {"account_sid": self._account.account_sid, "workspace_sid": self._account.workspace_sid}

    def _dates(self, created_ms: int, updated_ms: int | None = None) -> Json:
        return {"date_created": iso(created_ms), "date_updated": iso(created_ms if updated_ms is None else updated_ms)}

    def workspace(self, floor: Floor, callback_url: str, events_filter: str) -> Json:
        """The Workspace."""
        parts = {
            "activities": "Activities",
            "statistics": "Statistics",
            "real_time_statistics": "RealTimeStatistics",
            "cumulative_statistics": "CumulativeStatistics",
            "task_queues": "TaskQueues",
            "tasks": "Tasks",
            "workers": "Workers",
            "workflows": "Workflows",
            "task_channels": "TaskChannels",
            "events": "Events",
        }
        return {
            "account_sid": self._account.account_sid,
            "sid": self._account.workspace_sid,
            "friendly_name": self._account.workspace_name,
            "default_activity_name": floor.offline.name,
            "default_activity_sid": floor.offline.sid,
            "timeout_activity_name": floor.timeout_activity.name,
            "timeout_activity_sid": floor.timeout_activity.sid,
            "event_callback_url": callback_url,
            "events_filter": events_filter or None,
            "multi_task_enabled": True,
            "prioritize_queue_order": "FIFO",
            **self._dates(floor.offline.created_ms),
            "url": self._url,
            "links": {name: f"{self._url}/{path}" for name, path in parts.items()},
        }

    def activity(self, activity: Activity) -> Json:
        """An Activity."""
        return {
            **self._owned(),
            "sid": activity.sid,
            "friendly_name": activity.name,
            "available": activity.available,
            **self._dates(activity.created_ms, activity.updated_ms),
            "url": f"{self._url}/Activities/{activity.sid}",
            "links": {"workspace": self._url},
        }

    def worker(self, worker: Worker) -> Json:
        """A Worker."""
        url = f"{self._url}/Workers/{worker.sid}"
        return {
            **self._owned(),
            "sid": worker.sid,
            "friendly_name": worker.name,
            "activity_name": worker.activity.name,
            "activity_sid": worker.activity.sid,
            "available": worker.activity.available,
            "attributes": worker.attributes,
            "date_status_changed": iso(worker.activity_since_ms),
            **self._dates(worker.created_ms, max(worker.updated_ms, worker.activity_since_ms)),
            "url": url,
            "links": {
                "activity": f"{self._url}/Activities/{worker.activity.sid}",
                "workspace": self._url,
                "channels": f"{url}/Channels",
                "worker_channels": f"{url}/Channels",
                "reservations": f"{url}/Reservations",
                "worker_statistics": f"{url}/Statistics",
                "statistics": f"{self._url}/Workers/Statistics",
                "real_time_statistics": f"{self._url}/Workers/RealTimeStatistics",
                "cumulative_statistics": f"{self._url}/Workers/CumulativeStatistics",
            },
        }

    def worker_channel(self, worker: Worker, own: WorkerChannel) -> Json:
        """How much of a channel a worker takes, and has taken."""
        used = worker.open_on(own.channel.unique_name)
        free = max(0, own.capacity - used)
        return {
            **self._owned(),
            "sid": own.sid,
            "worker_sid": worker.sid,
            "task_channel_sid": own.channel.sid,
            "task_channel_unique_name": own.channel.unique_name,
            "configured_capacity": own.capacity,
            "assigned_tasks": used,
            "available": own.available,
            "available_capacity_percentage": free * 100 // own.capacity if own.capacity else 0,
            **self._dates(own.created_ms, own.updated_ms),
            "url": f"{self._url}/Workers/{worker.sid}/Channels/{own.sid}",
        }

    def reservation(self, reservation: Reservation, *, of_worker: bool) -> Json:
        """A Reservation, as a part of its worker or of its task."""
        worker, task = reservation.worker, reservation.task
        links = {
            "task": f"{self._url}/Tasks/{task.sid}",
            "worker": f"{self._url}/Workers/{worker.sid}",
            "workspace": self._url,
        }
        return {
            **self._owned(),
            "sid": reservation.sid,
            "reservation_status": reservation.status.value,
            "task_sid": task.sid,
            "worker_sid": worker.sid,
            "worker_name": worker.name,
            **self._dates(reservation.created_ms, reservation.updated_ms),
            "url": f"{links['worker' if of_worker else 'task']}/Reservations/{reservation.sid}",
            "links": links,
        }

    def task(self, task: Task, now_ms: int) -> Json:
        """A Task; its age stops when it ends (assumed)."""
        url = f"{self._url}/Tasks/{task.sid}"
        until_ms = now_ms if task.terminal_ms is None else task.terminal_ms
        return {
            **self._owned(),
            "sid": task.sid,
            "age": max(0, until_ms // 1000 - task.created_ms // 1000),
            "assignment_status": task.status.value,
            "attributes": task.attributes_json,
            "addons": "{}",
            "priority": task.priority,
            "reason": task.reason,
            "timeout": task.timeout_s,
            "task_queue_sid": task.queue.sid or None,
            "task_queue_friendly_name": task.queue.name or None,
            "task_queue_entered_date": iso(task.queue_entered_ms) if task.queue.sid else None,
            "virtual_start_time": iso(task.created_ms),
            "task_channel_sid": task.channel.sid,
            "task_channel_unique_name": task.channel.unique_name,
            "workflow_sid": task.workflow.sid,
            "workflow_friendly_name": task.workflow.name,
            "routing_target": task.routing_target or None,
            "ignore_capacity": bool(task.routing_target),
            **self._dates(task.created_ms, task.updated_ms),
            "url": url,
            "links": {
                **({"task_queue": f"{self._url}/TaskQueues/{task.queue.sid}"} if task.queue.sid else {}),
                "workflow": f"{self._url}/Workflows/{task.workflow.sid}",
                "workspace": self._url,
                "reservations": f"{url}/Reservations",
            },
        }

    def task_queue(self, queue: TaskQueue) -> Json:
        """A TaskQueue."""
        url = f"{self._url}/TaskQueues/{queue.sid}"
        return {
            **self._owned(),
            "sid": queue.sid,
            "friendly_name": queue.name,
            "target_workers": queue.expression,
            "task_order": "FIFO",
            "max_reserved_workers": queue.offers,
            "reservation_activity_sid": None,
            "reservation_activity_name": None,
            "assignment_activity_sid": None,
            "assignment_activity_name": None,
            **self._dates(queue.created_ms),
            "url": url,
            "links": {
                "workspace": self._url,
                "statistics": f"{url}/Statistics",
                "real_time_statistics": f"{url}/RealTimeStatistics",
                "cumulative_statistics": f"{url}/CumulativeStatistics",
                "list_statistics": f"{self._url}/TaskQueues/Statistics",
                "bulk_real_time_statistics": f"{self._url}/TaskQueues/RealTimeStatistics",
            },
        }

    def task_channel(self, channel: TaskChannel) -> Json:
        """A TaskChannel."""
        return {
            **self._owned(),
            "sid": channel.sid,
            "unique_name": channel.unique_name,
            "friendly_name": channel.name,
            "channel_optimized_routing": False,
            **self._dates(channel.created_ms),
            "url": f"{self._url}/TaskChannels/{channel.sid}",
            "links": {"workspace": self._url},
        }

    def workflow(self, workflow: Workflow, floor: Floor) -> Json:
        """The Workflow that sends each kind of contact to its queue."""
        url = f"{self._url}/Workflows/{workflow.sid}"
        filters = [
            {
                "filter_friendly_name": queue.name,
                "expression": f'queue=="{queue.name}"',
                "targets": [{"queue": queue.sid}],
            }
            for queue in floor.queues
        ]
        routing = {"filters": filters, "default_filter": {"queue": floor.everyone.sid}}
        return {
            **self._owned(),
            "sid": workflow.sid,
            "friendly_name": workflow.name,
            "assignment_callback_url": None,
            "fallback_assignment_callback_url": None,
            "configuration": json.dumps({"task_routing": routing}),
            "document_content_type": "application/json",
            "task_reservation_timeout": round(floor.scenario.answering.timeout_s),
            **self._dates(workflow.created_ms),
            "url": url,
            "links": {
                "statistics": f"{url}/Statistics",
                "real_time_statistics": f"{url}/RealTimeStatistics",
                "cumulative_statistics": f"{url}/CumulativeStatistics",
            },
        }

    def event(self, event: Event) -> Json:
        """An Event with the same sid and time as its callback; the values of `event_data` are texts."""
        workspace_sid = self._account.workspace_sid
        return {
            **self._owned(),
            "sid": event.sid,
            "event_type": event.type,
            "event_date": iso(event.ms),
            "event_date_ms": event.ms,
            "description": event.description,
            "event_data": {
                **event.data(),
                "workspace_name": self._account.workspace_name,
                "workspace_sid": workspace_sid,
            },
            "resource_sid": event.resource_sid,
            "resource_type": event.resource_type,
            "resource_url": self._event_resource_url(event),
            "actor_sid": workspace_sid,
            "actor_type": "workspace",
            "actor_url": self._url,
            "source": "twilio",
            "source_ip_address": None,
            "url": f"{self._url}/Events/{event.sid}",
        }

    def _event_resource_url(self, event: Event) -> str | None:
        if event.resource_type == "worker":
            return f"{self._url}/Workers/{event.resource_sid}"
        if event.resource_type == "reservation":
            return f"{self._url}/Tasks/{event.task_sid}/Reservations/{event.resource_sid}"
        if event.resource_type == "task":
            return f"{self._url}/Tasks/{event.resource_sid}"
        return None

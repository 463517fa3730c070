"""The worker, task and transfer blocks of events: what Twilio says about a resource, all values as texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from simulator.world.entities import Task, Transfer, Worker

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class TaskBlock(Mapping[str, str]):
    """A task at one version: what seldom changes is shared by the blocks of all versions."""

    __slots__ = ("_base", "_status", "_version")

    def __init__(self, base: Mapping[str, str], status: str, version: int) -> None:
        self._base = base
        self._status = status
        self._version = version

    def __getitem__(self, key: str) -> str:
        if key == "task_assignment_status":
            return self._status
        if key == "task_version":
            return str(self._version)
        return self._base[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._base
        yield "task_assignment_status"
        yield "task_version"

    def __len__(self) -> int:
        return len(self._base) + 2


def worker_block(worker: Worker, operating_unit_sid: str) -> Mapping[str, str]:
    """The worker as it is now; kept until the worker changes."""
    if worker.block is None:
        worker.block = {
            "worker_sid": worker.sid,
            "worker_name": worker.name,
            "worker_attributes": worker.attributes,
            "worker_activity_sid": worker.activity.sid,
            "worker_activity_name": worker.activity.name,
            "worker_version": str(worker.version),
            "operating_unit_sid": operating_unit_sid,
        }
    return worker.block


def task_block(task: Task, operating_unit_sid: str) -> Mapping[str, str]:
    """The task as it is now; kept until the task changes."""
    if task.base is None:
        task.base = {
            "task_sid": task.sid,
            "task_attributes": task.attributes_json,
            "task_priority": str(task.priority),
            "task_channel_sid": task.channel.sid,
            "task_channel_unique_name": task.channel.unique_name,
            "task_queue_sid": task.queue.sid,
            "task_queue_name": task.queue.name,
            "task_queue_target_expression": task.queue.expression,
            "task_queue_entered_date": str(task.queue_entered_ms // 1000),
            "task_date_created": str(task.created_ms // 1000),
            "task_virtual_start_time": str(task.created_ms // 1000),
            "task_ignore_capacity": "true" if task.routing_target else "false",
            "workflow_sid": task.workflow.sid,
            "workflow_name": task.workflow.name,
            "operating_unit_sid": operating_unit_sid,
        }
    if task.block is None:
        task.block = TaskBlock(task.base, task.status.value, task.version)
    return task.block


def transfer_block(transfer: Transfer) -> dict[str, str]:
    """The transfer, for task.transfer-* and for the reservations that it makes."""
    return {
        "task_transfer_sid": transfer.sid,
        "transfer_mode": transfer.mode,
        "transfer_type": transfer.kind,
        "transfer_to": transfer.to,
        "transfer_status": transfer.status,
        "transfer_started": str(transfer.started_ms // 1000),
        "transfer_initiating_reservation_sid": transfer.initiator.sid,
        "transfer_initiating_worker_sid": transfer.initiator.worker.sid,
    }


def as_json(attributes: Mapping[str, object]) -> str:
    """Attributes as the JSON text that Twilio keeps."""
    return _ENCODER.encode(attributes)

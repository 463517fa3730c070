"""The worker, task and transfer blocks of events: what Twilio says about a resource, all values as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from simulator.world.entities import Task, Transfer, Worker

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


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


def task_base(task: Task, operating_unit_sid: str) -> Mapping[str, str]:
    """What seldom changes of the task as it is now; kept until it does. Status and version stand beside it."""
    if task.base is None:
        task.base = _task_base(task, operating_unit_sid)
    return task.base


def _task_base(task: Task, operating_unit_sid: str) -> dict[str, str]:
    created_s = str(task.created_ms // 1000)
    base = {
        "task_sid": task.sid,
        "task_attributes": task.attributes_json,
        "task_priority": str(task.priority),
        "task_channel_sid": task.channel.sid,
        "task_channel_unique_name": task.channel.unique_name,
        "task_date_created": created_s,
        "task_virtual_start_time": created_s,
        "task_ignore_capacity": "true" if task.routing_target else "false",
        "workflow_sid": task.workflow.sid,
        "workflow_name": task.workflow.name,
        "operating_unit_sid": operating_unit_sid,
    }
    queue = task.queue
    if queue.sid:
        base["task_queue_sid"] = queue.sid
        base["task_queue_name"] = queue.name
        base["task_queue_target_expression"] = queue.expression
        base["task_queue_entered_date"] = str(task.queue_entered_ms // 1000)
    return base


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


def as_json_text(text: str) -> str:
    """A text as JSON has it, quotation marks included."""
    return _ENCODER.encode(text)


def as_json(attributes: Mapping[str, object]) -> str:
    """Attributes as the JSON text that Twilio keeps."""
    return _ENCODER.encode(attributes)


def with_more(attributes_json: str, key: str, value_json: str) -> str:
    """The attributes with this key added or replaced; what is no object, as a caller may send it, stays."""
    if attributes_json.startswith("{") and f'"{key}":' not in attributes_json:
        comma = "," if len(attributes_json) > len("{}") else ""
        return f'{attributes_json[:-1]}{comma}"{key}":{value_json}}}'
    known = json.loads(attributes_json)
    return as_json({**known, key: json.loads(value_json)}) if isinstance(known, dict) else attributes_json

"""One event as Twilio Event Streams delivers it: a CloudEvent (Twilio reference 2.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from simulator.twilio.conference_event import conference_event
from simulator.world.events import Event

_PREFIX = "com.twilio.taskrouter."
_SCHEMA = "https://events-schemas.twilio.com/TaskRouter.WDSEvent/4"
# The streams' catalogue spells one type otherwise than the callbacks.
_SPELLING = {"task-queue.expression.updated": "task-queue.expression-updated"}


def stream_type(kind: str) -> str:
    """TaskRouter's event type as Event Streams name it."""
    return _PREFIX + _SPELLING.get(kind, kind)


def cloud_event(event: Event, *, account_sid: str, workspace_sid: str) -> dict[str, Any]:
    """The envelope and the event inside it."""
    moment = datetime.fromtimestamp(event.ms / 1000, UTC)
    time = f"{moment:%Y-%m-%dT%H:%M:%S}.{event.ms % 1000:03d}Z"
    if event.resource_type == "conference":
        return conference_event(event, time, account_sid=account_sid)
    return {
        "specversion": "1.0",
        "type": stream_type(event.type),
        "source": f"/v1/Workspaces/{workspace_sid}/Events/{event.sid}",
        "id": stream_id(event),
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": _SCHEMA,
        "data": {
            "sid": event.sid,
            "name": "".join(part.capitalize() for part in event.type.replace("-", ".").split(".")),
            "account_sid": account_sid,
            "timestamp": time,
            "level": "INFO",
            "group": "com.twilio.taskrouter.events",
            "product_name": "TaskRouter",
            "publisher": "TaskRouter",
            "publisher_metadata": "{}",
            "payload_type": "application/json",
            "payload": {
                "eventtype": event.type,
                "timestamp": time,
                "account_sid": account_sid,
                "workspace_sid": workspace_sid,
                "resource_sid": event.resource_sid,
                "resource_type": event.resource_type,
                **event.data(),
            },
        },
    }


def batch(events: Iterable[Event], *, account_sid: str, workspace_sid: str) -> bytes:
    """Several events as one request body."""
    found = [cloud_event(event, account_sid=account_sid, workspace_sid=workspace_sid) for event in events]
    return orjson.dumps(found)


def stream_id(event: Event) -> str:
    """The CloudEvent's own id, the same on every attempt."""
    return "EZ" + hashlib.md5(event.sid.encode(), usedforsecurity=False).hexdigest()

"""Turns an event of TaskRouter's REST history into the one normal form, as if it had come by callback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.taskrouter.callbacks import build_event
from flex_plugin_backend.taskrouter.fields import attributes, epoch_ms

# What the resource itself says; everything else stands in `event_data` under the callback's name in snake case.
_OWN = {
    "Sid": "sid",
    "EventType": "event_type",
    "TimestampMs": "event_date_ms",
    "Timestamp": "event_date",
    "ResourceSid": "resource_sid",
    "ResourceType": "resource_type",
    "AccountSid": "account_sid",
    "WorkspaceSid": "workspace_sid",
}
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def event_from_history(row: Mapping[str, Any], agent_path: tuple[str, ...] | None = None) -> TaskRouterEvent:
    """The event in a row of the Events list (Twilio reference 3.2).

    Args:
        row: the resource as Twilio's JSON has it; `event_data` is an object or its text.
        agent_path: where in the worker's attributes the agent id stands, if it stands there.

    Raises:
        MalformedEvent: there is no event type, no time, or nothing that tells this event from another.
    """
    data = attributes(row.get("event_data"))

    def look_up(name: str) -> object:
        own = _OWN.get(name)
        return row.get(own) if own is not None else data.get(snake(name))

    return build_event(look_up, Route.REST, agent_path)


def occurred_ms(row: Mapping[str, Any]) -> int | None:
    """When the event of this row happened, epoch milliseconds."""
    return epoch_ms(row.get("event_date_ms")) or epoch_ms(row.get("event_date"))


@cache
def snake(name: str) -> str:
    """`WorkerActivitySid` -> `worker_activity_sid`."""
    return _NEXT_WORD.sub("_", name).lower()

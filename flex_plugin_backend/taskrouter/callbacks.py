"""Turns the form of a TaskRouter event callback into the one normal form, keeping an allow-list of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.errors import MalformedEvent
from flex_plugin_backend.taskrouter.fields import (
    at_path,
    attributes,
    epoch_ms,
    flag,
    integer,
    lower,
    reason,
    sid,
    text,
    transfer_target,
    word,
)

Lookup = Callable[[str], object]

# A reservation event has about 35 fields; the limit keeps an unsigned flood of empty fields cheap.
_MAX_FIELDS = 400
_MAX_TYPE = 128


class FormFields:
    """The decoded fields of a form body: by name, and with every value for the signature."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in values:
                values[name].append(value)
            else:
                values[name] = [value]
        self._values = values

    @classmethod
    def parse(cls, body: bytes) -> FormFields:
        """Decode a form body; empty fields are kept, because they are part of what is signed.

        Raises:
            MalformedEvent: it has more fields than any event.
        """
        try:
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError as error:
            raise MalformedEvent(problem=f"it has more than {_MAX_FIELDS} fields") from error
        return cls(pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str, /) -> list[str]:
        """Every value given under `name`."""
        return self._values.get(name, [])

    def get(self, name: str, /) -> str | None:
        """The first value given under `name`."""
        values = self._values.get(name)
        return values[0] if values else None


def event_from_form(fields: FormFields, agent_path: tuple[str, ...] | None = None) -> TaskRouterEvent:
    """The event in a callback's form.

    Args:
        fields: the decoded form; its signature has been checked.
        agent_path: where in the worker's attributes the agent id stands, if it stands there.

    Raises:
        MalformedEvent: there is no event type, no time, or nothing that tells this event from another.
    """
    return build_event(fields.get, Route.CALLBACK, agent_path)


def build_event(get: Lookup, route: Route, agent_path: tuple[str, ...] | None = None) -> TaskRouterEvent:
    """The event behind `get`, which answers to Twilio's callback names (`WorkerActivitySid`) with text, number or None.

    The other routes differ in spelling and types only, so they come through here as well (reference 13, row 2).

    Raises:
        MalformedEvent: there is no event type, no time, or nothing that tells this event from another.
    """
    kind = _event_type(get("EventType"))
    occurred_ms = epoch_ms(get("TimestampMs")) or epoch_ms(get("Timestamp"))
    if occurred_ms is None:
        raise MalformedEvent(problem="it has neither TimestampMs nor Timestamp")
    resource_sid = sid(get("ResourceSid"))
    on_activity = kind.startswith("activity.")
    parts: dict[str, Any] = {
        "resource_sid": resource_sid,
        "worker_sid": sid(get("WorkerSid")) or _own_sid(resource_sid, kind, "worker.", "WK"),
        "worker_version": integer(get("WorkerVersion")),
        "task_sid": sid(get("TaskSid")) or _own_sid(resource_sid, kind, "task.", "WT"),
        "task_version": integer(get("TaskVersion")),
        "reservation_sid": sid(get("ReservationSid")) or _own_sid(resource_sid, kind, "reservation.", "WR"),
        "reservation_version": integer(get("ReservationVersion")),
    }
    return TaskRouterEvent(
        sid=sid(get("Sid")) or _content_key(kind, occurred_ms, parts),
        type=kind,
        occurred_ms=occurred_ms,
        route=route,
        account_sid=sid(get("AccountSid")),
        workspace_sid=sid(get("WorkspaceSid")),
        worker_name=text(get("WorkerName")),
        agent_key=agent_key(get("WorkerAttributes"), agent_path),
        activity_sid=sid(get("ActivitySid" if on_activity else "WorkerActivitySid")),
        activity_name=text(get("ActivityName" if on_activity else "WorkerActivityName")),
        activity_available=flag(get("ActivityAvailable")) if on_activity else None,
        previous_activity_sid=sid(get("WorkerPreviousActivitySid")),
        previous_activity_name=text(get("WorkerPreviousActivityName")),
        previous_activity_ms=_previous_activity_ms(get),
        task_status=text(get("TaskAssignmentStatus")),
        task_queue_sid=sid(get("TaskQueueSid")),
        task_queue_name=text(get("TaskQueueName")),
        task_channel=text(get("TaskChannelUniqueName")),
        task_created_ms=epoch_ms(get("TaskDateCreated")),
        queue_entered_ms=epoch_ms(get("TaskQueueEnteredDate")),
        workflow_sid=sid(get("WorkflowSid")),
        cancel_reason=reason(get("TaskCanceledReason")) or reason(get("Reason")),
        completed_reason=reason(get("TaskCompletedReason")),
        transfer_mode=text(get("TransferMode")),
        transfer_type=text(get("TransferType")),
        transfer_to=transfer_target(get("TransferTo")),
        transfer_status=text(get("TransferStatus")),
        transfer_initiating_reservation_sid=sid(get("TransferInitiatingReservationSid")),
        transfer_initiating_worker_sid=sid(get("TransferInitiatingWorkerSid")),
        **parts,
        **task_words(get("TaskAttributes")),
    )


def agent_key(worker_attributes: object, path: tuple[str, ...] | None) -> str | None:
    """The agent's id at the configured path of the worker's attributes: a text or a whole number."""
    if path is None or worker_attributes is None:
        return None
    found = at_path(attributes(worker_attributes), path)
    if isinstance(found, int) and not isinstance(found, bool):
        number = integer(found)
        return None if number is None else str(number)
    return text(found)


def task_words(task_attributes: object) -> dict[str, Any]:
    """The few words that are kept of a task's attributes; everything else is the customer's."""
    known = attributes(task_attributes) if task_attributes is not None else None
    if not known:
        return {}
    conversations = at_path(known, ("conversations",))
    return {
        "channel_type": word(at_path(known, ("channelType",))),
        "communication_channel": word(at_path(conversations, ("communication_channel",))),
        "direction": word(at_path(known, ("direction",))) or word(at_path(conversations, ("direction",))),
        "abandoned": word(at_path(conversations, ("abandoned",))),
    }


def _event_type(value: object) -> str:
    kind = lower(value)
    if kind is None:
        raise MalformedEvent(
            problem="it has no EventType; only TaskRouter event callbacks belong here, not assignment callbacks"
        )
    if len(kind) > _MAX_TYPE or not kind.isprintable():
        raise MalformedEvent(problem="its EventType is not a name")
    return kind


def _own_sid(resource_sid: str | None, kind: str, family: str, prefix: str) -> str | None:
    """The resource's sid where the event is about this very kind of resource and its own key is missing."""
    if resource_sid is not None and kind.startswith(family) and resource_sid.startswith(prefix):
        return resource_sid
    return None


def _previous_activity_ms(get: Lookup) -> int | None:
    exact_ms = integer(get("WorkerTimeInPreviousActivityMs"))
    if exact_ms is not None:
        return exact_ms
    seconds = integer(get("WorkerTimeInPreviousActivity"))
    return None if seconds is None else seconds * 1000


def _content_key(kind: str, occurred_ms: int, parts: Mapping[str, Any]) -> str:
    """An identity for an event without `Sid`: what it is about, its versions and its time; the same on a resend."""
    if not any(parts[name] for name in ("resource_sid", "worker_sid", "task_sid", "reservation_sid")):
        raise MalformedEvent(problem="it has neither a Sid nor a resource")
    content = [kind, str(occurred_ms), *(f"{name}={value}" for name, value in parts.items())]
    return "CK" + hashlib.sha256("\n".join(content).encode()).hexdigest()[:32]

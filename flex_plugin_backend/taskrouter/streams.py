"""Turns what Twilio Event Streams delivers (CloudEvents, one or a batch) into the one normal form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flex_plugin_backend import quickjson
from flex_plugin_backend.domain.events import EVENTS_FILTER, Route, TaskRouterEvent
from flex_plugin_backend.domain.task_log import HOLD_BEGUN, HOLD_ENDED
from flex_plugin_backend.errors import ForeignEvent, MalformedEvent
from flex_plugin_backend.taskrouter.callbacks import build_event
from flex_plugin_backend.taskrouter.fields import epoch_ms, lower, sid, text
from flex_plugin_backend.taskrouter.history import snake

_PREFIX = "com.twilio.taskrouter."
# The streams' catalogue spells one type otherwise than the callbacks (Twilio reference 2.3).
_SPELLING = {"task-queue.expression-updated": "task-queue.expression.updated"}
# Hold is no event of TaskRouter; conferences that are named by their task tell of it (Twilio reference 2.3).
HOLD_EVENTS = "com.twilio.voice.status-callback.conference.participant.updated"
_HOLDS = {"participant-hold": HOLD_BEGUN, "participant-unhold": HOLD_ENDED}
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose events are taken, and where in a worker's attributes the agent id stands."""

    account_sid: str
    workspace_sid: str
    agent_path: tuple[str, ...] | None = None


@dataclass(slots=True)
class Delivery:
    """What one request brought.

    Attributes:
        events: what is to be stored.
        ignored: how many events move nothing here: other products, workflow steps.
        tests: the ids of Twilio's test events.
        problems: why events were set aside, a line each; at most 20 are kept.
        refused: how many were set aside.
        foreign: how many of those belong to another account or workspace.
    """

    events: list[TaskRouterEvent] = field(default_factory=list)
    ignored: int = 0
    tests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refused: int = 0
    foreign: int = 0

    @property
    def is_of_use(self) -> bool:
        """Was anything in it understood; an empty batch is."""
        return not self.refused or bool(self.events or self.ignored or self.tests)

    def counts(self, stored: int) -> dict[str, int]:
        """Outcome -> how many events had it, given how many were new; outcomes without any are left out."""
        found = {
            "stored": stored,
            "duplicate": len(self.events) - stored,
            "ignored": self.ignored,
            "test": len(self.tests),
            "foreign": self.foreign,
            "malformed": self.refused - self.foreign,
        }
        return {outcome: number for outcome, number in found.items() if number}

    def set_aside(self, name: str, error: MalformedEvent | ForeignEvent) -> None:
        """Count an event that cannot be taken."""
        self.refused += 1
        self.foreign += isinstance(error, ForeignEvent)
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{name}: {error}")


def read_delivery(body: bytes, owner: Owner) -> Delivery:
    """Everything in a request body; one bad event never costs the others.

    Raises:
        MalformedEvent: the body is no JSON, or neither an object nor a list of them.
    """
    delivery = Delivery()
    _read(body, owner, delivery)
    return delivery


def read_records(bodies: Iterable[tuple[str, bytes]], owner: Owner) -> Delivery:
    """Everything in the records of a stream, each given with its name; a record that is no JSON is set aside, too."""
    delivery = Delivery()
    for name, body in bodies:
        try:
            _read(body, owner, delivery)
        except MalformedEvent as error:
            delivery.set_aside(name, error)
    return delivery


def _read(body: bytes, owner: Owner, delivery: Delivery) -> None:
    try:
        found = quickjson.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEvent(problem="it is no JSON") from error
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list):
        raise MalformedEvent(problem="it is neither a CloudEvent nor a list of them")
    for one in found:
        try:
            _take(one, owner, delivery)
        except (MalformedEvent, ForeignEvent) as error:
            delivery.set_aside(_name(one), error)


def _take(one: object, owner: Owner, delivery: Delivery) -> None:
    if not isinstance(one, Mapping):
        raise MalformedEvent(problem="it is no object")
    data = one.get("data")
    if not isinstance(data, Mapping):
        raise MalformedEvent(problem="it has no data")
    test = text(data.get("test_id"))
    if test is not None:
        delivery.tests.append(test)
        return
    kind = lower(one.get("type")) or ""
    if kind == HOLD_EVENTS:
        _take_hold(one, data, owner, delivery)
        return
    payload = data.get("payload")
    if kind.startswith(_PREFIX) and isinstance(payload, Mapping):
        kind = kind.removeprefix(_PREFIX)
        kind = _SPELLING.get(kind, kind)
        _check_owner(data, payload, owner)
        if kind in EVENTS_FILTER:
            delivery.events.append(_event(kind, one, data, payload, owner))
            return
    elif kind.startswith(_PREFIX):
        raise MalformedEvent(problem="it has no payload")
    elif not kind:
        raise MalformedEvent(problem="it has no type")
    delivery.ignored += 1


def _take_hold(one: Mapping[str, Any], data: Mapping[str, Any], owner: Owner, delivery: Delivery) -> None:
    request = data.get("request")
    told = request.get("parameters") if isinstance(request, Mapping) else None
    if not isinstance(told, Mapping):
        raise MalformedEvent(problem="it has no request parameters")
    account = told.get("AccountSid")
    if account and sid(account) != owner.account_sid:
        raise ForeignEvent(what="account")
    kind, task_sid = _HOLDS.get(lower(told.get("StatusCallbackEvent")) or ""), sid(told.get("FriendlyName"))
    if kind is None or task_sid is None or not task_sid.startswith("WT"):
        delivery.ignored += 1  # another change of a participant, or a conference that is no task's
        return
    # No sid of Twilio's is proven to stay the same on a repetition; what the event says is its identity.
    own: dict[str, object] = {
        "EventType": kind,
        "TimestampMs": epoch_ms(data.get("timestamp")) or epoch_ms(one.get("time")),
        "TaskSid": task_sid,
        "AccountSid": owner.account_sid,
        "WorkspaceSid": owner.workspace_sid,
    }
    delivery.events.append(build_event(own.get, Route.STREAM))


def _event(
    kind: str, one: Mapping[str, Any], data: Mapping[str, Any], payload: Mapping[str, Any], owner: Owner
) -> TaskRouterEvent:
    # `payload.timestamp` is written in more than one way (Twilio reference 2.3), the envelope's in one.
    occurred_ms = epoch_ms(data.get("timestamp")) or epoch_ms(one.get("time")) or epoch_ms(payload.get("timestamp"))
    own: dict[str, object] = {
        "EventType": kind,
        "Sid": data.get("sid") or payload.get("sid"),
        "TimestampMs": occurred_ms,
        "Timestamp": None,
        "AccountSid": owner.account_sid,
        "WorkspaceSid": owner.workspace_sid,
    }
    return build_event(
        lambda name: own[name] if name in own else payload.get(snake(name)), Route.STREAM, owner.agent_path
    )


def _check_owner(data: Mapping[str, Any], payload: Mapping[str, Any], owner: Owner) -> None:
    """What is left out or empty is not said; whatever else stands there must be ours."""
    for what, ours in (("account", owner.account_sid), ("workspace", owner.workspace_sid)):
        for holder in (data, payload):
            value = holder.get(f"{what}_sid")
            if value and sid(value) != ours:
                raise ForeignEvent(what=what)


def _name(one: object) -> str:
    found = sid(one.get("id")) if isinstance(one, Mapping) else None
    return found or "an event without id"

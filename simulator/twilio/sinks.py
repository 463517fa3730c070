"""Event Streams of one account: sinks, subscriptions, and which event goes where (Twilio reference 2.2)."""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.clock import VirtualClock
from simulator.twilio.account import TwilioAccount
from simulator.twilio.cloud_event import cloud_event, stream_type
from simulator.twilio.conference_event import HOLD_TYPE
from simulator.twilio.event_types import EVENT_TYPES
from simulator.twilio.pipe import Pipe, Shipment
from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event
from simulator.world.sids import sid_of

SCHEMA_ID, SCHEMA_VERSION = "TaskRouter.WDSEvent", 4
STREAM_TYPES = tuple(sorted([*(stream_type(kind) for kind in EVENT_TYPES), HOLD_TYPE]))
_SINK_TYPES = ("webhook", "kinesis", "segment", "email")
_MOST = 100  # sinks, and subscriptions, of one account
_TEST_TYPE = "com.twilio.eventstreams.test-event"  # assumed


class StreamProblem(ValueError):
    """Something that Event Streams do not take; the text says what and why."""


@dataclass(slots=True, eq=False)
class Sink:
    """Where events go; `status` is initialized, validating, active or failed."""

    sid: str
    kind: str
    description: str
    configuration: dict[str, Any]
    created_ms: int
    updated_ms: int
    status: str = "initialized"
    test_id: str = ""


@dataclass(slots=True, eq=False)
class Subscription:
    """Which types go to a sink, each with its schema version."""

    sid: str
    sink: Sink
    description: str
    types: dict[str, int]
    created_ms: int
    updated_ms: int


@dataclass(slots=True)
class EventStreams:
    """Takes the floor's events and hands each to the pipes of the sinks that subscribe to it.

    `clock` gives the time of the floor, None while it stands still. To webhooks alone is anything sent.
    """

    account: TwilioAccount
    key: SigningKey
    clock: Callable[[], VirtualClock | None]
    sinks: dict[str, Sink] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    _pipes: dict[str, Pipe] = field(default_factory=dict)
    _former: list[Pipe] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _made: int = 0

    # -- sinks

    def create_sink(self, kind: str, description: str, configuration_json: str, now_ms: int) -> Sink:
        """A new sink; it gets nothing before something is subscribed for it."""
        if kind not in _SINK_TYPES:
            raise StreamProblem(f"SinkType is one of {', '.join(_SINK_TYPES)}, not {kind}")
        configuration = _configuration(kind, configuration_json)
        with self._lock:
            if len(self.sinks) >= _MOST:
                raise StreamProblem(f"an account has at most {_MOST} sinks")
            sink = Sink(self._new("DG"), kind, description, configuration, now_ms, now_ms)
            self.sinks[sink.sid] = sink
            if kind == "webhook":
                pipe = self._pipes[sink.sid] = Pipe(sink.sid, configuration["destination"], self.key, self.clock)
                pipe.start()
            return sink

    def delete_sink(self, sink: Sink) -> None:
        """Take a sink away to which nothing is subscribed (assumed: otherwise Twilio refuses)."""
        with self._lock:
            if any(one.sink is sink for one in self.subscriptions.values()):
                raise StreamProblem(f"the sink {sink.sid} has a subscription; delete that first")
            del self.sinks[sink.sid]
            pipe = self._pipes.pop(sink.sid, None)
            if pipe is not None:
                self._former.append(pipe)
        if pipe is not None:
            pipe.stop()

    def test(self, sink: Sink) -> None:
        """Send a test event, whose `data.test_id` proves that it has arrived."""
        with self._lock:
            sink.test_id, sink.status = self._new("TS"), "validating"
            pipe = self._pipes.get(sink.sid)
        if pipe is not None:
            body = {
                "specversion": "1.0",
                "type": _TEST_TYPE,
                "source": "Sink",
                "id": self._new("EZ"),
                "datacontenttype": "application/json",
                "data": {"test_id": sink.test_id},
            }
            pipe.put(Shipment("", _TEST_TYPE, None, body))

    def validate(self, sink: Sink, test_id: str) -> bool:
        """Whether this is the test event's id; then the sink is active."""
        valid = bool(sink.test_id) and test_id == sink.test_id
        sink.status = "active" if valid else "failed"
        return valid

    # -- subscriptions

    def subscribe(self, sink_sid: str, description: str, types: Sequence[str], now_ms: int) -> Subscription:
        """Let a sink get events; a sink has one subscription (Twilio reference 2.2)."""
        wanted = dict(_wanted(text) for text in types)
        if not wanted:
            raise StreamProblem('Types is missing; send at least one such as {"type": "..."}')
        with self._lock:
            sink = self._free_sink(sink_sid)
            found = Subscription(self._new("DF"), sink, description, wanted, now_ms, now_ms)
            self.subscriptions[found.sid] = found
            return found

    def redirect(self, subscription: Subscription, sink_sid: str) -> None:
        """Let a subscription go to another sink."""
        with self._lock:
            if sink_sid != subscription.sink.sid:
                subscription.sink = self._free_sink(sink_sid)

    def _free_sink(self, sid: str) -> Sink:
        sink = self.sinks.get(sid)
        if sink is None:
            raise StreamProblem(f"SinkSid {sid} is none of this account's")
        if any(one.sink is sink for one in self.subscriptions.values()):
            raise StreamProblem(f"the sink {sid} has a subscription already; add event types to that")
        return sink

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; its sink stays."""
        with self._lock:
            del self.subscriptions[subscription.sid]

    @staticmethod
    def add_type(subscription: Subscription, kind: str, version: int | None, now_ms: int) -> None:
        """Subscribe to one type more, or to another version of one."""
        name, number = _wanted(json.dumps({"type": kind} | ({} if version is None else {"schema_version": version})))
        subscription.types[name] = number
        subscription.updated_ms = now_ms

    # -- events

    def take(self, events: Sequence[Event]) -> None:
        """New events of the floor, in the order in which they happened."""
        with self._lock:
            subscriptions = list(self.subscriptions.values())
            pipes = dict(self._pipes)
        for one in subscriptions:
            pipe = pipes.get(one.sink.sid)
            if pipe is not None:
                for event in events:
                    kind = HOLD_TYPE if event.resource_type == "conference" else stream_type(event.type)
                    if kind in one.types:
                        pipe.put(Shipment(event.sid, kind, event.at_ms, self._body(event)), self._batches(one.sink))

    def shipments(self) -> list[Shipment]:
        """The newest of what was to be sent so far, sink by sink."""
        with self._lock:
            return [one for pipe in [*self._former, *self._pipes.values()] for one in pipe.shipments()]

    def stop(self) -> None:
        """Close the pipes; what has not been sent stays unsent."""
        for pipe in self._pipes.values():
            pipe.stop()

    def _body(self, event: Event) -> dict[str, Any]:
        return cloud_event(event, account_sid=self.account.account_sid, workspace_sid=self.account.workspace_sid)

    @staticmethod
    def _batches(sink: Sink) -> bool:
        # Documented as true by default; a live audit saw false (reference 2.2).
        return bool(sink.configuration.get("batch_events", True))

    def _new(self, prefix: str) -> str:
        self._made += 1
        return sid_of(prefix, self.account.account_sid, "event streams", self._made)


def _configuration(kind: str, text: str) -> dict[str, Any]:
    try:
        configuration = json.loads(text)
    except ValueError as error:
        raise StreamProblem(f"SinkConfiguration is no JSON: {error}") from error
    if not isinstance(configuration, dict):
        raise StreamProblem("SinkConfiguration must be a JSON object")
    if kind == "webhook":
        try:
            CallbackTarget.parse(str(configuration.get("destination", "")))
        except ValueError as error:
            raise StreamProblem(f"destination: {error}") from error
        if str(configuration.get("method", "POST")).upper() != "POST":
            raise StreamProblem("method must be POST; nothing else is simulated")
        if not isinstance(configuration.get("batch_events", True), bool):
            raise StreamProblem("batch_events must be true or false")
    return configuration


def _wanted(text: str) -> tuple[str, int]:
    """Type and schema version of one entry of `Types`; without a version the newest (reference 2.2)."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise StreamProblem(f'Types takes JSON such as {{"type": "..."}}, not {text!r}') from error
    kind = given.get("type") if isinstance(given, dict) else None
    if kind not in STREAM_TYPES:
        close = difflib.get_close_matches(str(kind), STREAM_TYPES, n=1, cutoff=0.4)
        raise StreamProblem(
            f"{kind!r} is no event type that is simulated" + (f"; did you mean {close[0]}?" if close else "")
        )
    version = given.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise StreamProblem(f"schema_version {version} is not simulated; {SCHEMA_VERSION} is")
    return kind, version

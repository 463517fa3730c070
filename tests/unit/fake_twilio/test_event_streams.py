"""Event Streams by the official client: sinks with test and validation, subscriptions, and signed batches over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from werkzeug import Request, Response
from wsgi_http import WsgiHttpClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.grounds import Grounds
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario

ACTIVITY = "com.twilio.taskrouter.worker.activity.update"


class Receiver:
    """Takes what comes, answers as it is told, and checks each signature with Twilio's validator."""

    def __init__(self, server: HTTPServer, token: str) -> None:
        self.answers: list[int] = []
        self.bodies: list[Any] = []
        self.passwords: list[Any] = []
        self._validator = RequestValidator(token)
        server.expect_request("/streams").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        body = request.get_data(as_text=True)
        assert self._validator.validate(request.url, body, request.headers["X-Twilio-Signature"])
        self.bodies.append(json.loads(body))
        self.passwords.append(request.authorization)
        return Response(status=self.answers.pop(0) if self.answers else 204)


@pytest.fixture
def show() -> Iterator[Show]:
    scenario = Scenario(agents=3, seed=41)
    settings = ShowSettings(start_ms=scenario.start_ms + 60_000, speed=60.0)
    show = Grounds(scenario=scenario, show=settings, by_hand=True).build()
    yield show
    show.stop()


@pytest.fixture
def receiver(show: Show, httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver, show.account.auth_token)


@pytest.fixture
def client(show: Show) -> Client:
    http = WsgiHttpClient(create_twilio_app(show))
    return Client(show.account.account_sid, show.account.auth_token, http_client=http)


def until(condition: Callable[[], Any]) -> Any:
    limit_s = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < limit_s
        threading.Event().wait(0.01)
    return found


def webhook(client: Client, server: HTTPServer, **more: Any) -> Any:
    """A sink at the receiver, with user, password and a query in its address."""
    destination = server.url_for("/streams?tenant=acme").replace("://", "://ann:secret@")
    configuration = {"destination": destination, "method": "POST", **more}
    return client.events.v1.sinks.create("mine", configuration, "webhook")


def subscribed(client: Client, sink: Any, *kinds: str) -> Any:
    return client.events.v1.subscriptions.create("all", sink.sid, [{"type": kind} for kind in kinds])


def move(show: Show, name: str) -> None:
    with show.service.in_hand() as (world, _):
        world.hands.workers.set_activity(world.floor.workers[0], world.floor.activities[name])


def test_a_sink_is_tested_and_validated(client: Client, receiver: Receiver, httpserver: HTTPServer) -> None:
    """The test event brings the id that validates the sink; another id does not."""
    sink = webhook(client, httpserver)
    assert (sink.status, sink.sid[:2]) == ("initialized", "DG")
    entry = client.events.v1.sinks(sink.sid)
    assert entry.sink_test.create().result == "submitted"
    test_id = until(lambda: receiver.bodies)[0]["data"]["test_id"]
    assert entry.fetch().status == "validating"
    with pytest.raises(TwilioRestException):
        entry.sink_validate.create("other")
    assert entry.sink_validate.create(test_id).result == "valid"
    assert entry.fetch().status == "active"


def test_subscribed_events_arrive_in_batches(
    show: Show, client: Client, receiver: Receiver, httpserver: HTTPServer
) -> None:
    """Those of the wanted types alone, signed, with the password, as CloudEvents of the log's events."""
    subscribed(client, webhook(client, httpserver), ACTIVITY)
    show.start()
    for name in ("Available", "Break"):
        move(show, name)
    with show.service.in_hand() as (world, _):
        world.hands.workers.create("ana")
    until(lambda: sum(len(body) for body in receiver.bodies) == 2)
    told = [event for body in receiver.bodies for event in body]
    assert [event["data"]["payload"]["worker_activity_name"] for event in told] == ["Available", "Break"]
    with show.service.present() as (world, _):
        sids = [event.sid for event in world.log if event.type == "worker.activity.update"][-2:]
    assert [event["data"]["sid"] for event in told] == sids
    assert (receiver.passwords[0].username, receiver.passwords[0].password) == ("ann", "secret")


def test_without_batches_each_event_comes_alone(
    show: Show, client: Client, receiver: Receiver, httpserver: HTTPServer
) -> None:
    """As an object, not as an array."""
    subscribed(client, webhook(client, httpserver, batch_events=False), ACTIVITY)
    show.start()
    move(show, "Break")
    assert until(lambda: receiver.bodies)[0]["type"] == ACTIVITY


def test_what_fails_is_sent_again_and_what_is_bad_is_not(
    show: Show, client: Client, receiver: Receiver, httpserver: HTTPServer
) -> None:
    """503 and 429 are repeated after pauses of virtual time, 400 is given up."""
    receiver.answers = [503, 429, 204, 400, 204]
    subscribed(client, webhook(client, httpserver), ACTIVITY)
    show.start()
    for name in ("Available", "Break", "Available"):
        before = sum(one.done for one in show.streams.shipments())
        move(show, name)
        until(lambda before=before: sum(one.done for one in show.streams.shipments()) > before)
    assert [(one.status, one.attempts) for one in show.streams.shipments()] == [(204, 3), (400, 1), (204, 1)]
    assert len(receiver.bodies) == 5


def test_after_four_hours_an_event_is_lost(
    show: Show, client: Client, receiver: Receiver, httpserver: HTTPServer
) -> None:
    """Of virtual time, which runs fast here."""
    receiver.answers = [500] * 1000
    subscribed(client, webhook(client, httpserver), ACTIVITY)
    show.start(speed=20_000.0)
    move(show, "Break")
    lost = until(lambda: [one for one in show.streams.shipments() if one.done])[0]
    assert (lost.status, lost.acked_s) == (500, None)
    assert lost.attempts > 5


def test_subscriptions_and_their_types_are_listed_changed_and_ended(client: Client, httpserver: HTTPServer) -> None:
    """One subscription for a sink; what was subscribed can be extended and taken back."""
    sink = webhook(client, httpserver)
    made = subscribed(client, sink, ACTIVITY)
    entry = client.events.v1.subscriptions(made.sid)
    assert entry.subscribed_events.create("com.twilio.taskrouter.worker.created").schema_version == 4
    assert [one.type for one in entry.subscribed_events.list()] == [ACTIVITY, "com.twilio.taskrouter.worker.created"]
    assert entry.subscribed_events(ACTIVITY).delete() is True
    assert entry.update(description="less").description == "less"
    for refused in (lambda: subscribed(client, sink, ACTIVITY), client.events.v1.sinks(sink.sid).delete):
        with pytest.raises(TwilioRestException, match="subscription"):
            refused()
    assert [one.sid for one in client.events.v1.subscriptions.list(sink_sid=sink.sid)] == [made.sid]
    assert [one.sid for one in client.events.v1.sinks.list(in_use=True)] == [sink.sid]
    assert entry.delete() is True
    assert client.events.v1.sinks(sink.sid).fetch().description == "mine"
    assert client.events.v1.sinks(sink.sid).delete() is True


def test_the_catalogue_of_types(client: Client) -> None:
    """With the streams' own spelling, and a schema for each."""
    kinds = {one.type for one in client.events.v1.event_types.list(page_size=20)}
    assert {ACTIVITY, "com.twilio.taskrouter.task-queue.expression-updated"} <= kinds
    schema = client.events.v1.event_types(ACTIVITY).fetch().schema_id
    assert client.events.v1.schemas(schema).fetch().latest_version == 4
    assert client.events.v1.schemas(schema).versions.list()[0].schema_version == 4


@pytest.mark.parametrize(
    ("kind", "configuration", "types", "word"),
    [
        ("carrier-pigeon", {"destination": "http://x"}, [], "webhook"),
        ("webhook", {"destination": "x"}, [], "destination"),
        ("webhook", {"destination": "http://x", "method": "GET"}, [], "POST"),
        ("webhook", {"destination": "http://x"}, [{"type": "com.twilio.taskrouter.worker.activty.update"}], ACTIVITY),
        ("webhook", {"destination": "http://x"}, [{"type": ACTIVITY, "schema_version": 2}], "schema_version"),
        ("kinesis", {"arn": "arn:aws:kinesis:x"}, ["no"], "JSON"),
    ],
)
def test_what_streams_do_not_take_is_refused(
    client: Client, kind: str, configuration: dict[str, Any], types: list[Any], word: str
) -> None:
    """400 with 20001, with the nearest right word."""

    def ask() -> None:
        sink = client.events.v1.sinks.create("mine", configuration, kind)  # type: ignore[arg-type]
        client.events.v1.subscriptions.create("all", sink.sid, types)

    with pytest.raises(TwilioRestException) as caught:
        ask()
    assert (caught.value.status, caught.value.code) == (400, 20001)
    assert word in caught.value.msg

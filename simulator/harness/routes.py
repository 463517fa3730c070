"""The ways in which events come to the connector in one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from wsgiref.types import WSGIApplication

from simulator.harness.wsgi import Door
from simulator.twilio.cloud_event import batch
from simulator.twilio.form import CallbackForm, Sender
from simulator.twilio.signing import body_hash
from simulator.world.events import Event


class Route(Protocol):
    """Delivers events.

    Attributes:
        gathers_ms: for how long events are gathered before they are sent together.
        tells_of_holds: whether Twilio tells by it when customers are put on hold and taken back.
        requests: how many requests were made.
    """

    gathers_ms: int
    tells_of_holds: bool
    requests: int

    def deliver(self, events: Sequence[Event]) -> list[Event]:
        """Send these, in order; returns those that were taken."""


class CallbackRoute:
    """Signed callbacks, one request for each event."""

    gathers_ms = 0
    tells_of_holds = False

    def __init__(self, app: WSGIApplication, url: str, form: CallbackForm) -> None:
        self._door = Door(app, url)
        self._form = form
        self.requests = 0

    def deliver(self, events: Sequence[Event]) -> list[Event]:
        """Post them one by one; what is not answered with a 2xx is not sent again, as with Twilio."""
        taken: list[Event] = []
        for event in events:
            self.requests += 1
            if 200 <= self._door.post(*self._form.render(event)) < 300:
                taken.append(event)
        return taken


class StreamRoute:
    """Event Streams in signed batches."""

    gathers_ms = 1_000
    tells_of_holds = True
    most_per_request = 200

    def __init__(self, app: WSGIApplication, url: str, sender: Sender) -> None:
        self._door = Door(app, url)
        self._url = url
        self._sender = sender
        self.requests = 0

    def deliver(self, events: Sequence[Event]) -> list[Event]:
        """Post them in batches."""
        taken: list[Event] = []
        for at in range(0, len(events), self.most_per_request):
            part = events[at : at + self.most_per_request]
            body = batch(part, account_sid=self._sender.account_sid, workspace_sid=self._sender.workspace_sid)
            query = f"bodySHA256={body_hash(body)}"
            headers = {"Content-Type": "application/json", **self._sender.key.headers(f"{self._url}?{query}", {})}
            self.requests += 1
            if 200 <= self._door.post(body, headers, query) < 300:
                taken.extend(part)
        return taken

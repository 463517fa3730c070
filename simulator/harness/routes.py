"""The ways in which events come to the connector in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from wsgiref.types import WSGIApplication

from simulator.faults.letter import Letter
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

    def deliver(self, letters: Sequence[Letter]) -> Iterator[Event]:
        """Send these, in order; gives the events that the connector took and so has learnt of."""


class CallbackRoute:
    """Signed callbacks, one request for each event."""

    gathers_ms = 0
    tells_of_holds = False

    def __init__(self, app: WSGIApplication, url: str, form: CallbackForm) -> None:
        self._door = Door(app, url)
        self._form = form
        self.requests = 0

    def deliver(self, letters: Sequence[Letter]) -> Iterator[Event]:
        """Post them one by one; what is not answered with a 2xx is not sent again, as with Twilio."""
        for letter in letters:
            self.requests += 1
            if 200 <= self._door.post(*self._form.render_letter(letter)) < 300 and letter.tells:
                yield letter.event


class StreamRoute:
    """Event Streams in signed batches.

    Twilio does not say for how long a batch is gathered; 15 seconds are assumed. Every event is delivered and judged
    all the same, only the steps of the clock are fewer.
    """

    gathers_ms = 15_000
    tells_of_holds = True
    most_per_request = 200

    def __init__(self, app: WSGIApplication, url: str, sender: Sender) -> None:
        self._door = Door(app, url)
        self._url = url
        self._sender = sender
        self.requests = 0

    def deliver(self, letters: Sequence[Letter]) -> Iterator[Event]:
        """Post them in batches.

        Raises:
            ValueError: a fault has changed a request; such faults need callbacks.
        """
        if not all(letter.is_plain for letter in letters):
            raise ValueError("a fault that changes a request needs the route of callbacks")
        events = [letter.event for letter in letters]
        for at in range(0, len(events), self.most_per_request):
            part = events[at : at + self.most_per_request]
            body = batch(part, account_sid=self._sender.account_sid, workspace_sid=self._sender.workspace_sid)
            query = f"bodySHA256={body_hash(body)}"
            headers = {"Content-Type": "application/json", **self._sender.key.headers(f"{self._url}?{query}", {})}
            self.requests += 1
            if 200 <= self._door.post(body, headers, query) < 300:
                yield from part

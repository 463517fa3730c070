"""A target for the load generator that answers, stalls, breaks off and lies on demand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httptools

Answer = Callable[[int], "Reply"]
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n"


@dataclass(frozen=True)
class Reply:
    """What becomes of one request: bytes, after a while; then perhaps the connection's end."""

    raw: bytes = NO_CONTENT
    after_s: float = 0.0
    closes: bool = False


@dataclass
class Target:
    """A running server.

    Attributes:
        bodies: of the requests in the order in which they were complete.
        arrived: when, in the time of `time.monotonic`.
    """

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/twilio/demo/events"


class _Server(asyncio.Protocol):
    def __init__(self, target: Target, answer: Answer) -> None:
        self._target, self._answer = target, answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._target.connections += 1
        self._transport = transport
        self._begin()

    def _begin(self) -> None:
        self._parser, self._body, self._headers = httptools.HttpRequestParser(self), b"", {}

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        target = self._target
        target.arrived.append(time.monotonic())
        target.bodies.append(self._body)
        target.headers.append(self._headers)
        self._body, self._headers = b"", {}
        reply = self._answer(len(target.bodies) - 1)
        asyncio.get_running_loop().call_later(reply.after_s, self._send, reply)

    def _send(self, reply: Reply) -> None:
        if not self._transport.is_closing():
            self._transport.write(reply.raw)
            if reply.closes:
                self._transport.close()


@contextmanager
def serving(answer: Answer = lambda _number: Reply()) -> Iterator[Target]:
    """A target in a thread of its own; `answer` is asked for each request, by its number."""
    target, ready = Target(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await loop.create_server(lambda: _Server(target, answer), "127.0.0.1", 0)
        target.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield target
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

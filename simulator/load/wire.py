"""Kept-alive HTTP/1.1 connections of the event loop, each with one request under way at most."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol

import httptools

from simulator.load.letters import Letter
from simulator.load.records import Failure
from simulator.twilio.target import CallbackTarget


class Owner(Protocol):
    """Who is told what becomes of a connection and of its request."""

    def answered(self, wire: Wire, letter: Letter, status: int) -> None:
        """The whole answer has come; the wire is free unless it closes."""

    def broken(self, wire: Wire, letter: Letter | None, failure: Failure, *, untouched: bool) -> None:
        """The wire is gone, perhaps under a request; `untouched`: it had served before and gave no byte of answer."""


class Wire(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._served = 0
        self._heard = False
        self._failure = Failure.LOST
        self.letter: Letter | None = None
        self.sent = 0.0

    @property
    def usable(self) -> bool:
        """Whether a request can be written to it."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, letter: Letter, now: float) -> None:
        """Write a request; `now` is the loop's time."""
        if self._transport is None:
            raise RuntimeError("the connection is not open")
        self.letter, self.sent, self._heard = letter, now, False
        self._transport.write(letter.raw)

    def give_up(self, failure: Failure) -> None:
        """Drop the connection, and its request with it."""
        self._failure = failure
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.give_up(Failure.GARBLED)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The other side has closed it, or it was given up."""
        letter, self.letter = self.letter, None
        untouched = letter is not None and self._served > 0 and not self._heard and self._failure is Failure.LOST
        self._transport = None
        self._owner.broken(self, letter, self._failure, untouched=untouched)

    # -- httptools

    def on_message_complete(self) -> None:
        """The whole answer has come."""
        status = self._parser.get_status_code()
        if status < 200:
            return  # word from a proxy on the way; the answer follows
        letter, self.letter = self.letter, None
        if letter is None:
            return  # an answer to nothing, such as an early 408
        self._served += 1
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        self._owner.answered(self, letter, status)


async def connect(target: CallbackTarget, owner: Owner, trust: ssl.SSLContext | None) -> Wire:
    """Open a connection; raises OSError, or TimeoutError after the target's connect timeout."""
    loop = asyncio.get_running_loop()
    make: Callable[[], Wire] = lambda: Wire(owner)  # noqa: E731
    async with asyncio.timeout(target.overrides.connect_ms / 1000):
        _, wire = await loop.create_connection(
            make, target.host, target.port, ssl=trust, server_hostname=target.host if trust else None
        )
    return wire


def trust_of(target: CallbackTarget) -> ssl.SSLContext | None:
    """How the target proves who it is, where it is to be reached by TLS."""
    return ssl.create_default_context() if target.secure else None

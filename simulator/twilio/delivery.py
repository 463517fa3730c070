"""One HTTP POST of a callback over a kept-alive connection, and how it ended in Twilio's words."""

from __future__ import annotations

import http.client
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.twilio.target import CallbackTarget


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `failure` is "", `ct`, `rt`, `3xx`, `4xx` or `5xx`."""

    failure: str
    status: int | None
    answered_s: float


class CallbackConnection:
    """A connection to the callback's host; used by one thread."""

    def __init__(self, target: CallbackTarget) -> None:
        self._target = target
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, headers: Mapping[str, str], budget_s: float, request_target: str = "") -> Outcome:
        """Send one request and read the whole answer within `budget_s` seconds; its path and query may be others."""
        deadline_s = time.monotonic() + budget_s
        overrides = self._target.overrides
        try:
            connection = self._open(min(overrides.connect_ms / 1000, budget_s))
        except OSError:
            self.close()
            return Outcome("ct", None, time.time())
        try:
            left_s = max(0.001, min(overrides.read_ms / 1000, deadline_s - time.monotonic()))
            if connection.sock is not None:
                connection.sock.settimeout(left_s)
            connection.request("POST", request_target or self._target.request_target, body=body, headers=dict(headers))
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            # It may or may not have been taken; for Twilio this is a read failure.
            self.close()
            return Outcome("rt", None, time.time())
        answered_s = time.time()
        if response.will_close:
            self.close()
        kind = "" if 200 <= response.status < 300 else f"{response.status // 100}xx"
        return Outcome(kind, response.status, answered_s)

    def close(self) -> None:
        """Drop the connection; the next post opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._connection is not None and _was_closed(self._connection.sock):
            self.close()
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._target.secure else http.client.HTTPConnection
            connection = kind(self._target.host, self._target.port, timeout=timeout_s)
            connection.connect()
            if connection.sock is not None:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        return self._connection


def _was_closed(sock: socket.socket | None) -> bool:
    """Whether the other side has closed an idle connection: it is readable although nothing was asked."""
    if sock is None:
        return True
    return bool(select.select([sock], [], [], 0)[0])

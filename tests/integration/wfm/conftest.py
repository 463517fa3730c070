"""Fixtures for the SDK against scripted servers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, ClassVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.wfm import WFMConnection, WFMConnectionConfigBuilder

SECRET = "3MMUKO7PCQ===="
START_MS = 1_772_442_900_000


class Wfm:
    """A scripted WFM: answers of each path are a queue, the last of which stays; requests are recorded."""

    PATHS: ClassVar = {
        "token": "/v1/authentication/token",
        "refresh": "/v1/authentication/refresh",
        "acd_details": "/v1/acd-details",
        "heartbeat": "/v1/heartbeat",
        "agent_states": "/v1/agent-states",
        "agent_activity": "/v1/reports/agent-activity",
        "queue_report": "/v1/reports/queue",
    }

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.calls: list[tuple[str, str | None, Any]] = []  # endpoint, bearer token, JSON
        self._answers: dict[str, list[Response | Callable[[Request], Response]]] = {}
        self._lock = threading.Lock()
        for name, path in self.PATHS.items():
            server.expect_request(path).respond_with_handler(self._handler(name))
        self.script("token", *(self.login(number) for number in range(1, 9)))
        self.script("refresh", *(self.refreshed(number) for number in range(1, 9)))
        self.script("acd_details", self.answer(200, {"acdType": "TWILIO"}))
        for name in ("heartbeat", "agent_states", "agent_activity", "queue_report"):
            self.script(name, self.answer(200, {"message": "accepted"}))

    @staticmethod
    def answer(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Response(text, status=status, headers=headers, content_type="application/json")

    @classmethod
    def login(cls, number: int, **changes: Any) -> Response:
        body = {"id_token": "id", "token_type": "Bearer", "expires_in": 3600}
        return cls.answer(
            200, {**body, "refresh_token": f"refresh-{number}", "access_token": f"access-{number}", **changes}
        )

    @classmethod
    def refreshed(cls, number: int) -> Response:
        body = {"token": f"renewed-{number}", "tokenExpirationTimeSec": 3600, "refreshToken": f"rotated-{number}"}
        return cls.answer(200, {**body, "refreshTokenExpirationTimeSec": 7200, "sessionId": None})

    def script(self, name: str, *answers: Response | Callable[[Request], Response]) -> None:
        self._answers[name] = list(answers)

    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]

    def _handler(self, name: str) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            with self._lock:
                bearer = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
                self.calls.append((name, bearer, request.get_json(silent=True)))
                answers = self._answers[name]
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
            return answer(request) if not isinstance(answer, Response) else answer

        return handle


@pytest.fixture(scope="session")
def threaded_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def wfm(threaded_server: HTTPServer) -> Wfm:
    threaded_server.clear()
    return Wfm(threaded_server)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def builder(wfm: Wfm) -> WFMConnectionConfigBuilder:
    keys = WFMConnectionConfigBuilder().set_access_key("ICIK6JQHUUZANCQ====").set_secret_key(SECRET)
    return keys.set_service_url(wfm.url).set_timeout_s(5)


@pytest.fixture
def connection(builder: WFMConnectionConfigBuilder, clock: ManualClock) -> Iterator[WFMConnection]:
    with WFMConnection.get_connection(builder.build(), clock=clock) as made:
        yield made


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a server that treats each connection as told, and give its URL."""
    servers: list[tuple[socket.socket, threading.Thread]] = []
    stop = threading.Event()

    def start(treat: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                with closing(client):
                    client.settimeout(2)
                    treat(client)

        thread = threading.Thread(target=serve)
        thread.start()
        servers.append((listener, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for listener, thread in servers:
        thread.join(10)
        listener.close()

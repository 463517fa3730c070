"""The fake Twilio as a process: started from the command line, read by the official client, stopped by a signal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client


class RewritingHttpClient(TwilioHttpClient):
    """The client's own transport, pointed at another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=10)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        path = url.split("://", 1)[1].split("/", 1)[1]
        return super().request(method, f"{self._base_url}/{path}", *args, **kwargs)


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A held simulator with 30 agents on a free port, and what it said when it was ready."""
    command = [
        sys.executable, "-c", "from simulator.cli import main; main()", "twilio", "--port", "0", "--agents", "30",
        "--seed", "3", "--hold", "--json-ready", "--warmup-minutes", "45", "--minutes", "20", "--speed", "600",
        "--also", "name=second,agents=2,hold=true",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running, json.loads(running.stdout.readline())
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=20)


def test_the_serving_process_does_not_outlive_its_supervisor(
    process: tuple[subprocess.Popen[str], dict[str, Any]],
) -> None:
    """Whoever kills the supervisor outright leaves no server behind."""
    running, ready = process
    running.kill()
    running.wait(timeout=10)
    limit_s = time.monotonic() + 10
    while time.monotonic() < limit_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", ready["port"])) != 0:
                return
        threading.Event().wait(0.1)
    raise AssertionError("the port still answers")


def _call(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers={"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def test_client_callbacks_and_signal(process: tuple[subprocess.Popen[str], dict[str, Any]]) -> None:
    """The client pages over HTTP, each callback of the run arrives once and is valid, SIGTERM ends it with status 0."""
    running, ready = process
    assert ready["ready"] is True
    client = Client(ready["account_sid"], ready["auth_token"], http_client=RewritingHttpClient(ready["base_url"]))
    workspace = client.taskrouter.v1.workspaces(ready["workspace_sid"])
    assert len(workspace.workers.list(page_size=7)) == 30
    assert len(workspace.events.list(page_size=40)) > 120
    configuration = client.flex_api.v1.configuration().fetch()
    assert configuration.taskrouter_offline_activity_sid == ready["offline_activity_sid"]
    first, second = ready["worlds"]
    assert (first["account_sid"], second["name"]) == (ready["account_sid"], "second")
    other = Client(second["account_sid"], second["auth_token"], http_client=RewritingHttpClient(ready["base_url"]))
    assert len(other.taskrouter.v1.workspaces(second["workspace_sid"]).workers.list()) == 2

    received: list[str] = []
    invalid: list[str] = []
    validator = RequestValidator(ready["auth_token"])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            parameters = dict(parse_qsl(body, keep_blank_values=True))
            if not validator.validate(url, parameters, self.headers["X-Twilio-Signature"]):
                invalid.append(parameters["Sid"])
            received.append(parameters["Sid"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_address[1]}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        _call(ready["base_url"] + "/sim/start", {"callback_url": url})
        limit_s = time.monotonic() + 30
        while not (status := _call(ready["base_url"] + "/sim/status"))["finished"] and time.monotonic() < limit_s:
            threading.Event().wait(0.05)
        assert status["finished"]
        emissions = _call(ready["base_url"] + "/sim/emissions")["callbacks"]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
    assert status["callbacks_failed"] == 0
    assert sorted(received) == sorted(emission["sid"] for emission in emissions)
    assert len(received) == status["callbacks_sent"] > 100
    assert invalid == []

    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 0

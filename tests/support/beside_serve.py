"""Real `flex-wfm` processes on one ledger: servers that take signed callbacks, and commands beside them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flow_bench import Peer
from twilio.request_validator import RequestValidator
from werkzeug import Request, Response

from simulator.harness.process import CONNECTOR, Child

READY_S = 60.0


class RecordingPeer(Peer):
    """A WFM that also remembers when each state began."""

    def __init__(self, *words: Any) -> None:
        self.rows: list[tuple[str, str, str]] = []
        super().__init__(*words)

    def _states(self, request: Request) -> Response:
        response = super()._states(request)
        if 200 <= response.status_code < 300:
            self.rows += [
                (row["agentId"], row["eventId"], row["startTime"]) for row in request.get_json()["agentStates"]
            ]
        return response


class Processes:
    """The processes of one settings file; all of them are ended when this is closed."""

    def __init__(self, config: Path, tenant: str) -> None:
        self.config = config
        self.tenant = tenant
        self._children: list[Child] = []

    def _start(self, name: str, *words: str) -> Child:
        argv = [*CONNECTOR, *words]
        child = Child(name, argv, self.config.parent / f"{name}-{len(self._children)}.log")
        self._children.append(child)
        return child

    def serve(self) -> Server:
        """A server that is ready."""
        child = self._start("serve", "serve", "--config", str(self.config), "--port", "0", "--json-ready")
        return Server(child, child.ready(READY_S)["port"], self.tenant)

    def command(self, name: str, *words: str) -> Child:
        """Any other command, as it begins."""
        return self._start(name, name, "--config", str(self.config), *words)

    def close(self) -> None:
        for one in self._children:
            one.kill()


class Server:
    """A running `flex-wfm serve`."""

    def __init__(self, child: Child, port: int, tenant: str) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}"
        self._tenant = tenant

    def health(self) -> dict[str, Any]:
        """What it says of the tenant."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        found: dict[str, Any] = json.loads(body)["tenants"][self._tenant]
        return found

    def post(self, fields: dict[str, str], auth_token: str) -> bool:
        """Send a callback; tells whether it was acknowledged."""
        url = f"{self.url}/twilio/{self._tenant}/events"
        signature = RequestValidator(auth_token).compute_signature(url, fields)
        request = urllib.request.Request(url, urlencode(fields).encode(), {"X-Twilio-Signature": signature})
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return 200 <= answer.status < 300
        except OSError:
            return False

    def freeze(self) -> None:
        """It stands still, and holds what it holds."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        os.kill(self.child.pid, number)


class Traffic:
    """One worker who changes between two activities, told to servers while other things happen."""

    def __init__(self, account: Any, activities: Sequence[tuple[str, str]], servers: list[Server], now_ms: int) -> None:
        self._account = account
        self._activities = activities
        self._servers = servers
        self._now_ms = now_ms
        self._over = threading.Event()
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.02):
            number = len(self.sent)
            sid, name = self._activities[number % 2]
            fields = {
                "AccountSid": self._account.account_sid,
                "WorkspaceSid": self._account.workspace_sid,
                "EventType": "worker.activity.update",
                "Sid": f"EV{number:032x}",
                "TimestampMs": str(self._now_ms + number * 5_000),
                "WorkerSid": "WKlive",
                "WorkerName": "live",
                "WorkerActivitySid": sid,
                "WorkerActivityName": name,
            }
            self.sent.append(fields["Sid"])
            if any(one.post(fields, self._account.auth_token) for one in list(self._servers)):
                self.acknowledged.append(fields["Sid"])

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what processes do."""
    tick = threading.Event()
    for _ in range(round(seconds / 0.05)):
        if condition():
            return
        tick.wait(0.05)
    raise AssertionError("it did not come to that")


def rows(ledger: Path, query: str) -> list[Any]:
    """What a query finds in the ledger, read only."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()

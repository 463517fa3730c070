"""A full disk, and a nearly full one: refused with words, nothing acknowledged is lost, and it comes back by itself."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from repair_floor import HOUR, MINUTE, RepairFloor
from twilio.request_validator import RequestValidator

from flex_plugin_backend.domain.events import EVENTS_FILTER
from simulator.harness.config import TENANT
from simulator.world.events import Event

TOKEN = "0123456789abcdef0123456789abcdef"
NOWHERE = "http://127.0.0.1:9"


class Server:
    """The connector as a process whose disk a test can fill: a limit on the size of what it writes."""

    def __init__(self, folder: Path, **ledger: int) -> None:
        self.ledger = folder / "ledger.sqlite3"
        config = folder / "flex-wfm.toml"
        config.write_text(
            f'[ledger]\nurl = "sqlite:///{self.ledger}"\n'
            + "".join(f"{name} = {value}\n" for name, value in ledger.items())
            + f'[tenants.acme.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS1"\nauth_token = "{TOKEN}"\n'
            f'api_base_url = "{NOWHERE}"\n'
            f'[tenants.acme.wfm]\nservice_url = "{NOWHERE}"\naccess_key = "key"\nsecret_key = "s3cr3t-key"\n'
        )
        self._log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flex_plugin_backend", "serve", "-c", str(config), "--port", "0", "--json-ready"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def fill_disk(self) -> None:
        """From now on every write to a file fails, as on a disk without room."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, hard))

    def make_room(self) -> None:
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def post(self, number: int) -> tuple[int, Message, bytes]:
        fields = {
            "AccountSid": "AC1",
            "WorkspaceSid": "WS1",
            "EventType": "worker.activity.update",
            "Sid": f"EV{number:032x}",
            "TimestampMs": str(round(time.time() * 1000)),
            "WorkerSid": f"WK{number % 7}",
            "WorkerActivitySid": "WA1",
            "WorkerActivityName": "Break",
        }
        url = f"{self.url}/twilio/acme/events"
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        return self._ask(urllib.request.Request(url, urlencode(fields).encode(), {"X-Twilio-Signature": signature}))

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        status, _, body = self._ask(urllib.request.Request(self.url + path))
        found: dict[str, Any] = json.loads(body)
        return status, found

    @staticmethod
    def _ask(request: urllib.request.Request) -> tuple[int, Message, bytes]:
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def alarms(self) -> set[str]:
        return {one["cause"] for one in self.get("/healthz")[1]["tenants"]["acme"]["alarms"]}

    def stored(self) -> set[str]:
        with closing(sqlite3.connect(self.ledger)) as ledger:
            assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return {sid for (sid,) in ledger.execute("SELECT sid FROM events")}

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers; whatever still runs at the end is ended."""
    started: list[Server] = []

    def start(**ledger: int) -> Server:
        started.append(Server(tmp_path, **ledger))
        return started[-1]

    yield start
    for one in started:
        one.end()


def until(condition: Callable[[], bool], what: str) -> None:
    """Look until it is so, for a minute at most."""
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.1)


def test_a_full_disk_under_the_running_server_refuses_with_words_and_comes_back_by_itself(
    serve: Callable[..., Server],
) -> None:
    """503 with Retry-After and a problem body, held with cause disk; what was answered 204 is in the ledger."""
    server = serve()
    taken = {number for number in range(20) if server.post(number)[0] == 204}
    assert len(taken) == 20
    server.fill_disk()
    for number in range(100, 110):
        status, headers, body = server.post(number)
        assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "5")
        assert "disk" in json.loads(body)["detail"]
    until(lambda: "disk" in server.alarms(), "no alarm of the disk")
    tenant = server.get("/healthz")[1]["tenants"]["acme"]
    assert (tenant["status"], tenant["cause"]) == ("held", "disk")
    assert "Make room" in tenant["to_do"]
    assert server.get("/readyz")[0] == 503
    server.make_room()
    until(lambda: "disk" not in server.alarms(), "the alarm of the disk did not end by itself")
    assert server.get("/readyz")[0] == 200
    taken |= {number for number in range(200, 220) if server.post(number)[0] == 204}
    assert len(taken) == 40
    server.end()
    assert server.process.returncode == 0
    assert {f"EV{number:032x}" for number in taken} <= server.stored()


def test_a_nearly_full_disk_closes_the_door_before_it_is_full(serve: Callable[..., Server]) -> None:
    """Measured for real, with a limit that no disk satisfies; what needs no new event goes on."""
    server = serve(least_free_bytes=2**60)
    status, headers, body = server.post(1)
    assert (status, headers["Retry-After"]) == (503, "30")
    assert "nearly" in json.loads(body)["detail"]
    until(lambda: "disk" in server.alarms(), "no alarm of the disk")
    assert server.get("/readyz")[1]["ready"] is False
    server.end()
    assert server.stored() == set()


def test_what_a_nearly_full_disk_refused_is_healed_once_there_is_room(tmp_path: Path) -> None:
    """Half an hour without room: the WFM ends with the truth, the hole has the cause disk, nobody calls it blind."""
    floor = RepairFloor(tmp_path, lambda _event, _chance: False, agents=5, settle_ms=3 * HOUR)
    happened: list[Event] = []
    floor.floor.service.listen(happened.extend)
    free = [2**40]
    floor.floor.host.connectors[-1].drive.free_bytes = lambda _folder: free[-1]
    floor.run(15 * MINUTE)
    taken = floor.floor.taken
    free.append(1_000)
    floor.run(15 * MINUTE)
    health = floor.floor.health()
    assert (health["status"], health["cause"], "nearly full" in health["detail"]) == ("held", "disk", True)
    assert floor.floor.taken - taken < 5
    floor.run(15 * MINUTE)
    free.append(2**40)
    floor.run(15 * MINUTE)
    floor.end()
    assert floor.floor.health()["alarms"] == []
    wanted = {one.sid for one in happened if one.type in EVENTS_FILTER}
    assert wanted <= floor.stored()
    _, reports = floor.verdict()
    assert reports.clean, reports.to_dict()
    assert {agent: line[-1][1:] for agent, line in floor.told().items()} == floor.present()
    holes = floor.gaps()
    assert {one["state"] for one in holes} <= {"healed", "clear"}
    assert sum(one["events"] for one in holes if one["cause"] == "disk") > 100
    assert "feed blind" not in {one["cause"] for one in holes}
    assert [one["cause"] for one in _alarms(floor)] == ["disk"]
    floor.close()


def _alarms(floor: RepairFloor) -> list[dict[str, Any]]:
    rows = floor.database.execute("SELECT * FROM alarms WHERE tenant = ? ORDER BY since_ms", (TENANT,))
    names = [one[0] for one in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]

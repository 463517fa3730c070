"""flex-wfm backfill and gaps beside the simulated Twilio over HTTP, with a connector at work and without one."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from beside_serve import Processes, RecordingPeer, Server, Traffic, rows, until
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer
from repair_floor import HOUR, MINUTE, RepairFloor
from werkzeug.serving import make_server

from flex_plugin_backend import create_app
from flex_plugin_backend.cli import main
from flex_plugin_backend.cli.moments import as_second
from simulator.harness.config import TENANT
from simulator.harness.process import Child
from simulator.twilio.app import create_twilio_app
from simulator.world.events import Event


class Site:
    """An hour and a half of a small floor, a third of its second half's events lost, then everything stands still.

    The connector has not repaired anything, and is not running.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lossy = (0, 0)

        def doomed(event: Event, chance: Any) -> bool:
            return lossy[0] <= event.ms < lossy[1] and chance.random() < 1 / 3

        self.floor = RepairFloor(folder, doomed, agents=3, repair=False, settle_ms=4 * HOUR)
        self.begin_ms = self.floor.now_ms
        self.end_ms = self.begin_ms + 90 * MINUTE
        lossy = (self.begin_ms + 45 * MINUTE, self.end_ms)
        self.floor.run(90 * MINUTE)
        self.floor.end(20 * MINUTE)
        self.floor.floor.close()
        self.lost = {one.sid for one in self.floor.loss.lost}
        self.server = make_server("127.0.0.1", 0, create_twilio_app(self.floor.floor._show), threaded=True)
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()
        self.kept = folder / "kept.sqlite3"
        self._copy(folder / "ledger.sqlite3", self.kept)
        self.settle_down(folder)

    def settle_down(self, folder: Path) -> None:
        """Work from now on with the ledger in this folder, as it was when everything came to a stand."""
        ledger = folder / "ledger.sqlite3"
        if not ledger.exists():
            self._copy(self.kept, ledger)
        self.floor.database.close()
        self.floor.database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
        self.ledger = ledger
        self.config = folder / "flex-wfm.toml"
        self.settings = self._settings(folder)
        self.write()

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.backup(other)

    def _settings(self, folder: Path) -> dict[str, Any]:
        account = self.floor.floor.account
        return {
            "ledger": {"url": f"sqlite:///{folder / 'ledger.sqlite3'}"},
            "clock": {"start_ms": self.floor.now_ms, "anchor_ms": time.time_ns() // 1_000_000, "speed": 1.0},
            "tenants": {
                TENANT: {
                    "twilio": {
                        "account_sid": account.account_sid,
                        "workspace_sid": account.workspace_sid,
                        "auth_token": account.auth_token,
                        "api_base_url": f"http://127.0.0.1:{self.server.server_port}",
                    },
                    "wfm": {"service_url": "http://127.0.0.1:9", "access_key": "k", "secret_key": "s"},
                    "repair": {"requests_per_minute": 6000},
                }
            },
        }

    def write(self) -> None:
        lines: list[str] = []

        def table(name: str, found: dict[str, Any]) -> None:
            plain = {key: value for key, value in found.items() if not isinstance(value, dict)}
            if plain:
                lines.append(f"[{name}]")
                lines.extend(f"{key} = {json.dumps(value)}" for key, value in plain.items())
            for key, value in found.items():
                if isinstance(value, dict):
                    table(f"{name}.{key}" if name else key, value)

        table("", self.settings)
        self.config.write_text("\n".join(lines))

    def run(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, "-c", str(self.config), *arguments])

    def backfill(self, *more: str, from_ms: int | None = None, to_ms: int | None = None) -> Result:
        from_ms = self.begin_ms if from_ms is None else from_ms
        to_ms = self.end_ms if to_ms is None else to_ms
        return self.run("backfill", "--from", as_second(from_ms), "--to", as_second(to_ms), *more)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        self.floor.database.close()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all tests."""
    found = Site(tmp_path_factory.mktemp("site"))
    yield found
    found.close()


@pytest.fixture
def site(lived: Site, tmp_path: Path) -> Site:
    """That site, with a ledger of its own for each test."""
    lived.settle_down(tmp_path)
    return lived


def test_a_running_connector_takes_up_what_a_backfill_brings(site: Site) -> None:
    """Two processes' worth of connections on one ledger: both write, nothing is lost, and the states follow."""
    app = create_app(site.settings, start=True)
    try:
        done = site.backfill()
        assert done.exit_code == 0, done.output
        assert "running connector takes them up" in done.output
        assert site.lost <= site.floor.stored()
        tick = threading.Event()
        for _ in range(500):
            if app.test_client().get("/healthz").get_json()["tenants"][TENANT]["unprojected"] == 0:
                break
            tick.wait(0.02)
        assert app.test_client().get("/healthz").get_json()["tenants"][TENANT]["unprojected"] == 0
    finally:
        app.extensions["flex_wfm_plugin"].close()


def test_holes_are_listed_with_cause_size_and_state(site: Site) -> None:
    """As a table and as JSON; totals that differ stand below."""
    assert site.run("gaps").output == "There are no holes.\n"
    site.backfill()
    table = site.run("gaps")
    assert "unknown" in table.output
    assert f"{len(site.lost)} events recovered" in table.output
    lines = [json.loads(line) for line in site.run("gaps", "--json", "--tenant", TENANT).output.splitlines()]
    assert sum(line["events"] for line in lines) == len(site.lost)
    assert {line["state"] for line in lines} == {"filled"}
    assert all(as_second(site.begin_ms) < line["from"] <= line["to"] < as_second(site.end_ms) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-01-05T10:00Z", "--to", "2026-01-05T09:00Z"), "does not lie after --from"),
        (("--from", "2025-11-05T10:00Z", "--to", "2026-01-05T09:00Z"), "30 days; the earliest possible is 2025-12-0"),
        (("--from", "2026-01-05T09:00Z", "--to", "2026-01-05T23:00Z"), "may still be on its way"),
        (("--from", "2026-01-05T09:00Z", "--to", "2027-01-05T09:00Z"), "the latest possible is that"),
        (("--from", "yesterday", "--to", "2026-01-05T09:00Z"), "is not a time like"),
        (("--from", "2026-01-05T09:00Z", "--to", "2026-01-05T09:30Z", "--tenant", "nobody"), "no tenant nobody"),
    ],
)
def test_impossible_ranges_say_what_is_possible(site: Site, arguments: tuple[str, ...], words: str) -> None:
    """Before anything is read."""
    done = site.run("backfill", *arguments)
    assert done.exit_code == 2
    assert words in re.sub(r"\s+", " ", done.output.replace("│", ""))


def test_wrong_credentials_are_said_at_once_and_how_to_go_on(site: Site) -> None:
    """Nobody waits before a terminal."""
    site.settings["tenants"][TENANT]["twilio"]["auth_token"] = "wrong"
    site.write()
    done = site.backfill()
    assert done.exit_code == 1
    assert "401" in done.output
    assert "run the same command to go on" in done.output
    assert site.lost.isdisjoint(site.floor.stored())


# -- beside a server of its own process -----------------------------------------------------------------------------


@pytest.fixture
def served(site: Site, httpserver: HTTPServer) -> Iterator[tuple[Site, Processes, RecordingPeer]]:
    """The site with a WFM that is well; its servers do not repair by themselves: what comes back is the command's."""
    peer = RecordingPeer(httpserver)
    tenant = site.settings["tenants"][TENANT]
    tenant["wfm"]["service_url"] = peer.url
    tenant["repair"]["enabled"] = False
    tenant["reports"] = {"enabled": False}
    site.settings["clock"]["anchor_ms"] = time.time_ns() // 1_000_000
    site.write()
    processes = Processes(site.config, TENANT)
    yield site, processes, peer
    processes.close()


def traffic(site: Site, servers: list[Server]) -> Traffic:
    """A worker at work between two activities of the floor's catalogue."""
    [(body,)] = rows(site.ledger, "SELECT body FROM catalogues")
    activities = [(sid, name) for sid, name, _ in json.loads(body)["activities"]]
    return Traffic(site.floor.floor.account, activities[:2], servers, site.floor.now_ms)


def begin(site: Site, processes: Processes) -> Child:
    """The command, in a process of its own."""
    span = ("--from", as_second(site.begin_ms), "--to", as_second(site.end_ms))
    return processes.command("backfill", *span, "--json")


def at_rest(server: Server) -> bool:
    """Everything is projected and sent."""
    health = server.health()
    return health["unprojected"] == 0 and health["pending"] == 0 and health["status"] == "ok"


def check(site: Site, peer: RecordingPeer, live: Traffic, missing: set[str]) -> None:
    """Nothing is lost or doubled in the ledger; the WFM shows each agent's present, and heard the worker in order."""
    stored = [sid for (sid,) in rows(site.ledger, "SELECT sid FROM events")]
    assert len(stored) == len(set(stored))
    assert site.lost | set(live.acknowledged) <= set(stored)
    assert sum(number for (number,) in rows(site.ledger, "SELECT events FROM gaps")) == len(missing)
    held = {agent: (event, reason) for agent, event, reason in peer.taken}
    assert {agent: held.get(agent) for agent in site.floor.present()} == site.floor.present()
    starts = [start for agent, _, start in peer.rows if agent == "WKlive"]
    assert starts == sorted(starts)
    kept = rows(site.ledger, "SELECT status FROM state_changes WHERE worker_sid = 'WKlive' AND kind = 'change'")
    assert [status for (status,) in kept] == ["delivered"] * len(kept)
    assert len(kept) >= len(live.acknowledged)


def test_beside_a_server_nothing_is_lost_or_doubled(served: tuple[Site, Processes, RecordingPeer]) -> None:
    """Callbacks come in while the command stores history; each state is told once."""
    site, processes, peer = served
    server = processes.serve()
    until(lambda: at_rest(server))
    live = traffic(site, [server])
    until(lambda: len(live.acknowledged) > 20)
    missing = site.lost - site.floor.stored()  # the start has read the last hour
    done = begin(site, processes)
    assert done.wait(60) == 0, done.tail()
    until(lambda: len(live.acknowledged) > 60)
    live.stop()
    assert live.acknowledged == live.sent
    until(lambda: at_rest(server))
    check(site, peer, live, missing)
    told = [row for row in peer.rows if row[0] == "WKlive"]
    assert len(told) == len(set(told)) == len(live.sent)
    explained = processes.command("explain", "live")
    assert explained.wait(30) == 0
    # The changes lie five seconds apart, the newest ahead of the clock: it says what the WFM was told last, and when.
    assert re.search(r"^WFM shows +(UN)?AVAILABLE.*, told at ", explained.tail(), re.MULTILINE), explained.tail()


def test_a_command_that_is_killed_goes_on_where_it_stopped(served: tuple[Site, Processes, RecordingPeer]) -> None:
    """After a portion, while a server that stands still holds the lease; each event is stored and counted once."""
    site, processes, peer = served
    server = processes.serve()
    until(lambda: at_rest(server))
    live = traffic(site, [server])
    until(lambda: len(live.acknowledged) > 5)
    live.stop()
    until(lambda: at_rest(server))
    missing = site.lost - site.floor.stored()
    server.freeze()
    first = begin(site, processes)
    until(lambda: bool(missing & site.floor.stored()))
    first.check()  # it waits for the server's states before it goes on
    first.kill()
    server.thaw()
    again = begin(site, processes)
    assert again.wait(60) == 0, again.tail()
    until(lambda: at_rest(server))
    check(site, peer, live, missing)


def test_the_lease_goes_to_the_other_server_when_the_first_is_killed(
    served: tuple[Site, Processes, RecordingPeer],
) -> None:
    """Two servers take callbacks, one of them forwards; killed in the middle of a backfill, the other takes over."""
    site, processes, peer = served
    first = processes.serve()
    until(lambda: at_rest(first))
    second = processes.serve()
    until(lambda: second.health()["status"] == "standby")
    servers = [first, second]
    live = traffic(site, servers)
    until(lambda: len(live.acknowledged) > 20)
    missing = site.lost - site.floor.stored()  # the start has read the last hour
    done = begin(site, processes)
    until(lambda: bool(missing & site.floor.stored()))
    assert second.health()["status"] == "standby"
    first.child.kill()
    assert done.wait(60) == 0, done.tail()
    until(lambda: at_rest(second))
    more = len(live.acknowledged)
    until(lambda: len(live.acknowledged) > more + 20)
    live.stop()
    until(lambda: at_rest(second))
    check(site, peer, live, missing)


def test_a_rehearsal_changes_nothing_and_says_what_would(lived: Site) -> None:
    """Then the real run stores it, and the connector's next start reports the intervals again, as foretold."""
    lived.settle_down(lived.folder)
    before = lived.floor.stored()
    done = lived.backfill("--dry-run", "--json")
    assert done.exit_code == 0, done.output
    foretold = json.loads(done.stdout)
    assert foretold["recovered"] == len(lived.lost) > 20
    assert lived.floor.stored() == before
    assert lived.floor.gaps() == []
    fates = {one["fate"] for one in foretold["changes"]}
    assert fates <= {f"sent again as revision {number}" for number in range(2, 6)}
    assert {one["interval"] for one in foretold["changes"]} >= set(foretold["intervals"])
    assert not list(lived.config.parent.glob("flex-wfm-backfill-*"))

    done = lived.backfill("--dry-run")
    assert "worked out on a copy" in done.output
    assert re.search(r"handled \d+ -> \d+", done.output)

    done = lived.backfill()
    assert done.exit_code == 0, done.output
    assert f"{len(lived.lost)} of them the ledger did not have" in done.output
    assert "takes them up when it starts" in done.output
    assert lived.lost <= lived.floor.stored()
    assert "filled" in lived.run("gaps").output

    floor = lived.floor.floor
    sent = {(one["kind"], one["start_ms"]): one["revision"] for one in lived.floor.receipts()}
    floor.host.start()
    floor.run_to(floor.now_ms + 10 * MINUTE)
    again = {
        as_second(one["start_ms"])
        for one in lived.floor.receipts()
        if one["revision"] > sent.get((one["kind"], one["start_ms"]), one["revision"])
    }
    assert {one["interval"] for one in foretold["changes"]} == again
    floor.close()

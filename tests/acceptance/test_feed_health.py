"""A quiet night must not alarm, and a dead feed must: the whole connector on virtual time, looked at all the while."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from repair_floor import HOUR, MINUTE, BadDays

from flex_plugin_backend import ManualDrive
from flex_plugin_backend.flow.condition import Condition, Standing, Trouble
from simulator.faults.letter import Letter
from simulator.faults.mail import Alter
from simulator.harness.config import TENANT
from simulator.harness.virtual import VirtualFloor
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import load_scenario

TICK = 30_000


@dataclass
class DeadFeed:
    """While it is dead nothing of what passes by arrives."""

    passing: Alter
    dead: bool = False
    lost: int = 0

    def __call__(self, letter: Letter) -> Sequence[Letter]:
        if not self.dead:
            return self.passing(letter)
        self.lost += 1
        return []


class AlertedFloor(VirtualFloor):
    """Its connector tells a webhook of its alarms."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        super().__init__(*args, **more)

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.messages.append(json.loads(request.content))
        return httpx.Response(204)

    def _start_connector(self, drive: ManualDrive) -> Flask:
        drive.alerts = httpx.MockTransport(self._take)
        self._tables["alerts"] = {"url": "https://alerts.example.com/"}
        return super()._start_connector(drive)


@dataclass
class Night:
    """A floor whose connector is looked at twice a minute."""

    floor: AlertedFloor
    feed: DeadFeed
    ledger: Path
    seen: list[tuple[int, Standing]] = field(default_factory=list)
    silences: list[int] = field(default_factory=list)

    def run(self, for_ms: int) -> None:
        until_ms = self.floor.now_ms + for_ms
        while self.floor.now_ms < until_ms:
            self.floor.run_to(min(until_ms, self.floor.now_ms + TICK))
            standing = self.tenant.board.standing
            if not self.seen or self.seen[-1][1].condition is not standing.condition:
                self.seen.append((self.floor.now_ms, standing))
            if self.tenant.watch.agents:
                self.silences.append(int(self.tenant.watch.silent_s))

    @property
    def tenant(self) -> Any:
        return self.floor.host.connectors[-1].app.extensions["flex_wfm"].runtime.tenants[TENANT]

    def conditions(self) -> list[Condition]:
        return [one.condition for _, one in self.seen]

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True) as database:
            found = database.execute(query).fetchall()
        database.close()
        return found


Make = Callable[..., Night]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Make]:
    """Starts floors and closes them."""
    made: list[Night] = []

    def start(scenario: Scenario, **more: Any) -> Night:
        floor = AlertedFloor(scenario, tmp_path, warm_up_ms=30 * MINUTE, **more)
        feed = floor.mail.alter = DeadFeed(floor.mail.alter)
        made.append(Night(floor, feed, tmp_path / "ledger.sqlite3"))
        return made[-1]

    yield start
    for one in made:
        one.floor.close()


def nobody_calls() -> Scenario:
    """The quiet night, and quieter: agents are there, and there is next to nothing to do."""
    channels = {name: {"per_agent_hour": 0.02} for name in ("voice", "chat", "web", "sms")}
    changes = {"channels": channels, "outbound": {"per_agent_hour": 0.0}, "adherence": {"short_pauses_per_hour": 0.0}}
    return load_scenario("quiet-night", {**changes, "start": "2026-01-12T23:00:00Z", "hours": 8.0})


def test_a_quiet_night_shift_never_alarms(night: Make) -> None:
    """Agents are logged in, and for an hour and more not a single event comes, because none happens."""
    quiet = night(nobody_calls())
    quiet.run(3 * HOUR)
    assert quiet.conditions() == [Condition.OK]
    assert quiet.floor.messages == []
    assert max(quiet.silences) > 3600
    assert quiet.rows("SELECT * FROM gaps WHERE cause = 'feed blind'") == []


def test_a_feed_that_dies_alarms_within_five_minutes_and_its_hole_is_healed(night: Make) -> None:
    """The end is told when it speaks again; what was missed is in the ledger, under the hole that names the cause."""
    day = night(Scenario(agents=8, seed=1))
    day.run(12 * MINUTE)
    died_ms, day.feed.dead = day.floor.now_ms, True
    day.run(14 * MINUTE)
    day.floor.host.start()  # the connector is killed and starts again; no sign of life from Twilio
    day.run(6 * MINUTE)
    day.feed.dead = False
    day.run(25 * MINUTE)
    shown = [one for one in day.conditions() if one is not Condition.CATCHING_UP]
    assert shown == [Condition.OK, Condition.BLIND, Condition.OK]
    (_, blind), *_, (ended_ms, _) = day.seen[1:]
    assert blind.trouble is Trouble.FEED_SILENT
    assert blind.since_ms - died_ms <= 5 * MINUTE
    assert ended_ms - died_ms <= 25 * MINUTE
    holes = day.rows("SELECT cause, state, events FROM gaps")
    assert {state for _, state, _ in holes} <= {"healed", "clear"}
    assert sum(events for *_, events in holes) == day.feed.lost
    assert sum(events for cause, _, events in holes if cause == "feed blind") > 0.5 * day.feed.lost
    begin, end = day.floor.messages
    assert (begin["type"], begin["data"]["cause"]) == ("alarm.begin", "feed silent")
    assert (end["type"], end["data"]["since"]) == ("alarm.end", begin["data"]["since"])
    assert end["data"]["lasted_s"] > 15 * 60


def test_a_feed_that_dies_in_a_quiet_night_alarms_after_five_events_that_did_not_come(night: Make) -> None:
    """Within six minutes and a tick of the fifth, by the settings' defaults."""
    quiet = night(load_scenario("quiet-night"))
    quiet.run(10 * MINUTE)
    quiet.feed.dead = True
    died_ms = quiet.floor.now_ms
    quiet.run(45 * MINUTE)
    assert quiet.conditions() == [Condition.OK, Condition.BLIND]
    read = quiet.rows(
        f"SELECT occurred_ms FROM events WHERE json_extract(body, '$.route') = 'rest' AND occurred_ms > {died_ms} "
        "ORDER BY occurred_ms"
    )
    fifth_ms = read[4][0]
    assert fifth_ms < quiet.seen[1][1].since_ms <= fifth_ms + 6 * MINUTE + TICK


def test_twilio_that_cannot_be_read_is_blind_while_events_still_come(night: Make) -> None:
    """What comes cannot be checked any more; the end follows the first answer."""
    day = night(Scenario(agents=5, seed=2))
    bad = BadDays(day.floor.twilio_wire.app)
    day.floor.twilio_wire.app = bad
    day.run(10 * MINUTE)
    bad.answers = lambda _path: (503, {})
    day.run(20 * MINUTE)
    bad.answers = lambda _path: None
    day.run(10 * MINUTE)
    assert day.conditions()[:2] == [Condition.OK, Condition.BLIND]
    assert day.conditions()[-1] is Condition.OK
    assert day.seen[1][1].trouble is Trouble.TWILIO_UNREACHABLE
    assert "503" in day.seen[1][1].detail


def test_without_repair_a_dead_feed_alarms_by_the_number_of_agents_logged_in(night: Make) -> None:
    """Four agent-hours of silence: the hour divided by the agents, times four."""
    day = night(Scenario(agents=12, seed=3), repair=False)
    day.run(5 * MINUTE)
    agents = day.tenant.watch.agents
    assert agents > 3
    day.feed.dead = True
    day.run(4 * HOUR // agents - 5 * MINUTE)
    assert day.conditions() == [Condition.OK]
    day.run(15 * MINUTE)
    assert day.conditions() == [Condition.OK, Condition.BLIND]
    assert day.seen[-1][1].trouble is Trouble.NO_EVENTS
    web = day.floor.host.connectors[-1].app.test_client()
    tenant = web.get("/healthz").get_json()["tenants"][TENANT]
    assert (tenant["status"], tenant["cause"], tenant["agents_logged_in"]) == ("blind", "no events", agents)
    assert [one["since"] for one in tenant["alarms"]] == [tenant["since"]]
    assert "event callback URL" in tenant["to_do"]
    metrics = web.get("/metrics").text
    assert f'flex_wfm_condition{{condition="blind",tenant="{TENANT}"}} 1.0' in metrics
    assert f'flex_wfm_alarm{{cause="no events",tenant="{TENANT}"}} 1.0' in metrics
    assert f'flex_wfm_alarm{{cause="feed silent",tenant="{TENANT}"}} 0.0' in metrics

"""GET /sim/truth/reports and GET /sim/schedule of the fake Twilio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import ShowSettings
from simulator.world.scenario import Scenario

_QUARTER_MS = 900_000
_SCENARIO = Scenario(agents=12, seed=5)
_START_MS = _SCENARIO.start_ms  # 2026-01-05T08:00:00Z, on the grid


@pytest.fixture(scope="module")
def browser() -> Iterator[FlaskClient]:
    """A client of a floor that has worked for an hour and ten minutes and stands still."""
    show = build_show(_SCENARIO, ShowSettings(start_ms=_START_MS + 4_200_000))
    yield create_twilio_app(show).test_client()
    show.stop()


def test_only_intervals_that_are_over_and_wholly_inside_are_served(browser: FlaskClient) -> None:
    """Of 70 minutes the four quarters; of 08:01 to 08:59 the two in the middle."""
    body = browser.get("/sim/truth/reports").json
    assert [one["start_ms"] - _START_MS for one in body["intervals"]] == [0, 900_000, 1_800_000, 2_700_000]
    asked = browser.get(f"/sim/truth/reports?from_ms={_START_MS + 60_000}&to_ms={_START_MS + 3_540_000}").json
    assert [one["start_ms"] - _START_MS for one in asked["intervals"]] == [900_000, 1_800_000]
    assert (asked["from_ms"], asked["to_ms"]) == (_START_MS + 900_000, _START_MS + 2_700_000)
    nothing = browser.get(f"/sim/truth/reports?from_ms={_START_MS + 4_000_000}").json
    assert (nothing["intervals"], nothing["totals"]) == ([], None)


def test_rows_bear_the_names_of_the_report_objects(browser: FlaskClient) -> None:
    """The four parts of an interval, with ids of the agents and queues listed."""
    body = browser.get("/sim/truth/reports").json
    one = body["intervals"][2]
    agents = {agent["worker_sid"] for agent in body["agents"]}
    queues = {queue["queue_sid"] for queue in body["queues"]}
    assert {row["agent_id"] for row in one["report_data"]} <= agents
    assert {row["queue_id"] for row in one["queue_report"]} <= queues
    assert {"contacts_received", "queue_delay_s", "backlog"} <= one["queue_report"][0].keys()
    assert {"contacts_handled", "work_time_s"} <= one["agent_queue_report"][0].keys()
    assert {"login_time_s", "out_calls"} <= one["agent_system_performance_report"][0].keys()


def test_rules_and_the_start_of_the_connector_can_be_given(browser: FlaskClient) -> None:
    """A service level of nought has no answer in time; what began before the connector is marked."""
    rules = json.dumps({"service_level_s": 0})
    known_ms = _START_MS + 1_800_000
    query = {"rules": rules, "known_from_ms": known_ms}
    body = browser.get("/sim/truth/reports", query_string=query).json
    rows = [row for one in body["intervals"] for row in one["queue_report"]]
    assert body["rules"]["service_level_s"] == 0
    assert not any(row["contacts_answered_in_sl"] for row in rows)
    before = body["intervals"][0]
    assert all(row["opening"] for row in before["report_data"])
    assert all(row["opening"]["contacts_handled"] == row["contacts_handled"] for row in before["agent_queue_report"])


@pytest.mark.parametrize("query", ["from_ms=soon", "until=3", "rules=[]", "rules={", 'rules={"cap":1}'])
def test_a_query_that_makes_no_sense_is_refused(browser: FlaskClient, query: str) -> None:
    """With 400 and a sentence."""
    answer = browser.get(f"/sim/truth/reports?{query}")
    assert (answer.status_code, bool(answer.json["problem"])) == (400, True)


def test_the_schedule_has_no_holes_and_is_on_the_planners_grid(browser: FlaskClient) -> None:
    """Each agent has a shift of stretches that follow one another, on five minutes, open most of it."""
    body = browser.get("/sim/schedule").json
    codes = {one["activity"]: one["open"] for one in body["activities"]}
    planned = [agent["activities"] for agent in body["agents"] if agent["activities"]]
    assert len(planned) > 6
    for parts in planned:
        assert all(a["end_ms"] == b["start_ms"] for a, b in pairwise(parts))
        assert all(part["start_ms"] % 300_000 == 0 and part["start_ms"] < part["end_ms"] for part in parts)
        length_ms = parts[-1]["end_ms"] - parts[0]["start_ms"]
        open_ms = sum(part["end_ms"] - part["start_ms"] for part in parts if codes[part["activity"]])
        assert length_ms == 9 * 3_600_000
        assert length_ms * 0.6 < open_ms < length_ms


def test_the_forecast_foretells_the_scenario(browser: FlaskClient) -> None:
    """Three voice queues share 2.6 calls per agent-hour: 12 agents, a quarter of an hour, about 2.6 calls each."""
    body = browser.get("/sim/schedule").json
    queues = {queue["queue_sid"]: queue for queue in browser.get("/sim/truth/reports").json["queues"]}
    (first, *_) = [row for row in body["forecast"] if queues[row["queue_id"]]["name"] == "Support"]
    # 2.6 * 12 / 3 / 4 = 2.6, times 0.8 + (1.1 - 0.8) * 7 / 60 = 0.835 at 08:07, times 1.1 for a Monday
    assert first["start_ms"] == _START_MS
    assert first["volume"] == pytest.approx(2.39, abs=0.01)
    assert first["start_ms"] % _QUARTER_MS == 0

"""A simulated floor's plan and true reports, given to the fake WFM: what it shows is what happened."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.wfm import WfmOptions, create_wfm_app
from simulator.world.engine import World
from simulator.world.figures_face import true_reports
from simulator.world.figures_schedule import planned_schedule
from simulator.world.scenario import Scenario

_HOURS = 6
_NOT_ON_THE_WIRE = {
    "opening", "opening_more", "channels", "busy_time_s", "contacts_diverted", "contacts_abandoned_short",
    "contacts_abandoned_long", "unserved_delay_s", "hold_time_s",
}  # fmt: skip
_PARTS = ("queue_report", "agent_queue_report", "agent_system_performance_report")


@pytest.fixture(scope="module")
def world() -> World:
    """Twenty agents after six hours."""
    scenario = Scenario(agents=20, seed=9)
    world = World(scenario)
    world.advance_to(scenario.start_ms + _HOURS * 3_600_000)
    return world


@pytest.fixture(scope="module")
def browser(world: World) -> FlaskClient:
    """A client of a WFM that has been told all of it."""
    app = create_wfm_app(WfmOptions(), now_ms=lambda: world.now_ms)
    wfm, browser = app.extensions["fake_wfm"], app.test_client()
    assert browser.post("/sim/schedule", json=planned_schedule(world)).status_code == 200
    for one in true_reports(world)["intervals"]:
        head = {"acd_type": "T", "start_ms": one["start_ms"], "end_ms": one["end_ms"]}
        for kind, dto, parts in (
            ("agent_activity", "AgentActivityReportDTO", ("report_data",)), ("queue", "ReportDTO", _PARTS),
        ):  # fmt: skip
            rows = {part: [_wire(row) for row in one[part]] for part in parts}
            wfm.inbox.accept_report(kind, wfm.profile.encode(dto, {**head, **rows}))
    for worker in world.floor.workers:
        for state in world.truth.until(worker, world.now_ms):
            event_id = wfm.profile.event_id(state.state, state.channel or None, state.direction or None)
            start = wfm.profile.format_time(state.start_ms)
            wfm.inbox.accept_states([(worker.sid, worker.name, event_id, state.reason, start)])
    return browser


def _wire(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _NOT_ON_THE_WIRE and value is not None}


def test_intraday_and_history_add_up_to_the_truth(world: World, browser: FlaskClient) -> None:
    """Volumes of the day per queue, and the forecast lies in the same region."""
    truth = {row["queue_id"]: row["contacts_received"] for row in true_reports(world)["totals"]["queue_report"]}
    history: Counter[str] = Counter()
    for row in browser.get("/sim/wfm/history").json["rows"]:
        history[row["queue_id"]] += row["volume"]
    queues = browser.get("/sim/wfm/intraday").json["queues"]
    shown = {queue["queue_id"]: queue["so_far"]["volume"] for queue in queues}
    assert shown == truth == dict(history)
    foretold = sum(queue["so_far"]["forecast_volume"] for queue in queues)
    assert abs(foretold - sum(truth.values())) < 5 * foretold**0.5


def test_people_mostly_keep_to_their_plan_and_every_second_is_somewhere(world: World, browser: FlaskClient) -> None:
    """Scheduled time is in, out or not calculated; on the whole the floor is between half and fully adherent."""
    agents = browser.get("/sim/wfm/adherence").json["agents"]
    assert len(agents) == len(world.floor.workers)
    for agent in agents:
        assert agent["scheduled_s"] == (
            agent["in_adherence_s"] + agent["out_of_adherence_s"] + agent["not_calculated_s"]
        )
        assert sum(hour["scheduled_s"] for hour in agent["hours"]) == agent["scheduled_s"]
        inside = [span for span in agent["out_spans"] if span["scheduled"] is not None]
        assert sum(span["duration_s"] for span in inside) == agent["out_of_adherence_s"]
        assert agent["worked_s"] <= _HOURS * 3600
    scheduled, kept = (sum(agent[name] for agent in agents) for name in ("scheduled_s", "in_adherence_s"))
    assert 0.6 < kept / scheduled < 0.99


def test_this_moment_is_the_end_of_the_states(world: World, browser: FlaskClient) -> None:
    """Each agent's actual activity is that of the model's present state."""
    rows = {row["agent_id"]: row for row in browser.get("/sim/wfm/rta").json["agents"]}
    for worker in world.floor.workers:
        state = world.truth.until(worker, world.now_ms)[-1]
        expected = {"OFFLINE": "Logoff", "UNAVAILABLE": state.reason}.get(state.state, "Open")
        assert rows[worker.sid]["actual"] == expected
        assert rows[worker.sid]["flags"] == []

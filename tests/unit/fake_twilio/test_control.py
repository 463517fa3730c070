"""The control face and the life of a show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario


@pytest.fixture
def held() -> Iterator[Show]:
    """A small floor that has worked for half an hour and waits for its start."""
    scenario = Scenario(agents=12, seed=5)
    show = build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 1_800_000))
    yield show
    show.stop()


@pytest.fixture
def browser(held: Show) -> FlaskClient:
    """A client of the held floor."""
    return create_twilio_app(held).test_client()


def _until_finished(browser: FlaskClient) -> Any:
    limit_s = time.monotonic() + 20
    while time.monotonic() < limit_s:
        status = browser.get("/sim/status").json
        if status["finished"]:
            return status
        threading.Event().wait(0.02)
    raise AssertionError("the world did not finish")


def test_a_held_world_stands_still(held: Show, browser: FlaskClient) -> None:
    """Before the start the time does not move, and agents are in the middle of contacts."""
    first, second = browser.get("/sim/status").json, browser.get("/sim/status").json
    assert first == second
    assert first["now_ms"] == held.settings.start_ms
    assert (first["started"], first["finished"], first["agents"]) == (False, False, 12)
    states = [agent["states"][-1]["state"] for agent in browser.get("/sim/truth").json["agents"]]
    assert "CONTACT" in states


def test_a_started_world_runs_to_its_end(held: Show, browser: FlaskClient) -> None:
    """Start, run, finish: the truth covers the run and ends with it."""
    start_ms = held.settings.start_ms
    answer = browser.post("/sim/start", json={"speed": 3000, "end_ms": start_ms + 1_200_000})
    assert answer.status_code == 200
    assert answer.json["start_ms"] == start_ms
    status = _until_finished(browser)
    assert status["end_ms"] == start_ms + 1_200_000
    truth = browser.get("/sim/truth").json
    assert truth["end_ms"] == start_ms + 1_200_000
    assert truth["offline_activity_sid"].startswith("WA")
    assert len(truth["agents"]) == 12
    for agent in truth["agents"]:
        assert set(agent["states"][0]) == {"start_ms", "state", "channel", "direction", "reason", "cause_sid"}
        assert agent["states"][0]["cause_sid"] is None
        assert all(state["start_ms"] <= truth["end_ms"] for state in agent["states"])


def test_what_happened_before_the_start_is_not_emitted(held: Show, browser: FlaskClient) -> None:
    """Callbacks tell of the time after the start only, and of all of it, even if nobody takes them."""
    start_ms = held.settings.start_ms
    body = {"speed": 3000, "end_ms": start_ms + 600_000, "callback_url": "http://127.0.0.1:9/#rc=0&ct=100"}
    assert browser.post("/sim/start", json=body).status_code == 200
    status = _until_finished(browser)
    callbacks = browser.get("/sim/emissions").json["callbacks"]
    with held.service.present() as (world, _):
        expected = [event.sid for event in world.log if event.ms > start_ms]
    assert [callback["sid"] for callback in callbacks] == expected
    assert (status["callbacks_sent"], status["callbacks_failed"]) == (0, len(expected))
    assert set(callbacks[0]) == {
        "sid", "type", "occurred_ms", "planned_s", "sent_s", "acked_s", "status", "attempts",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"start_ms": 1}, "before"),
        ({"speed": 0}, "speed"),
        ({"speed": "fast"}, "speed"),
        ({"end_ms": 5}, "end"),
        ({"callback_url": "ftp://x"}, "callback URL"),
        ({"when": 1}, "when"),
        ([1], "object"),
    ],
)
def test_an_impossible_start_is_refused_and_changes_nothing(browser: FlaskClient, body: Any, word: str) -> None:
    """400 with the reason; the world still waits for its start."""
    answer = browser.post("/sim/start", json=body)
    assert answer.status_code == 400
    assert word in answer.json["problem"]
    assert browser.get("/sim/status").json["started"] is False


def test_a_second_start_is_refused(browser: FlaskClient) -> None:
    """A running clock is not wound up again."""
    assert browser.post("/sim/start", json={}).status_code == 200
    assert browser.post("/sim/start", json={}).status_code == 409


def test_a_terminal_task_is_gone_after_five_virtual_minutes(held: Show, browser: FlaskClient) -> None:
    """REST knows an ended task for five minutes, then answers 404; its events stay."""
    account = held.account
    auth, base = (account.account_sid, account.auth_token), f"/v1/Workspaces/{account.workspace_sid}"
    tasks = browser.get(f"{base}/Tasks?AssignmentStatus=completed", auth=auth).json["tasks"]
    ended = tasks[-1]["sid"]
    with held.service.present() as (world, now_ms):
        terminal_ms = world.task(ended, now_ms).terminal_ms
    held.service.advance_to(terminal_ms + 300_000)
    assert browser.get(f"{base}/Tasks/{ended}", auth=auth).status_code == 200
    held.service.advance_to(terminal_ms + 300_001)
    gone = browser.get(f"{base}/Tasks/{ended}", auth=auth)
    assert (gone.status_code, gone.json["code"]) == (404, 20404)
    assert browser.get(f"{base}/Tasks/{ended}/Reservations", auth=auth).status_code == 404
    assert browser.get(f"{base}/Events?TaskSid={ended}&Minutes=60", auth=auth).json["events"]


def test_faults_are_set_seen_and_taken_off_at_run_time(held: Show, browser: FlaskClient) -> None:
    """By POST, GET and DELETE under /sim/faults; a reset takes all of them off."""
    auth = (held.account.account_sid, held.account.auth_token)
    activities = f"/v1/Workspaces/{held.account.workspace_sid}/Activities"
    set_now = browser.post("/sim/faults", json={"faults": [{"fault": "rest-500", "times": 1}, {"fault": "drop"}]})
    assert [(one["id"], one["side"], one["active"]) for one in set_now.json["faults"]] == [
        (1, "rest", True),
        (2, "events", True),
    ]
    assert [browser.get(activities, auth=auth).status_code for _ in range(2)] == [500, 200]
    listed = browser.get("/sim/faults").json
    assert [one["struck"] for one in listed["faults"]] == [1, 0]
    assert {"duplicate", "rest-429"} <= set(listed["known"])
    assert browser.delete("/sim/faults/1").json["faults"][0]["fault"] == "drop"
    assert browser.delete("/sim/faults/1").status_code == 404
    assert browser.post("/sim/reset").json == {"ok": True}
    assert browser.get("/sim/faults").json["faults"] == []


@pytest.mark.parametrize("fault", ["wfm-500", "kill", "duplicatte"])
def test_faults_that_happen_elsewhere_cannot_be_set_here(browser: FlaskClient, fault: str) -> None:
    """The floor says which side it is."""
    answer = browser.post("/sim/faults", json={"fault": fault})
    assert answer.status_code == 400
    assert "events, rest" in answer.json["problem"] or "did you mean" in answer.json["problem"]

"""The floor by hand under /sim: agents, tasks, queues, limits and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.grounds import Grounds
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario


@pytest.fixture
def show() -> Iterator[Show]:
    """A floor of four agents on which nobody acts and whose clock stands still."""
    scenario = Scenario(agents=4, seed=31)
    settings = ShowSettings(start_ms=scenario.start_ms + 60_000)
    show = Grounds(scenario=scenario, show=settings, hold=True, by_hand=True).build()
    yield show
    show.stop()


@pytest.fixture
def browser(show: Show) -> FlaskClient:
    return create_twilio_app(show).test_client()


def post(browser: FlaskClient, path: str, body: Any, status: int = 200) -> Any:
    answer = browser.post(f"/sim{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_by_hand_nobody_acts_and_everybody_is_logged_out(browser: FlaskClient) -> None:
    """An hour passes, and nothing has happened."""
    before = browser.get("/sim/status").json
    assert post(browser, "/advance", {"seconds": 3600})["now_ms"] == before["now_ms"] + 3_600_000
    after = browser.get("/sim/status").json
    assert (after["events"], after["contacts"]) == (before["events"], 0)
    agents = browser.get("/sim/agents").json["agents"]
    assert [(one["state"], one["led"]) for one in agents] == [("OFFLINE", True)] * 4


def test_an_agent_is_set_by_name_or_sid(browser: FlaskClient) -> None:
    """Activity, skills, capacity and name; the answer shows the agent as it is now."""
    first = browser.get("/sim/agents").json["agents"][0]
    changed = post(
        browser, f"/agents/{first['name']}", {"activity": "Break", "attributes": {"routing": {"skills": []}}}
    )
    assert (changed["activity"], changed["state"], changed["queues"]) == ("Break", "UNAVAILABLE", [])
    renamed = post(browser, f"/agents/{first['sid']}", {"name": "ana", "channels": {"chat": 1}})
    assert renamed["name"] == "ana"
    made = post(browser, "/agents", {"name": "ben", "activity": "Available", "led": False}, 201)
    assert (made["state"], made["led"]) == ("AVAILABLE", False)
    assert browser.delete("/sim/agents/ben").json == {"ok": True}
    assert browser.get("/sim/agents/ben").status_code == 404


def test_a_task_is_created_and_taken_through_its_steps(browser: FlaskClient, show: Show) -> None:
    """The truth of the agent follows each step."""
    name = browser.get("/sim/agents").json["agents"][0]["name"]
    post(browser, f"/agents/{name}", {"activity": "Available"})
    task = post(browser, "/tasks", {"agent": name, "queue": "Sales"}, 201)["tasks"][0]
    seen = []
    for step in (None, "accept", "wrap", "complete"):
        if step:
            post(browser, f"/tasks/{task['sid']}", {"step": step, "agent": name})
        post(browser, "/advance", {"seconds": 2})
        seen.append(browser.get(f"/sim/agents/{name}").json["state"])
    assert seen == ["RESERVED", "CONTACT", "WRAPUP", "AVAILABLE"]
    assert browser.get(f"/sim/tasks/{task['sid']}").json["status"] == "completed"


def test_a_queue_is_filled_served_and_emptied(browser: FlaskClient) -> None:
    """Many tasks at once, a member more, a member less, and all cancelled."""
    name = browser.get("/sim/agents").json["agents"][0]["name"]
    post(browser, f"/agents/{name}", {"attributes": {"routing": {"skills": []}}})
    assert len(post(browser, "/tasks", {"queue": "Web Messaging", "count": 5}, 201)["tasks"]) == 5
    queue = post(browser, "/queues/Web Messaging", {"join": [name], "priority": 4, "offers": 2, "timeout_s": 90})
    assert name in queue["agents"]
    assert (queue["waiting"], queue["priority"], queue["offers"], queue["timeout_s"]) == (5, 4, 2, 90)
    left = post(browser, "/queues/Web Messaging", {"leave": [name], "empty": "closed"})
    assert (name in left["agents"], left["waiting"]) == (False, 0)
    assert {one["reason"] for one in browser.get("/sim/tasks").json["tasks"]} == {"closed"}


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/agents/nobody", {"activity": "Break"}, 404, "no agent nobody"),
        ("/agents", {"activity": "Break"}, 400, "name"),
        ("/agents", {"name": "x", "activity": "Braek"}, 404, "did you mean Break"),
        ("/agents", {"nmae": "x"}, 400, "did you mean name"),
        ("/agents", {"name": 5}, 400, "wrong type"),
        ("/agents", [1], 400, "JSON object"),
        ("/tasks", {"queue": "Saless"}, 404, "did you mean Sales"),
        ("/tasks", {"channel": "telex"}, 404, "voice"),
        ("/tasks", {"count": 0}, 400, "count"),
        ("/tasks/WT1", {"step": "accept"}, 404, "WT1"),
        ("/tasks/WT1", {"step": "dance"}, 400, "accept"),
        ("/queues/Sales", {"offers": 99}, 409, "1 to 50"),
        ("/queues/Everyone", {"leave": []}, 200, "Everyone"),
        ("/callbacks", {"url": "ftp://x"}, 400, "http"),
        ("/callbacks", {"filter": "task.cancelled"}, 400, "task.canceled"),
        ("/limits", {"requests": -1}, 400, "0"),
        ("/advance", {"seconds": 0}, 400, "seconds"),
        ("/advance", {"seconds": True}, 400, "seconds"),
        ("/reset", {"floor": "yes"}, 400, "floor"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(
    browser: FlaskClient, path: str, body: Any, status: int, word: str
) -> None:
    """400 for what cannot be read, 404 for what is not there, 409 for what the rules forbid."""
    answer = browser.post(f"/sim{path}", json=body)
    assert answer.status_code == status
    assert word in answer.text


def test_steps_against_the_rules_are_refused(browser: FlaskClient) -> None:
    """409 with the rule."""
    task = post(browser, "/tasks", {"queue": "Sales"}, 201)["tasks"][0]["sid"]
    for step, word in (
        ("accept", "no reservation"),
        ("complete", "not currently assigned"),
        ("wrap", "Cannot wrap up"),
    ):
        assert word in post(browser, f"/tasks/{task}", {"step": step}, 409)["problem"]
    post(browser, f"/tasks/{task}", {"step": "delete"})
    assert "Cannot delete" in post(browser, f"/tasks/{task}", {"step": "delete"}, 409)["problem"]


def test_a_running_clock_is_not_advanced_and_an_ended_world_not_changed(browser: FlaskClient, show: Show) -> None:
    """Both are said; nothing is done that no event would tell of."""
    post(browser, "/start", {"speed": 10_000, "end_ms": show.service.now_ms() + 1})
    assert "runs" in post(browser, "/advance", {"seconds": 1}, 409)["problem"]
    while not browser.get("/sim/status").json["finished"]:
        pass
    assert "end" in post(browser, "/tasks", {"queue": "Sales"}, 409)["problem"]


def test_limits_are_shown_and_set(browser: FlaskClient, show: Show) -> None:
    """The documented ones by default."""
    assert browser.get("/sim/limits").json == {"expressions": 3, "bulk": 5, "requests": 0, "retry_after_s": 0}
    assert post(browser, "/limits", {"requests": 9})["requests"] == 9
    assert show.limiter.limits.requests == 9

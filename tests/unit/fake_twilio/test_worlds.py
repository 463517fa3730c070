"""Several floors behind one address keep apart, can be begun anew, and come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from werkzeug.test import Client as Browser
from wsgi_http import WsgiHttpClient

from simulator.twilio.grounds import grounds_of
from simulator.twilio.worlds import Worlds

SMALL = {"agents": 3, "hold": True, "by_hand": True, "warmup_minutes": 1}


@pytest.fixture
def worlds() -> Iterator[Worlds]:
    """Two small floors that stand still."""
    worlds = Worlds(grounds_of({**SMALL}, seed=1))
    worlds.add("other", grounds_of({**SMALL, "agents": 5}, seed=2))
    yield worlds
    for place in worlds.places():
        place.show.stop()


@pytest.fixture
def browser(worlds: Worlds) -> Browser:
    return Browser(worlds)


def workspace(worlds: Worlds, name: str, other: str = "") -> Any:
    """The official client with one floor's credentials, at its own workspace or at that of another."""
    account = next(place.show.account for place in worlds.places() if place.name == name)
    sid = next(place.show.account.workspace_sid for place in worlds.places() if place.name == (other or name))
    client = Client(account.account_sid, account.auth_token, http_client=WsgiHttpClient(worlds))
    return client.taskrouter.v1.workspaces(sid)


def test_each_account_sees_its_own_floor(worlds: Worlds) -> None:
    """Workers, writes and the Flex configuration; a foreign workspace is not found."""
    assert [len(workspace(worlds, name).workers.list()) for name in ("main", "other")] == [3, 5]
    workspace(worlds, "other").workers.create("ana")
    assert [len(workspace(worlds, name).workers.list()) for name in ("main", "other")] == [3, 6]
    with pytest.raises(TwilioRestException) as caught:
        workspace(worlds, "main", "other").fetch()
    assert caught.value.status == 404


def test_the_control_face_of_each_floor(worlds: Worlds, browser: Browser) -> None:
    """/sim is the first floor's, /sim/worlds/NAME any floor's."""
    assert browser.get("/sim/status").json["agents"] == 3
    assert browser.get("/sim/worlds/other/status").json["agents"] == 5
    assert browser.post("/sim/worlds/other/agents", json={"name": "ana"}).status_code == 201
    assert browser.get("/sim/worlds/main/agents/ana").status_code == 404
    listed = browser.get("/sim/worlds").json["worlds"]
    assert [(one["name"], one["agents"]) for one in listed] == [("main", 3), ("other", 6)]
    assert listed[0]["account_sid"] != listed[1]["account_sid"]


def test_a_floor_begins_anew(worlds: Worlds, browser: Browser) -> None:
    """The same seed gives the same floor with the same keys, another seed another one."""
    before = [worker.sid for worker in workspace(worlds, "other").workers.list()]
    browser.post("/sim/worlds/other/agents", json={"name": "ana"})
    account = worlds.places()[1].show.account
    answer = browser.post("/sim/worlds/other/reset", json={"floor": True})
    assert answer.json == {"ok": True, "account_sid": account.account_sid, "workspace_sid": account.workspace_sid}
    assert [worker.sid for worker in workspace(worlds, "other").workers.list()] == before
    again = browser.post("/sim/worlds/other/reset", json={"floor": True, "seed": 9}).json
    assert again["account_sid"] != account.account_sid
    assert len(workspace(worlds, "other").workers.list()) == 5


def test_a_reset_without_the_floor_leaves_it_alone(worlds: Worlds, browser: Browser) -> None:
    """Only the faults go."""
    browser.post("/sim/agents", json={"name": "ana"})
    assert browser.post("/sim/reset").json == {"ok": True}
    assert browser.get("/sim/agents/ana").status_code == 200


def test_worlds_come_and_go(worlds: Worlds, browser: Browser) -> None:
    """A new one runs unless it is on hold; the first stays."""
    made = browser.post("/sim/worlds", json={"name": "third", **SMALL})
    assert (made.status_code, made.json["agents"], made.json["started"]) == (201, 3, False)
    assert browser.delete("/sim/worlds/third").json == {"ok": True}
    assert browser.get("/sim/worlds/third/status").status_code == 404
    running = browser.post("/sim/worlds", json={"name": "third", **SMALL, "hold": False})
    assert running.json["started"] is True


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"agents": 3}, "name"),
        ({"name": "main"}, "already"),
        ({"name": "Not a name"}, "small letters"),
        ({"name": "x", "seed": 1}, "another seed"),
        ({"name": "x", "speeed": 1}, "speeed"),
        ({"name": "x", "agents": "many"}, "agents"),
        ({"name": "x", "agents": 0}, "agents"),
        ({"name": "x", "scenario": "no-such-day"}, "no-such-day"),
    ],
)
def test_an_impossible_world_is_refused(browser: Browser, body: dict[str, Any], word: str) -> None:
    """400 with the reason, and no world more."""
    answer = browser.post("/sim/worlds", json=body)
    assert answer.status_code == 400
    assert word in answer.json["problem"]
    assert len(browser.get("/sim/worlds").json["worlds"]) == 2


def test_ends_that_are_refused(browser: Browser) -> None:
    """The first world, and one that is not there."""
    assert browser.delete("/sim/worlds/main").status_code == 409
    assert browser.delete("/sim/worlds/none").status_code == 404

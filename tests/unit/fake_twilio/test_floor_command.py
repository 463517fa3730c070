"""flex-wfm-sim floor over HTTP: what it prints, and one line where it cannot do what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from simulator.cli import main
from simulator.twilio.grounds import grounds_of
from simulator.twilio.worlds import Worlds


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A fake Twilio with one small floor by hand that stands still."""
    worlds = Worlds(grounds_of({"agents": 3, "by_hand": True, "hold": True, "warmup_minutes": 1}, seed=61))
    server = make_server("127.0.0.1", 0, worlds, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    for place in worlds.places():
        place.show.stop()


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["floor", "--url", url, *arguments])


def told(url: str, *arguments: str) -> Any:
    result = run(url, *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_agents_tasks_and_queues_by_name(url: str) -> None:
    """A new agent, two tasks, one step, and the time in between."""
    assert told(url, "agent", "ana", "--new", "--activity", "Available", "--skills", "support")["state"] == "AVAILABLE"
    assert len(told(url, "task", "--new", "--queue", "Support", "--count", "2")["tasks"]) == 2
    told(url, "advance", "1")
    first, second = sorted(told(url, "tasks", "--json"), key=lambda one: not one["reservations"])
    assert told(url, "task", first["sid"], "--step", "accept")["status"] == "assigned"
    assert told(url, "agent", "ana")["state"] == "CONTACT"
    assert told(url, "task", first["sid"], "--step", "complete", "--reason", "solved")["reason"] == "solved"
    assert told(url, "queue", "Support", "--empty", "closed")["waiting"] == 0
    assert told(url, "task", second["sid"])["status"] == "canceled"
    assert told(url, "agent", "ana", "--rename", "ana maria")["name"] == "ana maria"
    assert told(url, "agent", "ana maria", "--delete") == {"ok": True}


def test_tables_have_a_line_for_each(url: str) -> None:
    """Or the same as JSON."""
    lines = run(url, "agents").output.splitlines()
    rows = told(url, "agents", "--json")
    assert [line.split()[0] for line in lines] == ["name", *(row["name"] for row in rows)]
    assert run(url, "queues").output.splitlines()[0].split() == ["name", "channel", "waiting", "priority", "agents"]
    assert run(url, "tasks").output.startswith("sid")


def test_limits_callbacks_worlds_and_reset(url: str) -> None:
    """What concerns the floor as a whole."""
    assert told(url, "limits", "--requests", "7")["requests"] == 7
    assert told(url, "callbacks", "http://127.0.0.1:9/x", "--filter", "task.created")["filter"] == "task.created"
    assert told(url, "worlds", "--add", "second", "--agents", "2", "--hold", "--by-hand")["agents"] == 2
    assert told(url, "--world", "second", "status")["agents"] == 2
    assert [one["name"] for one in told(url, "worlds")["worlds"]] == ["main", "second"]
    assert told(url, "worlds", "--remove", "second") == {"ok": True}
    assert told(url, "reset")["ok"] is True
    assert told(url, "limits")["requests"] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["agent", "nobody"], 1, "there is no agent nobody"),
        (["--world", "none", "status"], 1, "/sim/worlds"),
        (["task"], 2, "--new"),
        (["task", "WT1", "--new"], 2, "--new"),
        (["task", "--new", "--queue", "Suport"], 1, "did you mean Support"),
        (["advance", "0"], 2, "SECONDS"),
        (["callbacks", "ftp://x"], 1, "http"),
        (["worlds", "--remove", "main"], 1, "stays"),
    ],
)
def test_what_cannot_be_done_is_one_line(url: str, arguments: list[str], status: int, words: str) -> None:
    """Status 2 for a wrong command line, 1 for what the floor refuses."""
    result = run(url, *arguments)
    assert (result.exit_code, words in result.output) == (status, True), result.output


def test_nobody_there_is_one_line() -> None:
    """It says how to start one."""
    result = run("http://127.0.0.1:9", "agents")
    assert result.exit_code == 1
    assert "flex-wfm-sim twilio" in result.output
    assert len(result.output.splitlines()) == 1

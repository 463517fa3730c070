"""record rest reads a simulated workspace with the official client and writes the workspace's log, masked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from simulator.cli import main
from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.log_file import read_log
from simulator.world.scenario import Scenario


@pytest.fixture(scope="module")
def show() -> Show:
    """An hour of a small floor, standing still."""
    scenario = Scenario(agents=12, seed=3)
    return build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 3_600_000))


@pytest.fixture(scope="module")
def base_url(show: Show) -> Iterator[str]:
    """Its REST API on a port of this machine."""
    server = make_server("127.0.0.1", 0, create_twilio_app(show), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _record(show: Show, base_url: str, out: Path, **changed: str) -> Result:
    account = show.account
    given = {
        "--account-sid": account.account_sid, "--workspace-sid": account.workspace_sid,
        "--auth-token": account.auth_token, "--from": "2026-01-05T08:00:00Z", "--to": "2026-01-05T09:00:00Z",
        "--api-base-url": base_url, "--out": str(out), **changed,
    }  # fmt: skip
    words = [word for pair in given.items() for word in pair if pair[1]]
    return CliRunner().invoke(main, ["record", "rest", *words])


def test_a_workspace_is_recorded_whole(show: Show, base_url: str, tmp_path: Path) -> None:
    """Every event of the hour, once, in order of time, over several windows and pages."""
    out = tmp_path / "recorded.jsonl.gz"
    answer = _record(show, base_url, out)
    assert answer.exit_code == 0, answer.output
    header, events = read_log(out)
    with show.service.present() as (world, _):
        expected = [(event.ms, event.type) for event in world.log]
    found = list(events)
    assert sorted((event.ms, event.type) for event in found) == sorted(expected)
    assert [event.ms for event in found] == sorted(event.ms for event in found)
    assert header.offline_activity_sid.startswith("WA")
    assert f"{len(expected):,} events" in answer.output
    assert "left out: task_queue_target_expression" in answer.output


def test_an_api_key_will_do(show: Show, base_url: str, tmp_path: Path) -> None:
    """Instead of the auth token."""
    key = {
        "--auth-token": "",
        "--api-key-sid": show.account.api_key_sid,
        "--api-key-secret": show.account.api_key_secret,
    }
    answer = _record(show, base_url, tmp_path / "r.jsonl", **key, **{"--to": "2026-01-05T08:05:00Z"})
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--auth-token": "wrong"}, "Twilio answered 401"),
        ({"--auth-token": ""}, "give --auth-token"),
        ({"--from": "yesterday"}, "ISO time"),
        ({"--from": "2026-01-05T10:00:00Z"}, "--to must come after --from"),
        ({"--from": "2025-01-05T08:00:00Z"}, "Twilio answered 400"),
        ({"--api-base-url": "http://127.0.0.1:9"}, "Twilio could not be reached"),
        ({"--out": "/nowhere/at/all.jsonl"}, "cannot be written"),
    ],
)
def test_what_cannot_be_recorded_is_told(
    show: Show, base_url: str, tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    """With a sentence."""
    answer = _record(show, base_url, tmp_path / "r.jsonl", **changed)
    assert answer.exit_code != 0
    assert message in answer.output


def test_a_recording_holds_no_login_of_an_agent(show: Show, base_url: str, tmp_path: Path) -> None:
    """The file as it lies on the disk."""
    out = tmp_path / "recorded.jsonl"
    assert _record(show, base_url, out).exit_code == 0
    text = out.read_text("utf-8")
    with show.service.present() as (world, _):
        assert not [worker.name for worker in world.floor.workers if worker.name in text]
    assert json.loads(text.splitlines()[0])["source"] == "recorded"

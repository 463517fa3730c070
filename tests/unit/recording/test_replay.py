"""run, replay and record from the command line, against an endpoint and a simulated workspace."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from click.testing import CliRunner, Result
from twilio.request_validator import RequestValidator

from simulator.cli import main
from simulator.world.log_file import read_log
from simulator.world.scenario.files import load_scenario
from simulator.world.sids import sid_of


def _sim(*arguments: str | float | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)


def _replay(*arguments: str | float | Path) -> Result:
    """From this moment on."""
    return _sim("replay", *arguments, "--anchor-ms", time.time_ns() // 1_000_000)


class Endpoint:
    """Takes callbacks and checks their signatures."""

    def __init__(self, token: str) -> None:
        self.seen: list[dict[str, str]] = []
        self.refuses = False
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                parameters = dict(parse_qsl(body, keep_blank_values=True))
                url = f"http://{self.headers['Host']}{self.path}"
                valid = RequestValidator(token).validate(url, parameters, self.headers["X-Twilio-Signature"])
                if valid and not endpoint.refuses:
                    endpoint.seen.append(parameters)
                self.send_response(204 if valid and not endpoint.refuses else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An endpoint that knows the token of seed 1."""
    found = Endpoint(sid_of("", 1, "auth token"))
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute and a half of a busy floor."""
    path = tmp_path_factory.mktemp("logs") / "events.jsonl"
    answer = _sim("run", "--agents", 25, "--hours", 0.025, "--start", "2026-01-05T10:00:00Z", "--out", path)
    assert answer.exit_code == 0
    return path


def test_run_tells_the_hash_of_the_log_it_wrote(log: Path, tmp_path: Path) -> None:
    """Two runs write the same bytes, and the hash is theirs."""
    again = tmp_path / "again.jsonl"
    answer = _sim("run", "--agents", 25, "--hours", 0.025, "--start", "2026-01-05T10:00:00Z", "--out", again)
    assert again.read_bytes() == log.read_bytes()
    assert hashlib.sha256(log.read_bytes()).hexdigest() in answer.output


def test_run_writes_the_truth(tmp_path: Path) -> None:
    """States of every agent and the figures of every interval, as one JSON object."""
    path = tmp_path / "truth.json"
    answer = _sim("run", "--scenario", "quiet-night", "--hours", 2, "--truth", path)
    assert answer.exit_code == 0
    truth = json.loads(path.read_text("utf-8"))
    assert len(truth["states"]) == 12
    assert len(truth["reports"]["intervals"]) == 8


def test_run_lists_the_ready_scenarios() -> None:
    """With their titles."""
    assert "quiet-night" in _sim("run", "--list").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "quiet-nigth"], "did you mean quiet-night?"),
        (["--set", "agents"], "is not KEY=VALUE"),
        (["--set", "channels.voice.per_agent_hour=lots"], "channels.voice.per_agent_hour"),
        (["--start", "yesterday"], "start"),
        (["--out", "/nowhere/at/all.jsonl", "--hours", "0.01"], "cannot be written"),
    ],
)
def test_run_refuses_what_it_cannot_do(arguments: list[str], message: str) -> None:
    """With a sentence and exit code 1 or 2."""
    answer = _sim("run", *arguments)
    assert answer.exit_code in (1, 2)
    assert message in answer.output


def test_a_failing_run_prints_the_command_that_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that was given, and nothing else."""

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("the model is broken")

    monkeypatch.setattr("simulator.world.run.run_world", fail)
    given = ["--scenario", "chat-heavy", "--agents", "9", "--seed", "4", "--set", "hold.share=0.5"]
    answer = CliRunner().invoke(main, ["run", *given])
    assert isinstance(answer.exception, RuntimeError)
    assert "flex-wfm-sim run --scenario chat-heavy --agents 9 --seed 4 --set hold.share=0.5" in answer.output
    assert load_scenario("chat-heavy", {"hold.share": 0.5}).hold.share == 0.5


def test_replay_posts_every_event_signed_and_in_order(log: Path, endpoint: Endpoint) -> None:
    """Moved to the present; what an event says besides its times is what it said."""
    answer = _replay(log, "--target", endpoint.url, "--speed", 60, "--lanes", 1)
    assert answer.exit_code == 0, answer.output
    events = list(read_log(log)[1])
    assert [one["Sid"] for one in endpoint.seen] == [event.sid for event in events]
    times = [int(one["TimestampMs"]) for one in endpoint.seen]
    span_ms = events[-1].ms - events[0].ms
    assert times[-1] - times[0] == pytest.approx(span_ms / 60, abs=2)
    assert f"{len(events):,} events" in answer.output


def test_replay_can_leave_the_times_alone(log: Path, endpoint: Endpoint) -> None:
    """For a connector whose clock follows the log: the settings are printed."""
    answer = _replay(log, "--target", endpoint.url, "--speed", 90, "--times", "original")
    assert answer.exit_code == 0
    assert "[clock]" in answer.output
    assert sorted(one["TimestampMs"] for one in endpoint.seen) == sorted(str(one.ms) for one in read_log(log)[1])


def test_replay_with_faults_repeats_events(log: Path, endpoint: Endpoint) -> None:
    """Duplicates have the sid of their original."""
    answer = _replay(log, "--target", endpoint.url, "--speed", 90, "--duplicates", 1, "--reorder-s", 5)
    assert answer.exit_code == 0
    sids = [one["Sid"] for one in endpoint.seen]
    assert len(sids) == 2 * len(set(sids)) > 20


def test_replay_fails_when_callbacks_are_not_taken(log: Path, endpoint: Endpoint) -> None:
    """Exit code 1."""
    endpoint.refuses = True
    assert _replay(log, "--target", endpoint.url, "--speed", 90).exit_code == 1


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        ("", "http://127.0.0.1:9/", "is not JSON"),
        ('{"format":"flex-wfm-sim/events","version":1,"source":"recorded","account_sid":"A","workspace_sid":"W"}\n',
         "http://127.0.0.1:9/", "has no events"),
        (None, "ftp://x/", "--target"),
    ],
)  # fmt: skip
def test_replay_refuses_what_it_cannot_play(
    log: Path, tmp_path: Path, content: str | None, target: str, message: str
) -> None:
    """With a sentence."""
    path = log
    if content is not None:
        path = tmp_path / "bad.jsonl"
        path.write_text(content, "utf-8")
    answer = _replay(path, "--target", target)
    assert answer.exit_code != 0
    assert message in answer.output


def test_a_recorded_log_needs_a_token(log: Path, tmp_path: Path) -> None:
    """Nobody can guess it."""
    lines = log.read_text("utf-8").splitlines(keepends=True)
    header = {name: value for name, value in json.loads(lines[0]).items() if name != "seed"}
    path = tmp_path / "recorded.jsonl"
    path.write_text(json.dumps(header) + "\n" + "".join(lines[1:]), "utf-8")
    answer = _replay(path, "--target", "http://127.0.0.1:9/")
    assert answer.exit_code == 2
    assert "--auth-token" in answer.output

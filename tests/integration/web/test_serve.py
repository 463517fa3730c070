"""flex-wfm serve as a real process: start, readiness, durable answers, clean stop, and `flex-wfm init` before it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from twilio.request_validator import RequestValidator

from flex_plugin_backend.cli import main
from flex_plugin_backend.domain.events import EVENTS_FILTER
from flex_plugin_backend.settings import load_settings

TOKEN = "0123456789abcdef0123456789abcdef"
Start = Callable[..., "Server"]


class Server:
    """A running connector."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flex_plugin_backend", "serve", "--config", str(config), *arguments],
            stdout=subprocess.PIPE,
            stderr=(config.parent / "log").open("w"),
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.log = config.parent / "log"
        self.port = 0

    def ready_line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        ready: dict[str, Any] = json.loads(line)
        self.port = ready["port"]
        return ready

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def post(self, number: int) -> tuple[int, str]:
        fields = {
            "AccountSid": "AC1",
            "WorkspaceSid": "WS1",
            "EventType": "worker.activity.update",
            "Sid": f"EV{number:032x}",
            "TimestampMs": str(1767607245123 + number),
            "WorkerSid": f"WK{number % 7}",
            "WorkerActivitySid": "WA1",
            "WorkerActivityName": "Break",
        }
        url = f"{self.url}/twilio/acme/events"
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        request = urllib.request.Request(url, urlencode(fields).encode(), {"X-Twilio-Signature": signature})
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.headers["Content-Type"]

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(timeout=30)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on this machine where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def config(tmp_path: Path, nobody: str) -> Path:
    """A settings file whose Twilio and CXone are both down."""
    path = tmp_path / "flex-wfm.toml"
    path.write_text(
        f"""
        [ledger]
        url = "sqlite:///{tmp_path}/ledger.sqlite3"
        [tenants.acme.twilio]
        account_sid = "AC1"
        workspace_sid = "WS1"
        auth_token = "{TOKEN}"
        api_base_url = "{nobody}"
        [tenants.acme.wfm]
        service_url = "{nobody}"
        access_key = "access-key-1"
        secret_key = "secret-key-1"
        """
    )
    return path


@pytest.fixture
def start(config: Path) -> Iterator[Start]:
    """Starts the connector; whatever still runs at the end is ended."""
    started: list[Server] = []

    def run(*arguments: str) -> Server:
        server = Server(config, *arguments)
        started.append(server)
        return server

    yield run
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(timeout=10)
        if server.process.stdout is not None:
            server.process.stdout.close()


def test_serves_takes_events_and_stops_cleanly(start: Start) -> None:
    """One JSON line when it listens, durable 204s from many senders at once, and exit code 0 on SIGTERM."""
    server = start("--port", "0", "--json-ready")
    assert server.ready_line() == {"ready": True, "port": server.port}
    assert server.get("/readyz")[0] == 200
    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(server.post, range(200)))
    assert answers == {(204, "application/json")}
    assert server.post(5) == (204, "application/json")
    status, health = server.get("/healthz")
    assert (status, json.loads(health)["tenants"]["acme"]["events"]) == (200, 200)
    metrics = server.get("/metrics")[1]
    assert 'flex_wfm_webhook_requests_total{outcome="stored",tenant="acme"} 200.0' in metrics
    assert 'flex_wfm_webhook_requests_total{outcome="duplicate",tenant="acme"} 1.0' in metrics
    assert server.stop() == 0
    assert "runtime.stopped" in server.log.read_text()


def test_everything_is_one_process(start: Start) -> None:
    """The server and the connector's threads are in the process that was started: a kill leaves nothing behind."""
    server = start("--port", "0", "--json-ready")
    server.ready_line()
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    if not children.exists():
        pytest.skip("needs Linux")
    assert children.read_text().split() == []
    server.process.kill()
    server.process.wait(timeout=10)
    with pytest.raises(urllib.error.URLError):
        server.get("/healthz")


def test_acknowledged_events_survive_a_kill(start: Start) -> None:
    """What was answered with 204 is there after kill -9 and a new start."""
    server = start("--port", "0", "--json-ready")
    server.ready_line()
    for number in range(20):
        server.post(number)
    server.process.kill()
    server.process.wait(timeout=10)
    again = start("--port", "0", "--json-ready")
    again.ready_line()
    again.post(3)
    metrics = again.get("/metrics")[1]
    assert 'flex_wfm_webhook_requests_total{outcome="duplicate",tenant="acme"} 1.0' in metrics


def test_interrupt_stops_cleanly_and_the_welcome_names_the_addresses(start: Start) -> None:
    """For people: the addresses are printed; Ctrl-C is a clean stop too."""
    server = start("--port", "0", "--host", "127.0.0.1")
    assert server.process.stdout is not None
    lines = [server.process.stdout.readline().strip() for _ in range(5)]
    assert lines[0].startswith("flex-wfm listens on http://127.0.0.1:")
    assert lines[4].endswith("/twilio/acme/events")
    server.port = int(lines[0].rpartition(":")[2])
    assert server.get("/readyz")[0] == 200
    assert server.stop(signal.SIGINT) == 0


def test_port_in_use_is_a_clear_error(start: Start) -> None:
    """A second connector on the same port does not share it silently."""
    first = start("--port", "0", "--json-ready")
    first.ready_line()
    second = start("--port", str(first.port))
    assert second.process.wait(timeout=30) == 1
    message = second.log.read_text()
    assert "server.port" in message
    assert "Traceback" not in message


def test_wrong_settings_end_the_start_without_a_traceback(start: Start, config: Path) -> None:
    """The message names file, setting and repair; exit code 1."""
    config.write_text(config.read_text().replace("auth_token =", "auth_tokken ="))
    server = start("--json-ready")
    assert server.process.wait(timeout=30) == 1
    message = server.log.read_text()
    assert "tenants.acme.twilio.auth_tokken" in message
    assert "auth_token?" in message
    assert str(config) in message
    assert TOKEN not in message
    assert "Traceback" not in message


def test_slow_sender_does_not_hold_up_the_others(start: Start) -> None:
    """A sender that stops in the middle of its body keeps one thread; events of others get through, also while
    stopping."""
    server = start("--port", "0", "--json-ready")
    server.ready_line()
    head = b"POST /twilio/acme/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(head + b"Content-Length: 100\r\n\r\nSid=")
        assert server.post(1)[0] == 204


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /twilio/acme/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n" * 1,
        b"POST /twilio/acme/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 99999999\r\nConnection: close\r\n\r\nx",
    ],
)
def test_large_bodies_are_refused_on_the_wire(start: Start, raw: bytes) -> None:
    """Chunked without end or announced as huge: 413 from the real server, before the whole body has come."""
    server = start("--port", "0", "--json-ready")
    server.ready_line()
    received = b""
    done = threading.Event()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:

        def keep_sending() -> None:
            sock.sendall(raw)
            chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            for _ in range(20):
                if done.is_set() or b"chunked" not in raw:
                    return
                try:
                    sock.sendall(chunk)
                except OSError:  # refused and closed, as it should be
                    return

        sender = threading.Thread(target=keep_sending)
        sender.start()
        while b"\r\n\r\n" not in received:
            part = sock.recv(4096)
            if not part:
                break
            received += part
        done.set()
        sender.join(timeout=20)
    assert received.startswith(b"HTTP/1.1 413")
    assert server.post(1)[0] == 204


# -- init -----------------------------------------------------------------------------------------------------------


def filled_in(path: Path) -> str:
    """The written file with the four values that only its owner knows."""
    text = path.read_text()
    for name, value in (
        ("public_url", "https://flex.acme.test"),
        ("account_sid", "AC1"),
        ("workspace_sid", "WS1"),
        ("service_url", "https://wfm.acme.test"),
    ):
        assert text.count(f'{name} = ""') == 1
        text = text.replace(f'{name} = ""', f'{name} = "{value}"')
    return text


def make_secrets(output: str) -> None:
    """Carry out what init prints as the second step, and write something into the files."""
    lines = [line for line in output.splitlines() if line.startswith("     ") and "secrets" in line]
    subprocess.run(["sh", "-eu", "-c", "\n".join(lines)], check=True)
    for line in lines[1:]:
        file = Path(line.split()[-1])
        assert file.stat().st_mode & 0o777 == 0o600
        file.write_text("some-value\n")


def test_untouched_settings_stop_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right after init, with the secrets there, serve names every value that was not entered, and does not start."""
    monkeypatch.chdir(tmp_path)
    make_secrets(CliRunner().invoke(main, ["init"]).output)
    result = CliRunner().invoke(main, ["serve", "--config", "flex-wfm.toml"])
    assert result.exit_code == 1
    assert "4 settings are wrong" in result.output
    tenant = "tenants.main"
    for name in ("server.public_url", f"{tenant}.twilio.account_sid", f"{tenant}.twilio.workspace_sid"):
        assert f"{name} (from file flex-wfm.toml): is empty" in result.output
    assert f"{tenant}.wfm.service_url (from file flex-wfm.toml): is empty" in result.output


def test_written_settings_load_once_values_and_secrets_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """init, the steps it prints, four values, and the settings are complete; also in another folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my config").mkdir()
    other = CliRunner().invoke(main, ["init", "my config/other.toml"])
    assert "--config 'my config/other.toml'" in other.output
    result = CliRunner().invoke(main, ["init", "--tenant", "acme-eu"])
    assert result.exit_code == 0, result.output
    assert "/twilio/acme-eu/events#rp=all&rc=5" in result.output
    assert ",".join(EVENTS_FILTER) in result.output
    make_secrets(result.output)
    path = tmp_path / "flex-wfm.toml"
    path.write_text(filled_in(path))
    settings = load_settings("flex-wfm.toml", environ={})
    assert settings.tenants["acme-eu"].wfm.access_key.get_secret_value() == "some-value"


def test_every_commented_setting_of_the_written_file_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncommenting the suggestions gives settings that load: no suggestion has been forgotten in a renaming."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "--tenant", "acme"]).exit_code == 0
    text = filled_in(tmp_path / "flex-wfm.toml")
    lines = [
        line.removeprefix("# ") if line.startswith("# [") or (line.startswith("# ") and " = " in line) else line
        for line in text.splitlines()
    ]
    (tmp_path / "all.toml").write_text("\n".join(lines))
    (tmp_path / "secrets").mkdir()
    for name in ("auth-token", "access-key", "secret-key", "rest-key", "shared-key"):
        (tmp_path / "secrets" / f"acme-{name}").write_text("value")
    (tmp_path / "secrets" / "alert-url").write_text("https://alerts.example.com/flex-wfm")
    tenant = load_settings("all.toml", environ={}).tenants["acme"]
    assert tenant.mapping.activities["Lunch"].reason == "LUNCH"
    assert tenant.mapping.channels == {"whatsapp": "chat"}
    assert tenant.twilio.rest_key_sid is not None
    assert tenant.wfm.acd_type is not None
    assert tenant.reports.queue_service_level_s == {"Support": 30}
    assert tenant.reports.diverted_reasons == ("callback", "voicemail")


def test_init_overwrites_only_when_told(tmp_path: Path) -> None:
    """An existing file is safe without --force."""
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    result = CliRunner().invoke(main, ["init", str(path)])
    assert result.exit_code == 1
    assert "--force" in result.output
    assert path.read_text() == "precious"
    assert CliRunner().invoke(main, ["init", str(path), "--force"]).exit_code == 0
    assert "[tenants.main.twilio]" in path.read_text()


@pytest.mark.parametrize("arguments", [["init", "/no/such/folder/x.toml"], ["init", "--tenant", "Not Good", "x.toml"]])
def test_init_explains_what_it_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """A folder that is missing or a name that cannot be used: a message, no traceback, no file."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert list(tmp_path.iterdir()) == []

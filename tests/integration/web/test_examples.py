"""The examples of docs/embedding.md and docs/testing.md run as they stand."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

import pytest
from flask import Flask
from twilio.request_validator import RequestValidator

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
FIELDS = {
    "AccountSid": "AC1",
    "WorkspaceSid": "WS1",
    "EventType": "worker.activity.update",
    "Sid": "EV1",
    "TimestampMs": "1767607245123",
    "WorkerSid": "WK1",
}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def post(app: Flask) -> int:
    path = "/wfm/twilio/acme/events"
    signature = RequestValidator("token-1").compute_signature(f"https://flex.example.com{path}", FIELDS)
    answer = app.test_client().post(
        path,
        data=urlencode(FIELDS),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    return answer.status_code


@pytest.fixture(autouse=True)
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings whose Twilio and CXone are an address on this machine where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{sock.getsockname()[1]}"
        config = tmp_path / "flex-wfm.toml"
        config.write_text(
            f"""
            [server]
            public_url = "https://flex.example.com"
            [ledger]
            url = "sqlite:///{tmp_path}/ledger.sqlite3"
            [tenants.acme.twilio]
            account_sid = "AC1"
            workspace_sid = "WS1"
            auth_token = "token-1"
            api_base_url = "{nobody}"
            [tenants.acme.wfm]
            service_url = "{nobody}"
            access_key = "access-key-1"
            secret_key = "secret-key-1"
            """
        )
        monkeypatch.setenv("FLEX_WFM_CONFIG", str(config))
        yield


def test_embed_in_flask() -> None:
    """The host's page and the connector answer side by side."""
    module = load("embed_in_flask")
    try:
        assert module.app.test_client().get("/").data == b"The Flex back end"
        assert post(module.app) == 204
        assert "acme" in module.app.test_client().get("/wfm/healthz").json["tenants"]
    finally:
        module.plugin.close()


def test_embed_with_factory() -> None:
    """The factory alone starts nothing; the serving application takes events."""
    module = load("embed_with_factory")
    idle = module.create_app()
    assert idle.test_client().get("/wfm/readyz").status_code == 503
    module = load("embed_with_factory")
    try:
        assert post(module.serving_app()) == 204
    finally:
        module.wfm.close()


def test_step_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """The break that a signed callback tells of reaches the fake WFM without a thread or a socket."""
    threads = threading.active_count()
    load("step_by_hand").main()
    answered, held = capsys.readouterr().out.splitlines()
    assert answered.endswith("204")
    assert held.startswith("the WFM holds UNAVAILABLE Break since 2026-01-05T08:00:01")
    assert threading.active_count() == threads

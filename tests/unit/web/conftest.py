"""A connector behind the doors that keeps events in memory, and a caller who signs as Twilio does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry, Counter
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from flex_plugin_backend import create_app
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.settings import Settings, load_settings

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://flex.example.com"
EVENT = {
    "AccountSid": "AC1",
    "WorkspaceSid": "WS1",
    "EventType": "worker.activity.update",
    "Sid": "EV1",
    "TimestampMs": "1767607245123",
    "ResourceSid": "WK1",
    "WorkerSid": "WK1",
    "WorkerName": "Zoë Ünal",
    "OperatingUnitSid": "",
}


class FakeRuntime:
    """Stores events in a list; can be told to fail."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        Counter("flex_wfm_events", "Events", registry=self.registry).inc()
        self.events: list[tuple[str, TaskRouterEvent]] = []
        self.calls: list[str] = []
        self.failure: Exception | None = None
        self.obstacles: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def submit(self, tenant: str, event: TaskRouterEvent) -> bool:
        if self.failure is not None:
            raise self.failure
        if any(known.sid == event.sid and name == tenant for name, known in self.events):
            return False
        self.events.append((tenant, event))
        return True

    def submit_all(self, tenant: str, events: Sequence[TaskRouterEvent]) -> int:
        return sum(self.submit(tenant, event) for event in events)

    def health(self) -> dict[str, Any]:
        return {"status": "ok", "tenants": {"acme": {"status": "ok", "events": len(self.events)}}}

    def ready(self) -> tuple[bool, list[str]]:
        return not self.obstacles, self.obstacles


class Twilio:
    """Posts signed callbacks to an application."""

    def __init__(self, app: Flask, base: str = PUBLIC, token: str = TOKEN) -> None:
        self.client = app.test_client()
        self.base = base
        self.token = token

    def post(
        self,
        fields: dict[str, str] | None = None,
        *,
        path: str = "/twilio/acme/events",
        signed_path: str | None = None,
        **kwargs: Any,
    ) -> TestResponse:
        fields = EVENT if fields is None else fields
        url = self.base + (path if signed_path is None else signed_path)
        headers = {"X-Twilio-Signature": RequestValidator(self.token).compute_signature(url, fields)}
        headers.update(kwargs.pop("headers", {}))
        kwargs.setdefault("content_type", "application/x-www-form-urlencoded; charset=utf-8")
        kwargs.setdefault("data", urlencode(fields))
        return self.client.post(path, headers=headers, **kwargs)


@pytest.fixture
def settings_data() -> dict[str, Any]:
    """The content of a settings file with one tenant."""
    return {
        "server": {"public_url": PUBLIC},
        "ledger": {"url": "sqlite://"},
        "tenants": {
            "acme": {
                "twilio": {"account_sid": "AC1", "workspace_sid": "WS1", "auth_token": TOKEN},
                "wfm": {"service_url": "https://wfm.example.com", "access_key": "a-key-1", "secret_key": "s-key-1"},
            }
        },
    }


@pytest.fixture
def settings(settings_data: dict[str, Any]) -> Settings:
    """The same, loaded."""
    return load_settings(settings_data, environ={})


@pytest.fixture
def runtime() -> FakeRuntime:
    """What is behind the doors."""
    return FakeRuntime()


@pytest.fixture
def app(settings: Settings, runtime: FakeRuntime) -> Flask:
    """The connector as an application of its own."""
    return create_app(settings, runtime=runtime)


@pytest.fixture
def twilio(app: Flask) -> Twilio:
    """Twilio, calling that application."""
    return Twilio(app)


@pytest.fixture
def make_twilio() -> Callable[..., Twilio]:
    """Twilio, calling another application."""
    return Twilio


@pytest.fixture
def make_runtime() -> Callable[[], FakeRuntime]:
    """Another runtime."""
    return FakeRuntime


@pytest.fixture
def event() -> dict[str, str]:
    """The fields of a good event."""
    return dict(EVENT)

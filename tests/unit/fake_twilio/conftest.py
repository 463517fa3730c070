"""A fake Twilio in this process, and the unmodified official client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from twilio.rest import Client
from wsgi_http import WsgiHttpClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario


@pytest.fixture(scope="session")
def show() -> Iterator[Show]:
    """A floor of 120 agents that has been at work for an hour and a half and stands still."""
    scenario = Scenario(agents=120, seed=11)
    show = build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 5_400_000))
    yield show
    show.stop()


@pytest.fixture(scope="session")
def app(show: Show) -> Flask:
    """The Flask application over that floor."""
    return create_twilio_app(show)


@pytest.fixture
def http(app: Flask) -> WsgiHttpClient:
    """The transport, which remembers the addresses."""
    return WsgiHttpClient(app)


@pytest.fixture
def client(show: Show, http: WsgiHttpClient) -> Client:
    """The official client with this account's credentials."""
    return Client(show.account.account_sid, show.account.auth_token, http_client=http)


@pytest.fixture
def workspace(show: Show, client: Client) -> Any:
    """The client's entry to the workspace."""
    return client.taskrouter.v1.workspaces(show.account.workspace_sid)

"""A server that answers as Twilio's REST API does, and a reader of it that waits without taking time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Response

from flex_plugin_backend.settings import TwilioSettings
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

WS = "WS1"
BASE = f"/v1/Workspaces/{WS}"
TOKEN = "auth-token-1"


class Pauses:
    """Takes the place of waiting and notes how long it would have been."""

    def __init__(self, stop: bool = False) -> None:
        self.seconds: list[float] = []
        self.stop = stop

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.stop


class FakeRest:
    """Workspace WS1 on the test server."""

    base = BASE
    token = TOKEN
    workspace_sid = WS

    def __init__(self, server: HTTPServer) -> None:
        self.server = server

    def access(self, **changes: Any) -> TwilioSettings:
        """The settings that lead here."""
        settings = {"api_base_url": self.server.url_for("/"), "timeout_s": 2, **changes}
        return TwilioSettings(account_sid="AC1", workspace_sid=WS, auth_token=SecretStr(TOKEN), **settings)

    @staticmethod
    def rows(key: str, *rows: dict[str, Any], following: str | None = None) -> dict[str, Any]:
        """A page of a list."""
        return {"meta": {"key": key, "page": 0, "page_size": 1000, "next_page_url": following}, key: list(rows)}

    def serve(self, path: str, key: str, *found: dict[str, Any]) -> None:
        """Answer with these rows."""
        self.server.expect_request(BASE + path).respond_with_json(self.rows(key, *found))

    def serve_page(self, path: str, page: dict[str, Any]) -> None:
        """Answer with this page."""
        self.server.expect_request(BASE + path).respond_with_json(page)

    def serve_empty_floor(self) -> None:
        """No workers, no tasks."""
        self.serve("/Workers", "workers")
        self.serve("/Tasks", "tasks")

    @staticmethod
    def error(status: int, code: int, **headers: str) -> Response:
        """Twilio's error body, with a name in it that must not be repeated."""
        body = {"code": code, "message": "about Zoë", "more_info": "", "status": status}
        return Response(json.dumps(body), status=status, content_type="application/json", headers=headers)

    @staticmethod
    def worker(sid: str, **changes: Any) -> dict[str, Any]:
        """A worker in activity WA2 since 10:00:45."""
        return {
            "sid": sid,
            "friendly_name": f"{sid}@example.com",
            "activity_sid": "WA2",
            "activity_name": "Available",
            "available": True,
            "attributes": json.dumps({"wfm": {"id": f"agent-{sid}"}, "full_name": "Zoë"}),
            "date_status_changed": "2026-01-05T10:00:45Z",
            "date_created": "2025-01-01T00:00:00Z",
            "date_updated": "2026-01-05T09:00:00Z",
            **changes,
        }


@pytest.fixture
def rest(httpserver: HTTPServer) -> FakeRest:
    """Twilio."""
    return FakeRest(httpserver)


@pytest.fixture
def make_pauses() -> type[Pauses]:
    """Other waits that take no time."""
    return Pauses


@pytest.fixture
def pauses() -> Pauses:
    """Waits that take no time."""
    return Pauses()


@pytest.fixture
def reader(rest: FakeRest, pauses: Pauses) -> TaskRouterReader:
    """A reader of that workspace, agent ids at wfm.id."""
    return TaskRouterReader(rest.access(), ("wfm", "id"), wait=pauses)

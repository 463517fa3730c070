"""Target: the endpoint under test, spoken to by plain HTTP with the names of a contract profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from flex_plugin_backend.wfm.contract import Profile

_BODY_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Credentials:
    """The login; the secret is never shown."""

    access_key: str
    secret_key: str = field(repr=False)
    tenant_name: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What every payload of the suite carries, so that it can be told from real data.

    Attributes:
        agent_id, queue_id: ids that say they are a test.
        start_ms, end_ms: the interval that reports are about; a report replaces its interval, so it must be one
            without real data.
    """

    agent_id: str
    queue_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    text: str = field(repr=False)
    what: str

    @property
    def ok(self) -> bool:
        """Any 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def __str__(self) -> str:
        return f"{self.what} was answered {self.status}: {self.text[:_BODY_SHOWN] or '(no body)'}"


class Target:
    """The endpoint under test.

    Args:
        profile: paths and names.
        client: an HTTP client whose base URL is the endpoint; only paths of the profile are called.
    """

    def __init__(self, profile: Profile, client: httpx.Client, credentials: Credentials, marks: Marks) -> None:
        self.profile = profile
        self.credentials = credentials
        self.marks = marks
        self._client = client
        self._token: str | None = None
        self._acd_type: str | None = None

    # ------------------------------------------------------------------------------------------- the login

    def login_payload(self, **other: str) -> dict[str, Any]:
        """The login on the wire; `other` replaces access_key or secret_key."""
        keys = {"access_key": self.credentials.access_key, "secret_key": self.credentials.secret_key, **other}
        plain: dict[str, Any] = {"access_key_token_request": keys}
        if self.credentials.tenant_name is not None:
            plain["tenant_name"] = self.credentials.tenant_name
        return self.profile.encode(self.profile.endpoint("token").request or "", plain)

    def log_in(self) -> dict[str, Any]:
        """A fresh login; its answer with canonical names."""
        reply = self.call("token", self.login_payload(), token=None)
        assert reply.ok, f"the login was refused. {reply.what} was answered {reply.status}"
        plain = self.profile.decode(self.profile.endpoint("token").response or "", reply.json())
        assert plain.get("access_token"), "the login was answered without an access token"
        return plain

    def token(self) -> str:
        """An access token, from a login when none is at hand."""
        if self._token is None:
            self._token = str(self.log_in()["access_token"])
        return self._token

    def acd_type(self) -> str:
        """The ACD type that the endpoint names; every payload carries it."""
        if self._acd_type is None:
            reply = self.send("acd_details")
            assert reply.ok, f"the ACD-type lookup failed. {reply}"
            plain = self.profile.decode(self.profile.endpoint("acd_details").response or "", reply.json())
            self._acd_type = str(plain["acd_type"])
        return self._acd_type

    # ------------------------------------------------------------------------------------------- the calls

    def send(self, operation: str, payload: Any = None) -> Reply:
        """One call with a valid token; where the token has expired in between, once more with a new one."""
        reply = self.call(operation, payload, token=self.token())
        if reply.status == 401:
            self._token = None
            reply = self.call(operation, payload, token=self.token())
        return reply

    def call(self, operation: str, payload: Any, *, token: str | None) -> Reply:
        """One call as it is given."""
        endpoint = self.profile.endpoint(operation)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        content: bytes | None = None
        if payload is not None:
            content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            headers["Content-Type"] = "application/json"
        response = self._client.request(endpoint.method, endpoint.path.lstrip("/"), content=content, headers=headers)
        return Reply(response.status_code, response.text, f"{endpoint.method} {endpoint.path}")

    # ---------------------------------------------------------------------------------------- the payloads

    def states(self, *rows: Mapping[str, Any]) -> dict[str, Any]:
        """Agent states on the wire, of rows with canonical names."""
        return self.encode("agent_states", agent_states=list(rows))

    def activity(self, *rows: Mapping[str, Any]) -> dict[str, Any]:
        """The agent activity report of the test interval on the wire."""
        return self.encode("agent_activity", **self._interval(), report_data=list(rows))

    def queues(
        self,
        queues: tuple[Mapping[str, Any], ...] = (),
        agent_queues: tuple[Mapping[str, Any], ...] = (),
        agents: tuple[Mapping[str, Any], ...] = (),
    ) -> dict[str, Any]:
        """The queue report of the test interval on the wire, with its two agent parts."""
        return self.encode(
            "queue_report",
            **self._interval(),
            queue_report=list(queues),
            agent_queue_report=list(agent_queues),
            agent_system_performance_report=list(agents),
        )

    def encode(self, operation: str, **plain: Any) -> dict[str, Any]:
        """A request on the wire; the ACD type is filled in, and what the profile leaves out is left out."""
        dto = self.profile.dto(self.profile.endpoint(operation).request or "")
        known = {name: value for name, value in plain.items() if name in dto.fields or name in dto.dropped}
        return self.profile.encode(dto.name, {"acd_type": self.acd_type(), **known})

    def _interval(self) -> dict[str, int]:
        return {"start_ms": self.marks.start_ms, "end_ms": self.marks.end_ms}

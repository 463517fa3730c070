"""The capture format: one record for each request, as the fake WFM exports them, with the payload inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.wfm.contract.profile import Profile

# The reports of the fake WFM's inbox name the report instead of the endpoint.
_REPORTS = {"agent_activity": "agent_activity", "queue": "queue_report"}


@dataclass(frozen=True, slots=True)
class Captured:
    """The payload inside a record.

    Attributes:
        step: the member that holds it.
        value: the payload.
        dto: what the endpoint takes; None where the record names none that the profile knows.
        revision: of a report: the record's own, else its place in the order of arrival, where it has one.
    """

    step: str
    value: Any
    dto: str | None
    revision: int | None


def unwrap(profile: Profile, value: object) -> Captured | None:
    """The payload inside a capture record; None where the value is no record.

    A record is an object with `endpoint` (a name of the profile such as `agent_states`, or a path), `received` (the
    time, any form) and `payload`. The rows of the fake WFM's `GET /sim/inbox/reports` are records too: `kind`,
    `accepted_s` and `body`.
    """
    if not isinstance(value, Mapping):
        return None
    revision = _whole(value.get("revision"))
    if revision is None:  # a report that came later replaces the one before
        revision = _whole(value.get("seq"))
    if "endpoint" in value and "payload" in value:
        return Captured("payload", value["payload"], _request(profile, value["endpoint"]), revision)
    if "kind" in value and "body" in value and "accepted_s" in value:
        return Captured("body", value["body"], _request(profile, _REPORTS.get(str(value["kind"]))), revision)
    return None


def inbox_reports(value: object) -> list[Any] | None:
    """The records of a whole answer of `GET /sim/inbox/reports`; None where the value is none."""
    if isinstance(value, Mapping) and value.keys() == {"reports"} and isinstance(value["reports"], list):
        return list(value["reports"])
    return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _request(profile: Profile, name: object) -> str | None:
    for endpoint in profile.endpoints.values():
        if name in (endpoint.name, endpoint.path, f"{endpoint.method} {endpoint.path}"):
            return endpoint.request
    return None

"""The connector's configuration for a demo, as the TOML file a user would write."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

TENANT = "demo"
# What docs/configuration.md recommends as the workspace's EventsFilter: everything that states and reports come from.
EVENTS_FILTER = ",".join(
    [
        *(f"worker.{step}" for step in ("created", "deleted", "activity.update", "attributes.update")),
        *(
            f"reservation.{step}"
            for step in (
                "created", "accepted", "rejected", "timeout", "canceled", "rescinded", "wrapup", "completed", "failed",
            )
        ),
        *(f"task.{step}" for step in ("created", "canceled", "wrapup", "completed", "deleted", "system-deleted")),
        *(
            f"task.transfer-{step}"
            for step in ("initiated", "attempt-failed", "failed", "canceled", "completed")
        ),
        *(f"task-queue.{step}" for step in ("entered", "moved", "timeout", "created", "deleted")),
        *(f"activity.{step}" for step in ("created", "updated", "deleted")),
    ]
)  # fmt: skip

Scalar = str | int | float | list[str]


class SharedClock(Protocol):
    """Three numbers that several processes share."""

    @property
    def start_ms(self) -> int: ...
    @property
    def anchor_ms(self) -> int: ...
    @property
    def speed(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFacts:
    """What the connector must be told to stand between the two simulated worlds.

    Attributes:
        twilio_url, wfm_url: base addresses of the fakes.
        pseudo_activities: names of activities that a plug-in sets to mirror reservations.
    """

    port: int
    ledger: Path
    twilio_url: str
    account_sid: str
    workspace_sid: str
    auth_token: str = field(repr=False)
    offline_activity_sid: str
    pseudo_activities: tuple[str, ...] = ()
    wfm_url: str
    access_key: str
    secret_key: str = field(repr=False)
    profile: str = "default"

    @property
    def url(self) -> str:
        """Where the connector will listen."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def callback_url(self) -> str:
        """Where Twilio is to send the tenant's callbacks."""
        return f"{self.url}/twilio/{TENANT}/events"


def settings_of(facts: ConnectorFacts) -> dict[str, dict[str, Scalar]]:
    """The tables of the connector's settings, by their dotted names."""
    return {
        "server": {"host": "127.0.0.1", "port": facts.port, "public_url": facts.url},
        "ledger": {"url": f"sqlite:///{facts.ledger}"},
        f"tenants.{TENANT}.twilio": {
            "account_sid": facts.account_sid,
            "workspace_sid": facts.workspace_sid,
            "auth_token": facts.auth_token,
            "api_base_url": facts.twilio_url,
        },
        f"tenants.{TENANT}.wfm": {
            "service_url": facts.wfm_url,
            "access_key": facts.access_key,
            "secret_key": facts.secret_key,
            "profile": facts.profile,
        },
        f"tenants.{TENANT}.mapping": {
            "agent_id": "worker_sid",
            "offline_activity_sid": facts.offline_activity_sid,
            "pseudo_activities": list(facts.pseudo_activities),
        },
    }


def write_config(
    facts: ConnectorFacts,
    clock: SharedClock,
    path: Path,
    changes: Mapping[str, Mapping[str, Scalar]] = MappingProxyType({}),
) -> None:
    """Write the file for a run on a shared clock, readable by its owner alone, because keys stand in it.

    `changes` are settings besides, by the dotted names of their tables.
    """
    tables = settings_of(facts)
    tables["clock"] = {"start_ms": clock.start_ms, "anchor_ms": clock.anchor_ms, "speed": float(clock.speed)}
    # These bridge the delays of networks and disks, which a faster clock does not make any shorter.
    tables[f"tenants.{TENANT}.states"] = {
        "task_end_grace_s": 30.0 * clock.speed,
        "catch_up_s": 900.0 * clock.speed,
        "gone_settle_s": 120.0 * clock.speed,
    }
    tables[f"tenants.{TENANT}.repair"] = {"settle_s": max(60.0, min(3600.0, 15.0 * clock.speed))}
    for name, table in changes.items():
        tables[name] = {**tables.get(name, {}), **table}
    write_tables(tables, path)


def write_tables(tables: Mapping[str, Mapping[str, Scalar]], path: Path) -> None:
    """Write the tables as TOML, readable by its owner alone."""
    text = "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def nested(tables: Mapping[str, Mapping[str, Scalar]]) -> dict[str, Any]:
    """The tables as one mapping within another, as `create_app` takes them."""
    whole: dict[str, Any] = {}
    for name, table in tables.items():
        place = whole
        for step in name.split("."):
            place = place.setdefault(step, {})
        place.update(table)
    return whole


def _toml(value: Scalar) -> str:
    # JSON's texts, numbers and lists are TOML's, but for the characters that JSON need not escape.
    return json.dumps(value).replace("\x7f", "\\u007f")


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of a real connector, which would win over the demo's file."""
    source = os.environ if environment is None else environment
    return {name: value for name, value in source.items() if not name.startswith("FLEX_WFM_")}

"""What one Flask application holds of the connector: its settings, its runtime and one door per tenant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import current_app

from flex_plugin_backend.settings import Settings
from flex_plugin_backend.settings.parts import without_user
from flex_plugin_backend.taskrouter.signature import SignatureChecker
from flex_plugin_backend.taskrouter.streams import Owner
from flex_plugin_backend.web.ports import RuntimePort

if TYPE_CHECKING:
    from flex_plugin_backend.web.metrics import DoorMetrics

EXTENSION = "flex_wfm"
NOT_STARTED = "the connector is not started in this process; call start() where the application is served"
# The threads stay behind in the parent, so events would be taken and never forwarded.
FORKED = "this process was forked after the connector started; start it in each worker (docs/embedding.md)"


@dataclass(frozen=True, slots=True)
class Door:
    """What is needed to judge and read the callbacks of one tenant.

    Attributes:
        tenant: the tenant's name in the settings.
        base_url: the address Twilio was given, without door and query; None: take the address of the request.
        owner: whose events are taken.
    """

    tenant: str
    checker: SignatureChecker
    base_url: str | None = field(repr=False)  # may hold a password
    owner: Owner

    @property
    def callback_url(self) -> str | None:
        """The address of the callbacks' door."""
        return None if self.base_url is None else f"{self.base_url}/events"

    @property
    def streams_url(self) -> str | None:
        """The address of the Event Streams' door."""
        return None if self.base_url is None else f"{self.base_url}/streams"


@dataclass(slots=True)
class PluginState:
    """The connector inside one application."""

    settings: Settings
    runtime: RuntimePort
    url_prefix: str
    doors: Mapping[str, Door]
    metrics: DoorMetrics
    started_in: int | None = field(default=None)
    spent: bool = False  # was stopped; threads and ledger of the runtime cannot be used again

    @property
    def obstacle(self) -> str | None:
        """Why no event can be taken in this process, whatever the runtime says; None if nothing is in the way."""
        if self.started_in is None:
            return NOT_STARTED
        return FORKED if self.started_in != os.getpid() else None

    def callback_urls(self) -> dict[str, str]:
        """Tenant -> the address for the workspace's event callback URL; its path alone where no public URL is set."""
        return {
            name: without_user(door.callback_url) or self.url_prefix + callback_path(name)
            for name, door in self.doors.items()
        }


def make_doors(settings: Settings, url_prefix: str) -> dict[str, Door]:
    """One door per tenant."""
    doors: dict[str, Door] = {}
    for name, tenant in settings.tenants.items():
        base = settings.public_url_of(name)
        doors[name] = Door(
            tenant=name,
            checker=SignatureChecker(tenant.twilio.auth_token.get_secret_value(), tenant.twilio.signing_secrets()),
            base_url=None if base is None else f"{base}{url_prefix}/twilio/{name}",
            owner=Owner(tenant.twilio.account_sid, tenant.twilio.workspace_sid, tenant.mapping.agent_attribute),
        )
    return doors


def callback_path(tenant: str) -> str:
    """The path of a tenant's event door, below the prefix."""
    return f"/twilio/{tenant}/events"


def current_state() -> PluginState:
    """The connector of the application that serves the present request."""
    state: PluginState = current_app.extensions[EXTENSION]
    return state

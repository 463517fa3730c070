"""A tenant's connection to CXone WFM out of its settings."""

from __future__ import annotations

import httpx

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.settings import WfmSettings
from flex_plugin_backend.wfm import WFMConnection, WFMConnectionConfigBuilder
from flex_plugin_backend.wfm.connection import OnFindings


def connect(
    wfm: WfmSettings,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
    on_findings: OnFindings | None = None,
) -> WFMConnection:
    """The connection that these settings describe, not yet logged in; ContractError for an unreadable profile.

    `transport` replaces the network. `on_findings` is told what the contract's rules find in outgoing payloads, where
    the settings want them looked at.
    """
    config = (
        WFMConnectionConfigBuilder()
        .set_service_url(wfm.service_url)
        .set_access_key(wfm.access_key.get_secret_value())
        .set_secret_key(wfm.secret_key)
        .set_tenant_name(wfm.tenant_name)
        .set_profile(wfm.profile)
        .set_acd_type(wfm.acd_type)
        .set_timeout_s(wfm.timeout_s)
        .build()
    )
    listener = on_findings if wfm.check_outgoing else None
    return WFMConnection.get_connection(config, transport=transport, clock=clock, on_findings=listener)

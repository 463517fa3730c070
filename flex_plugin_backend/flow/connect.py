"""A tenant's connection to CXone WFM out of its settings."""

from __future__ import annotations

import httpx

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.settings import WfmSettings
from flex_plugin_backend.wfm import WFMConnection, WFMConnectionConfigBuilder


def connect(
    wfm: WfmSettings, clock: Clock | None = None, transport: httpx.BaseTransport | None = None
) -> WFMConnection:
    """The connection that these settings describe, not yet logged in; ContractError for an unreadable profile.

    `transport` replaces the network.
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
    return WFMConnection.get_connection(config, transport=transport, clock=clock)

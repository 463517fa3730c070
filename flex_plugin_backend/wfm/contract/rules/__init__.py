"""The numbered rules of meaning; each is one small function in the module of its subject."""

from __future__ import annotations

from flex_plugin_backend.wfm.contract.rules import (  # noqa: F401  each module enters its rules into the registry
    activities,
    agents,
    common,
    events,
    queues,
    reports,
    series,
    sessions,
    texts,
)
from flex_plugin_backend.wfm.contract.rules.record import RULES as _ENTERED
from flex_plugin_backend.wfm.contract.rules.record import Found, Rule
from flex_plugin_backend.wfm.contract.rules.series import Series

__all__ = ["RULES", "Found", "Rule", "Series"]

RULES = dict(sorted(_ENTERED.items(), key=lambda item: int(item[0][1:])))

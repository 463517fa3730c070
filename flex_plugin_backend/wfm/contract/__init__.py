"""The wire contract with CXone WFM as data: profiles, their loader, translation, JSON Schemas and numbered rules."""

from __future__ import annotations

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.findings import Finding, Severity
from flex_plugin_backend.wfm.contract.loader import builtin_profiles, load_profile
from flex_plugin_backend.wfm.contract.model import (
    Dto,
    Endpoint,
    Event,
    Field,
    FieldType,
    Limits,
    Origin,
    Provenance,
    ReasonNeed,
)
from flex_plugin_backend.wfm.contract.profile import Profile

__all__ = [
    "ContractError",
    "Dto",
    "Endpoint",
    "Event",
    "Field",
    "FieldType",
    "Finding",
    "Limits",
    "Origin",
    "Profile",
    "Provenance",
    "ReasonNeed",
    "Severity",
    "builtin_profiles",
    "load_profile",
]

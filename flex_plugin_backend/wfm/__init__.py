"""The CXone side, usable alone: a Python counterpart of NICE's Java SDK. Names are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.config import WFMConnectionConfig, WFMConnectionConfigBuilder
    from flex_plugin_backend.wfm.connection import WFMConnection
    from flex_plugin_backend.wfm.dto import (
        AgentActivity,
        AgentActivityReportDTO,
        AgentPerformanceRow,
        AgentQueueRow,
        AgentState,
        AgentStateListDTO,
        QueueRow,
        RejectedRow,
        ReportDTO,
        WFMReportResponseDTO,
    )
    from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind
    from flex_plugin_backend.wfm.heartbeat import Beat, Heartbeat
    from flex_plugin_backend.wfm.services import AgentStatesService, ReportService

# Whoever wants only the contract (the simulator, a CI job) must not pay for the HTTP client.
_HOMES = {
    "AgentActivity": "dto",
    "AgentActivityReportDTO": "dto",
    "AgentPerformanceRow": "dto",
    "AgentQueueRow": "dto",
    "AgentState": "dto",
    "AgentStateListDTO": "dto",
    "AgentStatesService": "services",
    "Beat": "heartbeat",
    "CXoneWfmException": "exceptions",
    "FailureKind": "exceptions",
    "Heartbeat": "heartbeat",
    "QueueRow": "dto",
    "RejectedRow": "dto",
    "ReportDTO": "dto",
    "ReportService": "services",
    "WFMConnection": "connection",
    "WFMConnectionConfig": "config",
    "WFMConnectionConfigBuilder": "config",
    "WFMReportResponseDTO": "dto",
}

__all__ = [
    "AgentActivity",
    "AgentActivityReportDTO",
    "AgentPerformanceRow",
    "AgentQueueRow",
    "AgentState",
    "AgentStateListDTO",
    "AgentStatesService",
    "Beat",
    "CXoneWfmException",
    "FailureKind",
    "Heartbeat",
    "QueueRow",
    "RejectedRow",
    "ReportDTO",
    "ReportService",
    "WFMConnection",
    "WFMConnectionConfig",
    "WFMConnectionConfigBuilder",
    "WFMReportResponseDTO",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value

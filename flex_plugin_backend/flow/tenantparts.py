"""What one tenant is built from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.flow.alerts import AlertRules, Post
from flex_plugin_backend.flow.crosscheck import StatisticsPages
from flex_plugin_backend.flow.drift import FloorPages
from flex_plugin_backend.flow.duty import Drive
from flex_plugin_backend.flow.holes import Submit
from flex_plugin_backend.flow.leader import Lease
from flex_plugin_backend.flow.looking import HistoryPages
from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.flow.startup import FloorReader
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm import WFMConnection


class RepairPages(HistoryPages, FloorPages, StatisticsPages, Protocol):
    """Everything that repair reads from Twilio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantParts:
    """What a tenant is built from; tests bring their own reader and connection. Without `pages` nothing is repaired,
    without `post` nobody is told of alarms.
    """

    name: str
    settings: TenantSettings
    ledger: Ledger
    clock: Clock
    connection: WFMConnection
    reader: FloorReader
    lease: Lease
    metrics: FlowMetrics
    drive: Drive
    submit: Submit
    pages: RepairPages | None = None
    alert_rules: AlertRules = field(default_factory=AlertRules)
    post: Post | None = None
    keep_days: float = 35.0

"""The running connector: one ledger, one intake, and every tenant at work."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.alerts import AlertRules
from flex_plugin_backend.flow.condition import Condition, gravest
from flex_plugin_backend.flow.connect import connect
from flex_plugin_backend.flow.disk import DiskGuard, StoreWatch, free_bytes
from flex_plugin_backend.flow.drive import ManualDrive
from flex_plugin_backend.flow.duty import Threads
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.leader import FileLease, lease_path
from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.flow.outgoing import OutgoingCheck
from flex_plugin_backend.flow.startup import FloorReader
from flex_plugin_backend.flow.tenant import Tenant
from flex_plugin_backend.flow.tenantparts import TenantParts
from flex_plugin_backend.flow.webhook import Webhook
from flex_plugin_backend.ledger.store import CHECK_S, Ledger
from flex_plugin_backend.settings import Settings, TenantSettings
from flex_plugin_backend.taskrouter.pages import TaskRouterPages
from flex_plugin_backend.taskrouter.reader import TaskRouterReader

_log = structlog.get_logger(__name__)


class Runtime:
    """Everything behind the web faces; built from settings, started once, stopped once."""

    def __init__(self, settings: Settings, clock: Clock, drive: ManualDrive | None = None) -> None:
        """Open the ledger and build every part; nothing runs yet.

        Args:
            drive: carries out the background work; None: threads do.

        Raises:
            LedgerError: the ledger cannot be opened.
            ContractError: a tenant's contract profile is unreadable.
        """
        self._settings = settings
        self._clock = clock
        self._hand = drive
        self._drive = drive or Threads(clock)
        self._metrics = FlowMetrics()
        self._stopping = threading.Event()
        ledger_connection = sqlite3.Connection if drive is None else drive.ledger_connection
        self._ledger = Ledger(settings.ledger.url, connection_class=ledger_connection, check_s=CHECK_S)
        alerts = settings.alerts
        self._webhook = Webhook(alerts, drive.alerts if drive else None) if alerts.url else None
        self._guard = DiskGuard.of(settings.ledger, self._ledger, clock, self._free_bytes)
        self._intake = Intake(
            self._ledger,
            clock,
            ack_timeout_s=settings.intake.ack_timeout_s,
            on_stored=self._stored,
            is_past=lambda tenant, event: self._tenants[tenant].horizon.is_past(event),
            by_hand=self._drive.by_hand,
            guard=self._guard,
            most_waiting=settings.intake.most_waiting_events,
        )
        self._tenants = {name: self._tenant(name, tenant) for name, tenant in settings.tenants.items()}
        self._store = StoreWatch(
            self._guard, self._intake_problem, (tenant.board for tenant in self._tenants.values()), clock
        )
        self._metrics.watch_store(free=lambda: self._guard.free, waiting=lambda: self._intake.waiting)
        self._running = False

    def _tenant(self, name: str, settings: TenantSettings) -> Tenant:
        hand = self._hand
        reader: FloorReader = TaskRouterReader(
            settings.twilio,
            settings.mapping.agent_attribute,
            wait=self._stopping.wait if hand is None else _at_once,
            transport=None if hand is None else hand.twilio,
            threads=4 if hand is None else 0,
        )
        return Tenant(
            TenantParts(
                name=name,
                settings=settings,
                ledger=self._ledger,
                clock=self._clock,
                connection=connect(
                    settings.wfm,
                    self._clock,
                    None if hand is None else hand.wfm,
                    OutgoingCheck(name, self._metrics),
                ),
                reader=reader,
                lease=FileLease(lease_path(self._ledger.path, name)),
                metrics=self._metrics,
                drive=self._drive,
                alert_rules=AlertRules.of(self._settings.alerts),
                post=self._webhook.post if self._webhook else None,
                submit=lambda events, along=None: self._intake.submit(name, events, along),
                keep_days=self._settings.ledger.retention_days,
                pages=TaskRouterPages(
                    settings.twilio,
                    settings.mapping.agent_attribute,
                    transport=None if hand is None else hand.twilio,
                ),
            )
        )

    @property
    def registry(self) -> CollectorRegistry:
        """The metrics of everything behind the web faces."""
        return self._metrics.registry

    @property
    def tenants(self) -> dict[str, Tenant]:
        """The tenants by name."""
        return dict(self._tenants)

    def start(self) -> None:
        """Set everything going."""
        self._intake.start()
        for tenant in self._tenants.values():
            tenant.start()
        self._drive.start(self._store.duty)
        self._running = True
        _log.info("runtime.started", tenants=sorted(self._tenants))

    def stop(self) -> None:
        """Refuse new events, finish what is under way, close the ledger."""
        if not self._running:
            return
        self._running = False
        self._stopping.set()
        self._intake.stop()
        self._drive.end([self._store.duty])
        for tenant in self._tenants.values():
            tenant.stop()
        if self._webhook is not None:
            self._webhook.close()
        self._ledger.close()
        _log.info("runtime.stopped")

    def submit(self, tenant: str, event: TaskRouterEvent) -> bool:
        """Store an event; returns when it is on the disk: True if it is new, False if it was there already.

        Raises:
            IntakeUnavailable: it could not be stored.
        """
        try:
            new = self._intake.submit(tenant, (event,))
        except IntakeUnavailable as error:
            self._refused(tenant, disk=bool(error.facts.get("disk")))
            raise
        self._tenants[tenant].heard(event)
        return new > 0

    def submit_all(self, tenant: str, events: Sequence[TaskRouterEvent]) -> int:
        """Store events together; returns how many were new, once all are on the disk.

        Raises:
            IntakeUnavailable: they could not be stored.
        """
        try:
            new = self._intake.submit(tenant, events)
        except IntakeUnavailable as error:
            # Event Streams come again for four hours; a disk may stay full for longer.
            if error.facts.get("disk"):
                self._refused(tenant, disk=True)
            raise
        for event in events:
            self._tenants[tenant].heard(event)
        return new

    def health(self) -> dict[str, Any]:
        """The gravest condition, and every tenant's own."""
        tenants = {name: tenant.health() for name, tenant in self._tenants.items()}
        status = gravest(Condition(tenant["status"]) for tenant in tenants.values())
        return {"status": status.value, "tenants": tenants}

    def ready(self) -> tuple[bool, list[str]]:
        """Can events be taken now."""
        if not self._running:
            return False, ["the connector is not running"]
        problem = self._intake.probe()
        return (True, []) if problem is None else (False, [problem])

    def _free_bytes(self, folder: Path) -> int:
        return free_bytes(folder) if self._hand is None else self._hand.free_bytes(folder)

    def _intake_problem(self) -> tuple[str, bool] | None:
        self._intake.probe()
        problem = self._intake.problem
        return None if problem is None else (problem, self._intake.disk_to_blame)

    def _refused(self, tenant: str, *, disk: bool) -> None:
        self._tenants[tenant].refused(disk=disk)
        self._store.duty.wake()

    def _stored(self, tenant: str, number: int) -> None:
        self._tenants[tenant].stored(number)


def _at_once(_seconds: float) -> bool:
    """Wait for nothing, and go on."""
    return False

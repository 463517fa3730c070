"""What the web faces need of the connector behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from flex_plugin_backend.domain.events import TaskRouterEvent


class RuntimePort(Protocol):
    """The running connector: takes events durably and tells how it is."""

    @property
    def registry(self) -> CollectorRegistry:
        """The connector's metrics."""

    def start(self) -> None:
        """Start everything that runs in the background."""

    def stop(self) -> None:
        """Stop it in order; what was taken is durable."""

    def submit(self, tenant: str, event: TaskRouterEvent) -> bool:
        """Store the event; return when it is durable. True: stored, False: it was there already.

        Raises:
            IntakeUnavailable: it could not be made durable; the sender should try again.
        """

    def submit_all(self, tenant: str, events: Sequence[TaskRouterEvent]) -> int:
        """Store the events together; return when all are durable: how many were new.

        Raises:
            IntakeUnavailable: they could not be made durable; the sender should try again.
        """

    def health(self) -> dict[str, Any]:
        """The state of every tenant, ready for JSON."""

    def ready(self) -> tuple[bool, list[str]]:
        """Whether events can be taken now, and what stands in the way."""

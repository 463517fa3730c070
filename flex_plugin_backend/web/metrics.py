"""GET /metrics: the connector's and the doors' own figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from flex_plugin_backend.web.state import current_state

_ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)


class DoorMetrics:
    """What is counted at the door, in a registry of its own: two applications may share one runtime."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "flex_wfm_webhook_requests",
            "Requests at the event doors by tenant and outcome",
            ("tenant", "outcome"),
            registry=self.registry,
        )
        self.ack_seconds = Histogram(
            "flex_wfm_webhook_ack_seconds",
            "Time from the request to its durable acknowledgement",
            ("tenant",),
            registry=self.registry,
            buckets=_ACK_BUCKETS,
        )


class _Together:
    """Several registries shown as one."""

    def __init__(self, *registries: CollectorRegistry) -> None:
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        for registry in self._registries:
            yield from registry.collect()


def add_metrics(blueprint: Blueprint) -> None:
    """Add the address to a blueprint."""

    @blueprint.get("/metrics")
    def metrics() -> Response:
        state = current_state()
        encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
        both = _Together(state.runtime.registry, state.metrics.registry)
        return Response(encoder(cast(CollectorRegistry, both)), content_type=content_type)

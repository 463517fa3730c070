"""What the contract's rules find in outgoing payloads: counted by rule, and logged when a rule is broken first."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.wfm.contract import Finding

_log = structlog.get_logger(__name__)


class OutgoingCheck:
    """Keeps account for one tenant; a finding never stops a payload, because the WFM decides what it takes."""

    def __init__(self, tenant: str, metrics: FlowMetrics) -> None:
        self._tenant = tenant
        self._metrics = metrics
        self._told: set[str] = set()

    def __call__(self, operation: str, findings: Sequence[Finding]) -> None:
        """These were found in a payload that is about to be sent."""
        for finding in findings:
            self._metrics.findings.labels(self._tenant, finding.rule).inc()
            if finding.rule not in self._told:
                self._told.add(finding.rule)
                # Without the message: it may repeat a value of the payload.
                _log.warning(
                    "outgoing.rule_broken",
                    tenant=self._tenant,
                    operation=operation,
                    rule=finding.rule,
                    pointer=finding.pointer,
                    severity=finding.severity.value,
                )

"""The connector looks at what it sends with the contract's rules, and sends it all the same."""

from __future__ import annotations

import httpx
from structlog.testing import capture_logs

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.connect import connect
from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.flow.outgoing import OutgoingCheck
from flex_plugin_backend.settings import load_settings
from flex_plugin_backend.wfm import AgentState, AgentStateListDTO, AgentStatesService, WFMConnection
from simulator.wfm import WfmOptions, create_wfm_app

NOW_MS = 1_772_442_900_000


def _connection(metrics: FlowMetrics, **wfm: object) -> WFMConnection:
    options = WfmOptions()
    keys = {"access_key": options.access_key, "secret_key": options.secret_key}
    tenant = {
        "twilio": {"account_sid": "AC1", "workspace_sid": "WS1", "auth_token": "t"},
        "wfm": {"service_url": "http://localhost", **keys, **wfm},
    }
    settings = load_settings({"tenants": {"acme": tenant}}, environ={}).tenants["acme"].wfm
    clock = ManualClock(NOW_MS)
    transport = httpx.WSGITransport(app=create_wfm_app(options, now_ms=clock.now_ms))
    return connect(settings, clock, transport, OutgoingCheck("acme", metrics))


def _send(connection: WFMConnection, *starts_ms: int) -> int:
    states = tuple(AgentState(agent_id="WK1", event_id="AVAILABLE", start_ms=at_ms) for at_ms in starts_ms)
    return AgentStatesService(connection).process_agent_states(AgentStateListDTO(agent_states=states)).accepted or 0


def _counted(metrics: FlowMetrics, rule: str) -> float:
    return metrics.registry.get_sample_value("flex_wfm_outgoing_findings_total", {"tenant": "acme", "rule": rule}) or 0


def test_what_breaks_a_rule_is_counted_logged_once_and_sent() -> None:
    """The same state twice is a finding of M31, a state of tomorrow one of M24; both payloads are taken."""
    metrics = FlowMetrics()
    with _connection(metrics) as connection, capture_logs() as logs:
        assert _send(connection, NOW_MS, NOW_MS + 5_000) == 2
        assert _send(connection, NOW_MS, NOW_MS + 86_400_000) == 2
    assert (_counted(metrics, "M31"), _counted(metrics, "M24")) == (2, 1)
    told = [entry for entry in logs if entry["event"] == "outgoing.rule_broken"]
    assert [entry["rule"] for entry in told] == ["M31", "M24"]
    assert "WK1" not in str(told)


def test_what_is_right_says_nothing() -> None:
    """A good payload is neither counted nor logged."""
    metrics = FlowMetrics()
    with _connection(metrics) as connection, capture_logs() as logs:
        assert _send(connection, NOW_MS) == 1
    assert [entry for entry in logs if entry["event"] == "outgoing.rule_broken"] == []


def test_the_check_can_be_switched_off() -> None:
    """With `check_outgoing = false` nothing is looked for."""
    metrics = FlowMetrics()
    with _connection(metrics, check_outgoing=False) as connection:
        assert _send(connection, NOW_MS, NOW_MS + 5_000) == 2
    assert _counted(metrics, "M31") == 0

"""The runtime's Prometheus metrics, each with the tenant as label; one set per runtime, none global."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flex_plugin_backend.flow.condition import ALARMING, Condition, ConditionBoard, Trouble
from flex_plugin_backend.flow.health import FeedWatch

_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


class FlowMetrics:
    """What is counted between the door and the WFM."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "flex_wfm_events_stored", "New TaskRouter events in the ledger", ("tenant",), registry=self.registry
        )
        self.delivered = Counter(
            "flex_wfm_states_delivered", "State changes accepted by the WFM", ("tenant",), registry=self.registry
        )
        self.failures = Counter(
            "flex_wfm_delivery_failures",
            "Requests the WFM did not accept, by kind",
            ("tenant", "kind"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "flex_wfm_delivery_seconds",
            "From when a state began to its acceptance by the WFM (repetitions left out)",
            ("tenant",),
            registry=self.registry,
            buckets=_LATENCY_BUCKETS,
        )
        self.heartbeats = Counter(
            "flex_wfm_heartbeats", "Heartbeats by result", ("tenant", "result"), registry=self.registry
        )
        self.requests = Counter(
            "flex_wfm_repair_requests",
            "Requests to Twilio for repair, by result",
            ("tenant", "result"),
            registry=self.registry,
        )
        self.recovered = Counter(
            "flex_wfm_events_recovered",
            "Events that had not come and were read from Twilio's history",
            ("tenant",),
            registry=self.registry,
        )
        self.pruned = Counter(
            "flex_wfm_pruned_rows", "Old rows let go of, by table", ("tenant", "table"), registry=self.registry
        )
        self.findings = Counter(
            "flex_wfm_outgoing_findings",
            "What the contract's rules found in payloads sent to the WFM, by rule",
            ("tenant", "rule"),
            registry=self.registry,
        )
        self.drift = Counter(
            "flex_wfm_drift",
            "Workers and reservations that differed from what REST showed",
            ("tenant",),
            registry=self.registry,
        )
        self.messages = Counter(
            "flex_wfm_alert_messages",
            "Messages to the alert webhook, by result of each attempt",
            ("tenant", "result"),
            registry=self.registry,
        )
        self._free = Gauge(
            "flex_wfm_ledger_disk_free_bytes", "Room on the ledger's disk as last measured", registry=self.registry
        )
        self._waiting = Gauge(
            "flex_wfm_intake_waiting_events", "Events that wait for the disk at the moment", registry=self.registry
        )
        self._pending = Gauge(
            "flex_wfm_states_pending", "State changes that wait to be sent", ("tenant",), registry=self.registry
        )
        self._held = Gauge(
            "flex_wfm_dead_letters", "State changes held as dead letters", ("tenant",), registry=self.registry
        )
        self._condition = Gauge(
            "flex_wfm_condition", "1 for the condition in force", ("tenant", "condition"), registry=self.registry
        )

        self._since = Gauge(
            "flex_wfm_condition_since_seconds",
            "Since when the condition is in force, Unix time",
            ("tenant",),
            registry=self.registry,
        )
        self._alarm = Gauge(
            "flex_wfm_alarm", "1 while there is an alarm with this cause", ("tenant", "cause"), registry=self.registry
        )
        self._silence = Gauge(
            "flex_wfm_feed_silence_seconds",
            "How long no event has come by itself",
            ("tenant",),
            registry=self.registry,
        )
        self._agents = Gauge(
            "flex_wfm_agents_logged_in", "Agents logged in, by what is known", ("tenant",), registry=self.registry
        )

    def watch_health(self, tenant: str, board: ConditionBoard, watch: FeedWatch) -> None:
        """Ask these how the feed is whenever the metrics are read."""

        def in_force(one: Condition) -> Callable[[], float]:
            return lambda: float(board.standing.condition is one)

        def is_alarm(one: Trouble) -> Callable[[], float]:
            return lambda: float(any(alarm.trouble is one for alarm in board.alarms))

        for condition in Condition:
            self._condition.labels(tenant, condition.value).set_function(in_force(condition))
        for trouble in ALARMING:
            self._alarm.labels(tenant, trouble.value).set_function(is_alarm(trouble))
        self._since.labels(tenant).set_function(lambda: board.standing.since_ms / 1000)
        self._silence.labels(tenant).set_function(lambda: watch.silent_s)
        self._agents.labels(tenant).set_function(lambda: float(watch.agents))

    def watch_store(self, *, free: Callable[[], int | None], waiting: Callable[[], int]) -> None:
        """Ask these for the room on the disk and the events that wait for it whenever the metrics are read."""
        self._free.set_function(lambda: float("nan") if (number := free()) is None else float(number))
        self._waiting.set_function(lambda: float(waiting()))

    def watch(self, tenant: str, *, pending: Callable[[], int], held: Callable[[], int]) -> None:
        """Ask these for the gauges' values whenever the metrics are read."""
        self._pending.labels(tenant).set_function(lambda: float(pending()))
        self._held.labels(tenant).set_function(lambda: float(held()))

"""True reports of a small floor, and the same as the fake WFM would hold them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit.reports import ReportVerdict, ReportWindow, audit_reports, read_reports, read_true_reports
from simulator.world.engine import World
from simulator.world.figures_face import true_reports
from simulator.world.scenario import Scenario

PROFILE = load_profile("default")
_NOT_ON_THE_WIRE = {
    "opening_more",
    "channels", "opening", "busy_time_s", "contacts_diverted", "contacts_abandoned_short", "contacts_abandoned_long",
    "unserved_delay_s", "hold_time_s",
}  # fmt: skip
_KINDS = (
    ("agent_activity", "AgentActivityReportDTO", ("report_data",)),
    ("queue", "ReportDTO", ("queue_report", "agent_queue_report", "agent_system_performance_report")),
)


class Case:
    """Truth and reports that a test damages before it asks for the verdict."""

    def __init__(self, truth: dict[str, Any]) -> None:
        self.truth = copy.deepcopy(truth)
        self.reports: list[dict[str, Any]] = []
        for one in self.truth["intervals"]:
            for kind, _, parts in _KINDS:
                self.report(kind, one["start_ms"], one["end_ms"], {part: one[part] for part in parts})

    def report(self, kind: str, start_ms: int, end_ms: int, parts: dict[str, Any]) -> dict[str, Any]:
        """Let the WFM accept another report, given by canonical names."""
        plain = {
            "acd_type": "T", "start_ms": start_ms, "end_ms": end_ms,
            **{name: [_on_the_wire(row) for row in rows] for name, rows in parts.items()},
        }  # fmt: skip
        dto = next(dto for name, dto, _ in _KINDS if name == kind)
        held = {"seq": len(self.reports) + 1, "kind": kind, "accepted_s": 0.0, "body": PROFILE.encode(dto, plain)}
        self.reports.append(held)
        return held

    def held(self, kind: str, number: int) -> dict[str, Any]:
        """The accepted report of the n-th interval."""
        return self.reports[2 * number + (kind == "queue")]

    def rows(self, part: str, number: int = 3) -> list[dict[str, Any]]:
        """The wire rows of a part of the n-th interval; damage them."""
        kind = "agent_activity" if part == "report_data" else "queue"
        wire = {
            "report_data": "reportData", "queue_report": "queueReport", "agent_queue_report": "agentQueueReport",
            "agent_system_performance_report": "agentSystemPerformanceReport",
        }  # fmt: skip
        rows: list[dict[str, Any]] = self.held(kind, number)["body"][wire[part]]
        return rows

    def verdict(
        self, from_ms: int = 0, until_ms: int | None = None, delay_ms: int = 0, **options: Any
    ) -> ReportVerdict:
        window = ReportWindow(from_ms, self.truth["now_ms"] if until_ms is None else until_ms, delay_ms)
        reports = read_reports(self.reports, PROFILE)
        return audit_reports(read_true_reports(self.truth), reports, window=window, **options)


def _on_the_wire(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _NOT_ON_THE_WIRE and value is not None}


@pytest.fixture(scope="session")
def floor() -> World:
    """Twelve agents after two hours, and busy enough that some wait."""
    rates = {"voice": 8.0, "chat": 3.0, "sms": 2.0, "web": 2.0}
    channels = {medium: {"per_agent_hour": rate} for medium, rate in rates.items()}
    scenario = Scenario.model_validate({"agents": 12, "seed": 3, "channels": channels})
    world = World(scenario)
    world.advance_to(scenario.start_ms + 7_200_000)
    return world


@pytest.fixture(scope="session")
def whole_truth(floor: World) -> dict[str, Any]:
    return true_reports(floor)


@pytest.fixture
def case(whole_truth: dict[str, Any]) -> Case:
    """Eight intervals, of which the WFM holds exactly the truth."""
    return Case(whole_truth)


@pytest.fixture
def late_case(floor: World) -> Case:
    """The same with a connector that came to know of things half an hour after the beginning, and knows all."""
    return Case(true_reports(floor, known_from_ms=floor.scenario.start_ms + 1_800_000))

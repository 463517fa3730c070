"""A fake WFM with a plan, reports and states written down by hand; times of 2 March 2026, UTC."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app

DAY_MS = 1_772_409_600_000
_PLAN: dict[str, Any] = {
    "activities": [
        {"activity": "Open", "open": True, "category": "Work"},
        {"activity": "Mail", "open": True},
        {"activity": "Break", "open": False, "category": "Pause"},
        {"activity": "Lunch", "open": False, "category": "Pause"},
        {"activity": "Training", "open": False},
    ],
    "mapping": [
        {"event_id": "AVAILABLE", "event_reason": "", "activity": "Open"},
        {"event_id": "CONTACT_VOICE", "event_reason": "", "activity": "Open"},
        {"event_id": "CONTACT_OTHER", "event_reason": "", "activity": "Mail"},
        {"event_id": "UNAVAILABLE", "event_reason": "Break", "activity": "Break"},
        {"event_id": "UNAVAILABLE", "event_reason": "Lunch", "activity": "Lunch"},
        {"event_id": "UNAVAILABLE", "event_reason": "Training", "activity": "Training"},
        {"event_id": "LOGOFF", "activity": "Logoff"},
    ],
}


class Office:
    """What happens to the WFM, in the words of a test."""

    def __init__(self) -> None:
        self.now_ms = self.ms("18:00")
        app = create_wfm_app(WfmOptions(access_key="K", secret_key="S"), now_ms=lambda: self.now_ms)
        self.browser: FlaskClient = app.test_client()
        self.wfm: FakeWfm = app.extensions["fake_wfm"]
        self.planned: list[dict[str, Any]] = []
        self.plan(**_PLAN)

    @staticmethod
    def ms(text: str) -> int:
        hours, minutes = (int(part) for part in text.split(":"))
        return DAY_MS + (hours * 60 + minutes) * 60_000

    def plan(self, **parts: Any) -> Any:
        answer = self.browser.post("/sim/schedule", json=parts)
        assert answer.status_code == 200, answer.json
        return answer.json

    def shift(self, agent: str, *stretches: tuple[str, str, str]) -> None:
        """Schedule an agent: (from, to, activity) each."""
        activities = [{"start_ms": self.ms(a), "end_ms": self.ms(b), "activity": name} for a, b, name in stretches]
        self.planned.append({"agent_id": agent, "name": agent.title(), "activities": activities})
        self.plan(agents=self.planned)

    def did(self, agent: str, *activities: tuple[str, str, str], day: tuple[str, str] = ("00:00", "18:00")) -> None:
        """Accept the activity reports of the day, each activity (from, to, event[:reason]) where it ends."""
        rows: dict[int, list[dict[str, Any]]] = {
            start: [] for start in range(self.ms(day[0]), self.ms(day[1]), 900_000)
        }
        for begun, ended, event in activities:
            event_id, _, reason = event.partition(":")
            rows[self.ms(ended) // 900_000 * 900_000].append(
                {"agent_id": agent, "event_id": event_id, "event_reason": reason, "start_ms": self.ms(begun),
                 "end_ms": self.ms(ended), "duration_s": (self.ms(ended) - self.ms(begun)) // 1000}
            )  # fmt: skip
        for start, data in rows.items():
            self.report("agent_activity", start, report_data=data)

    def report(self, kind: str, start: int, **parts: Any) -> None:
        dto = "AgentActivityReportDTO" if kind == "agent_activity" else "ReportDTO"
        if kind == "queue":
            parts = {"agent_queue_report": [], "agent_system_performance_report": [], **parts}
        plain = {"acd_type": "T", "start_ms": start, "end_ms": start + 900_000, **parts}
        self.wfm.inbox.accept_report(kind, self.wfm.profile.encode(dto, plain))

    def state(self, agent: str, at: str, event: str) -> None:
        """Accept a real-time state."""
        event_id, _, reason = event.partition(":")
        start = self.wfm.profile.format_time(self.ms(at))
        self.wfm.inbox.accept_states([(agent, agent, event_id, reason, start)])

    def get(self, path: str, **query: Any) -> Any:
        answer = self.browser.get(f"/sim/wfm/{path}", query_string=query)
        assert answer.status_code == 200, answer.json
        return answer.json if answer.is_json else answer.text


@pytest.fixture
def office() -> Office:
    return Office()

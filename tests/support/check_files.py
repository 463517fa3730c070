"""Payloads as they stand on the wire, and short words for what a check finds in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract.check import CheckResult

ROOT = Path(__file__).parents[2]  # of the repository
Put = Callable[[str, Any], Path]
Run = Callable[..., CheckResult]
TODAY = date(2026, 11, 25)


def state(agent: str = "WK1", event: str = "AVAILABLE", start: str = "2026-03-02T09:15:00Z") -> dict[str, Any]:
    """One agent state on the wire."""
    return {"agentId": agent, "agentValue": agent, "eventId": event, "eventReason": "", "startTime": start}


def states(*rows: Mapping[str, Any]) -> dict[str, Any]:
    """A list of states."""
    return {"acdType": "T", "agentStates": list(rows)}


def activity(agent: str = "WK1", minute: int = 0, duration: int = 60) -> dict[str, Any]:
    """One activity of a minute that begins `minute` minutes after 09:15."""
    start, end = f"2026-03-02T09:{15 + minute:02d}:00Z", f"2026-03-02T09:{16 + minute:02d}:00Z"
    row = state(agent, start=start)
    return {**row, "endTime": end, "duration": duration}


def report(quarter: int = 1, *rows: Mapping[str, Any]) -> dict[str, Any]:
    """An activity report of a quarter of an hour after 09:00."""
    minute = 15 * quarter
    end = "10:00" if quarter == 3 else f"09:{minute + 15}"
    return {
        "acdType": "T",
        "reportVersion": "1.0",
        "startDate": f"2026-03-02T09:{minute:02d}:00Z",
        "endDate": f"2026-03-02T{end}:00Z",
        "reportData": list(rows),
    }


def said(result: CheckResult) -> list[tuple[str, str]]:
    """(rule, pointer) of each finding."""
    return [(found.finding.rule, found.pointer) for found in result.findings]

"""Skill history: what the fake WFM would forecast from, one row per queue and interval (CXone reference 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.wfm.holdings import INTERVAL_MS, newest_reports
from simulator.wfm.service import FakeWfm


def skill_history(wfm: FakeWfm, from_ms: int, to_ms: int, queue_id: str | None = None) -> dict[str, Any]:
    """The rows of the queue reports held, each contact counted where it ended, and the intervals that are missing.

    An interval is missing when it lies between the first and the last one held and no report of it was accepted.
    """
    reports = newest_reports(wfm, "queue", from_ms, to_ms)
    rows = [
        {"start_ms": report.start_ms, "revision": report.revision, **figures_of(row)}
        for report in reports
        for row in report.plain.get("queue_report") or ()
        if queue_id is None or row["queue_id"] == queue_id
    ]
    held = {report.start_ms for report in reports}
    span = range(min(held), max(held), INTERVAL_MS) if held else range(0)
    return {
        "from_ms": from_ms,
        "to_ms": to_ms,
        "intervals_held": len(held),
        "intervals_missing_ms": [start_ms for start_ms in span if start_ms not in held],
        "rows": sorted(rows, key=lambda row: (row["queue_id"], row["start_ms"])),
    }


def figures_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A queue row with the averages that planners use; None where there is nothing to divide by.

    aht_s = handle time / handled; asa_s = queue delay / handled; service_level = answered within the threshold, of
    all received, in per cent (CXone reference 4).
    """
    received, handled = row.get("contacts_received") or 0, row.get("contacts_handled") or 0
    in_time = row.get("contacts_answered_in_sl") or 0
    return {
        "queue_id": row["queue_id"],
        "queue_name": row.get("queue_name") or row["queue_id"],
        "volume": received,
        "handled": handled,
        "abandoned": row.get("contacts_abandoned") or 0,
        "handle_time_s": row.get("handle_time_s") or 0,
        "work_time_s": row.get("work_time_s") or 0,
        "queue_delay_s": row.get("queue_delay_s") or 0,
        "answered_in_sl": in_time,
        "abandoned_in_sl": row.get("contacts_abandoned_in_sl") or 0,
        "backlog": row.get("backlog"),
        "aht_s": ratio(row.get("handle_time_s") or 0, handled),
        "asa_s": ratio(row.get("queue_delay_s") or 0, handled),
        "service_level": ratio(100 * in_time, received),
    }


def ratio(part: float, whole: float) -> float | None:
    """A quotient to two places; None without a whole."""
    return round(part / whole, 2) if whole else None

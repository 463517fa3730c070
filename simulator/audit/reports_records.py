"""What the audit of reports reads: the true figures and the reports that the WFM accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from flex_plugin_backend.wfm.contract import ContractError

INTERVAL_MS = 900_000

Row = Mapping[str, Any]

# The kinds of report, their objects in the contract profile, and the parts of each.
DTOS = {"agent_activity": "AgentActivityReportDTO", "queue": "ReportDTO"}
PARTS: dict[str, tuple[str, ...]] = {
    "agent_activity": ("report_data",),
    "queue": ("queue_report", "agent_queue_report", "agent_system_performance_report"),
}


class ReportCodes(Protocol):
    """The one thing the audit of reports takes from the contract profile."""

    def decode(self, dto: str, wire: object) -> dict[str, Any]:
        """A wire object under canonical names; raises an exception that is a ValueError or a `ContractError`."""


@dataclass(frozen=True, slots=True)
class HeldReport:
    """One report that the WFM accepted.

    Attributes:
        seq: position in the order of arrival.
        kind: `agent_activity` or `queue`.
        start_ms, end_ms: the interval that it states; None when it could not be read.
        parts: its rows under canonical names, by part.
        content: the body as one text; equal texts are equal reports.
        problem: why it could not be read; empty when it could.
    """

    seq: int
    kind: str
    accepted_s: float
    start_ms: int | None
    end_ms: int | None
    parts: Mapping[str, Sequence[Row]]
    content: str
    problem: str = ""

    @property
    def aligned(self) -> bool:
        """Whether it is of exactly one interval of the grid."""
        start_ms, end_ms = self.start_ms, self.end_ms
        return start_ms is not None and start_ms % INTERVAL_MS == 0 and end_ms == start_ms + INTERVAL_MS


@dataclass(frozen=True, slots=True)
class TrueInterval:
    """The true rows of one interval, by part; `opening` in a row is what began before the connector."""

    start_ms: int
    end_ms: int
    parts: Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class TrueReports:
    """The truth for a stretch of time.

    Attributes:
        now_ms: how far the world had come.
        known_from_ms: since when the connector could know what happens; None: since ever.
        intervals: oldest first, without holes.
        totals: the figures of the whole stretch, computed at once; None without intervals.
    """

    now_ms: int
    known_from_ms: int | None
    intervals: tuple[TrueInterval, ...]
    totals: TrueInterval | None


@dataclass(frozen=True, slots=True)
class ReportWindow:
    """Which intervals count: those that lie wholly after the connector's start and have been due.

    Attributes:
        from_ms: the connector's start.
        until_ms: the virtual time at which the WFM's inbox was read.
        delay_ms: an interval is due this long after its end; grant the connector's delay and some time to send.
    """

    from_ms: int
    until_ms: int
    delay_ms: int = 180_000

    def counts(self, interval: TrueInterval) -> bool:
        """Whether the WFM must hold the reports of this interval."""
        return interval.start_ms >= self.from_ms and interval.end_ms + self.delay_ms <= self.until_ms


def read_true_reports(body: Mapping[str, Any], *, agent_id_field: str = "worker_sid") -> TrueReports:
    """The truth of a `GET /sim/truth/reports` answer; `agent_id_field` is what the connector uses as agent id."""
    ids = {str(agent["worker_sid"]): str(agent[agent_id_field]) for agent in body["agents"]}
    totals = body["totals"]
    return TrueReports(
        now_ms=int(body["now_ms"]),
        known_from_ms=body["known_from_ms"],
        intervals=tuple(_true_interval(one, ids) for one in body["intervals"]),
        totals=None if totals is None else _true_interval(totals, ids),
    )


def _true_interval(one: Mapping[str, Any], ids: Mapping[str, str]) -> TrueInterval:
    parts = {
        name: tuple({**row, "agent_id": ids[row["agent_id"]]} if "agent_id" in row else row for row in one[name])
        for names in PARTS.values()
        for name in names
    }
    return TrueInterval(int(one["start_ms"]), int(one["end_ms"]), parts)


def read_reports(reports: Sequence[Mapping[str, Any]], codes: ReportCodes) -> list[HeldReport]:
    """The reports of `GET /sim/inbox/reports`, in order of arrival."""
    read = [_held(report, codes) for report in reports]
    return sorted(read, key=lambda report: report.seq)


def _held(report: Mapping[str, Any], codes: ReportCodes) -> HeldReport:
    kind, seq, accepted_s = str(report["kind"]), int(report["seq"]), float(report["accepted_s"])
    content = json.dumps(report["body"], sort_keys=True)
    try:
        plain = codes.decode(DTOS[kind], report["body"])
        missing = [name for name in ("start_ms", "end_ms", *PARTS[kind]) if plain.get(name) is None]
        problem = f"it has no {missing[0]}" if missing else ""
    except (ValueError, ContractError) as error:
        plain, problem = {}, str(error)
    if problem:
        # Judged as unreadable, not as a crash of the audit.
        return HeldReport(seq, kind, accepted_s, None, None, {}, content, problem)
    parts = {name: tuple(plain[name]) for name in PARTS[kind]}
    return HeldReport(seq, kind, accepted_s, plain["start_ms"], plain["end_ms"], parts, content)


def when(ms: int) -> str:
    """A time for people."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")

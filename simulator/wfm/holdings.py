"""What the fake WFM makes of its inbox: the newest report of each interval, and each agent's states in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.wfm.contract import ContractError
from simulator.wfm.service import FakeWfm

INTERVAL_MS = 900_000
_PAGE = 50_000
_DTOS = {"agent_activity": "AgentActivityReportDTO", "queue": "ReportDTO"}


@dataclass(frozen=True, slots=True)
class Told:
    """An ACD event of an agent: what it is from `start_ms` on."""

    start_ms: int
    event_id: str
    event_reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The newest report of one interval under canonical names; `revision` counts those before it."""

    start_ms: int
    revision: int
    plain: Mapping[str, Any]


def newest_reports(wfm: FakeWfm, kind: str, from_ms: int, to_ms: int) -> list[Report]:
    """The reports of the intervals that begin in `[from_ms, to_ms)`, by time; the last one accepted overwrites."""
    dto = _DTOS[kind]
    wire = wfm.profile.dto(dto).fields["start_ms"].wire
    newest: dict[int, tuple[int, Any]] = {}
    for report in _pages(wfm.inbox.reports):
        if report["kind"] != kind:
            continue
        try:
            start_ms = wfm.profile.parse_time(report["body"][wire])
        except (ValueError, KeyError, TypeError):
            continue  # of no interval, so it is of no use here; the audit is who complains
        if from_ms <= start_ms < to_ms:
            revision = newest[start_ms][0] + 1 if start_ms in newest else 0
            newest[start_ms] = revision, report["body"]
    found = []
    for start_ms, (revision, body) in sorted(newest.items()):
        try:
            found.append(Report(start_ms, revision, wfm.profile.decode(dto, body)))
        except ContractError:
            continue  # as above
    return found


def states_by_agent(wfm: FakeWfm) -> dict[str, list[Told]]:
    """Every agent's real-time states in order of their starts; of two with one start the later arrival counts."""
    by_agent: dict[str, dict[int, Told]] = {}
    after = 0
    while rows := wfm.inbox.states(after, _PAGE)["rows"]:
        after = rows[-1]["seq"]
        for row in rows:
            try:
                start_ms = wfm.profile.parse_time(row["start_time"])
            except ValueError:
                continue
            told = Told(start_ms, str(row["event_id"]), str(row["event_reason"] or ""))
            by_agent.setdefault(str(row["agent_id"]), {})[start_ms] = told
    return {agent_id: [told for _, told in sorted(states.items())] for agent_id, states in by_agent.items()}


def _pages(read: Any) -> Iterator[dict[str, Any]]:
    after = 0
    while page := read(after, _PAGE):
        yield from page
        after = page[-1]["seq"]

"""The judge of a run with trouble in it: what the WFM and the ledger hold in the end against what happened."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract import Profile, load_profile
from simulator.audit import DeliveredRow, TruthAgent, Window, audit, read_rows, read_truth
from simulator.audit.reports import ReportWindow, audit_reports, read_reports, read_true_reports
from simulator.audit.reports_verdict import ReportFault, ReportFinding
from simulator.audit.timeline import Entry, build_timeline
from simulator.harness.config import EVENTS_FILTER
from simulator.harness.virtual import VirtualFloor
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.figures_face import true_reports, true_states

_PAGE = 1_000_000
_MOST_DETAILS = 5
_MADE_KEY = "CK"
_SHORT_S = 4
_AT_REST = ("pending", "unprojected", "reports_waiting", "dead_letters")


@dataclass(slots=True)
class Problems:
    """How often what was found, and the first of each."""

    counts: Counter[str] = field(default_factory=Counter)
    details: dict[str, list[Any]] = field(default_factory=dict)

    def note(self, kind: str, detail: Any = None, times: int = 1) -> None:
        """One more."""
        if times:
            self.counts[kind] += times
            shown = self.details.setdefault(kind, [])
            if len(shown) < _MOST_DETAILS:
                shown.append(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the judge must know of a run.

    Attributes:
        floor: it has ended, and the connector has had its time.
        ledger: the file.
        from_ms, end_ms: the run.
        calm_ms: from here on everything must be as if nothing had been wrong.
        seq_at_calm: the newest row that the WFM had accepted then.
        knew: the trouble left the connector all that it needs to tell nothing but the truth at any time.
        coarse: events stated whole seconds, so what is decided by milliseconds may fall the other way.
    """

    floor: VirtualFloor
    ledger: Path
    from_ms: int
    end_ms: int
    calm_ms: int
    seq_at_calm: int
    knew: bool
    coarse: bool = False


def judge(trial: Trial) -> Problems:
    """Everything that is wrong in the end; nothing, if all is well."""
    problems = Problems()
    profile = load_profile("default")
    # The connector's clock goes on after the floor's end (wrap-up is capped); of that the truth knows nothing.
    told = read_rows(trial.floor.wfm.inbox.states(0, _PAGE)["rows"], profile)
    rows = [one for one in told if one.start_ms is None or one.start_ms <= trial.end_ms]
    with trial.floor.service.present() as (world, _):
        agents = read_truth({"agents": true_states(world)})
        _judge_states(trial, profile, agents, rows, problems)
        _judge_reports(trial, profile, world, problems)
        _judge_ledger(trial, world, problems)
    _judge_rest(trial.floor.health(), problems)
    return problems


def _judge_states(
    trial: Trial, profile: Profile, agents: list[TruthAgent], rows: list[DeliveredRow], problems: Problems
) -> None:
    calm = Window(from_ms=trial.calm_ms)
    before: dict[str, DeliveredRow] = {one.agent_id: one for one in rows if one.seq <= trial.seq_at_calm}
    after = [one for one in rows if one.seq > trial.seq_at_calm]
    verdict = audit(agents, [*before.values(), *after], codes=profile, window=calm)
    for finding in verdict.findings:
        problems.note(f"after the trouble: {finding.fault.value}", finding)
    if trial.knew:
        whole = Window(from_ms=trial.from_ms)
        timelines = {one.agent_id: build_timeline(one, profile, whole) for one in agents}
        for row in rows:
            if not _is_true(row, timelines.get(row.agent_id, ())):
                problems.note("untrue while nothing was hidden", row)


def _is_true(row: DeliveredRow, timeline: Iterable[Entry]) -> bool:
    if row.start_ms is None:
        return False
    key = ((row.event_id, row.event_reason), row.start_ms // 1000)
    return any(entry.told_by(key) for entry in timeline)


def _judge_reports(trial: Trial, profile: Profile, world: World, problems: Problems) -> None:
    truth = read_true_reports(
        true_reports(world, from_ms=trial.from_ms, to_ms=trial.end_ms, known_from_ms=trial.from_ms)
    )
    held = [
        one
        for one in read_reports(trial.floor.wfm.inbox.reports(0, _PAGE), profile)
        if one.end_ms is None or one.end_ms <= trial.end_ms
    ]
    # An interval that begins with the connector is not whole for it: its first look takes a moment.
    window = ReportWindow(from_ms=trial.from_ms + 1, until_ms=trial.end_ms, delay_ms=0)
    verdict = audit_reports(truth, held, window=window, redelivery_allowed=True)
    if verdict.clean:
        return
    for finding in verdict.findings:
        if not (trial.coarse and _follows_from_whole_seconds(finding)):
            problems.note(f"reports: {finding.fault.value}", finding)


def _follows_from_whole_seconds(finding: ReportFinding) -> bool:
    """A segment of about three seconds is absorbed or not, a wait of about the threshold within it or not."""
    if finding.fault in (ReportFault.MISSING_ROW, ReportFault.INVENTED_ROW) and finding.part == "report_data":
        row = finding.expected or finding.got or {}
        return int(row.get("duration_s", 99)) <= _SHORT_S
    if finding.fault is not ReportFault.WRONG_FIELD or finding.difference is None:
        return False
    if finding.field == "service_level":
        return True
    most = {"ms": _SHORT_S * 1000, "s": _SHORT_S, "sl": 1}.get(finding.field.rpartition("_")[2], 0)
    return abs(finding.difference) <= most


def _judge_ledger(trial: Trial, world: World, problems: Problems) -> None:
    wanted = frozenset(EVENTS_FILTER.split(","))
    happened = {one.sid: one for one in world.log if one.type in wanted and trial.from_ms < one.at_ms <= trial.end_ms}
    earlier = {one.sid for one in world.log}
    with closing(sqlite3.connect(f"file:{trial.ledger}?mode=ro", uri=True)) as ledger:
        rows = ledger.execute("SELECT sid, type, occurred_ms FROM events").fetchall()
        checked = ledger.execute("PRAGMA integrity_check").fetchone()[0]
        gaps = ledger.execute("SELECT cause, state, events FROM gaps WHERE state NOT IN ('healed', 'clear')").fetchall()
    if checked != "ok":
        problems.note("the ledger is damaged", checked)
    for gap in gaps:
        problems.note("a hole is not healed", gap)
    stored = [one for one in rows if one[1] in wanted]
    nameless = Counter((kind, ms // 1000) for sid, kind, ms in stored if sid.startswith(_MADE_KEY))
    sids = {sid for sid, _, _ in stored}
    for event in happened.values():
        if event.sid not in sids and not _take(nameless, event):
            problems.note("an event is not in the ledger", event)
    for sid in sids:
        if sid not in earlier and not sid.startswith(_MADE_KEY):
            problems.note("an event in the ledger never happened", sid)


def _take(nameless: Counter[tuple[str, int]], event: Event) -> bool:
    key = (event.type, event.ms // 1000)
    nameless[key] -= 1
    return nameless[key] >= 0


def _judge_rest(health: dict[str, Any], problems: Problems) -> None:
    if health["status"] != "ok":
        problems.note(f"the connector says {health['status']}", health["detail"])
    for name in _AT_REST:
        problems.note(f"{name} is not 0", health[name], int(health[name]))

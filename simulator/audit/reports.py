"""The true figures against the reports the WFM holds: every interval, row and field, then what must hold over many."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.audit.reports_invariants import InvariantJudge, Judged
from simulator.audit.reports_match import RowJudge
from simulator.audit.reports_records import (
    PARTS,
    HeldReport,
    ReportCodes,
    ReportWindow,
    TrueInterval,
    TrueReports,
    read_reports,
    read_true_reports,
    when,
)
from simulator.audit.reports_verdict import ReportCounts, ReportFault, ReportFinding, ReportVerdict

__all__ = [
    "HeldReport",
    "ReportCodes",
    "ReportCounts",
    "ReportFault",
    "ReportFinding",
    "ReportVerdict",
    "ReportWindow",
    "TrueReports",
    "audit_reports",
    "read_reports",
    "read_true_reports",
]

_Told = dict[tuple[str, int], list[HeldReport]]


def audit_reports(
    truth: TrueReports,
    reports: Iterable[HeldReport],
    *,
    window: ReportWindow,
    redelivery_allowed: bool = False,
    little_tolerance: float = 6.0,
    max_findings: int = 5_000,
) -> ReportVerdict:
    """Judge the reports that the WFM accepted; of one interval and kind the newest one counts.

    Args:
        truth: the true figures, with the rules that the connector was given as settings.
        reports: everything the WFM accepted, in any order.
        window: which intervals count; the others need not be there, and are not looked into when they are.
        redelivery_allowed: a report may come again unchanged, because its answer was lost or the connector killed.
        little_tolerance: how many standard errors Little's law may be off.
        max_findings: findings kept; all are counted.

    Raises:
        AssertionError: the books do not balance, which is a bug of the audit.
    """
    counts = ReportCounts()
    findings: list[ReportFinding] = []

    def note(finding: ReportFinding) -> None:
        if len(findings) < max_findings:
            findings.append(finding)

    told = _sort(sorted(reports, key=lambda report: report.seq), counts, note, redelivery_allowed=redelivery_allowed)
    counting = {one.start_ms: one for one in truth.intervals if window.counts(one)}
    for (_, start_ms), versions in sorted(told.items()):
        if start_ms in counting:
            counts.intervals_held += 1
        elif (versions[-1].end_ms or 0) > truth.now_ms:
            counts.invented_interval += 1
            text = "the interval was not over when the truth was taken"
            note(_about(versions[-1], ReportFault.INVENTED_INTERVAL, text))
        else:
            counts.not_counted += 1
    judged = [
        _judge_interval(one, told, RowJudge(counts, note, truth.known_from_ms), note) for one in counting.values()
    ]
    InvariantJudge(counts, note, little_tolerance).judge(judged, truth.totals)
    problems = counts.problems()
    if problems:
        raise AssertionError("; ".join(problems))
    return ReportVerdict(counts, tuple(findings), redelivery_allowed)


def _sort(
    reports: Iterable[HeldReport],
    counts: ReportCounts,
    note: Callable[[ReportFinding], None],
    *,
    redelivery_allowed: bool,
) -> _Told:
    """The versions of each kind and interval, oldest first; what tells no interval, or nothing new, is noted."""
    told: _Told = {}
    for report in reports:
        counts.reports += 1
        if report.problem:
            counts.unreadable += 1
            note(_about(report, ReportFault.UNREADABLE, report.problem))
        elif report.start_ms is None or not report.aligned:
            counts.unaligned += 1
            text = f"it is of {_span(report)}, not of one quarter of an hour on the grid"
            note(_about(report, ReportFault.UNALIGNED, text))
        else:
            versions = told.setdefault((report.kind, report.start_ms), [])
            if versions and versions[-1].content == report.content:
                counts.repeated += 1
                if not redelivery_allowed:
                    text = f"it says what report {versions[-1].seq} said"
                    note(_about(report, ReportFault.REPEATED, text))
                continue
            counts.revisions += bool(versions)
            versions.append(report)
    return told


def _judge_interval(truth: TrueInterval, told: _Told, judge: RowJudge, note: Callable[[ReportFinding], None]) -> Judged:
    counts, held = judge.counts, {}
    for kind, parts in PARTS.items():
        counts.intervals_expected += 1
        versions = told.get((kind, truth.start_ms))
        if versions:
            held[kind] = versions[-1]
            judge.judge(truth, versions[-1])
            continue
        rows = sum(len(truth.parts[part]) for part in parts)
        counts.missing_interval += 1
        counts.rows_expected += rows
        counts.rows_unreported += rows
        text = f"no report of this interval, which has {rows} rows"
        note(
            ReportFinding(
                fault=ReportFault.MISSING_INTERVAL, kind=kind, note=text, interval=when(truth.start_ms), expected=rows
            )
        )
    return Judged(truth, held)


def _about(report: HeldReport, fault: ReportFault, text: str) -> ReportFinding:
    interval = None if report.start_ms is None else when(report.start_ms)
    return ReportFinding(fault=fault, kind=report.kind, note=text, interval=interval, seq=report.seq)


def _span(report: HeldReport) -> str:
    ends = [when(ms) if ms is not None else "?" for ms in (report.start_ms, report.end_ms)]
    return " to ".join(ends)

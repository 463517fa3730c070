"""The true figures against the reports the WFM holds: every interval, row and field, then what must hold over many."""

from __future__ import annotations

from collections.abc import Iterable

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
    "ReportAudit",
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
    audit = ReportAudit(
        redelivery_allowed=redelivery_allowed, little_tolerance=little_tolerance, max_findings=max_findings
    )
    audit.take(sorted(reports, key=lambda report: report.seq))
    audit.judge(truth, window)
    return audit.verdict(truth.now_ms)


class ReportAudit:
    """The audit of reports, also in rounds: `take` what has come, `judge` the intervals that are settled, in order.

    What is judged is forgotten but for a hash; a report of such an interval that says something new is a fault.
    """

    def __init__(
        self, *, redelivery_allowed: bool = False, little_tolerance: float = 6.0, max_findings: int = 5_000
    ) -> None:
        self.counts = ReportCounts()
        self._findings: list[ReportFinding] = []
        self._redelivery_allowed = redelivery_allowed
        self._max_findings = max_findings
        self._told: dict[tuple[str, int], HeldReport] = {}
        self._judged: dict[tuple[str, int], int] = {}
        self._invariants = InvariantJudge(self.counts, self._note, little_tolerance)

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found so far."""
        return ReportVerdict(self.counts, (), self._redelivery_allowed).failures

    def take(self, reports: Iterable[HeldReport]) -> None:
        """More reports, in the order of their arrival; of each interval and kind the newest is kept."""
        for report in reports:
            self.counts.reports += 1
            if report.problem:
                self.counts.unreadable += 1
                self._note(_about(report, ReportFault.UNREADABLE, report.problem))
            elif report.start_ms is None or not report.aligned:
                self.counts.unaligned += 1
                text = f"it is of {_span(report)}, not of one quarter of an hour on the grid"
                self._note(_about(report, ReportFault.UNALIGNED, text))
            else:
                self._place(report, (report.kind, report.start_ms))

    def _place(self, report: HeldReport, key: tuple[str, int]) -> None:
        before = self._told.get(key)
        digest = self._judged.get(key)
        if (before is not None and before.content == report.content) or digest == hash(report.content):
            self.counts.repeated += 1
            if not self._redelivery_allowed:
                text = "it says what the report before it said"
                self._note(_about(report, ReportFault.REPEATED, text))
        elif digest is not None:
            self.counts.invented_interval += 1
            text = "it changes an interval that was settled and judged"
            self._note(_about(report, ReportFault.INVENTED_INTERVAL, text))
        else:
            self.counts.revisions += before is not None
            self._told[key] = report

    def judge(self, truth: TrueReports, window: ReportWindow) -> None:
        """Judge the true intervals that count; each is to be given once, in order of time."""
        judge = RowJudge(self.counts, self._note, truth.known_from_ms)
        counting = [one for one in truth.intervals if window.counts(one)]
        judged = [self._judge_interval(one, judge) for one in counting]
        self._invariants.add(judged, truth.totals)
        if counting:
            self._invariants.close(counting[-1].end_ms)

    def _judge_interval(self, truth: TrueInterval, judge: RowJudge) -> Judged:
        held: dict[str, HeldReport] = {}
        for kind, parts in PARTS.items():
            self.counts.intervals_expected += 1
            report = self._told.pop((kind, truth.start_ms), None)
            if report is not None:
                held[kind] = report
                self.counts.intervals_held += 1
                self._judged[kind, truth.start_ms] = hash(report.content)
                judge.judge(truth, report)
                continue
            rows = sum(len(truth.parts[part]) for part in parts)
            self.counts.missing_interval += 1
            self.counts.rows_expected += rows
            self.counts.rows_unreported += rows
            text = f"no report of this interval, which has {rows} rows"
            at = when(truth.start_ms)
            self._note(
                ReportFinding(fault=ReportFault.MISSING_INTERVAL, kind=kind, note=text, interval=at, expected=rows)
            )
        return Judged(truth, held)

    def verdict(self, now_ms: int) -> ReportVerdict:
        """The verdict on everything; `now_ms` is how far the truth had come."""
        self._invariants.close()
        for _, report in sorted(self._told.items()):
            if (report.end_ms or 0) > now_ms:
                self.counts.invented_interval += 1
                text = "the interval was not over when the truth was taken"
                self._note(_about(report, ReportFault.INVENTED_INTERVAL, text))
            else:
                self.counts.not_counted += 1
        self._told.clear()
        problems = self.counts.problems()
        if problems:
            raise AssertionError("; ".join(problems))
        return ReportVerdict(self.counts, tuple(self._findings), self._redelivery_allowed)

    def _note(self, finding: ReportFinding) -> None:
        if len(self._findings) < self._max_findings:
            self._findings.append(finding)


def _about(report: HeldReport, fault: ReportFault, text: str) -> ReportFinding:
    interval = None if report.start_ms is None else when(report.start_ms)
    return ReportFinding(fault=fault, kind=report.kind, note=text, interval=interval, seq=report.seq)


def _span(report: HeldReport) -> str:
    ends = [when(ms) if ms is not None else "?" for ms in (report.start_ms, report.end_ms)]
    return " to ".join(ends)

"""The result of the audit of reports: counts, findings, and the one rule that makes the reports clean."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class ReportFault(StrEnum):
    """The ways in which the reports that the WFM holds can differ from the truth.

    MISSING_INTERVAL: an interval that counts, of which no report of this kind was accepted.
    INVENTED_INTERVAL: a report of an interval that was not over yet.
    UNALIGNED: a report of anything but exactly one interval of the 15-minute UTC grid.
    UNREADABLE: a report whose body the contract profile cannot decode.
    REPEATED: a report accepted again with the content of the one before it (a new content is a revision, no fault).
    MISSING_ROW: a true row of an interval of which the WFM holds a report, without a counterpart in it.
    INVENTED_ROW: a held row without a true counterpart, one that is all zeros included.
    REPEATED_ROW: a second row with the same ids in one part of a report.
    WRONG_FIELD: a value of a row differs from the truth; one finding per field.
    BROKEN_INVARIANT: an identity that must hold over many rows does not hold for what the WFM holds.
    """

    MISSING_INTERVAL = "missing_interval"
    INVENTED_INTERVAL = "invented_interval"
    UNALIGNED = "unaligned"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"
    MISSING_ROW = "missing_row"
    INVENTED_ROW = "invented_row"
    REPEATED_ROW = "repeated_row"
    WRONG_FIELD = "wrong_field"
    BROKEN_INVARIANT = "broken_invariant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """One fault with what is needed to look into it.

    Attributes:
        fault: its class.
        kind: `agent_activity` or `queue`.
        note: what is wrong, in a sentence.
        interval: the start of the interval (ISO-8601), or the day of an invariant; None where it cannot be read.
        part: `report_data`, `queue_report`, ...; empty for a whole report.
        ids: queue_id, agent_id, of an activity also start_ms.
        field: the field that is wrong; empty where it is not about one field.
        expected, got: values of the field, or whole rows; None where there is none.
        difference: got minus expected, where both are numbers.
        seq: the held report, by its place in the order of arrival.
    """

    fault: ReportFault
    kind: str
    note: str
    interval: str | None = None
    part: str = ""
    ids: dict[str, Any] = dataclasses.field(default_factory=dict)
    field: str = ""
    expected: Any = None
    got: Any = None
    difference: float | None = None
    seq: int | None = None


@dataclass(slots=True)
class ReportCounts:
    """The books of the audit of reports. They balance, see `problems`.

    Attributes:
        reports: reports the WFM accepted.
        revisions: those of them that changed an interval told before.
        repeated: those of them that told an interval again without a change.
        unaligned, unreadable: those of them that tell no interval.
        invented_interval: intervals told that were not over yet.
        not_counted: intervals told that the window leaves out.
        intervals_expected: intervals that count, times the two kinds of report.
        intervals_held, missing_interval: what became of them.
        rows_expected: true rows of the intervals that count.
        rows_right, rows_wrong, missing_row: what became of those whose interval is held.
        rows_left_out: those of them that began before the connector and were left out, which is allowed.
        rows_unreported: those whose interval is missing.
        rows_held: rows of the newest reports of the intervals that count.
        invented_row, repeated_row: those of them that tell no true row.
        fields_judged, wrong_field: values compared, and how many of them are wrong.
        fields_approximate: values that differ from the truth no more than what began before the connector explains.
        invariants, broken_invariant: identities checked, and how many of them do not hold.
    """

    reports: int = 0
    revisions: int = 0
    repeated: int = 0
    unaligned: int = 0
    unreadable: int = 0
    invented_interval: int = 0
    not_counted: int = 0
    intervals_expected: int = 0
    intervals_held: int = 0
    missing_interval: int = 0
    rows_expected: int = 0
    rows_right: int = 0
    rows_wrong: int = 0
    missing_row: int = 0
    rows_left_out: int = 0
    rows_unreported: int = 0
    rows_held: int = 0
    invented_row: int = 0
    repeated_row: int = 0
    fields_judged: int = 0
    wrong_field: int = 0
    fields_approximate: int = 0
    invariants: int = 0
    broken_invariant: int = 0

    def problems(self) -> list[str]:
        """Where the books do not balance; an entry here is a bug of the audit, never of what it judges."""
        told = self.intervals_held + self.invented_interval + self.not_counted
        sums = {
            "every report is in one class": (
                self.reports,
                told + self.revisions + self.repeated + self.unaligned + self.unreadable,
            ),
            "every interval is held or missing": (
                self.intervals_expected,
                self.intervals_held + self.missing_interval,
            ),
            "every true row has one fate": (
                self.rows_expected,
                self.rows_right + self.rows_wrong + self.missing_row + self.rows_left_out + self.rows_unreported,
            ),
            "every held row is in one class": (
                self.rows_held,
                self.rows_right + self.rows_wrong + self.invented_row + self.repeated_row,
            ),
        }
        return [f"{rule}: {left} != {right}" for rule, (left, right) in sums.items() if left != right]


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """What the audit of reports found.

    `clean` is the only sentence that counts: some interval was expected, and none of the faults was found.
    `findings` may be cut at a limit; the counts never are.
    """

    counts: ReportCounts
    findings: tuple[ReportFinding, ...] = ()
    redelivery_allowed: bool = False

    @property
    def clean(self) -> bool:
        """Whether the reports that the WFM holds say what happened."""
        return self.counts.intervals_expected > 0 and not self.findings and not self.failures

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found, faults that were not found left out."""
        counts = {fault.value: int(getattr(self.counts, fault.value)) for fault in ReportFault}
        if self.redelivery_allowed:
            del counts[ReportFault.REPEATED.value]
        return {name: count for name, count in counts.items() if count}

    def to_dict(self) -> dict[str, Any]:
        """The whole verdict as JSON types."""
        return {
            "clean": self.clean,
            "failures": self.failures,
            "counts": asdict(self.counts),
            "findings": [asdict(finding) for finding in self.findings],
        }

"""The one result of a run: what every reporter reads and what decides the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from flex_plugin_backend.wfm.contract.findings import Finding, Severity


class Exit(IntEnum):
    """Exit codes of `flex-wfm validate`."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    UNCHECKED = 3


class Standing(StrEnum):
    """How a finding stands to the baseline."""

    NEW = "new"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with its place.

    Attributes:
        file: as given or found; `<stdin>` for standard input.
        line, column: of the value that the pointer names, from 1; columns count Unicode characters. Of what is missing,
            the place of what should hold it.
        pointer: JSON Pointer within the file's value, or within the line's for one value per line.
        kind: the DTO that the payload was taken for.
        value: the value as it stands in the text, cut short; None where there is none to show, or it may be a secret.
        end_line, end_column: where the value ends (the column after its last character).
        fingerprint: names the finding across edits of the file.
        standing: whether a baseline entry of it has expired.
        details: further facts for programs, as plain JSON.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    pointer: str
    kind: str | None
    value: str | None
    finding: Finding
    fingerprint: str
    standing: Standing = Standing.NEW
    details: Mapping[str, Any] | None = None

    @property
    def is_error(self) -> bool:
        """Whether it is an error, not a warning."""
        return self.finding.severity is Severity.ERROR

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        plain = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "rule": self.finding.rule,
            "severity": self.finding.severity.value,
            "pointer": self.pointer,
            "kind": self.kind,
            "value": self.value,
            "message": self.finding.message,
            "expected": self.finding.expected,
            "repair": self.finding.repair,
            "fingerprint": self.fingerprint,
            "standing": self.standing.value,
        }
        return plain if self.details is None else {**plain, "details": dict(self.details)}


@dataclass(frozen=True, slots=True)
class Unread:
    """An input that could not be read or held nothing to read.

    Attributes:
        name: the file, folder or pattern.
        problem: why; `repair` what to do.
    """

    name: str
    problem: str
    repair: str


@dataclass(slots=True)
class FileResult:
    """What one file came to.

    Attributes:
        name: the file.
        profile: the profile it was checked against.
        payloads: how many payloads and bare rows were checked, by kind.
        findings: those kept, in the order of the file.
        errors, warnings: how many there are, kept or not.
        baselined: how many the baseline covers.
    """

    name: str
    profile: str = ""
    payloads: dict[str, int] = field(default_factory=dict)
    findings: list[Located] = field(default_factory=list)
    errors: int = 0
    warnings: int = 0
    baselined: int = 0


@dataclass(slots=True)
class CheckResult:
    """What a run came to.

    Attributes:
        files: in the order in which they were checked.
        unread: inputs that could not be read.
        rest: of the findings that went beyond the limit, how many by rule.
        unused: fingerprints of baseline entries that nothing matched, with what they say.
        strict: warnings count like errors.
        headline: what a reader is told in place of the figures.
    """

    files: list[FileResult] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    rest: dict[str, int] = field(default_factory=dict)
    unused: list[Mapping[str, Any]] = field(default_factory=list)
    strict: bool = False
    headline: str = ""

    @property
    def findings(self) -> Iterable[Located]:
        """All findings kept, file by file."""
        return (item for one in self.files for item in one.findings)

    @property
    def errors(self) -> int:
        """How many errors, kept or not, that no baseline covers."""
        return sum(one.errors for one in self.files)

    @property
    def warnings(self) -> int:
        """How many warnings, kept or not, that no baseline covers."""
        return sum(one.warnings for one in self.files)

    @property
    def baselined(self) -> int:
        """How many findings the baseline covers."""
        return sum(one.baselined for one in self.files)

    @property
    def payloads(self) -> int:
        """How many payloads and bare rows were checked."""
        return sum(sum(one.payloads.values()) for one in self.files)

    @property
    def exit(self) -> Exit:
        """What the run comes to; an input that could not be read outweighs findings, as the answer is incomplete."""
        if self.unread:
            return Exit.UNCHECKED
        if self.errors or (self.strict and self.warnings):
            return Exit.FINDINGS
        if not self.payloads and not self.warnings and not self.baselined:
            return Exit.UNCHECKED
        return Exit.CLEAN

    def totals(self) -> dict[str, Any]:
        """The figures of the run as plain JSON."""
        return {
            "files": len(self.files),
            "files_with_findings": sum(1 for one in self.files if one.errors or one.warnings),
            "payloads": self.payloads,
            "errors": self.errors,
            "warnings": self.warnings,
            "baselined": self.baselined,
            "not_shown": sum(self.rest.values()),
            "unread": len(self.unread),
            "exit": int(self.exit),
        }

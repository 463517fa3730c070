"""What a numbered rule is, and how one is written: a small function that yields what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flex_plugin_backend.wfm.contract.findings import Finding, Severity
from flex_plugin_backend.wfm.contract.payload import Payload

STATES = frozenset({"AgentStateListDTO"})
ACTIVITY = frozenset({"AgentActivityReportDTO"})
QUEUE = frozenset({"ReportDTO"})
REPORTS = ACTIVITY | QUEUE
EVERY: frozenset[str] = frozenset()

SHOWN = 60  # characters of a value that a message repeats


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule is broken; the rule's id and severity are added by the engine.

    Attributes:
        pointer: JSON Pointer to the value.
        message: what is wrong.
        expected: what would be right.
        repair: what to do.
    """

    pointer: str
    message: str
    expected: str
    repair: str


Check = Callable[[Payload], Iterator[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One numbered rule.

    Attributes:
        id: `M01`, never reused.
        title: what holds when the rule is kept.
        why: what goes wrong when it is not, with the source where there is one.
        severity: an error makes the payload invalid, a warning does not.
        dtos: the payloads it looks at; empty means all.
        check: gives what it found; None for a rule over several payloads (`series`).
    """

    id: str
    title: str
    why: str
    severity: Severity
    dtos: frozenset[str]
    check: Check | None

    def fits(self, dto: str) -> bool:
        """Whether the rule looks at this DTO."""
        return self.check is not None and (not self.dtos or dto in self.dtos)

    def finding(self, found: Found) -> Finding:
        """What was found, under the rule's number."""
        return Finding(self.id, found.pointer, found.message, found.expected, found.repair, self.severity)

    @property
    def page(self) -> str:
        """Where the rule is explained, relative to the documentation."""
        return f"rules.md#{self.id.lower()}"


RULES: dict[str, Rule] = {}


def rule(
    number: str, title: str, why: str, dtos: frozenset[str] = EVERY, severity: Severity = Severity.ERROR
) -> Callable[[Check], Check]:
    """Enter a function into the registry."""

    def enter(check: Check) -> Check:
        register(Rule(id=number, title=title, why=why, severity=severity, dtos=dtos, check=check))
        return check

    return enter


def register(entry: Rule) -> Rule:
    """Enter a rule; a number is given once."""
    if entry.id in RULES:
        raise ValueError(f"rule {entry.id} is there already")
    RULES[entry.id] = entry
    return entry

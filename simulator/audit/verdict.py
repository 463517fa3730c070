"""The audit's result: counts, latency and findings, and the one rule that makes a run clean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """The ways in which what the WFM holds can differ from the truth; docs/demo.md defines each word."""

    MISSING = "missing"
    WRONG = "wrong"
    INVENTED = "invented"
    OUT_OF_ORDER = "out_of_order"
    UNKNOWN_AGENT = "unknown_agent"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault with what is needed to look into it.

    Attributes:
        fault: its class.
        note: what is wrong, in a sentence.
        expected: the truth's state, or None where there is none.
        got: the delivered row, or None where there is none.
        causes: sids of the events around it, the state's own cause first.
        near_truth: the truth's states before, at and after the place.
        near_rows: the rows of the agent before, at and after the place.
    """

    fault: Fault
    agent_id: str
    agent_name: str
    note: str
    expected: dict[str, Any] | None = None
    got: dict[str, Any] | None = None
    causes: tuple[str, ...] = ()
    near_truth: tuple[dict[str, Any], ...] = ()
    near_rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Latency:
    """From the planned time of the cause's callback to acceptance by the WFM, wall milliseconds, nearest rank."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    min_ms: float


def latency_of(seconds: Sequence[float]) -> Latency | None:
    """The percentiles of the given delays; None where there is no delay to speak of."""
    if not seconds:
        return None
    ordered = sorted(seconds)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000, 1)

    return Latency(
        count=len(ordered),
        p50_ms=rank(0.50),
        p95_ms=rank(0.95),
        p99_ms=rank(0.99),
        max_ms=rank(1.0),
        min_ms=round(ordered[0] * 1000, 1),
    )


@dataclass(slots=True)
class Counts:
    """The books of an audit. They balance, see `problems`; docs/demo.md defines each word.

    Attributes:
        agents, agents_without_rows: agents in the truth, and those of them the WFM never heard of.
        states: states in the truth, neighbours with the same pair counted once.
        expected: those of them that must be told.
        delivered: states that a row told.
        expected_delivered: those of them that must be told.
        opening_approximate: those of them in force at the connector's start and told with another start than theirs.
        missing, wrong_expected, absorbed: what became of the rest of `expected`.
        skipped_short: short states that were left out.
        excused: longer states that were left out and over before the connector, after an outage, could know of them.
        overtaken: longer states that were left out because a later one had been told before they could be known.
        rows: rows the WFM accepted.
        wrong, invented, unknown_agent, unreadable: rows that tell no state.
        duplicated: rows that tell a state told before.
        repeated: those of them that tell the newest state again.
        redelivered: those of them that came in a repeated request (allowed only after a crash).
        out_of_order: rows that tell an older state after a newer one.
        late_first: those of them that tell it for the first time.
        believed: rows that tell what followed from all that was known when they came, and was not so.
    """

    agents: int = 0
    agents_without_rows: int = 0
    states: int = 0
    expected: int = 0
    delivered: int = 0
    expected_delivered: int = 0
    opening_approximate: int = 0
    missing: int = 0
    wrong_expected: int = 0
    absorbed: int = 0
    skipped_short: int = 0
    excused: int = 0
    overtaken: int = 0
    rows: int = 0
    wrong: int = 0
    invented: int = 0
    unknown_agent: int = 0
    unreadable: int = 0
    duplicated: int = 0
    repeated: int = 0
    redelivered: int = 0
    out_of_order: int = 0
    late_first: int = 0
    believed: int = 0

    def problems(self) -> list[str]:
        """Where the books do not balance; an entry here is a bug of the audit, never of what it judges."""
        told = self.wrong + self.invented + self.unknown_agent + self.unreadable
        sums = {
            "every row is in one class": (self.rows, self.delivered + self.believed + self.duplicated + told),
            "every expected state has one fate": (
                self.expected,
                self.expected_delivered + self.missing + self.wrong_expected + self.absorbed,
            ),
            "every duplicate is of one kind": (
                self.duplicated,
                self.repeated + self.redelivered + self.out_of_order - self.late_first,
            ),
        }
        return [f"{rule}: {left} != {right}" for rule, (left, right) in sums.items() if left != right]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the audit found.

    `clean` is the only sentence that counts: something was expected, and nothing is missing, wrong, invented,
    out of order, unreadable or told of an agent that does not exist.
    """

    counts: Counts
    latency: Latency | None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Whether what the WFM holds equals what happened."""
        return self.counts.expected > 0 and not self.findings and not self.failures

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found, faults that were not found left out."""
        counts = {fault.value: int(getattr(self.counts, fault.value)) for fault in Fault}
        return {name: count for name, count in counts.items() if count}

    def to_dict(self) -> dict[str, Any]:
        """The whole verdict as JSON types."""
        return {
            "clean": self.clean,
            "failures": self.failures,
            "counts": asdict(self.counts),
            "latency": asdict(self.latency) if self.latency else None,
            "findings": [asdict(finding) for finding in self.findings],
        }

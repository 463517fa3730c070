"""Truth against what the WFM holds: pure functions over what the control faces of the simulator serve.

The audit shares no code with the connector except the contract profile's names and times. docs/demo.md defines
each word of the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulator.audit.classify import AgentJudge
from simulator.audit.describe import Describer, unknown_agent
from simulator.audit.records import (
    DeliveredRow,
    StateCodes,
    TruthAgent,
    TruthState,
    read_planned,
    read_rows,
    read_truth,
)
from simulator.audit.timeline import Window, build_timeline
from simulator.audit.verdict import Counts, Fault, Finding, Latency, Verdict, latency_of

__all__ = [
    "Counts",
    "DeliveredRow",
    "Fault",
    "Finding",
    "Latency",
    "StateCodes",
    "TruthAgent",
    "TruthState",
    "Verdict",
    "Window",
    "audit",
    "read_planned",
    "read_rows",
    "read_truth",
]


def audit(
    agents: Sequence[TruthAgent],
    rows: Iterable[DeliveredRow],
    *,
    codes: StateCodes,
    window: Window,
    planned: Mapping[str, float] | None = None,
    redelivery_allowed: bool = False,
) -> Verdict:
    """Judge the rows the WFM accepted, in order of arrival, against the truth.

    Args:
        agents: the truth.
        rows: everything the WFM accepted, whatever the agent.
        codes: event ids and time format, from the contract profile.
        window: the part of the run the connector answers for.
        planned: wall epoch seconds at which each event's callback was planned, for the latency.
        redelivery_allowed: a request may come a second time as a whole, because the connector was killed after
            the WFM took it and before the connector could note that.

    Raises:
        ValueError: the truth is not a timeline, or names an agent twice.
        AssertionError: the books do not balance, which is a bug of the audit.
    """
    by_agent: dict[str, list[DeliveredRow]] = {agent.agent_id: [] for agent in agents}
    if len(by_agent) != len(agents):
        raise ValueError("the truth names an agent twice")
    counts = Counts(agents=len(agents))
    findings: list[Finding] = []
    for row in sorted(rows, key=lambda row: row.seq):
        if row.agent_id in by_agent:
            by_agent[row.agent_id].append(row)
        else:
            counts.rows += 1
            counts.unknown_agent += 1
            findings.append(unknown_agent(row))
    delays: list[float] = []
    for agent in agents:
        timeline = build_timeline(agent, codes, window)
        own = by_agent[agent.agent_id]
        counts.agents_without_rows += not own
        judge = AgentJudge(
            timeline,
            own,
            describer=Describer(agent.agent_id, agent.name, timeline, own),
            counts=counts,
            redelivery_allowed=redelivery_allowed,
        )
        findings.extend(judge.judge())
        delays.extend(judge.delays(planned or {}))
    problems = counts.problems()
    if problems:
        raise AssertionError("; ".join(problems))
    return Verdict(counts=counts, latency=latency_of(delays), findings=tuple(findings))

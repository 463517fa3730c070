"""The audit of states in rounds: what is settled is judged and forgotten, so that memory does not grow with time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from simulator.audit.align import align
from simulator.audit.classify import AgentJudge, keys_of
from simulator.audit.describe import Describer, unknown_agent
from simulator.audit.records import DeliveredRow, StateCodes, TruthAgent, TruthState
from simulator.audit.timeline import Window, build_timeline
from simulator.audit.verdict import Counts, Finding, Verdict

MOST_FINDINGS = 1_000


@dataclass(slots=True)
class _Case:
    """One agent: what has not been judged yet, from the newest state on of which it is settled that a row told it."""

    agent_id: str
    name: str
    states: list[TruthState] = field(default_factory=list)
    rows: list[DeliveredRow] = field(default_factory=list)
    told: bool = False


class RollingAudit:
    """Comes to the verdict of `audit`, a round at a time.

    One difference: a row that tells again what an earlier round has judged counts as invented, because nobody remembers
    it any more.
    """

    def __init__(self, codes: StateCodes, window: Window) -> None:
        self._codes = codes
        self._window = window
        self._cases: dict[str, _Case] = {}
        self._counts = Counts()
        self._findings: list[Finding] = []

    def take(self, agents: Iterable[TruthAgent], rows: Iterable[DeliveredRow]) -> None:
        """What is new: states that have begun, in order, and rows in the order of their arrival."""
        for agent in agents:
            case = self._cases.get(agent.agent_id)
            if case is None:
                case = self._cases[agent.agent_id] = _Case(agent.agent_id, agent.name)
            case.states.extend(agent.states)
        for row in rows:
            case = self._cases.get(row.agent_id)
            if case is None:
                self._counts.rows += 1
                self._counts.unknown_agent += 1
                self._note([unknown_agent(row)])
            else:
                case.told = True
                case.rows.append(row)

    def settle(self, until_ms: int) -> None:
        """Judge what began up to `until_ms`: rows about it have come by now."""
        for case in self._cases.values():
            self._judge(case, until_ms)

    def verdict(self) -> Verdict:
        """The verdict on everything; nothing is to come any more."""
        for case in self._cases.values():
            self._judge(case, None)
        counts = self._counts
        counts.agents = len(self._cases)
        counts.agents_without_rows = sum(not case.told for case in self._cases.values())
        problems = counts.problems()
        if problems:
            raise AssertionError("; ".join(problems))
        return Verdict(counts=counts, latency=None, findings=tuple(self._findings))

    @property
    def counts(self) -> Counts:
        """The books so far; they balance."""
        return replace(self._counts, agents=len(self._cases))

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found so far."""
        return Verdict(counts=self._counts, latency=None).failures

    def _judge(self, case: _Case, until_ms: int | None) -> None:
        timeline = build_timeline(TruthAgent(case.agent_id, case.name, tuple(case.states)), self._codes, self._window)
        choices = align(timeline, keys_of(case.rows))
        cut, row_cut = len(timeline), len(case.rows)
        if until_ms is not None:
            cut, row_cut = 0, 0
            for row, index in enumerate(choices):
                if index is not None and index > cut and timeline[index].start_ms <= until_ms:
                    cut, row_cut = index, row
        settled, rows = timeline[:cut], case.rows[:row_cut]
        if not settled and not rows:
            return
        judge = AgentJudge(
            settled,
            rows,
            describer=Describer(case.agent_id, case.name, settled, rows),
            counts=self._counts,
            redelivery_allowed=False,
            choices=choices[:row_cut],
        )
        self._note(judge.judge())
        case.states = case.states[timeline[cut].position :] if cut < len(timeline) else []
        case.rows = case.rows[row_cut:]

    def _note(self, findings: Iterable[Finding]) -> None:
        self._findings.extend(findings)
        del self._findings[MOST_FINDINGS:]

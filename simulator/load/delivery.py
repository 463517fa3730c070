"""What reached the WFM: judged against the truth, with the latency of every state that was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flex_plugin_backend.wfm.contract import Profile
from simulator.audit import DeliveredRow, TruthAgent, Verdict, Window, audit
from simulator.audit.timeline import Key, build_timeline


@dataclass(frozen=True, slots=True)
class Delivery:
    """The way through to the WFM.

    Attributes:
        verdict: what the WFM holds against what happened.
        told: for every state that was told, when the callback that caused it was due and when the WFM accepted it;
            wall epoch seconds.
        drained: the WFM's inbox, and the connector where it is ours, were quiet before this was judged.
    """

    verdict: Verdict
    told: tuple[tuple[float, float], ...]
    drained: bool

    @property
    def clean(self) -> bool:
        """Nothing is missing, wrong, invented or out of order, and nothing was under way."""
        return self.verdict.clean and self.drained


def judge_delivery(
    agents: Sequence[TruthAgent],
    rows: Sequence[DeliveredRow],
    profile: Profile,
    *,
    planned: Mapping[str, float],
    from_ms: int,
    drained: bool,
) -> Delivery:
    """Judge the rows that a WFM accepted.

    Args:
        planned: when each event's callback was due, wall epoch seconds.
        from_ms: when the first callback was due, in the time that callbacks state.
    """
    window = Window(from_ms=from_ms)
    verdict = audit(agents, rows, codes=profile, window=window, planned=planned)
    return Delivery(verdict, tuple(_told(agents, rows, profile, window, planned)), drained)


def _told(
    agents: Sequence[TruthAgent],
    rows: Sequence[DeliveredRow],
    profile: Profile,
    window: Window,
    planned: Mapping[str, float],
) -> list[tuple[float, float]]:
    causes: dict[tuple[str, Key], float] = {}
    for agent in agents:
        for entry in build_timeline(agent, profile, window):
            if entry.cause_sid is not None and entry.cause_sid in planned:
                # Where a state comes back within a second, its first cause counts: the longer latency of the two.
                causes.setdefault((agent.agent_id, entry.key), planned[entry.cause_sid])
    found: list[tuple[float, float]] = []
    for row in sorted(rows, key=lambda row: row.seq):
        if row.start_ms is not None:
            key = ((row.event_id, row.event_reason), row.start_ms // 1000)
            due_s = causes.pop((row.agent_id, key), None)
            if due_s is not None:
                found.append((due_s, row.accepted_s))
    return found

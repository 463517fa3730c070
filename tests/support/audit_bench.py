"""The smallest floors for the audit: what happened, what was told, and the verdict on it."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.audit import DeliveredRow, TruthAgent, TruthState, Verdict, Window, audit

T0 = 1_767_600_000_000


class Codes:
    """Event ids as the default profile has them; times on the wire are plain milliseconds."""

    def event_id(self, state: str, channel: str | None = None, direction: str | None = None) -> str:
        if state == "CONTACT":
            return f"CONTACT_{(channel if direction == 'inbound' else direction or 'other').upper()}"
        return "LOGOFF" if state == "OFFLINE" else state

    def parse_time(self, wire: object) -> int:
        return int(str(wire))


def truth(*steps: tuple[float, str], agent_id: str = "WK1") -> TruthAgent:
    """An agent that enters each state at the given second."""
    states = [
        TruthState(
            start_ms=T0 + round(at_s * 1000),
            state=state.partition(":")[0],
            channel="voice" if state == "CONTACT" else None,
            direction="inbound" if state == "CONTACT" else None,
            reason=state.partition(":")[2],
            cause_sid=f"EV{number}" if number else None,
        )
        for number, (at_s, state) in enumerate(steps)
    ]
    return TruthAgent(agent_id=agent_id, name=f"Agent {agent_id}", states=tuple(states))


def rows(*told: tuple[float, str], agent_id: str = "WK1", first_seq: int = 1) -> list[DeliveredRow]:
    """Rows in order of arrival, one request each, accepted half a second after the start they state."""
    return [
        DeliveredRow(
            seq=first_seq + number,
            request=first_seq + number,
            accepted_s=at_s + 0.5,
            agent_id=agent_id,
            event_id="CONTACT_VOICE" if state == "CONTACT" else Codes().event_id(state.partition(":")[0]),
            event_reason=state.partition(":")[2],
            start_ms=T0 + round(at_s * 1000),
            start_text=str(T0 + round(at_s * 1000)),
        )
        for number, (at_s, state) in enumerate(told)
    ]


def judge(
    agents: TruthAgent | Sequence[TruthAgent],
    delivered: Sequence[DeliveredRow],
    *,
    from_s: float = 0,
    until_s: float | None = None,
    redelivery_allowed: bool = False,
    known_from_s: dict[str, float] | None = None,
) -> Verdict:
    return audit(
        [agents] if isinstance(agents, TruthAgent) else agents,
        delivered,
        codes=Codes(),
        window=Window(
            from_ms=T0 + round(from_s * 1000),
            until_ms=None if until_s is None else T0 + round(until_s * 1000),
            known_from_ms={sid: T0 + round(at_s * 1000) for sid, at_s in (known_from_s or {}).items()},
        ),
        planned={f"EV{number}": float(number) for number in range(1, 50)},
        redelivery_allowed=redelivery_allowed,
    )


CALL = ((0, "AVAILABLE"), (60, "RESERVED"), (70, "CONTACT"), (300, "WRAPUP"), (330, "AVAILABLE"))

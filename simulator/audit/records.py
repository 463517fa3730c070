"""What the audit reads: truth, callbacks and delivered rows, each in the shape its control face serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class StateCodes(Protocol):
    """The two things the audit takes from the contract profile."""

    def event_id(self, state: str, channel: str | None = None, direction: str | None = None) -> str:
        """The event id of an agent state."""

    def parse_time(self, wire: Any) -> int:
        """Epoch milliseconds of a time as it stands on the wire; ValueError when it is none."""


@dataclass(frozen=True, slots=True)
class TruthState:
    """One state the model put an agent into.

    Attributes:
        start_ms: when it began, epoch milliseconds of virtual time.
        state: AVAILABLE, UNAVAILABLE, RESERVED, DIALLING, CONTACT, WRAPUP or OFFLINE.
        channel, direction: of the contact; None for every other state.
        reason: the activity's friendly name for UNAVAILABLE, else None or empty.
        cause_sid: the event that began it; None for the state the world started with.
    """

    start_ms: int
    state: str
    channel: str | None = None
    direction: str | None = None
    reason: str | None = None
    cause_sid: str | None = None


@dataclass(frozen=True, slots=True)
class TruthAgent:
    """One agent of the model and every state it went through, in order.

    Attributes:
        agent_id: the id under which the connector is configured to report this agent.
        name: for people.
        states: in the order the model went through them, momentary ones included.
    """

    agent_id: str
    name: str
    states: tuple[TruthState, ...]


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """One agent state that the WFM accepted.

    Attributes:
        seq: position in the order of arrival.
        request: number of the request that carried it.
        accepted_s: wall clock, epoch seconds.
        start_ms: the start it states, epoch milliseconds; None when it could not be read.
        start_text: the start as it stood on the wire.
    """

    seq: int
    request: int
    accepted_s: float
    agent_id: str
    event_id: str
    event_reason: str
    start_ms: int | None
    start_text: str


def read_truth(body: Mapping[str, Any], *, agent_id_field: str = "worker_sid") -> list[TruthAgent]:
    """The agents of a `GET /sim/truth` answer; `agent_id_field` is the field the connector uses as agent id."""
    return [
        TruthAgent(
            agent_id=str(agent[agent_id_field]),
            name=str(agent["name"]),
            states=tuple(_truth_state(state) for state in agent["states"]),
        )
        for agent in body["agents"]
    ]


def _truth_state(state: Mapping[str, Any]) -> TruthState:
    return TruthState(
        start_ms=int(state["start_ms"]),
        state=str(state["state"]),
        channel=state.get("channel") or None,  # the face may write absent as null or as an empty text
        direction=state.get("direction") or None,
        reason=state.get("reason") or None,
        cause_sid=state.get("cause_sid") or None,
    )


def read_planned(body: Mapping[str, Any]) -> dict[str, float]:
    """When each event's callback was planned, by event sid, in wall epoch seconds; from `GET /sim/emissions`.

    Where an event was sent more than once the first plan counts: that is when the event happened.
    """
    planned: dict[str, float] = {}
    for callback in body["callbacks"]:
        sid, planned_s = str(callback["sid"]), float(callback["planned_s"])
        planned[sid] = min(planned_s, planned.get(sid, planned_s))
    return planned


def read_rows(rows: Sequence[Mapping[str, Any]], codes: StateCodes) -> list[DeliveredRow]:
    """The rows of `GET /sim/inbox/states`, in order of arrival."""
    read = [
        DeliveredRow(
            seq=int(row["seq"]),
            request=int(row["request"]),
            accepted_s=float(row["accepted_s"]),
            agent_id=str(row["agent_id"]),
            event_id=str(row["event_id"]),
            event_reason=str(row["event_reason"] or ""),
            start_ms=_time_or_none(row["start_time"], codes),
            start_text=str(row["start_time"]),
        )
        for row in rows
    ]
    return sorted(read, key=lambda row: row.seq)


def _time_or_none(wire: object, codes: StateCodes) -> int | None:
    try:
        return codes.parse_time(wire)
    except ValueError:
        return None  # judged as unreadable, not as a crash of the audit

"""Rules of meaning for real-time agent states and for the events of activities."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Finding, Severity
from flex_plugin_backend.wfm.contract.model import ReasonNeed
from flex_plugin_backend.wfm.contract.payload import Payload, Row

_EVENT_ROWS = ("AgentState", "AgentActivity")


def event_known(payload: Payload) -> Iterator[Finding]:
    """M06: an event id is in the profile; WFM shows an unmapped one as not calculated."""
    known = payload.profile.events_of
    for row in payload.rows(*_EVENT_ROWS):
        event_id = row.text("event_id")
        if event_id and not known(event_id):
            ids = ", ".join(sorted(set(payload.profile.event_ids.values())))
            message = f"{event_id[:60]!r} is not in the event table"
            yield Finding("M06", row.pointer_of("event_id"), message, f"one of {ids}", "Add it under [events].")


def reason_present(payload: Payload) -> Iterator[Finding]:
    """M07: an event that wants a reason has one; WFM maps the pair of id and reason."""
    for row in payload.rows(*_EVENT_ROWS):
        if _needs(row) == {ReasonNeed.REQUIRED} and not (row.text("event_reason") or "").strip():
            message = f"{row.text('event_id')} without a reason"
            yield Finding("M07", row.pointer_of("event_reason"), message, "a reason", "Send the activity's name.")


def reason_absent(payload: Payload) -> Iterator[Finding]:
    """M08: an event that takes no reason has none; a stray one makes another pair, which is not mapped."""
    for row in payload.rows(*_EVENT_ROWS):
        reason = row.text("event_reason")
        if reason and _needs(row) == {ReasonNeed.NONE}:
            message = f"{row.text('event_id')} with the reason {reason[:60]!r}"
            yield Finding("M08", row.pointer_of("event_reason"), message, "an empty text", "Leave the reason empty.")


def _needs(row: Row) -> set[ReasonNeed]:
    return {event.reason for event in row.profile.events_of(row.text("event_id") or "")}


def no_duplicate_state(payload: Payload) -> Iterator[Finding]:
    """M12: the row before of the same agent is not the very same one.

    Only neighbours count: with whole seconds on the wire a state may come back within one second.
    """
    last: dict[str, tuple[object, ...]] = {}
    for row in payload.rows("AgentState"):
        agent_id = row.text("agent_id")
        if agent_id is None:
            continue
        now = (row.raw("event_id"), row.raw("event_reason"), row.raw("start_ms"))
        if last.get(agent_id) == now:
            message = f"repeats the state before of agent {agent_id[:60]!r}"
            yield Finding("M12", row.pointer, message, "each state once", "Leave the repetition out.")
        last[agent_id] = now


def in_order(payload: Payload) -> Iterator[Finding]:
    """M21: an agent's states come in the order of time; what WFM does with another order is not known."""
    last: dict[str, int] = {}
    for row in payload.rows("AgentState"):
        agent_id, start_ms = row.text("agent_id"), row.time_ms("start_ms")
        if agent_id is None or start_ms is None:
            continue
        if start_ms < last.get(agent_id, start_ms):
            message = f"starts before the preceding state of agent {agent_id[:60]!r}"
            pointer = row.pointer_of("start_ms")
            yield Finding("M21", pointer, message, "the oldest first", "Sort by start.", Severity.WARNING)
        last[agent_id] = start_ms

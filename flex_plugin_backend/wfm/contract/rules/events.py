"""Rules for events and for real-time agent states."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.model import ReasonNeed
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import ACTIVITY, SHOWN, STATES, Found, rule

_EVENT_ROWS = ("AgentState", "AgentActivity")


@rule(
    "M06",
    "an event id is in the profile",
    "WFM shows an event that nobody mapped as not calculated (S13).",
    STATES | ACTIVITY,
)
def event_known(payload: Payload) -> Iterator[Found]:
    known = payload.profile.events_of
    for row in payload.rows(*_EVENT_ROWS):
        event_id = row.text("event_id")
        if event_id and not known(event_id):
            ids = ", ".join(sorted(set(payload.profile.event_ids.values())))
            message = f"{event_id[:SHOWN]!r} is not in the event table"
            yield Found(row.pointer_of("event_id"), message, f"one of {ids}", "Add it under [events].")


@rule(
    "M07",
    "an event that wants a reason has one",
    "WFM maps the pair of id and reason (S12); without the reason every pause is the same.",
    STATES | ACTIVITY,
)
def reason_present(payload: Payload) -> Iterator[Found]:
    for row in payload.rows(*_EVENT_ROWS):
        if (row.text("event_reason") or "").strip() or row.raw("event_reason") not in (
            None,
            "",
            row.text("event_reason"),
        ):
            continue
        if _needs(row) == {ReasonNeed.REQUIRED}:
            message = f"{row.text('event_id')} without a reason"
            yield Found(row.pointer_of("event_reason"), message, "a reason", "Send the activity's name.")


@rule(
    "M08",
    "an event that takes no reason has none",
    "A stray reason makes another pair, which is not mapped (S12).",
    STATES | ACTIVITY,
)
def reason_absent(payload: Payload) -> Iterator[Found]:
    for row in payload.rows(*_EVENT_ROWS):
        reason = row.text("event_reason")
        if reason and _needs(row) == {ReasonNeed.NONE}:
            message = f"{row.text('event_id')} with the reason {reason[:SHOWN]!r}"
            yield Found(row.pointer_of("event_reason"), message, "an empty text", "Leave the reason empty.")


def _needs(row: Row) -> set[ReasonNeed]:
    return {event.reason for event in row.profile.events_of(row.text("event_id") or "")}


@rule(
    "M29",
    "a reason is more than a number where the event takes words",
    "A bare number is an internal code; the tenant's mapping shows names.",
    STATES | ACTIVITY,
    Severity.WARNING,
)
def reason_is_a_name(payload: Payload) -> Iterator[Found]:
    for row in payload.rows(*_EVENT_ROWS):
        reason = row.text("event_reason")
        event_id = row.text("event_id")
        if reason and event_id and reason.strip().isdigit() and not event_id.strip().isdigit():
            message = f"{event_id[:SHOWN]} with the reason {reason[:SHOWN]!r}"
            yield Found(
                row.pointer_of("event_reason"), message, "the activity's name", "Send the name, not its number."
            )


@rule(
    "M30",
    "a reason has no space at either end",
    "WFM maps the exact pair of id and reason (S12); `Lunch ` is not `Lunch`.",
    STATES | ACTIVITY,
)
def reason_is_clean(payload: Payload) -> Iterator[Found]:
    for row in payload.rows(*_EVENT_ROWS):
        reason = row.text("event_reason")
        if reason and reason.strip() and reason != reason.strip():
            message = f"{reason[:SHOWN]!r} is padded with spaces"
            yield Found(row.pointer_of("event_reason"), message, "no space at either end", "Trim it at its source.")


@rule(
    "M12",
    "a state is not sent twice in a row",
    "The second tells nothing, and hides how many states there were.",
    STATES,
)
def no_duplicate_state(payload: Payload) -> Iterator[Found]:
    last: dict[str, tuple[object, ...]] = {}
    for row in payload.rows("AgentState"):
        agent_id = row.text("agent_id")
        if agent_id is None:
            continue
        # Only neighbours count: with whole seconds on the wire a state may come back within one second.
        now = (row.raw("event_id"), row.raw("event_reason"), row.raw("start_ms"))
        if last.get(agent_id) == now:
            message = f"repeats the state before of agent {agent_id[:SHOWN]!r}"
            yield Found(row.pointer, message, "each state once", "Leave the repetition out.")
        last[agent_id] = now


@rule(
    "M21",
    "an agent's states come in the order of time",
    "WFM keeps the state it heard last until the next one (S12); what it does with an older one is not known.",
    STATES,
    Severity.WARNING,
)
def in_order(payload: Payload) -> Iterator[Found]:
    last: dict[str, int] = {}
    for row in payload.rows("AgentState"):
        agent_id, start_ms = row.text("agent_id"), row.time_ms("start_ms")
        if agent_id is None or start_ms is None:
            continue
        if start_ms < last.get(agent_id, start_ms):
            message = f"starts before the preceding state of agent {agent_id[:SHOWN]!r}"
            yield Found(row.pointer_of("start_ms"), message, "the oldest first", "Sort by start.")
        last[agent_id] = start_ms


@rule(
    "M31",
    "two states in a row are not the same pair",
    "The same id and reason again is no change; the agent's time in state would begin anew.",
    STATES,
    Severity.WARNING,
)
def a_change_changes(payload: Payload) -> Iterator[Found]:
    last: dict[str, tuple[object, ...]] = {}
    for row in payload.rows("AgentState"):
        agent_id = row.text("agent_id")
        if agent_id is None:
            continue
        pair, start = (row.raw("event_id"), row.raw("event_reason")), row.raw("start_ms")
        before = last.get(agent_id)
        if before is not None and before[0] == pair and before[1] != start:
            message = f"the state before of agent {agent_id[:SHOWN]!r} has the same id and reason"
            yield Found(row.pointer, message, "another id or reason", "Send a state only when it changes.")
        last[agent_id] = (pair, start)


@rule(
    "M24",
    "a state has begun",
    "A state from the future holds until its time comes, and hides every true one before.",
    STATES,
    Severity.WARNING,
)
def state_has_begun(payload: Payload) -> Iterator[Found]:
    if payload.now_ms is None:
        return
    latest_ms = payload.now_ms + payload.profile.limits.clock_skew_s * 1000
    for row in payload.rows("AgentState"):
        start_ms = row.time_ms("start_ms")
        if start_ms is not None and start_ms > latest_ms:
            message = f"{row.raw('start_ms')} lies {(start_ms - payload.now_ms) // 1000} s ahead"
            yield Found(row.pointer_of("start_ms"), message, "an instant that has passed", "Set the sender's clock.")

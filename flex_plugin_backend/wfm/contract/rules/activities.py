"""Rules for the agent activity report: each activity by itself, and an agent's activities side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import ACTIVITY, SHOWN, Found, rule


@rule(
    "M15",
    "an activity ends in the interval of its report",
    "An activity's duration is booked where the activity completes (S1); a boundary belongs to the interval it starts.",
    ACTIVITY,
)
def ends_in_interval(payload: Payload) -> Iterator[Found]:
    start_ms, end_ms = payload.root.time_ms("start_ms"), payload.root.time_ms("end_ms")
    if start_ms is None or end_ms is None or start_ms >= end_ms:
        return
    for row in payload.rows("AgentActivity"):
        ended_ms = row.time_ms("end_ms")
        if ended_ms is not None and not start_ms <= ended_ms < end_ms:
            message = f"{row.raw('end_ms')} is outside the report's interval"
            expected = f"at or after {payload.root.raw('start_ms')} and before {payload.root.raw('end_ms')}"
            yield Found(row.pointer_of("end_ms"), message, expected, "Put it into the interval of its end.")


def _span(row: Row) -> tuple[int, int | float] | None:
    """(seconds from start to end, the duration told); None where one of them is missing or makes no sense."""
    start_ms, end_ms, length_s = row.time_ms("start_ms"), row.time_ms("end_ms"), row.number("duration_s")
    if start_ms is None or end_ms is None or length_s is None or length_s < 0 or start_ms > end_ms:
        return None
    return end_ms // 1000 - start_ms // 1000, length_s


@rule(
    "M16",
    "a duration is end minus start",
    "The parts must add up to the whole: both instants are cut to seconds, then subtracted.",
    ACTIVITY,
)
def duration_is_span(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AgentActivity"):
        found = _span(row)
        if found is not None and found[1] != found[0] and not _is_thousandfold(*found):
            message = f"{found[1]} s, but from start to end are {found[0]} s"
            yield Found(row.pointer_of("duration_s"), message, f"{found[0]} s", "Compute it from both instants.")


@rule(
    "M32",
    "a duration has the profile's unit",
    "Milliseconds taken for seconds make a coffee break of five minutes last three days.",
    ACTIVITY,
)
def duration_unit(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AgentActivity"):
        found = _span(row)
        if found is not None and _is_thousandfold(*found):
            message = f"{found[1]} is a thousand times the {found[0]} s from start to end"
            yield Found(row.pointer_of("duration_s"), message, f"{found[0]} s", "Send seconds, not milliseconds.")


def _is_thousandfold(span_s: int, told: float) -> bool:
    return span_s > 0 and abs(told - 1000 * span_s) < 1000


@rule(
    "M23",
    "an activity is as long as the shortest state",
    "States of 3 seconds or more are supported (S1).",
    ACTIVITY,
    Severity.WARNING,
)
def not_too_short(payload: Payload) -> Iterator[Found]:
    shortest_s = payload.profile.limits.min_state_s
    for row in payload.rows("AgentActivity"):
        length_s = row.number("duration_s")
        if length_s is not None and 0 <= length_s < shortest_s:
            message = f"{length_s} s is shorter than WFM supports"
            repair = "Let a neighbour take it in."
            yield Found(row.pointer_of("duration_s"), message, f"at least {shortest_s} s", repair)


@rule(
    "M35",
    "being logged off is no activity",
    "Time logged off is not worked time; a row of it fills the night in the adherence report.",
    ACTIVITY,
    Severity.WARNING,
)
def logged_off_is_no_row(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AgentActivity"):
        event_id = row.text("event_id")
        events = payload.profile.events_of(event_id or "")
        if events and all(event.state == "OFFLINE" for event in events):
            yield Found(row.pointer, f"{event_id} as an activity", "activities of the log-in", "Leave the row out.")


def _side_by_side(payload: Payload) -> list[tuple[str, Row, int, Row, int]]:
    """Neighbours that do not touch, in an agent's order of time: agent id, row, its end, later row, its start (ms)."""
    agents: dict[str, list[tuple[int, int, int, Row]]] = {}
    for number, row in enumerate(payload.rows("AgentActivity")):
        agent_id, start_ms, end_ms = row.text("agent_id"), row.time_ms("start_ms"), row.time_ms("end_ms")
        if agent_id is not None and start_ms is not None and end_ms is not None and start_ms <= end_ms:
            agents.setdefault(agent_id, []).append((start_ms, end_ms, number, row))
    return [
        (agent_id, row, end_ms, later, start_ms)
        for agent_id, found in agents.items()
        for (_, end_ms, _, row), (start_ms, _, _, later) in pairwise(sorted(found, key=lambda one: one[:3]))
        if start_ms != end_ms
    ]


@rule(
    "M33",
    "an agent's activities do not overlap",
    "An agent has one state at a time; overlapping ones count the same minute twice.",
    ACTIVITY,
)
def no_overlap(payload: Payload) -> Iterator[Found]:
    for agent_id, row, end_ms, later, start_ms in payload.once(_side_by_side):
        if start_ms < end_ms and not _is_repetition(row, later):
            message = f"begins before {row.pointer} of agent {agent_id[:SHOWN]!r} ends"
            expected = f"{row.raw('end_ms')} or later"
            yield Found(later.pointer_of("start_ms"), message, expected, "End one before the next.")


def _is_repetition(row: Row, other: Row) -> bool:
    """The same row again is M13's matter."""
    return all(row.raw(name) == other.raw(name) for name in ("start_ms", "event_id", "event_reason"))


@rule(
    "M34",
    "there is no hole within a log-in",
    "Segments of an agent's log-in follow one another; a hole shorter than the shortest state is no log-off.",
    ACTIVITY,
)
def no_hole(payload: Payload) -> Iterator[Found]:
    shortest_ms = payload.profile.limits.min_state_s * 1000
    for agent_id, row, end_ms, later, start_ms in payload.once(_side_by_side):
        if 0 < start_ms - end_ms < shortest_ms:
            message = f"begins {(start_ms - end_ms) / 1000:g} s after {row.pointer} of agent {agent_id[:SHOWN]!r} ends"
            yield Found(later.pointer_of("start_ms"), message, str(row.raw("end_ms")), "Let one take in the hole.")


@rule(
    "M36",
    "an activity is no longer than thirty days",
    "A start that was never set, or an end that was forgotten, makes an activity of years.",
    ACTIVITY,
    Severity.WARNING,
)
def not_endless(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AgentActivity"):
        start_ms, end_ms = row.time_ms("start_ms"), row.time_ms("end_ms")
        if start_ms is not None and end_ms is not None and end_ms - start_ms > 30 * 86_400_000:
            message = f"{(end_ms - start_ms) // 86_400_000} days from start to end"
            yield Found(row.pointer_of("start_ms"), message, "an activity of our days", "Look for an unset start.")

"""Rules of meaning for the interval reports."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Finding, Severity
from flex_plugin_backend.wfm.contract.payload import Payload, Row

# What tells the rows of a report part apart.
_KEYS = {"AgentActivity": ("agent_id", "start_ms", "event_id", "event_reason"), "AgentPerformanceRow": ("agent_id",)}
_QUEUE_KEYS = {"QueueRow": ("queue_id",), "AgentQueueRow": ("queue_id", "agent_id")}


def start_before_end(payload: Payload) -> Iterator[Finding]:
    """M03: the start lies before the end; an activity may be shorter than the format's resolution."""
    for row in payload.rows():
        start_ms, end_ms = row.time_ms("start_ms"), row.time_ms("end_ms")
        if start_ms is None or end_ms is None:
            continue
        if start_ms > end_ms or (start_ms == end_ms and row is payload.root):
            message = f"{row.raw('end_ms')} does not lie after {row.raw('start_ms')}"
            yield Finding("M03", row.pointer_of("end_ms"), message, "an end after the start", "Look for a swap.")


def interval_aligned(payload: Payload) -> Iterator[Finding]:
    """M04: an interval starts on the grid of 15 minutes in UTC."""
    row, step_s = payload.root, payload.profile.limits.interval_s
    start_ms = row.time_ms("start_ms")
    if start_ms is not None and start_ms % (step_s * 1000):
        message = f"{row.raw('start_ms')} is not on the grid of {step_s // 60} minutes"
        expected = f"a multiple of {step_s // 60} minutes from midnight UTC"
        yield Finding("M04", row.pointer_of("start_ms"), message, expected, "Start the interval on the grid.")


def interval_length(payload: Payload) -> Iterator[Finding]:
    """M05: an interval is 15 minutes long (NICE: historical data in 15-minute intervals)."""
    row, step_s = payload.root, payload.profile.limits.interval_s
    start_ms, end_ms = row.time_ms("start_ms"), row.time_ms("end_ms")
    if start_ms is not None and end_ms is not None and end_ms > start_ms and end_ms - start_ms != step_s * 1000:
        message = f"{(end_ms - start_ms) / 1000:g} s long"
        yield Finding("M05", row.pointer_of("end_ms"), message, f"{step_s} s", "Send one report for each interval.")


def no_duplicate_row(payload: Payload) -> Iterator[Finding]:
    """M13: a report holds no row twice; the second would count the same time again."""
    for row, first in _repeated(payload, _KEYS):
        yield Finding("M13", row.pointer, f"repeats {first}", "each row once", "Leave the repetition out.")


def one_row_per_queue(payload: Payload) -> Iterator[Finding]:
    """M14: a queue has one row (per agent); two usually are two channels in one queue, which WFM cannot tell apart."""
    for row, first in _repeated(payload, _QUEUE_KEYS):
        message = f"names the same queue as {first}"
        repair = "Use one queue per channel, or put the channel into the id that is sent."
        yield Finding("M14", row.pointer, message, "one row for each queue", repair, Severity.WARNING)


def _repeated(payload: Payload, keys: dict[str, tuple[str, ...]]) -> Iterator[tuple[Row, str]]:
    for dto, names in keys.items():
        seen: dict[str, str] = {}
        for row in payload.rows(dto):
            values = [row.raw(name) for name in names]
            if values[0] is None:
                continue
            first = seen.setdefault(repr(values), row.pointer)
            if first != row.pointer:
                yield row, first


def ends_in_interval(payload: Payload) -> Iterator[Finding]:
    """M15: an activity is booked where it completes; the instant of a boundary belongs to the interval that starts."""
    start_ms, end_ms = payload.root.time_ms("start_ms"), payload.root.time_ms("end_ms")
    if start_ms is None or end_ms is None or start_ms >= end_ms:
        return
    for row in payload.rows("AgentActivity"):
        ended_ms = row.time_ms("end_ms")
        if ended_ms is not None and not start_ms <= ended_ms < end_ms:
            message = f"{row.raw('end_ms')} is outside the report's interval"
            expected = f"at or after {payload.root.raw('start_ms')} and before {payload.root.raw('end_ms')}"
            yield Finding("M15", row.pointer_of("end_ms"), message, expected, "Put it into the interval of its end.")


def duration_is_span(payload: Payload) -> Iterator[Finding]:
    """M16: a duration is end minus start, both cut to whole seconds."""
    for row in payload.rows("AgentActivity"):
        start_ms, end_ms, length_s = row.time_ms("start_ms"), row.time_ms("end_ms"), row.number("duration_s")
        if start_ms is None or end_ms is None or length_s is None or length_s < 0 or start_ms > end_ms:
            continue
        span_s = end_ms // 1000 - start_ms // 1000
        if length_s != span_s:
            message = f"{length_s} s, but from start to end are {span_s} s"
            yield Finding("M16", row.pointer_of("duration_s"), message, f"{span_s} s", "Compute it from both instants.")


def not_too_short(payload: Payload) -> Iterator[Finding]:
    """M23: an activity is as long as the shortest state that CXone supports (3 seconds)."""
    shortest_s = payload.profile.limits.min_state_s
    for row in payload.rows("AgentActivity"):
        length_s = row.number("duration_s")
        if length_s is not None and 0 <= length_s < shortest_s:
            pointer, message = row.pointer_of("duration_s"), f"{length_s} s is shorter than WFM supports"
            repair = "Let a neighbour take it in."
            yield Finding("M23", pointer, message, f"at least {shortest_s} s", repair, Severity.WARNING)


def contacts_add_up(payload: Payload) -> Iterator[Finding]:
    """M17: handled and abandoned are not more than received (the rest was diverted)."""
    for row in payload.rows("QueueRow"):
        counts = row.numbers("contacts_received", "contacts_handled", "contacts_abandoned")
        if counts is not None and counts[1] + counts[2] > counts[0]:
            message = f"{counts[1]} handled and {counts[2]} abandoned of {counts[0]} received"
            pointer = row.pointer_of("contacts_received")
            yield Finding(
                "M17", pointer, message, "handled + abandoned <= received", "Count each contact where it ends."
            )


def in_threshold(payload: Payload) -> Iterator[Finding]:
    """M18: those within the threshold are a part of all."""
    pairs = (("contacts_answered_in_sl", "contacts_handled"), ("contacts_abandoned_in_sl", "contacts_abandoned"))
    for row in payload.rows("QueueRow"):
        for part, whole in pairs:
            counts = row.numbers(part, whole)
            if counts is not None and counts[0] > counts[1]:
                message = f"{counts[0]} within the threshold of {counts[1]}"
                yield Finding("M18", row.pointer_of(part), message, "a part of all", "Count both on the same contacts.")


def work_in_handle(payload: Payload) -> Iterator[Finding]:
    """M19: work time (wrap-up) is part of handle time (talk, hold and wrap-up)."""
    for row in payload.rows("QueueRow", "AgentQueueRow"):
        times = row.numbers("handle_time_s", "work_time_s")
        if times is not None and times[1] > times[0]:
            message = f"{times[1]} s of work in {times[0]} s of handling"
            yield Finding(
                "M19", row.pointer_of("work_time_s"), message, "work <= handle", "Add wrap-up to handle time."
            )


def parts_of_login(payload: Payload) -> Iterator[Finding]:
    """M20: ready and idle time are parts of login time."""
    for row in payload.rows("AgentPerformanceRow"):
        times = row.numbers("ready_time_s", "idle_time_s", "login_time_s")
        if times is not None and times[0] + times[1] > times[2]:
            message = f"{times[0]} s ready and {times[1]} s idle in {times[2]} s of login"
            repair = "Cut all three at the same instants."
            yield Finding("M20", row.pointer_of("login_time_s"), message, "ready + idle <= login", repair)

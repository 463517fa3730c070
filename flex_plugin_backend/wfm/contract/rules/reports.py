"""Rules for both interval reports: the interval itself, and rows that are told twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import QUEUE, REPORTS, Found, rule

# What tells the rows of a report part apart.
_KEYS = {"AgentActivity": ("agent_id", "start_ms", "event_id", "event_reason"), "AgentPerformanceRow": ("agent_id",)}
_QUEUE_KEYS = {"QueueRow": ("queue_id",), "AgentQueueRow": ("queue_id", "agent_id")}


@rule(
    "M03",
    "the start lies before the end",
    "A swapped pair books time backwards; an activity may be shorter than the format's resolution.",
    REPORTS,
)
def start_before_end(payload: Payload) -> Iterator[Found]:
    for row in payload.rows():
        start_ms, end_ms = row.time_ms("start_ms"), row.time_ms("end_ms")
        if start_ms is None or end_ms is None:
            continue
        if start_ms > end_ms or (start_ms == end_ms and row is payload.root):
            message = f"{row.raw('end_ms')} does not lie after {row.raw('start_ms')}"
            yield Found(row.pointer_of("end_ms"), message, "an end after the start", "Look for a swap.")


@rule(
    "M04",
    "an interval lies on the grid",
    "WFM keeps history per 15 minutes (S1); an interval beside the grid falls into none.",
    REPORTS,
)
def interval_aligned(payload: Payload) -> Iterator[Found]:
    row, step_s = payload.root, payload.profile.limits.interval_s
    start_ms = row.time_ms("start_ms")
    if start_ms is not None and start_ms % (step_s * 1000):
        message = f"{row.raw('start_ms')} is not on the grid of {step_s // 60} minutes"
        expected = f"a multiple of {step_s // 60} minutes from midnight UTC"
        yield Found(row.pointer_of("start_ms"), message, expected, "Start the interval on the grid.")


@rule(
    "M05",
    "an interval is as long as the grid's step",
    "Historical data come in 15-minute intervals (S1, S2); a longer one is booked into the first.",
    REPORTS,
)
def interval_length(payload: Payload) -> Iterator[Found]:
    row, step_s = payload.root, payload.profile.limits.interval_s
    start_ms, end_ms = row.time_ms("start_ms"), row.time_ms("end_ms")
    if start_ms is not None and end_ms is not None and end_ms > start_ms and end_ms - start_ms != step_s * 1000:
        message = f"{(end_ms - start_ms) / 1000:g} s long"
        yield Found(row.pointer_of("end_ms"), message, f"{step_s} s", "Send one report for each interval.")


@rule(
    "M25",
    "a report's interval has ended",
    "A report of an interval that goes on counts a part of it, and When Contact Ended counts each contact once (S16).",
    REPORTS,
)
def interval_has_ended(payload: Payload) -> Iterator[Found]:
    end_ms = payload.root.time_ms("end_ms")
    if payload.now_ms is None or end_ms is None:
        return
    if end_ms > payload.now_ms + payload.profile.limits.clock_skew_s * 1000:
        message = f"{payload.root.raw('end_ms')} lies {(end_ms - payload.now_ms) // 1000} s ahead"
        repair = "Send it after the interval's end, or set the sender's clock."
        yield Found(payload.root.pointer_of("end_ms"), message, "an interval that is over", repair)


@rule(
    "M13",
    "a report holds no row twice",
    "The second would count the same time again.",
    REPORTS,
)
def no_duplicate_row(payload: Payload) -> Iterator[Found]:
    for row, first in _repeated(payload, _KEYS):
        yield Found(row.pointer, f"repeats {first}", "each row once", "Leave the repetition out.")


@rule(
    "M14",
    "a queue has one row",
    "Two rows of one queue usually are two channels in it, which WFM cannot tell apart (S10).",
    QUEUE,
    Severity.WARNING,
)
def one_row_per_queue(payload: Payload) -> Iterator[Found]:
    for row, first in _repeated(payload, _QUEUE_KEYS):
        message = f"names the same queue as {first}"
        repair = "Use one queue per channel, or put the channel into the id that is sent."
        yield Found(row.pointer, message, "one row for each queue", repair)


def _repeated(payload: Payload, keys: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Row, str]]:
    for dto, names in keys.items():
        seen: dict[tuple[str, ...], str] = {}
        for row in payload.rows(dto):
            values = tuple(repr(row.raw(name)) for name in names)
            if row.raw(names[0]) is None:
                continue
            first = seen.setdefault(values, row.pointer)
            if first != row.pointer:
                yield row, first

"""Rules for the queue report: the figures of a queue, and the agent parts against it."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import QUEUE, SHOWN, Found, rule

_SL_TOLERANCE = 1.0  # per cent


@rule(
    "M17",
    "handled and abandoned are not more than received",
    "The rest was diverted; more than all is counted twice.",
    QUEUE,
)
def contacts_add_up(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow"):
        counts = row.numbers("contacts_received", "contacts_handled", "contacts_abandoned")
        if counts is not None and counts[1] + counts[2] > counts[0]:
            message = f"{counts[1]} handled and {counts[2]} abandoned of {counts[0]} received"
            pointer, expected = row.pointer_of("contacts_received"), "handled + abandoned <= received"
            yield Found(pointer, message, expected, "Count each contact where it ends.")


@rule(
    "M18",
    "within the threshold are not more than all",
    "Answered and abandoned within the service-level threshold are parts of answered and abandoned (S10).",
    QUEUE,
)
def in_threshold(payload: Payload) -> Iterator[Found]:
    pairs = (("contacts_answered_in_sl", "contacts_handled"), ("contacts_abandoned_in_sl", "contacts_abandoned"))
    for row in payload.rows("QueueRow"):
        for part, whole in pairs:
            counts = row.numbers(part, whole)
            if counts is not None and counts[0] > counts[1]:
                message = f"{counts[0]} within the threshold of {counts[1]}"
                yield Found(row.pointer_of(part), message, "a part of all", "Count both on the same contacts.")


@rule("M19", "work time is part of handle time", "Handle time is talk, hold and after-call work (S21).", QUEUE)
def work_in_handle(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow", "AgentQueueRow"):
        times = row.numbers("handle_time_s", "work_time_s")
        if times is not None and times[1] > times[0]:
            message = f"{times[1]} s of work in {times[0]} s of handling"
            yield Found(row.pointer_of("work_time_s"), message, "work <= handle", "Add wrap-up to handle time.")


@rule(
    "M44",
    "handle time belongs to handled contacts",
    "A contact is booked once, with its whole handle time, where it ends (S16); time alone has no contact.",
    QUEUE,
)
def time_has_contacts(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow", "AgentQueueRow"):
        found = row.numbers("contacts_handled", "handle_time_s")
        if found is not None and found[0] == 0 and found[1] > 0:
            message = f"{found[1]} s of handling without a handled contact"
            repair = "Book a contact's time in the interval where it ends."
            yield Found(row.pointer_of("handle_time_s"), message, "0", repair)


@rule(
    "M45",
    "queue delay belongs to handled contacts",
    "The delay is the waits of the contacts that were answered; without one there is none.",
    QUEUE,
)
def delay_has_contacts(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow"):
        found = row.numbers("contacts_handled", "queue_delay_s")
        if found is not None and found[0] == 0 and found[1] > 0:
            message = f"{found[1]} s of delay without a handled contact"
            yield Found(row.pointer_of("queue_delay_s"), message, "0", "Leave the waits of abandoned contacts out.")


@rule(
    "M46",
    "the service level follows from the counts",
    "It is the share answered within the threshold (S20); another figure was made with another threshold or whole.",
    QUEUE,
    Severity.WARNING,
)
def service_level_follows(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow"):
        level = row.number("service_level")
        counts = row.numbers("contacts_answered_in_sl", "contacts_received", "contacts_handled", "contacts_abandoned")
        if level is None or counts is None or not 0 <= level <= 100:
            continue
        wholes = [whole for whole in (counts[1], counts[2] + counts[3], counts[2]) if whole > 0]
        shares = [100 * counts[0] / whole for whole in wholes] or [0.0, 100.0]
        if all(abs(level - share) > _SL_TOLERANCE for share in shares):
            message = f"{level} %, but {counts[0]} of {counts[1]} received were answered within the threshold"
            yield Found(
                row.pointer_of("service_level"), message, f"about {shares[0]:.0f}", "Compute it from the counts."
            )


@rule(
    "M47",
    "as many contacts were delivered as were handled",
    "A contact is handled by the agent it was delivered to.",
    QUEUE,
    Severity.WARNING,
)
def distributed_covers_handled(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow"):
        found = row.numbers("distributed", "contacts_handled")
        if found is not None and found[0] < found[1]:
            message = f"{found[0]} delivered, {found[1]} handled"
            yield Found(row.pointer_of("distributed"), message, f"at least {found[1]}", "Count deliveries to agents.")


@rule("M48", "the parts of the backlog make the whole", "Every waiting contact is past its due time or is not.", QUEUE)
def backlog_adds_up(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow"):
        found = row.numbers("backlog", "backlog_not_expired", "backlog_expired")
        if found is not None and found[1] + found[2] != found[0]:
            message = f"{found[1]} not expired and {found[2]} expired of {found[0]}"
            yield Found(row.pointer_of("backlog"), message, str(found[1] + found[2]), "Count all at the same instant.")


@rule(
    "M49",
    "a row tells something",
    "A row of zeros is a queue or an agent without work; it makes lists long and averages low.",
    QUEUE,
    Severity.WARNING,
)
def row_tells_something(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("QueueRow", "AgentQueueRow", "AgentPerformanceRow"):
        figures = [row.number(name) for name in row.dto.fields]
        told = [figure for figure in figures if figure is not None]
        if told and not any(told):
            yield Found(row.pointer, "every figure is 0", "at least one figure", "Leave the row out.")


@rule(
    "M50",
    "a part of a queue belongs to a queue of the report",
    "What agents handled of a queue is part of what the queue handled in the same interval.",
    QUEUE,
)
def part_has_its_queue(payload: Payload) -> Iterator[Found]:
    known = {row.text("queue_id") for row in payload.rows("QueueRow")}
    told: set[str] = set()
    for row in payload.rows("AgentQueueRow"):
        queue_id = row.text("queue_id")
        if queue_id and queue_id not in known and queue_id not in told:
            told.add(queue_id)
            message = f"queue {queue_id[:SHOWN]!r} has no row in the queue part"
            yield Found(row.pointer_of("queue_id"), message, "a row for the queue", "Report the queue itself too.")


def _parts_against_whole(payload: Payload, name: str) -> Iterator[tuple[Row, int | float, int | float]]:
    """Queues with one row that have agent rows: the queue's row, its figure, and the sum of its agents'."""
    sums: dict[str, int | float] = {}
    for row in payload.rows("AgentQueueRow"):
        queue_id, figure = row.text("queue_id"), row.number(name)
        if queue_id and figure is not None:
            sums[queue_id] = sums.get(queue_id, 0) + figure
    wholes: dict[str, list[Row]] = {}
    for row in payload.rows("QueueRow"):
        wholes.setdefault(row.text("queue_id") or "", []).append(row)
    for queue_id, total in sums.items():
        rows = wholes.get(queue_id, [])
        whole = sum(figure for row in rows if (figure := row.number(name)) is not None)
        if rows:
            yield rows[0], whole, total


@rule(
    "M51", "agents handled no more than their queue", "A contact that an agent handled was handled by the queue.", QUEUE
)
def agents_within_queue(payload: Payload) -> Iterator[Found]:
    for row, whole, total in _parts_against_whole(payload, "contacts_handled"):
        if total > whole:
            message = f"{whole} handled, but its agents handled {total}"
            repair = "Count both on the same contacts."
            yield Found(row.pointer_of("contacts_handled"), message, f"at least {total}", repair)


@rule(
    "M52",
    "the agents' contacts are all of the queue's",
    "Contacts without an agent are those of agents that were left out: unmapped ones, usually.",
    QUEUE,
    Severity.WARNING,
)
def agents_account_for_queue(payload: Payload) -> Iterator[Found]:
    for row, whole, total in _parts_against_whole(payload, "contacts_handled"):
        if total < whole:
            message = f"{whole} handled, of which its agents handled {total}"
            yield Found(row.pointer_of("contacts_handled"), message, str(total), "Map every agent that takes contacts.")


@rule(
    "M53",
    "the agents' handle time is that of the queue",
    "Both are sums over the same contacts; WFM forecasts from one and plans people by the other.",
    QUEUE,
)
def handle_times_agree(payload: Payload) -> Iterator[Found]:
    yield from _times_agree(payload, "handle_time_s")


@rule(
    "M54",
    "the agents' work time is that of the queue",
    "Both are sums over the same contacts.",
    QUEUE,
)
def work_times_agree(payload: Payload) -> Iterator[Found]:
    yield from _times_agree(payload, "work_time_s")


def _times_agree(payload: Payload, name: str) -> Iterator[Found]:
    counts = {row.pointer: (whole, total) for row, whole, total in _parts_against_whole(payload, "contacts_handled")}
    for row, whole, total in _parts_against_whole(payload, name):
        # Where contacts are missing, M51 and M52 say so.
        handled = counts.get(row.pointer)
        if whole != total and handled is not None and handled[0] == handled[1]:
            message = f"{whole} s, but its agents' sum is {total} s"
            yield Found(row.pointer_of(name), message, f"{total} s", "Sum both over the same contacts.")

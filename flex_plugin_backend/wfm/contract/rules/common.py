"""Rules for every payload: instants, numbers and lists."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Severity, pointer_join
from flex_plugin_backend.wfm.contract.formats import any_iso_offset_s
from flex_plugin_backend.wfm.contract.model import FieldType
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import QUEUE, SHOWN, Found, rule

# Numbers from here on are milliseconds (since 1973), below them seconds (until 5138).
_FIRST_MS = 10**11
_FIRST_DAY_MS = 946_684_800_000  # 2000-01-01
_LONGEST_CONTACT_S = 30 * 86_400


def _unread(payload: Payload) -> Iterator[tuple[Row, str, str, object]]:
    """The instants that the profile's format cannot read: row, canonical name, pointer, value."""
    for row, field, value in payload.fields(FieldType.TIME):
        if row.time_ms(field.name) is None:
            yield row, field.name, pointer_join(row.pointer, field.wire), value


@rule(
    "M01",
    "an instant is written in the profile's format",
    "An instant in another form is not read, or read as another one.",
)
def time_format(payload: Payload) -> Iterator[Found]:
    form = payload.profile.time_format
    for _, _, pointer, value in _unread(payload):
        if any_iso_offset_s(value) or _other_unit(form.name, value):  # M02's and M27's matter
            continue
        message = f"{str(value)[:SHOWN]!r} is no instant of the format {form.name}"
        yield Found(pointer, message, f"e.g. {form.example}", "Write the instant in this format.")


@rule(
    "M02",
    "an instant is UTC",
    "Nothing is known of CXone taking local times; an hour that is off moves a whole shift.",
)
def time_utc(payload: Payload) -> Iterator[Found]:
    for _, _, pointer, value in _unread(payload):
        offset_s = any_iso_offset_s(value)
        if offset_s:
            message = f"{str(value)[:SHOWN]!r} is {offset_s:+d} s off UTC"
            expected = f"UTC, e.g. {payload.profile.time_format.example}"
            yield Found(pointer, message, expected, "Convert to UTC before sending.")


@rule(
    "M27",
    "an epoch number has the profile's unit",
    "Seconds read as milliseconds are a day of January 1970, milliseconds read as seconds a year beyond 5000.",
)
def epoch_unit(payload: Payload) -> Iterator[Found]:
    form = payload.profile.time_format
    for row, field, value in payload.fields(FieldType.TIME):
        if _other_unit(form.name, value):
            unit = "milliseconds" if form.name == "epoch-s" else "seconds"
            wanted = "seconds" if form.name == "epoch-s" else "milliseconds"
            pointer = pointer_join(row.pointer, field.wire)
            yield Found(pointer, f"{value} looks like {unit}", f"{wanted}, e.g. {form.example}", f"Send {wanted}.")


def _other_unit(form: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return False
    return (form == "epoch-s" and value >= _FIRST_MS) or (form == "epoch-ms" and value < _FIRST_MS)


@rule(
    "M26",
    "an instant is one of our days",
    "An instant before 2000 is a default value or a wrong unit, and books time where nobody looks.",
    severity=Severity.WARNING,
)
def our_days(payload: Payload) -> Iterator[Found]:
    for row, field, value in payload.fields(FieldType.TIME):
        at_ms = row.time_ms(field.name)
        if at_ms is not None and at_ms < _FIRST_DAY_MS and not _other_unit(payload.profile.time_format.name, value):
            pointer = pointer_join(row.pointer, field.wire)
            message = f"{str(value)[:SHOWN]!r} lies before the year 2000"
            yield Found(pointer, message, "an instant of our days", "Look for an unset value or a wrong unit.")


@rule(
    "M09",
    "a list without rows is there and empty",
    "NICE's Twilio page wants the object with an empty array when nothing happened; null or nothing is no report.",
)
def empty_list_present(payload: Payload) -> Iterator[Found]:
    for name, plan in payload.profile.plans.items():
        wanted = [field for field in plan.inner if field.type is FieldType.ARRAY and field.required]
        if not wanted:
            continue
        for row in payload.rows(name):
            for field in wanted:
                if row.wire.get(field.wire) is None:
                    word = "is null" if field.wire in row.wire else "is missing"
                    pointer = pointer_join(row.pointer, field.wire)
                    yield Found(pointer, word, "a list, [] when there are no rows", "Send [].")


@rule(
    "M10",
    "counts and durations are not negative",
    "A negative figure is a swapped start and end, and takes away from the sums of others.",
)
def not_negative(payload: Payload) -> Iterator[Found]:
    for row, field, value in payload.fields(FieldType.INTEGER, FieldType.NUMBER, FieldType.DURATION):
        if isinstance(value, int | float) and value < 0:
            pointer = pointer_join(row.pointer, field.wire)
            yield Found(pointer, f"{value} is negative", "0 or more", "Look for a swapped start and end.")


@rule(
    "M11",
    "a list keeps to the batch limit",
    "A request that is too large is refused whole, or cut.",
)
def batch_limit(payload: Payload) -> Iterator[Found]:
    for row, field, value in payload.fields(FieldType.ARRAY):
        if field.max_rows is not None and isinstance(value, list) and len(value) > field.max_rows:
            pointer = pointer_join(row.pointer, field.wire)
            message = f"{len(value)} rows in one request"
            yield Found(pointer, message, f"at most {field.max_rows}", "Cut the list into several requests.")


@rule(
    "M28",
    "a contact's time is no longer than thirty days",
    "Sums of milliseconds taken for seconds are a thousand times too long, and so is every forecast made of them.",
    QUEUE,
    Severity.WARNING,
)
def plausible_sums(payload: Payload) -> Iterator[Found]:
    pairs = (
        ("handle_time_s", "contacts_handled"),
        ("queue_delay_s", "contacts_handled"),
        ("out_time_s", "out_calls"),
        ("internal_time_s", "internal_calls"),
    )
    for row in payload.rows("QueueRow", "AgentQueueRow", "AgentPerformanceRow"):
        for time_name, count_name in pairs:
            found = row.numbers(time_name, count_name)
            if found is not None and found[1] > 0 and found[0] / found[1] > _LONGEST_CONTACT_S:
                message = f"{found[0] / found[1]:.0f} s for each of {found[1]} contacts"
                repair = "Send seconds, not milliseconds."
                yield Found(row.pointer_of(time_name), message, "seconds", repair)

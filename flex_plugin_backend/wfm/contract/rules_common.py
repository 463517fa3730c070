"""Rules of meaning that hold for every payload: instants, numbers, lists, identifiers."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.findings import Finding, pointer_join
from flex_plugin_backend.wfm.contract.formats import any_iso_offset_s
from flex_plugin_backend.wfm.contract.model import FieldType
from flex_plugin_backend.wfm.contract.payload import Payload

_SHOWN = 60  # characters of a wrong value that a message repeats


def time_format(payload: Payload) -> Iterator[Finding]:
    """M01: an instant is written in the profile's format."""
    form = payload.profile.time_format
    for row, field, value in payload.fields(FieldType.TIME):
        if any_iso_offset_s(value):  # another zone is M02's matter
            continue
        try:
            form.read(value)
        except ValueError as error:
            pointer = pointer_join(row.pointer, field.wire)
            message = f"{str(value)[:_SHOWN]!r} is no instant of the format {form.name}: {error}"
            yield Finding("M01", pointer, message, f"e.g. {form.example}", "Write the instant in this format.")


def time_utc(payload: Payload) -> Iterator[Finding]:
    """M02: an instant is UTC; nothing is known of CXone taking local times."""
    for row, field, value in payload.fields(FieldType.TIME):
        offset_s = any_iso_offset_s(value)
        if offset_s:
            pointer = pointer_join(row.pointer, field.wire)
            message = f"{str(value)[:_SHOWN]!r} is {offset_s:+d} s off UTC"
            expected = f"UTC, e.g. {payload.profile.time_format.example}"
            yield Finding("M02", pointer, message, expected, "Convert to UTC before sending.")


def empty_list_present(payload: Payload) -> Iterator[Finding]:
    """M09: a required list without rows is there and empty, neither null nor left out (NICE's Twilio page)."""
    for row in payload.rows():
        for field in row.dto.fields.values():
            if field.type is FieldType.ARRAY and field.required and row.wire.get(field.wire) is None:
                word = "is null" if field.wire in row.wire else "is missing"
                pointer = pointer_join(row.pointer, field.wire)
                yield Finding("M09", pointer, word, "a list, [] when there are no rows", "Send [].")


def not_negative(payload: Payload) -> Iterator[Finding]:
    """M10: counts and durations are not negative."""
    for row, field, value in payload.fields(FieldType.INTEGER, FieldType.NUMBER, FieldType.DURATION):
        if isinstance(value, int | float) and value < 0:
            pointer = pointer_join(row.pointer, field.wire)
            yield Finding("M10", pointer, f"{value} is negative", "0 or more", "Look for a swapped start and end.")


def batch_limit(payload: Payload) -> Iterator[Finding]:
    """M11: a list keeps to the batch limit."""
    for row, field, value in payload.fields(FieldType.ARRAY):
        if field.max_rows is not None and isinstance(value, list) and len(value) > field.max_rows:
            pointer = pointer_join(row.pointer, field.wire)
            message = f"{len(value)} rows in one request"
            yield Finding("M11", pointer, message, f"at most {field.max_rows}", "Cut the list into several requests.")


def clean_identifier(payload: Payload) -> Iterator[Finding]:
    """M22: agent, queue and event identifiers are compared exactly, so a blank or a padded one maps to nothing."""
    for row in payload.rows():
        for name in ("agent_id", "queue_id", "event_id", "acd_type"):
            value = row.text(name)
            if value and value != value.strip():
                message = f"{value[:_SHOWN]!r} is blank or padded with spaces"
                yield Finding("M22", row.pointer_of(name), message, "no space at either end", "Trim it at its source.")

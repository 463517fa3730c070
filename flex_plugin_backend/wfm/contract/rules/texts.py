"""Rules for identifiers and other texts: they are compared exactly, so nothing invisible may stand in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

from flex_plugin_backend.wfm.contract.findings import Severity, pointer_join
from flex_plugin_backend.wfm.contract.model import FieldType
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import SHOWN, Found, rule

_IDS = ("agent_id", "queue_id", "event_id", "acd_type")
_UNSET = {"null", "none", "nil", "undefined", "nan", "n/a", "unknown", "string", "todo", "tbd", "?", "-"}
_SECRETS = ("access_key", "secret_key", "access_token", "id_token", "refresh_token")


def _odd_texts(payload: Payload) -> list[tuple[str, str]]:
    """Pointer and value of each text that is long or more than plain ASCII, keys and tokens left out."""
    longest = payload.profile.limits.text_chars
    return [
        (pointer_join(row.pointer, field.wire), value)
        for row, field, value in payload.fields(FieldType.STRING)
        if isinstance(value, str)
        and not (len(value) <= longest and value.isascii() and value.isprintable())
        and field.name not in _SECRETS
    ]


def _ids(payload: Payload) -> dict[str, dict[str, Row]]:
    """By canonical name: every identifier, and the first object that holds it."""
    found: dict[str, dict[str, Row]] = {name: {} for name in _IDS}
    for row in payload.rows():
        for name in _IDS:
            value = row.text(name)
            if value and value not in found[name]:
                found[name][value] = row
    return found


def _holding(payload: Payload, is_bad: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Pointer and value of every identifier that is bad."""
    bad = {name: {value for value in values if is_bad(value)} for name, values in payload.once(_ids).items()}
    if not any(bad.values()):
        return
    for row in payload.rows():
        for name in _IDS:
            value = row.text(name)
            if value and value in bad[name]:
                yield row.pointer_of(name), value


@rule(
    "M22",
    "an identifier is not blank and not padded",
    "Agent, queue and event identifiers are compared exactly, so a blank or padded one maps to nothing (S13).",
)
def clean_identifier(payload: Payload) -> Iterator[Found]:
    for pointer, value in _holding(payload, lambda value: value != value.strip()):
        message = f"{value[:SHOWN]!r} is blank or padded with spaces"
        yield Found(pointer, message, "no space at either end", "Trim it at its source.")


@rule(
    "M38",
    "a text is not too long",
    "What a longer text becomes in CXone is not known; a cut identifier maps to nothing.",
    severity=Severity.WARNING,
)
def not_too_long(payload: Payload) -> Iterator[Found]:
    longest = payload.profile.limits.text_chars
    for pointer, value in payload.once(_odd_texts):
        if len(value) > longest:
            yield Found(pointer, f"{len(value)} characters", f"at most {longest}", "Shorten it at its source.")


@rule(
    "M39",
    "a text holds no control characters",
    "A tab or line break inside an identifier is invisible in every view and maps to nothing.",
)
def no_control_characters(payload: Payload) -> Iterator[Found]:
    for pointer, value in payload.once(_odd_texts):
        if value.isprintable():
            continue
        bad = next((one for one in value if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")), None)
        if bad is not None:
            yield Found(pointer, f"U+{ord(bad):04X} stands in it", "printable characters", "Take it out at its source.")


@rule(
    "M40",
    "a text is composed Unicode",
    "The same letters can be written in two ways; identifiers that look alike then differ.",
    severity=Severity.WARNING,
)
def composed(payload: Payload) -> Iterator[Found]:
    for pointer, value in payload.once(_odd_texts):
        if not value.isascii() and not unicodedata.is_normalized("NFC", value):
            message = f"{value[:SHOWN]!r} is written in parts"
            yield Found(pointer, message, "the composed form (NFC)", "Normalise to NFC at its source.")


@rule(
    "M43",
    "a text was decoded as it was encoded",
    "A replacement character is a letter that was lost on the way, and the identifier with it.",
    severity=Severity.WARNING,
)
def no_replacement_characters(payload: Payload) -> Iterator[Found]:
    for pointer, value in payload.once(_odd_texts):
        if not value.isascii() and "\ufffd" in value:
            repair = "Read and write UTF-8 everywhere on its way."
            yield Found(pointer, "holds the replacement character U+FFFD", "the letter itself", repair)


@rule(
    "M41",
    "identifiers do not differ by case or spaces alone",
    "`Ana` and `ana` are two agents to WFM; usually one of them is a slip.",
    severity=Severity.WARNING,
)
def no_near_twins(payload: Payload) -> Iterator[Found]:
    for name, values in payload.once(_ids).items():
        seen: dict[str, str] = {}
        for value, row in values.items() if name != "acd_type" else ():
            first = seen.setdefault("".join(value.split()).casefold(), value)
            if first != value and first.strip() == first and value.strip() == value:
                message = f"{value[:SHOWN]!r}, but {first[:SHOWN]!r} at {values[first].pointer_of(name)}"
                expected, repair = "one spelling", "Send the identifier as the ACD login has it."
                yield Found(row.pointer_of(name), message, expected, repair)


@rule(
    "M42",
    "an identifier is no placeholder",
    "A text such as `null` is a missing value that was turned into one, and collects the data of many.",
    severity=Severity.WARNING,
)
def no_placeholder(payload: Payload) -> Iterator[Found]:
    for pointer, value in _holding(payload, lambda value: value.strip().casefold() in _UNSET):
        message = f"{value[:SHOWN]!r} stands for a missing value"
        yield Found(pointer, message, "an identifier", "Find out where it got lost.")


@rule(
    "M37",
    "an agent id has one display value",
    "Two values for one id are two people with one login, or a rename in the middle of a payload.",
    severity=Severity.WARNING,
)
def one_value_per_agent(payload: Payload) -> Iterator[Found]:
    seen: dict[str, tuple[str, str]] = {}
    for row in payload.rows("AgentState", "AgentActivity"):
        agent_id, value = row.text("agent_id"), row.text("agent_value")
        if agent_id is None or value is None:
            continue
        first, place = seen.setdefault(agent_id, (value, row.pointer))
        if first != value:
            message = f"{value[:SHOWN]!r}, but {first[:SHOWN]!r} at {place}"
            yield Found(
                row.pointer_of("agent_value"), message, "one value for one id", "Use the present one throughout."
            )


@rule(
    "M66",
    "a report names its version by numbers",
    "A version that is a word, a date or a template is a setting that was never made.",
    severity=Severity.WARNING,
)
def version_is_one(payload: Payload) -> Iterator[Found]:
    value = payload.root.text("report_version")
    if value and not all(part.isascii() and part.isdigit() for part in value.split(".")):
        repair = "Set the version that NICE's documentation names."
        yield Found(payload.root.pointer_of("report_version"), f"{value[:SHOWN]!r}", "numbers with points", repair)

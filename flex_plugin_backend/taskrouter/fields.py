"""Tolerant readers for single values: whatever a route delivers, they give the value or None and never raise."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flex_plugin_backend import quickjson

_MAX_TEXT = 255
_MAX_SID = 64
_MAX_REASON = 64
_WORD = re.compile(r"[A-Za-z0-9_. -]{1,32}")
_TARGET = re.compile(r"W[KQ][A-Za-z0-9_-]{1,62}")
# Phone, account and card numbers; people write signs between the digits.
_NUMBER = re.compile(r"\d(?:[\W_]{0,3}\d){4}")
_ADDRESS = re.compile(r"\S@\S")
_MAX_INTEGER = 2**63 - 1
# Numbers below are seconds (until the year 5138), from here on milliseconds (since 1973), then microseconds.
_FIRST_MS = 10**11
_FIRST_US = 10**14
_LAST_US = 10**17
_TRUE = frozenset(("true", "1", "yes"))
_FALSE = frozenset(("false", "0", "no"))


def text(value: object) -> str | None:
    """Trimmed text of at most 255 characters that every database can hold; empty and every other type are None."""
    if not isinstance(value, str):
        return None
    value = value.strip()[:_MAX_TEXT]
    if value.isalnum() and value.isascii():
        return value  # most are
    if not value.isascii():
        # A lone surrogate, legal in JSON escapes, cannot be written as UTF-8.
        value = value.encode("utf-8", "replace").decode("utf-8")
    if "\x00" in value:
        value = value.replace("\x00", "").strip()
    return value or None


def lower(value: object) -> str | None:
    """Text in lower case."""
    found = text(value)
    return found.lower() if found else None


def word(value: object) -> str | None:
    """A short word in lower case; what could be a sentence, a name in full, a number or an address is None.

    Plugins write these fields, so a customer's words may stand in them.
    """
    found = text(value)
    if found is None or not _WORD.fullmatch(found) or _NUMBER.search(found):
        return None
    return found.lower()


def reason(value: object) -> str | None:
    """The beginning of a reason, or None where a number or an e-mail address stands anywhere in it."""
    found = text(value)
    # Looked for in the whole, so that a number is not kept because the cut goes through it.
    if not isinstance(value, str) or found is None or _NUMBER.search(value) or _ADDRESS.search(value):
        return None
    return found[:_MAX_REASON].rstrip()


def transfer_target(value: object) -> str | None:
    """The sid of a worker or queue; a transfer to anything else, a phone number say, is nobody we know."""
    found = sid(value)
    return found if found is not None and _TARGET.fullmatch(found) else None


def sid(value: object) -> str | None:
    """An identifier: any text without blanks of at most 64 characters; the usual 34 are no promise."""
    if type(value) is str and len(value) == 34 and value.isascii() and value.isalnum():
        return value  # as Twilio makes them
    found = text(value)
    if found is None or len(found) > _MAX_SID or not found.isprintable() or " " in found:
        return None
    return found


def integer(value: object) -> int | None:
    """A whole number, from a number or its digits."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if len(value) > 20:
            return None
        try:
            value = int(value)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_INTEGER:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= _MAX_INTEGER else None


def flag(value: object) -> bool | None:
    """A truth value, from a boolean or its word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        value = str(value)
    word = lower(value)
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def epoch_ms(value: object) -> int | None:
    """An instant in milliseconds, from epoch seconds, milliseconds or microseconds, an ISO text or a datetime."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return _datetime_ms(value)
    if isinstance(value, str):
        value = value.strip()
        if not value or len(value) > 40:
            return None
        number = None if value[4:5] == "-" else _number(value)
        return _iso_ms(value) if number is None else _scaled_ms(number)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _scaled_ms(value)
    return None


def _number(value: str) -> float | int | None:
    try:
        return int(value)
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return None


def _scaled_ms(number: float) -> int | None:
    if not math.isfinite(number) or number <= 0 or number >= _LAST_US:
        return None
    if number < _FIRST_MS:
        return round(number * 1000)
    return round(number) if number < _FIRST_US else round(number / 1000)


def _iso_ms(value: str) -> int | None:
    try:
        return _datetime_ms(datetime.fromisoformat(value))
    except ValueError:
        return _american_ms(value)


def _american_ms(value: str) -> int | None:
    """`MM/dd/yyyy HH:mm:ss`, as a consumer of Event Streams has seen it (Twilio reference 2.3)."""
    try:
        return _datetime_ms(datetime.strptime(value, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC))
    except ValueError:
        return None


def _datetime_ms(value: datetime) -> int | None:
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        moment = round(value.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
    return moment if moment > 0 else None


def attributes(value: object) -> Mapping[str, Any]:
    """The JSON object in an attributes text; anything that is not one gives an empty mapping."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str):
        return {}
    try:
        found = quickjson.loads(value)
    except (ValueError, RecursionError):  # users write these texts: broken JSON and a thousand brackets are legal
        return {}
    return found if isinstance(found, dict) else {}


def at_path(value: object, path: tuple[str, ...]) -> object:
    """What stands at a path of keys, the case of the keys ignored where the exact one is missing; None if nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        if key in value:
            value = value[key]
            continue
        spelling = _spelling(tuple(value), key.lower())
        value = None if spelling is None else value[spelling]
    return value


@lru_cache(maxsize=512)
def _spelling(names: tuple[object, ...], wanted: str) -> object:
    """The one of these names that is `wanted` but for the case of its letters; a plugin writes the same ones always."""
    return next((name for name in names if isinstance(name, str) and name.lower() == wanted), None)

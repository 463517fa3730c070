"""Wire formats of instants and durations: between integers inside and what a profile says stands on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MAX_MS = 253_402_300_799_999  # the last millisecond of the year 9999, the end of what datetime and ISO-8601 hold


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """One way to write an instant.

    Attributes:
        name: as a profile names it.
        json_type: the JSON type on the wire.
        resolution_ms: what is finer is cut off, never rounded up, so that an instant never moves into the future.
        example: for messages to people.
        write, read: epoch milliseconds to wire and back; `read` raises ValueError.
    """

    name: str
    json_type: str
    resolution_ms: int
    example: str
    write: Callable[[int], Any]
    read: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class DurationFormat:
    """One way to write a length of time; whole seconds inside.

    Attributes as in `TimeFormat`.
    """

    name: str
    json_type: str
    example: str
    write: Callable[[int], Any]
    read: Callable[[Any], int]


def _at(epoch_ms: int) -> datetime:
    if not 0 <= epoch_ms <= _MAX_MS:
        raise ValueError(f"{epoch_ms} is not an instant between 1970 and 9999")
    return _EPOCH + epoch_ms * _MILLISECOND


def _at_ms(epoch_ms: int) -> int:
    _at(epoch_ms)
    return epoch_ms


@lru_cache(maxsize=4096)
def _write_seconds_z(epoch_ms: int) -> str:
    return _at(epoch_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_ms_z(epoch_ms: int) -> str:
    return f"{_at(epoch_ms):%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def _write_offset(epoch_ms: int) -> str:
    return f"{_at(epoch_ms):%Y-%m-%dT%H:%M:%S}+00:00"


@lru_cache(maxsize=4096)
def _iso_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no time zone")
    epoch_ms = (moment - _EPOCH) // _MILLISECOND
    if not 0 <= epoch_ms <= _MAX_MS:
        raise ValueError("it is not an instant between 1970 and 9999")
    return epoch_ms


def _reader(pattern: str) -> Callable[[Any], int]:
    matcher = re.compile(pattern, re.ASCII)

    @lru_cache(maxsize=16_384)
    def instant(text: str) -> int:
        if matcher.fullmatch(text) is None:
            raise ValueError("it is not in this format")
        return _iso_ms(text)

    def read(value: Any) -> int:
        if not isinstance(value, str):
            raise ValueError("it is not in this format")  # noqa: TRY004  one kind of error for every unreadable value
        return instant(value)

    return read


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("it is not a whole number")  # noqa: TRY004  one kind of error for every unreadable value
    return value


def _read_epoch(factor: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        epoch_ms = _whole(value) * factor
        _at(epoch_ms)
        return epoch_ms

    return read


def any_iso_offset_s(value: Any) -> int | None:
    """The UTC offset in seconds of any ISO-8601 text; None when it is no such text or has no offset."""
    if not isinstance(value, str):
        return None
    try:
        offset = datetime.fromisoformat(value).utcoffset()
    except ValueError:
        return None
    return None if offset is None else round(offset.total_seconds())


_DATE = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"

TIME_FORMATS = {
    item.name: item
    for item in (
        TimeFormat("iso8601-z", "string", 1000, "2026-03-02T09:15:00Z", _write_seconds_z, _reader(_DATE + "Z")),
        TimeFormat("iso8601-ms-z", "string", 1, "2026-03-02T09:15:00.250Z", _write_ms_z, _reader(_DATE + r"\.\d{3}Z")),
        TimeFormat(
            "iso8601-offset", "string", 1000, "2026-03-02T09:15:00+00:00", _write_offset, _reader(_DATE + r"\+00:00")
        ),
        TimeFormat("epoch-s", "integer", 1000, "1772442900", lambda ms: _at_ms(ms) // 1000, _read_epoch(1000)),
        TimeFormat("epoch-ms", "integer", 1, "1772442900000", _at_ms, _read_epoch(1)),
    )
}


_ISO_DURATION = re.compile(r"PT(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})S)?", re.ASCII)


def _read_iso_duration(value: Any) -> int:
    match = _ISO_DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or value == "PT":
        raise ValueError("it is not an ISO-8601 duration of hours, minutes and seconds")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _read_milliseconds(value: Any) -> int:
    return _whole(value) // 1000


DURATION_FORMATS = {
    item.name: item
    for item in (
        DurationFormat("seconds", "integer", "900", lambda seconds: seconds, _whole),
        DurationFormat("milliseconds", "integer", "900000", lambda seconds: seconds * 1000, _read_milliseconds),
        DurationFormat("iso8601", "string", "PT900S", lambda seconds: f"PT{seconds}S", _read_iso_duration),
    )
}

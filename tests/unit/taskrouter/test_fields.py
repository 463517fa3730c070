"""The single-value readers: what they take, and that they give None for everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flex_plugin_backend.taskrouter import fields

# The first text drawn in a process builds tables, which takes a while on a busy machine.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1767607245", 1767607245000),
        (1767607245, 1767607245000),
        ("1767607245123", 1767607245123),
        (1767607245123, 1767607245123),
        ("1767607245123456", 1767607245123),
        ("1767607245.5", 1767607245500),
        (" 1767607245 ", 1767607245000),
        ("2026-01-05T10:00:45Z", 1767607245000),
        ("2026-01-05T10:00:45.123Z", 1767607245123),
        ("2026-01-05T05:00:45-05:00", 1767607245000),
        ("2026-01-05T10:00:45", 1767607245000),
        (datetime(2026, 1, 5, 10, 0, 45, tzinfo=UTC), 1767607245000),
        *((odd, None) for odd in ("", "0", "-5", "nan", "inf", "1e400", "soon", "9" * 30, None, True, [], {}, 10**30)),
    ],
)
def test_epoch_ms(value: Any, expected: int | None) -> None:
    """Seconds, milliseconds, microseconds and ISO texts become milliseconds; the rest is nothing."""
    assert fields.epoch_ms(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("17", 17),
        (17, 17),
        ("0", 0),
        (3.0, 3),
        *((odd, None) for odd in ("", "-1", "1.5", 1.5, True, None, "x", "9" * 25, [])),
    ],
)
def test_integer(value: Any, expected: int | None) -> None:
    """Whole numbers that fit a database column, from numbers or digits."""
    assert fields.integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True),
        ("FALSE", False),
        (True, True),
        (False, False),
        ("1", True),
        (0, False),
        ("", None),
        (None, None),
        ("maybe", None),
    ],
)
def test_flag(value: Any, expected: bool | None) -> None:
    """Truth values come as booleans or words of any case."""
    assert fields.flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("WK1", "WK1"),
        ("WK" + "0" * 24, "WK" + "0" * 24),
        *((odd, None) for odd in ("", "two words", "a\nb", "x" * 65, None, 5)),
    ],
)
def test_sid(value: Any, expected: str | None) -> None:
    """Sids are judged by what they must not contain, not by their length of 34."""
    assert fields.sid(value) == expected


def test_text_is_cut_and_storable() -> None:
    """Texts are trimmed, cut at 255 characters and free of what databases refuse."""
    assert fields.text("  a\x00b  ") == "ab"
    assert fields.text("x" * 300) == "x" * 255
    assert fields.text("half \ud83d pair") == "half ? pair"
    assert fields.text(" \x00 ") is None


@pytest.mark.parametrize("value", [None, "", "null", "[1]", '"a"', "{", "[" * 5000, "9" * 5000, 7, b"{}"])
def test_attributes_that_are_no_object_are_empty(value: Any) -> None:
    """Attributes are written by users: everything but an object counts as none."""
    assert fields.attributes(value) == {}


def test_path_prefers_the_exact_key() -> None:
    """With uuid and UUID side by side (reference 13, row 12) the configured spelling wins."""
    both = {"UUID": "upper", "uuid": "lower"}
    assert fields.at_path(both, ("uuid",)) == "lower"
    assert fields.at_path(both, ("UUID",)) == "upper"
    assert fields.at_path({"Uuid": "any"}, ("uuid",)) == "any"
    assert fields.at_path({"a": [1]}, ("a", "b")) is None


@RELAXED
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.binary()), lambda x: st.lists(x)
    )
)
def test_no_reader_ever_raises(value: Any) -> None:
    """Any value of any type gives a value or None."""
    for reader in (
        fields.text,
        fields.lower,
        fields.sid,
        fields.integer,
        fields.flag,
        fields.epoch_ms,
        fields.attributes,
    ):
        reader(value)
    fields.at_path(value, ("a",))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Voice ", "voice"),
        ("Follow-Up", "follow-up"),
        ("custom_channel.2 b", "custom_channel.2 b"),
        ("x" * 32, "x" * 32),
        *((odd, None) for odd in ("x" * 33, "12345", "+1555", "1-5.5 5_0", "Zoë", "a@b", "a\nb", "", " ", 7, None)),
    ],
)
def test_word(value: Any, expected: str | None) -> None:
    """A short plain word is kept; what may be a name, a number, an address or a sentence is nothing."""
    assert fields.word(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Task TTL Exceeded ", "Task TTL Exceeded"),
        ("Zurück 1234", "Zurück 1234"),
        ("a" * 63 + " tail", "a" * 63),
        *(
            (odd, None)
            for odd in ("call 555-0123", "(41) 5 55 0", "٠١٢٣٤", "ann@example.com", "a " * 99 + "12345", "", 7)
        ),
    ],
)
def test_reason(value: Any, expected: str | None) -> None:
    """The first 64 characters of a reason, and nothing of one that holds a number or an address, wherever it stands."""
    assert fields.reason(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("WQ1", "WQ1"),
        ("WK" + "0" * 32, "WK" + "0" * 32),
        ("+15550102", None),
        ("client:ann", None),
        ("ann", None),
        ("", None),
    ],
)
def test_transfer_target(value: str, expected: str | None) -> None:
    """A transfer leads to a worker or a queue; a number or a name is not kept."""
    assert fields.transfer_target(value) == expected

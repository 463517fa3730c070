"""Where values stand in a JSON text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.wfm.contract.check.positions import locate, oddities
from flex_plugin_backend.wfm.contract.findings import pointer_join


def _pointers(value: Any, at: str = "") -> list[tuple[str, Any]]:
    found = [(at, value)]
    if isinstance(value, dict):
        for name, inner in value.items():
            found.extend(_pointers(inner, pointer_join(at, name)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found.extend(_pointers(inner, pointer_join(at, index)))
    return found


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_pointer_leads_to_its_value(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    """What stands at the place of a pointer reads as the value that the pointer names, in line and column too."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    wanted = _pointers(value)
    places = locate(text, [pointer for pointer, _ in wanted])
    lines = text.split("\n")
    for pointer, inner in wanted:
        place = places[pointer]
        assert place.exact
        assert json.loads(text[place.start : place.end]) == inner
        assert lines[place.line - 1][place.column - 1] == text[place.start]


def test_columns_count_characters() -> None:
    """Tabs, umlauts and emoji count one column each, and CRLF ends one line."""
    text = '{\r\n\t"ä😀": 1, "b": [true,\t7]}'
    place = locate(text, ["/b/1"])["/b/1"]
    assert (place.line, place.column) == (2, 23)
    assert text.split("\n")[1][place.column - 1] == "7"


def test_what_is_missing_is_placed_at_what_should_hold_it() -> None:
    """A missing member has the place of its object, a step into a text that of the text."""
    text = '{"a": {"b": 1}, "c": "text"}'
    places = locate(text, ["/a/x/y", "/c/d", "/z"])
    assert {pointer: (place.column, place.exact) for pointer, place in places.items()} == {
        "/a/x/y": (7, False),
        "/c/d": (22, False),
        "/z": (1, False),
    }


def test_of_a_name_that_stands_twice_the_last_counts() -> None:
    """Readers take the last one, so that is the one a finding is about."""
    text = '{"a": {"b": 1}, "a": 2}'
    places = locate(text, ["/a", "/a/b"])
    assert places["/a"].column == places["/a/b"].column == 22
    assert not places["/a/b"].exact


def test_a_first_line_other_than_one() -> None:
    """A line of a larger file is placed in the file."""
    assert locate(' {"a": 1}', ["/a"], first_line=17)["/a"].line == 17


def test_oddities_are_found_where_they_are() -> None:
    """Names that stand twice and numbers that are none, with pointers that are escaped."""
    text = '[{"a/b": 1, "c": {"d": NaN, "d": -Infinity}, "a/b": "a,b:{"}, 1e999]'
    assert [(odd.what, odd.pointer, text[odd.start : odd.end]) for odd in oddities(text)] == [
        ("number", "/0/c/d", "NaN"),
        ("twice", "/0/c/d", '"d"'),
        ("number", "/0/c/d", "-Infinity"),
        ("twice", "/0/a~1b", '"a/b"'),
        ("number", "/1", "1e999"),
    ]


@given(_JSON)
def test_an_ordinary_text_has_no_oddities(value: Any) -> None:
    """Nothing is found in what json writes."""
    assert oddities(json.dumps(value)) == []

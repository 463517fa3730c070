"""Texts that are no JSON, or JSON that should not pass: each is a finding with its place, never a traceback."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from check_files import Put, Run, said, state, states

_ROW = '{"agentId":"WK1","agentValue":"WK1","eventId":"AVAILABLE","eventReason":"","startTime":"2026-03-02T09:15:00Z"}'


@pytest.mark.parametrize(
    ("content", "rule", "place", "words"),
    [
        (b'{"a": 1,}', "J01", (1, 8), "comma"),
        (b'{"a": [1,\n2,\n]}', "J01", (2, 2), "comma"),
        (b"{'a': 1}", "J01", (1, 2), "quote"),
        (b'{"a": 1 // why\n}', "J01", (1, 9), "comment"),
        (b'{"a": 1', "J01", (1, 8), "too early"),
        (b'{"a": 1} x', "J01", (1, 10), "follows"),
        (b'{"a": "line\nbreak"}', "J01", (1, 12), "control character"),
        (b"\xff\xfe{\x00}\x00", "J02", (1, 1), "UTF-16"),
        (b'{"a":\n "\xe4"}', "J02", (2, 3), "0xe4"),
        (b"", "J08", (1, 1), "nothing"),
        (b" \r\n\t", "J08", (1, 1), "nothing"),
        (b"\xef\xbb\xbf", "J08", (1, 1), "nothing"),
        (b"[" * 5000, "J06", (1, 1), "nested"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "J09", (1, 1), "no payload"),
        (b'{"acdType": ' + b"9" * 5000 + b"}", "J05", (1, 13), "number"),
        (b"17", "J09", (1, 1), "no payload"),
        (b'["text"]', "J09", (1, 2), "no payload"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_a_text_that_cannot_be_taken(
    put: Put, run: Run, content: bytes, rule: str, place: tuple[int, int], words: str
) -> None:
    """The finding names the rule, the place and what is wrong."""
    result = run(put("a.json", content))
    found = [item for item in result.findings if item.finding.rule == rule]
    assert len(found) == 1
    assert (found[0].line, found[0].column) == place
    assert words in found[0].finding.message.replace("is like no payload", "is no payload")
    assert result.exit == 1


def test_a_byte_order_mark_is_a_warning_and_hides_nothing(put: Put, run: Run) -> None:
    """What stands behind it is checked."""
    result = run(put("a.json", b"\xef\xbb\xbf" + f'{{"acdType":"T","agentStates":[{_ROW}]}}'.encode()))
    assert said(result) == [("J03", "")]
    assert (result.warnings, result.errors, result.exit) == (1, 0, 0)
    assert result.payloads == 1


def test_a_name_twice_and_a_number_that_is_none(put: Put, run: Run) -> None:
    """Both are found beside what the rules find."""
    row = _ROW.replace('"eventReason":""', '"eventReason":"","eventReason":NaN')
    result = run(put("a.json", f'{{"acdType":"T","agentStates":[{row}]}}'))
    assert said(result) == [
        ("J04", "/agentStates/0/eventReason"),
        ("J05", "/agentStates/0/eventReason"),
        ("S01", "/agentStates/0/eventReason"),
    ]


def test_half_a_character_is_found_and_the_other_rows_are_checked(put: Put, run: Run) -> None:
    """Half of a surrogate pair cannot be checked for shape; the rows beside it are."""
    bad = state() | {"agentId": "\ud83d"}
    result = run(put("rows.ndjson", [bad, state(event="ELSEWHERE")]))
    assert said(result) == [("J07", "/agentId"), ("M06", "/eventId")]


def test_a_payload_nested_too_deeply_does_not_hide_its_neighbour(put: Put, run: Run) -> None:
    """A deep value is one finding; the payload beside it is checked."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    result = run(put("a.json", [states(state()) | {"acdType": deep}, states(state(event="ELSEWHERE"))]))
    assert said(result) == [("J06", "/0"), ("M06", "/1/agentStates/0/eventId")]


def test_half_a_character_far_down_is_no_traceback(put: Put, run: Run) -> None:
    """Deeper than any payload; its place is the one a hundred levels down."""
    result = run(put("a.json", "[" * 700 + r'"\ud800"' + "]" * 700))
    assert [(found.finding.rule, found.pointer) for found in result.findings] == [("J07", "/0" * 100), ("J09", "/0")]


def test_crlf_and_blank_lines_are_no_findings(put: Put, run: Run) -> None:
    """Line ends of Windows and blank lines are passed over, and counted."""
    result = run(put("a.ndjson", f"\r\n{_ROW}\r\n\r\n{_ROW.replace('AVAILABLE', 'ELSEWHERE')}\r\n"))
    assert [(found.line, found.column) for found in result.findings] == [(4, 47)]
    assert result.payloads == 2


def test_gzip_is_unpacked_and_a_torn_one_is_unread(put: Put, run: Run) -> None:
    """A compressed file is checked; one that ends too early is named, with what could be read of it."""
    packed = gzip.compress(_ROW.encode() + b"\n")
    assert run(put("a.ndjson.gz", packed)).payloads == 1
    result = run(put("b.ndjson.gz", packed[:-20]))
    assert result.exit == 3
    assert "b.ndjson.gz" in result.unread[0].name


def test_blank_lines_alone_are_nothing(put: Put, run: Run) -> None:
    """Beside other files too, so that an export that failed does not pass unseen."""
    result = run(put("a.ndjson", "\n\n \n"), put("b.json", states()))
    assert said(result) == [("J08", "")]
    assert result.exit == 1

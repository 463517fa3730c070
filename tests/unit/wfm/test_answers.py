"""Reading of answers: every row of the failure table, Retry-After, the shapes of bodies, hidden secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.wfm import FailureKind, RejectedRow, WFMReportResponseDTO
from flex_plugin_backend.wfm.answers import Answer, kind_of, read_response, retry_after_s
from flex_plugin_backend.wfm.contract import load_profile

PROFILE = load_profile()

TABLE = {
    FailureKind.UNAUTHORIZED: [401],
    FailureKind.FORBIDDEN: [403, 407, 301, 308],
    FailureKind.PASSING: [408, 425, 429, 500, 501, 502, 503, 504, 599, 302, 303, 304, 307, 199, 600, 999],
    FailureKind.CONTENT: [400, 404, 413, 422, 402, 405, 406, 409, 410, 415, 418, 451],
}


@pytest.mark.parametrize(("kind", "status"), [(kind, status) for kind, row in TABLE.items() for status in row])
def test_classification(kind: FailureKind, status: int) -> None:
    """Each status outside 2xx asks for what the failure table says."""
    assert kind is kind_of(status)


NOW_S = 1_772_442_900.0  # Mon, 02 Mar 2026 09:15:00 GMT
RETRY_AFTER = [
    ("120", {}, 120.0),
    ("0", {}, 0.0),
    (" 7 ", {}, 7.0),
    ("1.5", {}, 1.5),
    ("999999999", {}, 86_400.0),
    ("Mon, 02 Mar 2026 09:16:30 GMT", {}, 90.0),
    ("Mon, 02 Mar 2026 09:14:00 GMT", {}, 0.0),
    ("Mon, 02 Mar 2026 10:16:30 +0100", {}, 90.0),
    # The service's clock is an hour ahead of ours: its own Date counts.
    ("Mon, 02 Mar 2026 10:16:00 GMT", {"date": "Mon, 02 Mar 2026 10:15:00 GMT"}, 60.0),
    ("soon", {}, None),
    ("-5", {}, None),
    ("", {}, None),
    ("1e9", {}, None),
    ("٣", {}, None),
    ("Mon, 99 Mar 2026 09:16:30 GMT", {}, None),
]


@pytest.mark.parametrize(("value", "headers", "expected"), RETRY_AFTER)
def test_retry_after(value: str, headers: dict[str, str], expected: float | None) -> None:
    """Seconds and HTTP dates are understood, what makes no sense is as if absent."""
    assert expected == retry_after_s({"retry-after": value, **headers}, NOW_S)


@given(st.text(max_size=40))
def test_retry_after_never_fails(value: str) -> None:
    """Any header gives bounded seconds or nothing."""
    found = retry_after_s({"retry-after": value}, NOW_S)
    assert found is None or 0 <= found <= 86_400


def _read(
    status: int, body: Any, headers: dict[str, str] | None = None, rows: int | None = None
) -> WFMReportResponseDTO:
    text = body if isinstance(body, str) else json.dumps(body)
    return read_response(PROFILE, Answer(status, headers or {}, text), ("S3CRET",), rows)


SHAPES = [
    (
        {"code": "E1", "details": "startDate missing", "hostName": "h", "entityType": "X", "errors": ["a"]},
        ("E1", None, "startDate missing"),
    ),
    ({"code": 17, "hostname": "h", "errors": [{"field": "x"}]}, ("17", None, '[{"field": "x"}]')),
    (
        {"timestamp": "t", "status": 401, "error": "Unauthorized", "message": "bad token", "path": "/p"},
        ("Unauthorized", "bad token", None),
    ),
    ({"error": "invalid_grant", "errorDescription": "no such key"}, ("invalid_grant", "no such key", None)),
    ({"error": "invalid_grant", "error_description": "no such key"}, ("invalid_grant", "no such key", None)),
    ({"unheard": "of"}, (None, None, None)),
    ([1, 2], (None, None, None)),
    ("<html>busy</html>", (None, None, None)),
    ("", (None, None, None)),
    ("{" * 5000, (None, None, None)),
    ("[" * 100_000, (None, None, None)),
    ({"rejectedRows": "none", "message": "odd"}, (None, "odd", None)),
]


@pytest.mark.parametrize(("body", "expected"), SHAPES)
def test_error_shapes(body: Any, expected: tuple[str | None, ...]) -> None:
    """The three error shapes of CXone services are understood, and nothing else does harm."""
    response = _read(400, body)
    assert (400, *expected) == (response.status, response.code, response.message, response.details)


def test_the_message_may_sit_in_a_header() -> None:
    """Without a message in the body the one in the header is taken."""
    assert _read(404, "", {"icstatusdescription": "no such agent"}).message == "no such agent"
    assert _read(404, {"message": "body"}, {"icstatusdescription": "header"}).message == "body"


def test_rejected_rows_are_named() -> None:
    """A 2xx that names rejected rows gives them with position, code and message, sorted."""
    body = {"acceptedRows": 1, "rejectedRows": [{"index": "2", "code": "E2"}, {"index": 0, "message": "unknown agent"}]}
    response = _read(200, body, rows=3)
    assert response.accepted == 1
    assert (RejectedRow(index=0, message="unknown agent"), RejectedRow(index=2, code="E2")) == response.rejected
    assert response.unplaced_rejections == 0


@pytest.mark.parametrize("index", [-1, 3, None, "x", 1.5, True, [0], "9999999999999", float("nan"), float("inf")])
def test_a_rejected_row_without_a_usable_position_blames_nobody(index: object) -> None:
    """A position outside the request, or none, is counted and put on no row."""
    response = _read(200, {"rejectedRows": [{"index": index}]}, rows=3)
    assert (response.rejected, response.unplaced_rejections) == ((), 1)


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", "null", "{}", '{"rejectedRows": null}', '{"rejectedRows": [5]}']
)
def test_success_needs_no_sensible_body(body: str) -> None:
    """Whatever a 2xx holds, reading it does not fail."""
    response = _read(202, body, rows=1)
    assert (response.status, response.rejected) == (202, ())


def test_secrets_are_hidden_wherever_they_are() -> None:
    """A secret that the service sends back shows in no part of the response, escaped or not."""
    body = '{"message": "key S3CRET", "details": {"S3CRET": ["S3CRET"]}, "code": "\\u00533CRET"}'
    response = _read(400, body, {"icstatusdescription": "S3CRET"})
    text = repr(response) + str(response.to_plain())
    assert "S3CRET" not in text
    assert response.message == "key [hidden]"
    assert "S3CRET" not in repr(Answer(200, {"x": "S3CRET"}, "S3CRET"))


def test_long_bodies_are_cut() -> None:
    """Only the beginning of a long body is kept as text; what it says is read from all of it."""
    response = _read(200, {"padding": "x" * 100_000, "message": "m" * 5000, "rejectedRows": [{"index": 0}]}, rows=1)
    assert (len(response.raw), len(response.message or ""), len(response.rejected)) == (4000, 1000, 1)


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["code", "message", "details", "rejectedRows", "index", "error"]), inner)
        ),
        max_leaves=12,
    )
)
def test_reading_never_fails(body: Any) -> None:
    """No JSON value makes the reading of an answer fail."""
    assert _read(200, body, rows=2).status == 200


def test_a_profile_moves_the_rejected_rows(tmp_path: Path) -> None:
    """The names in answers come from the profile as well."""
    path = tmp_path / "p.toml"
    path.write_text(
        '[profile]\nextends = "default"\n[dto.WFMReportResponseDTO.fields]\nrejected = "failures"\n'
        '[dto.RejectedRow.fields]\nindex = "row"\n'
    )
    answer = Answer(200, {}, '{"failures": [{"row": 1}]}')
    assert (RejectedRow(index=1),) == read_response(load_profile(path), answer, (), 2).rejected

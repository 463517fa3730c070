"""What the contract forbids is refused, with an error that names the field."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests import rows
from contract_tests.options import profile_of
from contract_tests.target import Reply, Target
from flex_plugin_backend.wfm.contract import Dto, Field, FieldType

# What is sent, and where its rows stand: operation -> canonical name of the list.
_LISTS = {
    "agent_states": ("agent_states",),
    "agent_activity": ("report_data",),
    "queue_report": ("queue_report", "agent_queue_report", "agent_system_performance_report"),
}
_WRONG_TYPE: dict[FieldType, Any] = {
    FieldType.STRING: {"not": "a text"},
    FieldType.TIME: "yesterday",
    FieldType.DURATION: "soon",
    FieldType.INTEGER: "many",
    FieldType.NUMBER: "many",
    FieldType.BOOLEAN: "perhaps",
    FieldType.ARRAY: {"not": "a list"},
    FieldType.OBJECT: "not an object",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each required field of each request."""
    if "place" in metafunc.fixturenames:
        places = _places(metafunc.config)
        metafunc.parametrize("place", places, ids=["/".join(place) for place in places])


def _places(config: pytest.Config) -> list[tuple[str, ...]]:
    """(operation, field) of the request itself, and (operation, list, field) of its rows."""
    profile = profile_of(config)
    found: list[tuple[str, ...]] = []
    for operation, lists in _LISTS.items():
        dto = profile.dto(profile.endpoint(operation).request or "")
        found += [(operation, field.name) for field in dto.fields.values() if field.required]
        for name in lists:
            if name in dto.fields:
                row = profile.dto(dto.fields[name].of or "")
                found += [(operation, name, field.name) for field in row.fields.values() if field.required]
    return found


def test_a_missing_field(target: Target, place: tuple[str, ...]) -> None:
    """A request or row that lacks a required field is refused, and the error names the field."""
    payload, holder, field = _located(target, place)
    del holder[field.wire]
    _refused(target, place, payload, field)


def test_a_null(target: Target, place: tuple[str, ...]) -> None:
    """Null in place of a required value is refused; an empty part is an empty array, not null."""
    payload, holder, field = _located(target, place)
    if field.nullable:
        pytest.skip("the profile allows null here")
    holder[field.wire] = None
    _refused(target, place, payload, field)


def test_a_value_of_the_wrong_type(target: Target, place: tuple[str, ...]) -> None:
    """A value of another type is refused, and the error names the field."""
    payload, holder, field = _located(target, place)
    if field.type is FieldType.ANY:
        pytest.skip("the profile allows any value here")
    holder[field.wire] = _WRONG_TYPE[field.type]
    _refused(target, place, payload, field)


@pytest.mark.parametrize("operation", list(_LISTS))
def test_an_unknown_event_or_an_unaligned_interval(target: Target, operation: str) -> None:
    """An event id that is not in the profile, and an interval beside the grid, are refused."""
    payload = rows.payload(target, operation)
    if operation == "agent_states":
        dto, field = _row(target, operation, "agent_states", "event_id")
        payload[dto.fields["agent_states"].wire][0][field.wire] = "NO-SUCH-EVENT"
        _refused(target, (operation, "agent_states", "event_id"), payload, field)
        return
    dto = target.profile.dto(target.profile.endpoint(operation).request or "")
    if "start_ms" not in dto.fields:
        pytest.skip("the profile's report names no start")
    field = dto.fields["start_ms"]
    payload[field.wire] = target.profile.format_time(target.marks.start_ms + 60_000)
    _refused(target, (operation, "start_ms"), payload, field)


@pytest.mark.parametrize("operation", list(_LISTS))
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe"], ids=repr)
def test_a_body_that_is_no_object(target: Target, operation: str, body: bytes) -> None:
    """What is no JSON object is refused as a bad request, not as a fault of the service."""
    reply = target.send(operation, body)
    assert 400 <= reply.status < 500, str(reply)


def test_one_bad_row_among_good_ones(target: Target) -> None:
    """The whole batch is refused, or the bad row alone, by its position; it is never taken in silence."""
    profile, marks, now_ms = target.profile, target.marks, rows.now_ms()
    good = [{**rows.state(profile, marks, now_ms), "agent_id": f"{marks.agent_id}-{number}"} for number in range(3)]
    payload = target.states(*good)
    dto, field = _row(target, "agent_states", "agent_states", "event_id")
    payload[dto.fields["agent_states"].wire][1][field.wire] = "NO-SUCH-EVENT"
    reply = target.send("agent_states", payload)
    if reply.ok:
        assert _rejected(target, reply) == [1], f"the bad row is not named. {reply}"
    else:
        _refused(target, ("agent_states", "agent_states", "event_id"), payload, field)


# --------------------------------------------------------------------------------------------------- helpers


def _located(target: Target, place: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any], Field]:
    """A good payload, the object in it that holds the field, and the field."""
    operation, *steps = place
    payload = rows.payload(target, operation)
    dto = target.profile.dto(target.profile.endpoint(operation).request or "")
    if len(steps) == 1:
        return payload, payload, dto.fields[steps[0]]
    _, field = _row(target, operation, steps[0], steps[1])
    return payload, payload[dto.fields[steps[0]].wire][0], field


def _row(target: Target, operation: str, part: str, field: str) -> tuple[Dto, Field]:
    dto = target.profile.dto(target.profile.endpoint(operation).request or "")
    return dto, target.profile.dto(dto.fields[part].of or "").fields[field]


def _refused(target: Target, place: tuple[str, ...], payload: dict[str, Any], field: Field) -> None:
    """4xx about the content, or a refused row; either names the field as it stands on the wire."""
    reply = target.send(place[0], payload)
    if reply.ok:
        assert _rejected(target, reply), f"{'/'.join(place)}: taken in silence. {reply}"
    else:
        assert reply.status in (400, 404, 409, 413, 422), f"{'/'.join(place)}: {reply}"
    assert field.wire in reply.text, f"the error does not name {field.wire!r}. {reply}"


def _rejected(target: Target, reply: Reply) -> list[int]:
    body = reply.json()
    if not isinstance(body, dict):
        return []
    found = target.profile.decode("WFMReportResponseDTO", body).get("rejected") or []
    return [row["index"] for row in found if isinstance(row, dict) and isinstance(row.get("index"), int)]

"""Translation between canonical and wire form, and the JSON Schemas: they agree for every value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.wfm.contract import ContractError, Dto, Field, FieldType, Profile, load_profile
from flex_plugin_backend.wfm.contract.formats import DURATION_FORMATS, TIME_FORMATS

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"
LOADED = {
    name: load_profile(path) for name, path in {"default": "default", "renamed": PROFILES / "renamed.toml"}.items()
}
MAX_MS = 253_402_300_799_999


def _values(profile: Profile, field: Field) -> st.SearchStrategy[Any]:
    if field.type is FieldType.ARRAY:
        return st.lists(_plain(profile, profile.dto(field.of or "")), max_size=3)
    if field.type is FieldType.OBJECT:
        return _plain(profile, profile.dto(field.of or ""))
    simple: dict[FieldType, st.SearchStrategy[Any]] = {
        FieldType.STRING: st.text(min_size=1, max_size=8),
        FieldType.ANY: st.text(max_size=8),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.INTEGER: st.integers(0, 10**9),
        FieldType.NUMBER: st.floats(0, 100),
        FieldType.DURATION: st.integers(0, 10**8),
        FieldType.TIME: st.integers(0, MAX_MS // 1000).map(lambda second: second * 1000),
    }
    return simple[field.type]


def _plain(profile: Profile, dto: Dto) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: _values(profile, field) for name, field in dto.fields.items() if field.required}
    optional = {name: _values(profile, field) for name, field in dto.fields.items() if not field.required}
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("dto", sorted(LOADED["default"].dtos))
@pytest.mark.parametrize("name", sorted(LOADED))
def test_round_trip(name: str, dto: str) -> None:
    """What is encoded decodes to itself, and fits the JSON Schema of the same profile."""
    profile = LOADED[name]
    schema = jsonschema_rs.Draft202012Validator(profile.json_schema(dto))

    @given(_plain(profile, profile.dto(dto)))
    def check(plain: dict[str, Any]) -> None:
        wire = profile.encode(dto, plain)
        back = profile.decode(dto, wire)
        assert plain == {key: value for key, value in back.items() if key in plain}
        assert schema.is_valid(wire)

    check()


@given(ms=st.integers(0, MAX_MS), name=st.sampled_from(sorted(TIME_FORMATS)))
def test_instants_are_cut_never_rounded(ms: int, name: str) -> None:
    """Every time format gives an instant back, cut to its resolution."""
    form = TIME_FORMATS[name]
    assert ms - ms % form.resolution_ms == form.read(form.write(ms))


@given(seconds=st.integers(0, 10**9), name=st.sampled_from(sorted(DURATION_FORMATS)))
def test_durations_come_back(seconds: int, name: str) -> None:
    """Every duration format gives whole seconds back."""
    form = DURATION_FORMATS[name]
    assert seconds == form.read(form.write(seconds))


@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())))
def test_reading_rubbish_is_a_value_error(value: object) -> None:
    """Whatever stands on the wire, a format reads it or raises ValueError."""
    for form in (*TIME_FORMATS.values(), *DURATION_FORMATS.values()):
        try:
            assert isinstance(form.read(value), int)
        except ValueError:
            continue


@pytest.mark.parametrize(("name", "example"), [(name, form.example) for name, form in TIME_FORMATS.items()])
def test_examples_of_times_are_true(name: str, example: str) -> None:
    """The example that a message shows is of that format."""
    value = int(example) if name.startswith("epoch") else example
    assert value == TIME_FORMATS[name].write(TIME_FORMATS[name].read(value))


def test_defaults_copies_and_drops() -> None:
    """Missing values are taken from the profile: a default, a sibling; what it leaves off is not sent."""
    plain = {"agent_id": "WK1", "event_id": "AVAILABLE", "start_ms": 1_772_442_900_250, "agent_value": None}
    default = LOADED["default"].encode("AgentState", plain)
    assert default == {
        "agentId": "WK1",
        "agentValue": "WK1",
        "eventId": "AVAILABLE",
        "eventReason": "",
        "startTime": "2026-03-02T09:15:00Z",
    }
    renamed = LOADED["renamed"].encode("AgentState", {**plain, "agent_value": "Ana"})
    assert renamed == {
        "loginId": "WK1",
        "userId": "WK1",
        "stateCode": "AVAILABLE",
        "eventReason": "",
        "startTime": "2026-03-02T09:15:00.250Z",
    }


def test_the_refresh_request_is_as_on_nices_page() -> None:
    """updateCookie and toggleEnabled are sent as in the documented example."""
    wire = LOADED["default"].encode("RefreshTokenRequest", {"refresh_token": "r"})
    assert wire == {"token": "r", "updateCookie": True, "toggleEnabled": False}


def test_both_token_answers_decode_to_the_same_names() -> None:
    """The login answer and the refresh answer name their fields differently; inside they are alike."""
    profile = LOADED["default"]
    login = profile.decode("AccessTokenResponse", {"access_token": "a", "expires_in": 3600, "refresh_token": "r"})
    refresh = profile.decode(
        "RefreshTokenResponse", {"token": "a", "tokenExpirationTimeSec": 3600, "refreshToken": "r", "sessionId": None}
    )
    assert login == {key: refresh[key] for key in login}
    assert refresh["session_id"] is None


BAD = [
    ({"event_id": "AVAILABLE", "start_ms": 0}, "agent_id is required"),
    ({"agent_id": "a", "event_id": "AVAILABLE", "start_ms": 0, "colour": "red"}, "no field 'colour'"),
    ({"agent_id": "a", "event_id": "AVAILABLE", "start_ms": -1}, "start_ms cannot be written"),
    ({"agent_id": "a", "event_id": "AVAILABLE", "start_ms": MAX_MS + 1}, "start_ms cannot be written"),
    ({"agent_id": "a", "event_id": "AVAILABLE", "start_ms": "now"}, "start_ms cannot be written"),
]


@pytest.mark.parametrize(("plain", "problem"), BAD)
def test_encode_refuses(plain: dict[str, Any], problem: str) -> None:
    """A missing, unknown or unwritable value is a ContractError that names the place."""
    with pytest.raises(ContractError, match=problem) as caught:
        LOADED["default"].encode("AgentStateListDTO", {"acd_type": "T", "agent_states": [plain]})
    assert "agent_states[0]" in str(caught.value)


@pytest.mark.parametrize("wire", [None, [], "x", {"agentStates": {}}, {"agentStates": [1]}])
def test_decode_refuses_what_makes_no_sense(wire: object) -> None:
    """A value of a hopeless type is a ContractError."""
    with pytest.raises(ContractError):
        LOADED["default"].decode("AgentStateListDTO", wire)


def test_decode_leaves_the_unknown_out() -> None:
    """Unknown and missing fields of an answer do no harm."""
    assert LOADED["default"].decode("AcdDetails", {"acdType": "T", "new": {"deep": [1]}}) == {"acd_type": "T"}


def test_other_names_are_read_but_not_written() -> None:
    """A field may be read under several names and is written under one."""
    profile = LOADED["default"]
    assert profile.decode("ValidationError", {"hostName": "h"}) == {"hostname": "h"}
    assert profile.encode("ValidationError", {"hostname": "h"}) == {"hostname": "h"}

"""Callbacks: every sample file gives what it says, and nothing that is not on the allow-list is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.errors import MalformedEvent
from flex_plugin_backend.taskrouter.callbacks import FormFields, build_event, event_from_form

# The first text drawn in a process builds tables, which takes a while on a busy machine.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

CALLBACKS = Path(__file__).parents[3] / "fixtures" / "callbacks"
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(CALLBACKS.glob("*.json"))}
ACCEPTED = [name for name, case in CASES.items() if "expect" in case]
REFUSED = [name for name, case in CASES.items() if "refused" in case]


def read(case: dict[str, Any]) -> TaskRouterEvent:
    path = tuple(case["agent_path"]) if "agent_path" in case else None
    return event_from_form(FormFields.parse(urlencode(case["form"]).encode()), path)


@pytest.mark.parametrize("name", ACCEPTED)
def test_sample_gives_the_expected_event(name: str) -> None:
    """The fields that the sample file names come out as it says."""
    event = read(CASES[name])
    expected = CASES[name]["expect"]
    assert {field: getattr(event, field) for field in expected} == expected


@pytest.mark.parametrize("name", ACCEPTED)
def test_sample_survives_the_ledger(name: str) -> None:
    """The record can be written as UTF-8 JSON and read back unchanged."""
    event = read(CASES[name])
    stored = json.dumps(event.to_record(), ensure_ascii=False).encode("utf-8")
    assert TaskRouterEvent.from_record(json.loads(stored)) == event


@pytest.mark.parametrize("name", ACCEPTED)
def test_sample_keeps_no_customer_data(name: str) -> None:
    """Descriptions, attributes, phone numbers and customers' names do not reach the record."""
    stored = json.dumps(read(CASES[name]).to_record(), ensure_ascii=False)
    for private in ("+1555", "Ann", "full_name", "Ünal", "happened", "participants", "client:zoe"):
        assert private not in stored


@pytest.mark.parametrize("name", REFUSED)
def test_refused_sample_says_why(name: str) -> None:
    """A body that is no event gets a message that names what is missing."""
    with pytest.raises(MalformedEvent, match=CASES[name]["refused"]):
        read(CASES[name])


def test_the_samples_were_found() -> None:
    """A moved folder must not turn these tests into nothing."""
    assert len(ACCEPTED) > 40
    assert len(REFUSED) >= 3


# -- identity without Sid -------------------------------------------------------------------------------------------


def changed(**fields: str) -> str:
    case = CASES["no-sid"]
    return read({"form": {**case["form"], **fields}}).sid


def test_content_key_is_the_same_on_a_resend() -> None:
    """A retry of the same event without Sid is recognised, also when the time of sending or the description differ."""
    assert changed() == changed(Timestamp="1767607999", EventDescription="again")
    assert changed().startswith("CK")
    assert len(changed()) == 34


@pytest.mark.parametrize(
    "other",
    [
        {"TimestampMs": "1767607245124"},
        {"WorkerVersion": "18"},
        {"EventType": "worker.attributes.update"},
        {"ResourceSid": "WK00000000000000000000000000000002"},
    ],
)
def test_content_key_tells_events_apart(other: dict[str, str]) -> None:
    """Another time, version, type or resource is another event."""
    assert changed() != changed(**other)


# -- the form itself ------------------------------------------------------------------------------------------------


def test_plus_percent_and_utf8_are_decoded() -> None:
    """Form encoding: plus is a blank, percent escapes are UTF-8."""
    fields = FormFields.parse(b"A=a+b%20c&B=Zo%C3%AB&C=&D")
    assert [fields.get(name) for name in "ABCD"] == ["a b c", "Zoë", "", ""]
    assert fields.get("E") is None


def test_first_of_several_values_counts() -> None:
    """A repeated name gives its first value; all of them stay for the signature."""
    fields = FormFields.parse(b"A=1&A=2")
    assert fields.get("A") == "1"
    assert fields.getall("A") == ["1", "2"]


def test_a_flood_of_fields_is_malformed() -> None:
    """More fields than any event has are refused before they are all decoded."""
    with pytest.raises(MalformedEvent, match="fields"):
        FormFields.parse(b"&".join(b"a=" for _ in range(5000)))


@pytest.mark.parametrize("kind", ["x" * 129, "worker\ncreated", ""])
def test_event_type_must_be_a_name(kind: str) -> None:
    """An event type that is endless, has control signs or is empty is refused."""
    with pytest.raises(MalformedEvent, match="EventType"):
        read({"form": {**CASES["no-sid"]["form"], "EventType": kind}})


def test_numbers_and_booleans_are_read_as_well_as_texts() -> None:
    """The other routes deliver integers, booleans and objects under the same names; the reader is the same."""
    values = {
        "EventType": "activity.updated",
        "Sid": "EV1",
        "TimestampMs": 1767607245123,
        "ResourceSid": "WA1",
        "ActivitySid": "WA1",
        "ActivityAvailable": True,
        "TaskVersion": 3,
        "TaskAttributes": {"direction": "inbound"},
        "TaskDateCreated": "2026-01-05T09:59:59Z",
    }
    event = build_event(values.get, Route.STREAM)
    assert (event.activity_available, event.task_version, event.direction) == (True, 3, "inbound")
    assert event.task_created_ms == 1767607199000
    assert event.route is Route.STREAM


# -- in general -----------------------------------------------------------------------------------------------------

KEYS = sorted({key for case in CASES.values() for key in case["form"]})
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "0", "-1", "1e400", "nan", "null", "[]", "{}", "true", "\x00", "9" * 25, "2026-01-05", "WK1"]),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
        max_leaves=8,
    ).map(json.dumps),
)


@RELAXED
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=30))
def test_any_values_give_an_event_or_a_clear_refusal(values: dict[str, str]) -> None:
    """Whatever stands in the known fields, the result is a storable event or MalformedEvent."""
    body = "&".join(f"{quote_plus(k)}={quote_plus(v.encode('utf-8', 'replace'))}" for k, v in values.items())
    try:
        event = event_from_form(FormFields.parse(body.encode()), ("a", "b"))
    except MalformedEvent:
        return
    stored = json.dumps(event.to_record(), ensure_ascii=False).encode("utf-8")
    assert b"\\u0000" not in stored
    assert TaskRouterEvent.from_record(json.loads(stored)) == event
    assert event.sid
    assert event.occurred_ms > 0

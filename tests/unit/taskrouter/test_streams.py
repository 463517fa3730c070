"""Every sample under fixtures/streams: what is taken of a delivery, what is left, and what is set aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.domain.events import Route
from flex_plugin_backend.errors import MalformedEvent
from flex_plugin_backend.taskrouter.callbacks import FormFields, event_from_form
from flex_plugin_backend.taskrouter.streams import Owner, read_delivery
from simulator.twilio.cloud_event import batch
from simulator.world.engine import World
from simulator.world.events import callback_parameters
from simulator.world.scenario import Scenario

SAMPLES = sorted((Path(__file__).parents[3] / "fixtures" / "streams").glob("*.json"))
OWNER = Owner("AC1", "WS1")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample(path: Path) -> None:
    """What the sample says is what is found."""
    sample = json.loads(path.read_text())
    expect = sample["expect"]
    found = read_delivery(json.dumps(sample["body"]).encode(), OWNER)
    assert len(found.events) == len(expect["events"]), found.problems
    for event, wanted in zip(found.events, expect["events"], strict=True):
        assert event.route is Route.STREAM
        for name, value in wanted.items():
            got = getattr(event, name)
            assert got == value or (str(value).endswith("*") and str(got).startswith(value[:-1])), (name, got)
    assert found.ignored == expect.get("ignored", 0)
    assert found.tests == expect.get("tests", [])
    assert (found.refused, found.foreign) == (expect.get("refused", 0), expect.get("foreign", 0))
    assert len(found.problems) == found.refused


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"text"', b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_delivery(body: bytes) -> None:
    """What is no JSON, or neither object nor list, is refused as a whole."""
    with pytest.raises(MalformedEvent):
        read_delivery(body, OWNER)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "data", "payload", "id", "time", "timestamp", "sid", "test_id", "eventtype", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(body=st.lists(_JSON, max_size=5))
def test_no_json_makes_the_reader_stumble(body: list[Any]) -> None:
    """Whatever stands in a batch, each entry is taken, left out or set aside."""
    found = read_delivery(json.dumps(body).encode(), OWNER)
    assert len(found.events) + found.ignored + len(found.tests) + found.refused == len(body)


def test_a_day_of_events_is_the_same_by_stream_and_by_callback() -> None:
    """Every event of a simulated floor says the same by both routes."""
    scenario = Scenario(agents=8, seed=3)
    world = World(scenario)
    events = world.advance_to(scenario.start_ms + 2 * 3_600_000)
    assert len(events) > 200
    found = read_delivery(batch(events, account_sid="AC1", workspace_sid="WS1"), OWNER)
    assert found.refused == 0
    by_sid = {event.sid: event for event in found.events}
    compared = 0
    for one in events:
        form = callback_parameters(one, account_sid="AC1", workspace_sid="WS1", workspace_name="Flex")
        called = event_from_form(FormFields(form.items()))
        if one.sid in by_sid:
            compared += 1
            streamed = by_sid[one.sid].to_record()
            assert {**streamed, "route": "callback"} == {**called.to_record(), "route": "callback"}
    assert compared == len(found.events) > 150

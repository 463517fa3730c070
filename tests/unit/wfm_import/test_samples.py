"""JSON samples pasted from documentation become a profile through which they pass unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import Profile, Provenance, load_profile
from flex_plugin_backend.wfm.contract.importer import (
    Confidence,
    Draft,
    draft_profile,
    open_entries,
    read_samples,
    round_trips,
)
from flex_plugin_backend.wfm.contract.importer.samples import Sample, shapes_of

SAMPLES = Path(__file__).parents[3] / "fixtures" / "samples"


def _draft(folder: Path) -> Draft:
    return draft_profile(load_profile(), read_samples(folder)[0], name="pasted")


def _loaded(draft: Draft, folder: Path) -> Profile:
    file = folder / "pasted.toml"
    file.write_text(draft.toml, encoding="utf-8")
    return load_profile(file)


def test_objects_are_known_by_file_name_or_by_fields() -> None:
    """A file named after an endpoint is its body; one with the documented fields needs no name."""
    found = {one.dto.name: one.shape.label for one in _draft(SAMPLES).objects}
    assert found["AgentActivityReportDTO"] == "agent_activity.request"
    assert found["AgentStateListDTO"] == "agent_states"
    assert found["AccessTokenResponse"] == "token-answer"


def test_only_type_and_place_is_possible_and_stays_assumed(tmp_path: Path) -> None:
    """A list whose name says nothing and whose rows say little is taken for the one list that is wanted, as a guess."""
    (tmp_path / "AgentStateListDTO.json").write_text('{"acdType": "T", "zz": [{"qq": 1}]}')
    draft = _draft(tmp_path)
    pair = next(one for one in draft.objects[0].fields if one.ours.name == "agent_states")
    assert (pair.found.wire, pair.confidence) == ("zz", Confidence.POSSIBLE)
    origin = _loaded(draft, tmp_path).dto("AgentStateListDTO").fields["agent_states"].origin
    assert origin.provenance is Provenance.ASSUMED
    assert "type and place" in origin.why


def test_the_samples_pass_through_the_draft(tmp_path: Path) -> None:
    """Each sample is read with the drafted profile and written again as it was."""
    profile = _loaded(_draft(SAMPLES), tmp_path)
    trips = {trip.sample.name: trip for trip in round_trips(profile, read_samples(SAMPLES)[1])}
    assert len(trips) == 3
    assert [trip.problem for trip in trips.values()] == ["", "", ""]
    assert all(trip.ok for trip in trips.values())
    assert profile.time_format.name == "iso8601-ms-z"


def test_a_sample_that_does_not_pass_says_where(tmp_path: Path) -> None:
    """A field that the profile does not know is named with its place."""
    (tmp_path / "AcdDetails.json").write_text('{"acdType": "T", "region": "eu"}')
    (trip,) = round_trips(load_profile(), read_samples(tmp_path)[1])
    assert not trip.ok
    assert trip.problem == "/region is not in the profile"


def test_a_sample_of_nothing_known(tmp_path: Path) -> None:
    """A sample that fits no object says how to name it."""
    (tmp_path / "mystery.json").write_text('{"p": 1, "q": 2}')
    (trip,) = round_trips(load_profile(), read_samples(tmp_path)[1])
    assert (trip.dto, trip.ok) == (None, False)
    assert "name the file after" in trip.problem


def test_a_sample_does_not_prove_absence(tmp_path: Path) -> None:
    """What a sample does not show stays as the base profile has it."""
    (tmp_path / "QueueRow.json").write_text('{"queueId": "Q", "contactsReceived": 3}')
    profile = _loaded(_draft(tmp_path), tmp_path)
    assert profile.dto("QueueRow").fields["backlog"].wire == "backlog"
    assert profile.dto("QueueRow").dropped == frozenset()


def test_several_values_in_one_file_and_what_editors_leave(tmp_path: Path) -> None:
    """A byte order mark and several values one after the other are read."""
    (tmp_path / "AcdDetails.json").write_bytes(b'\xef\xbb\xbf{"acdType": "A"}\n\n{"acdType": "B"}\n')
    assert [sample.name for sample in read_samples(tmp_path)[1]] == ["AcdDetails#1", "AcdDetails#2"]


def test_what_is_no_json_is_named_and_hides_no_other(tmp_path: Path) -> None:
    """A broken file is a line in the list of problems; the others are read."""
    (tmp_path / "AcdDetails.json").write_text('{"acdType": "A"}')
    (tmp_path / "broken.json").write_text('{"acdType": ...}')
    (tmp_path / "number.json").write_text("7")
    evidence, samples = read_samples(tmp_path)
    assert [sample.name for sample in samples] == ["AcdDetails", "number"]
    assert [line.partition(":")[0] for line in evidence.problems] == ["broken.json", "number.json"]


@pytest.mark.parametrize("content", [None, "", "{", "NaN", "[" * 100_000])
def test_nothing_to_read(content: str | None, tmp_path: Path) -> None:
    """Where nothing can be read the message says what to do."""
    if content is not None:
        (tmp_path / "one.json").write_text(content)
    with pytest.raises(ContractError, match=r"into a \.json file of its own"):
        read_samples(tmp_path)


def test_open_entries_of_the_default_profile() -> None:
    """What the connector needs and nobody documents comes first; what is documented is not listed."""
    found = list(open_entries(load_profile()))
    assert [one.needed for one in found] == sorted((one.needed for one in found), reverse=True)
    where = {one.where for one in found}
    assert "endpoints.agent_states" in where
    assert "dto.AgentState.fields.event_id" in where
    assert "dto.AgentActivityReportDTO.fields.acd_type" not in where


_NAMES = st.text(min_size=1, max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=6), dto=st.sampled_from(list(load_profile().dtos)))
def test_any_object_makes_a_draft_that_loads(
    value: dict[str, object], dto: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever names and values a sample holds, the draft is TOML that loads as a profile."""
    folder = tmp_path_factory.mktemp("any")
    (folder / f"{dto}.json").write_text(json.dumps(value), encoding="utf-8")
    assert _loaded(_draft(folder), folder).name == "pasted"


@given(value=_VALUES)
def test_any_value_has_shapes_or_none(value: object) -> None:
    """Working out the shape of a value never fails, and only objects have one."""
    shapes = shapes_of(Sample("any", Path("any.json"), value))
    rows = value if isinstance(value, list) else [value]
    assert bool(shapes) == any(isinstance(row, dict) for row in rows)

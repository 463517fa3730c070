"""Loading of contract profiles: what is built in, what `extends` does, what is refused and how."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from flex_plugin_backend.wfm.contract import ContractError, Provenance, ReasonNeed, builtin_profiles, load_profile

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"
BROKEN = sorted((PROFILES / "broken").glob("*.toml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_profile_is_explained(path: Path) -> None:
    """A broken profile raises ContractError that names the file and says what is wrong and what to do."""
    expected = path.read_text().splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(ContractError) as caught:
        load_profile(path)
    text = str(caught.value)
    assert expected in text
    assert caught.value.facts["repair"]
    assert path.name in text or "nowhere" in text or "missing-file" in text


@pytest.mark.parametrize("name", ["nope", "", "../default", "/no/such/file.toml", "a\0b.toml"])
def test_unknown_profile_lists_the_known(name: str) -> None:
    """An unknown name or path is a ContractError that lists the built-in names."""
    with pytest.raises(ContractError, match="default"):
        load_profile(name)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8 is a ContractError, not a decoding error."""
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContractError, match="not TOML"):
        load_profile(path)


def test_the_default_is_built_in_and_loaded_once() -> None:
    """`default` comes with the package; loading it again gives the same object, and a profile passes through."""
    profile = load_profile()
    assert "default" in builtin_profiles()
    assert profile is load_profile("default")
    assert profile is load_profile(profile)
    assert profile.lineage == ("default",)


def test_the_default_states_the_provenance_of_everything() -> None:
    """Each entry of the default profile says by itself whether it is documented or assumed; sources are known."""
    text = (resources.files("flex_plugin_backend.wfm.contract") / "profiles" / "default.toml").read_text()
    raw = tomllib.loads(text)
    entries = [entry for name in ("formats", "limits", "http", "endpoints", "events") for entry in raw[name].values()]
    entries += raw["dto"].values()
    entries += [field for dto in raw["dto"].values() for field in dto["fields"].values()]
    assert len(entries) > 140
    assert {"documented", "assumed"} == {entry["provenance"] for entry in entries}
    named = {source for entry in entries for source in entry.get("source", "").split(", ") if source}
    assert named <= raw["sources"].keys()


def test_the_names_that_nice_documents_are_marked_so() -> None:
    """The fields NICE's page shows are documented; paths and the state schema, which it does not show, are assumed."""
    profile = load_profile()
    activity = profile.dto("AgentActivityReportDTO").fields
    assert {Provenance.DOCUMENTED} == {field.origin.provenance for field in activity.values()}
    assert {Provenance.ASSUMED} == {item.origin.provenance for item in profile.endpoints.values()}
    assert {Provenance.ASSUMED} == {field.origin.provenance for field in profile.dto("AgentState").fields.values()}


def test_extends_overrides_only_what_differs() -> None:
    """A profile that extends another keeps everything that it does not mention."""
    base, profile = load_profile(), load_profile(PROFILES / "renamed.toml")
    assert ("default", str(PROFILES / "renamed.toml")) == profile.lineage
    assert (profile.endpoint("agent_states").method, profile.endpoint("agent_states").path) == ("PUT", "/asc/v2/states")
    assert base.endpoint("token") == profile.endpoint("token")
    state = profile.dto("AgentState")
    assert [f.wire for f in state.fields.values()] == ["loginId", "stateCode", "eventReason", "startTime", "userId"]
    assert {"agent_value"} == state.dropped
    assert base.dto("AgentActivity") == profile.dto("AgentActivity")
    assert profile.event_id("AVAILABLE") == "READY"


def test_what_a_profile_sets_loses_the_provenance_of_its_base() -> None:
    """A documented name that is overridden without a word becomes assumed, set by the profile that did it."""
    profile = load_profile(PROFILES / "renamed.toml")
    fields = profile.dto("AgentState").fields
    assert (fields["agent_id"].origin.provenance, fields["agent_id"].origin.profile) == (Provenance.ASSUMED, "renamed")
    assert fields["agent_id"].origin.why == "set by profile renamed"
    assert (fields["event_id"].origin.provenance, fields["event_id"].origin.source) == (Provenance.DOCUMENTED, "DOC")
    assert fields["event_id"].origin.why == ""
    assert fields["start_ms"].origin.profile == "default"
    assert profile.dto("AgentState").origin.profile == "default"


def test_a_built_in_name_in_a_folder_with_a_file_of_that_name(tmp_path: Path) -> None:
    """`extends = "default"` means the built-in profile, whatever lies beside the file."""
    (tmp_path / "default.toml").write_text("broken =")
    mine = tmp_path / "mine.toml"
    mine.write_text('[profile]\nextends = "default"\n')
    assert load_profile(mine).name == "mine"


def test_extends_follows_relative_paths(tmp_path: Path) -> None:
    """A path in `extends` is taken from the folder of the file it stands in; lineage is the base first."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "site.toml").write_text('[profile]\nextends = "default"\n[events]\nwrapup = "ACW"\n')
    (tmp_path / "team.toml").write_text('[profile]\nextends = "base/site.toml"\n[events]\nlogoff = "OUT"\n')
    profile = load_profile(tmp_path / "team.toml")
    assert (profile.event_id("WRAPUP"), profile.event_id("OFFLINE")) == ("ACW", "OUT")
    assert [Path(name).name for name in profile.lineage] == ["default", "site.toml", "team.toml"]


CASES = [
    (("AVAILABLE", None, None), "AVAILABLE"),
    (("OFFLINE", None, None), "LOGOFF"),
    (("CONTACT", "voice", "inbound"), "CONTACT_VOICE"),
    (("CONTACT", "sms", None), "CONTACT_SMS"),
    (("CONTACT", "chat", "outbound"), "CONTACT_OUTBOUND"),
    (("CONTACT", "voice", "internal"), "CONTACT_INTERNAL"),
    (("CONTACT", "fax", "inbound"), "CONTACT_OTHER"),
    (("CONTACT", None, None), "CONTACT_OTHER"),
    (("RESERVED", "voice", "outbound"), "RESERVED"),
]


@pytest.mark.parametrize(("case", "expected"), CASES)
def test_event_ids(case: tuple[str, str | None, str | None], expected: str) -> None:
    """The event table goes by state, then direction, then channel."""
    assert expected == load_profile().event_id(*case)


def test_an_entry_for_channel_and_direction_beats_one_for_either(tmp_path: Path) -> None:
    """The most precise entry wins, and the order in the file does not matter."""
    path = tmp_path / "p.toml"
    path.write_text(
        '[profile]\nextends = "default"\n'
        '[events.out_voice]\nstate = "CONTACT"\nchannel = "voice"\ndirection = "outbound"\nid = "OUT_VOICE"\n'
    )
    profile = load_profile(path)
    assert profile.event_id("CONTACT", "voice", "outbound") == "OUT_VOICE"
    assert profile.event_id("CONTACT", "chat", "outbound") == "CONTACT_OUTBOUND"


def test_unknown_names_are_contract_errors() -> None:
    """Asking for an unknown state, endpoint or DTO says what there is."""
    profile = load_profile()
    with pytest.raises(ContractError, match="no event id for state LUNCH"):
        profile.event_id("LUNCH")
    with pytest.raises(ContractError, match="agent_states"):
        profile.endpoint("states")
    with pytest.raises(ContractError, match="AgentStateListDTO"):
        profile.dto("AgentStates")


def test_an_event_without_state_is_known_but_never_chosen() -> None:
    """An entry without a state lets an id pass validation and changes no lookup."""
    profile = load_profile(PROFILES / "renamed.toml")
    assert tuple(event.reason for event in profile.events_of("LUNCH")) == (ReasonNeed.NONE,)
    assert profile.event_id("UNAVAILABLE") == "UNAVAILABLE"

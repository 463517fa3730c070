"""flex-wfm contract show: every name with its provenance, as tables and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from flex_plugin_backend.cli import main
from flex_plugin_backend.wfm.contract import load_profile

RENAMED = Path(__file__).parents[3] / "fixtures" / "profiles" / "renamed.toml"


def _run(*words: str) -> str:
    result = CliRunner().invoke(main, ["contract", "show", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_tables_name_everything() -> None:
    """The tables hold every endpoint, field, event id and source of the profile."""
    text, profile = _run(), load_profile()
    for endpoint in profile.endpoints.values():
        assert f"{endpoint.method} {endpoint.path}" in text
    for dto in profile.dtos.values():
        assert dto.name in text
        assert all(field.wire in text for field in dto.fields.values())
    assert all(event.id in text for event in profile.events.values())
    assert all(address in text for address in profile.sources.values())
    assert "documented" in text
    assert "assumed" in text


def test_json_says_the_same() -> None:
    """The JSON form holds names, provenance and reasons, and counts both kinds."""
    shown = json.loads(_run("--json"))
    field = shown["dtos"]["AgentActivityReportDTO"]["fields"]["acd_type"]
    assert (field["wire"], field["provenance"], field["source"]) == ("acdType", "documented", "S1")
    assert shown["endpoints"]["agent_states"]["provenance"] == "assumed"
    assert shown["endpoints"]["agent_states"]["why"]
    assert shown["events"]["contact_outbound"]["id"] == "CONTACT_OUTBOUND"
    assert 0 < shown["counts"]["documented"] < shown["counts"]["assumed"]


def test_a_profile_of_ones_own() -> None:
    """--profile shows the merged profile and which file said what."""
    shown = json.loads(_run("--json", "--profile", str(RENAMED)))
    assert ["default", str(RENAMED)] == shown["lineage"]
    assert shown["dtos"]["AgentState"]["dropped"] == ["agent_value"]
    assert shown["dtos"]["AgentState"]["fields"]["agent_id"]["set_by"] == "renamed"
    assert "loginId" in _run("-p", str(RENAMED))


def test_a_bad_profile_is_one_line() -> None:
    """A profile that cannot be loaded is an error message with exit code 1, not a traceback."""
    result = CliRunner().invoke(main, ["contract", "show", "-p", "nope"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: Contract profile nope")
    assert "Traceback" not in result.output

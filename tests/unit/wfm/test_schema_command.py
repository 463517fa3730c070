"""flex-wfm contract schema: printed, kept beside a profile, and compared with it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import CliRunner, Result

from flex_plugin_backend.cli import main
from flex_plugin_backend.wfm.contract import load_profile

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["contract", "schema", *map(str, words)])


def test_what_is_committed_is_what_the_profile_makes() -> None:
    """The schemas in the package are those of the built-in profiles."""
    result = _run("--check")
    assert result.exit_code == 0, result.output
    assert result.output == "The schemas are those of the profile.\n"


@pytest.mark.parametrize("dto", list(load_profile().dtos))
def test_each_schema_is_one(dto: str) -> None:
    """Each printed schema is valid JSON Schema of 2020-12."""
    schema = json.loads(_run(dto).output)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_drift_is_found_and_repaired(tmp_path: Path) -> None:
    """A changed, a missing and a left-over schema are named, the change is shown; --write repairs all three."""
    profile = PROFILES / "renamed.toml"
    assert _run("--write", "--profile", profile, "--dir", tmp_path).exit_code == 0
    assert _run("--check", "--profile", profile, "--dir", tmp_path).exit_code == 0
    folder = tmp_path / "renamed"
    changed = folder / "AgentState.json"
    changed.write_text(changed.read_text().replace('"loginId"', '"login"'))
    (folder / "AcdDetails.json").unlink()
    (folder / "Old.json").write_text("{}")
    result = _run("--check", "--profile", profile, "--dir", tmp_path)
    assert result.exit_code == 1
    assert "renamed/AgentState.json: differs" in result.output
    assert '+    "loginId": {' in result.output
    assert "renamed/AcdDetails.json: is missing" in result.output
    assert "renamed/Old.json: the profile has no such object" in result.output
    assert "flex-wfm contract schema --write" in result.output
    _run("--write", "--profile", profile, "--dir", tmp_path)
    assert _run("--check", "--profile", profile, "--dir", tmp_path).exit_code == 0


@pytest.mark.parametrize("words", [(), ("AgentState", "--check"), ("--write", "--check")])
def test_one_thing_at_a_time(words: tuple[str, ...]) -> None:
    """Nothing or two things to do is a usage error."""
    result = _run(*words)
    assert result.exit_code == 2
    assert "Name an object, or give --write or --check" in result.output


def test_an_unknown_object_is_one_line() -> None:
    """An object that the profile does not have is a message with the names."""
    result = _run("NoSuchDTO")
    assert result.exit_code == 1
    assert "AgentStateListDTO" in result.output

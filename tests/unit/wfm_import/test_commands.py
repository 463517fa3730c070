"""flex-wfm contract import and flex-wfm contract check on the command line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flex_plugin_backend.cli import main

SAMPLES = Path(__file__).parents[3] / "fixtures" / "samples"


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["contract", *map(str, words)])


def test_from_a_jar_to_a_checked_profile(jar: Path, tmp_path: Path) -> None:
    """import writes a file and names the next step; check lists what is still assumed, and --strict fails on it."""
    out = tmp_path / "acme.toml"
    made = _run("import", "--jar", jar, "--name", "acme", "--out", out)
    assert made.exit_code == 0, made.output
    assert f"flex-wfm contract check {out}" in made.output
    assert "AgentActivity: field userUuid (string)" in made.output
    checked = _run("check", out)
    assert checked.exit_code == 0
    assert "formats.duration" in checked.output
    assert "endpoints.agent_states" not in checked.output
    assert _run("check", out, "--strict").exit_code == 1


def test_without_out_the_draft_is_standard_output(jar: Path) -> None:
    """The draft alone is on standard output, so that it can be piped; the summary is on standard error."""
    made = _run("import", "--jar", jar)
    assert tomllib.loads(made.stdout)["profile"] == {"extends": "default", "name": "drafted"}
    assert "without a place" in made.stderr


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """import writes over nothing unless told to."""
    out = tmp_path / "mine.toml"
    out.write_text("mine")
    refused = _run("import", "--samples", SAMPLES, "--out", out)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert out.read_text() == "mine"
    assert _run("import", "--samples", SAMPLES, "--out", out, "--force").exit_code == 0
    assert out.read_text() != "mine"


@pytest.mark.parametrize("words", [(), ("--jar", "a", "--samples", "b")])
def test_one_source_at_a_time(words: tuple[str, ...], tmp_path: Path) -> None:
    """Neither or both sources is a usage error that says what to do."""
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    result = _run("import", *(tmp_path / word if len(word) == 1 else word for word in words))
    assert result.exit_code == 2
    assert "Give --jar or --samples" in result.output


def test_json_of_both(tmp_path: Path) -> None:
    """--json holds the pairs, what is left, and what became of each sample."""
    out = tmp_path / "pasted.toml"
    made = json.loads(_run("import", "--samples", SAMPLES, "--out", out, "--json").stdout)
    fields = made["objects"]["AgentActivity"]["fields"]
    assert fields["start_ms"] == {"found": "began", "confidence": "probable"}
    assert any("costCentre" in line for line in made["left"])
    checked = _run("check", out, "--samples", SAMPLES, "--json")
    shown = json.loads(checked.stdout)
    assert {one["sample"]: one["ok"] for one in shown["samples"]} == {
        "agent_activity.request": True,
        "agent_states": True,
        "token-answer": True,
    }
    assert any(one["needed"] for one in shown["assumed"])


def test_a_sample_that_does_not_pass_fails_the_check(tmp_path: Path) -> None:
    """check ends with 1 and says where the sample differs."""
    (tmp_path / "AcdDetails.json").write_text('{"acdType": "T", "region": "eu"}')
    result = _run("check", "default", "--samples", tmp_path)
    assert result.exit_code == 1
    assert "/region is not in the profile" in result.output


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """A file that is no jar, and an empty folder, are messages with what to do, not tracebacks."""
    (tmp_path / "no.jar").write_bytes(b"no")
    for words in (("import", "--jar", tmp_path / "no.jar"), ("import", "--samples", tmp_path)):
        result = _run(*words)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert "Traceback" not in result.output

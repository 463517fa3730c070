"""The page "Validate your payloads in CI": its jobs are well formed, its shell lines run, its tables are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from check_files import ROOT

from flex_plugin_backend.wfm.contract.check.kinds import FAMILIAR, RECOGNISED
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS
from flex_plugin_backend.wfm.contract.check.texts import TEXT_RULES
from flex_plugin_backend.wfm.contract.diff import CHANGES

PAGE = (ROOT / "docs" / "validate.md").read_text()


def _block(heading: str, language: str) -> str:
    """The first block of a language below a heading."""
    section = PAGE[re.search(rf"^#+ {re.escape(heading)}$", PAGE, re.MULTILINE).end() :]  # type: ignore[union-attr]
    match = re.search(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(("heading", "schema"), [("GitHub", "github-workflows"), ("GitLab", "gitlab-ci")])
def test_a_job_fits_the_published_schema(tmp_path: Path, heading: str, schema: str) -> None:
    """As check-jsonschema has it from schemastore and GitLab."""
    path = tmp_path / "job.yml"
    path.write_text(_block(heading, "yaml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_pre_commit_configuration_is_well_formed(tmp_path: Path) -> None:
    """By pre-commit's own word."""
    path = tmp_path / "config.yaml"
    path.write_text(_block("pre-commit", "yaml"))
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def _shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(cwd)}
    return subprocess.run(
        ["bash", "-eu", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_shell_job_runs(work: Path) -> None:
    """Clean for a good payload, and with a JUnit file."""
    done = _shell(_block("Plain shell", "bash"), work)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (work / "junit.xml").exists()


def test_the_shell_job_fails_for_a_bad_payload(work: Path, bad: Path) -> None:
    """With the words and the place that the page shows."""
    done = _shell(_block("Plain shell", "bash"), work)
    assert done.returncode == 1
    assert (
        "payloads/bad.json:7:18: error M06 /agentStates/0/eventId 'ELSEWHERE' is not in the event table" in done.stdout
    )
    assert "payloads/states.json:7:18: error M06 /agentStates/0/eventId 'ELSEWHERE' is not in the event table" in PAGE


def test_the_baseline_lines_run(work: Path, bad: Path) -> None:
    """Written and used."""
    done = _shell(_block("Put up with what is known", "bash"), work)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 finding of the baseline" in done.stdout


def test_the_diff_line_and_the_python_lines_run(work: Path, bad: Path) -> None:
    """As they stand on the page."""
    (work / "my-profile.toml").write_text('[profile]\nextends = "default"\n[events]\navailable = "READY"\n')
    done = _shell(_block("What a new contract breaks", "bash"), work)
    assert (done.returncode, "breaking in meaning" in done.stdout) == (0, True), done.stderr
    (work / "lines.py").write_text(_block("From Python", "python"))
    ran = _shell("python lines.py", work)
    assert ran.stdout.startswith("payloads/bad.json 7 18 M06"), ran.stderr


def test_the_page_names_every_rule_change_format_and_bound() -> None:
    """In the words of the code."""
    for number, words in (*TEXT_RULES.items(), *CHANGES.items()):
        assert f"| {number} | {words}" in PAGE
    assert all(f"`{name}`" in PAGE for name in FORMATS)
    assert f"at least {RECOGNISED} and" in PAGE
    assert f"at least {FAMILIAR} like" in PAGE

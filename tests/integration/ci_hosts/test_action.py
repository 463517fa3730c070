"""The GitHub Action: well formed, and its steps run as GitHub runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from check_files import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


class _Job:
    """One job on a runner: its folders, and what the steps leave for GitHub."""

    def __init__(self, root: Path, work: Path, environment: dict[str, str]) -> None:
        self.work, self.output, temp = work, root / "output", root / "temp"
        temp.mkdir()
        self.output.touch()
        self._environment = {
            **environment,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(work),
            "GITHUB_OUTPUT": str(self.output),
            "RUNNER_TEMP": str(temp),
        }

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step with the inputs of the action, by the shell line that GitHub documents for `shell: bash`."""
        (step,) = (one for one in STEPS if one["name"] == name)
        given = {key: str(value.get("default", "")) for key, value in ACTION["inputs"].items()} | inputs
        own = {key: _filled(value, given) for key, value in step["env"].items()}
        script = self.output.with_name("step.sh")
        script.write_text(step["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.work, env={**self._environment, **own}, capture_output=True, text=True, check=False,
        )  # fmt: skip


def _filled(text: str, given: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: given[match[1]], text)


def test_the_definition_fits_the_published_schema() -> None:
    """As check-jsonschema has it from schemastore."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
        str(ROOT / "action.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_input_stands_in_a_script() -> None:
    """Inputs are variables; put into the script's text, a path could become a command."""
    assert not [step["name"] for step in STEPS if "${{" in step["run"]]


def test_the_action_checks_payloads(tmp_path: Path, work: Path, bad: Path, own_environment: dict[str, str]) -> None:
    """Installed from the tree, it annotates, writes SARIF and JUnit, tells its exit code, and takes any path."""
    job = _Job(tmp_path, work, own_environment)
    installed = job.step("Install flex-wfm", python=sys.executable)
    assert installed.returncode == 0, installed.stderr

    done = job.step("Check payloads", paths="  payloads/\n\n", sarif="out.sarif", junit="junit.xml")
    assert done.returncode == 1, done.stderr
    assert "::error file=payloads/bad.json,line=7," in done.stdout
    assert "error M06" in done.stdout.splitlines()[0]
    assert '"ruleId": "M06"' in (work / "out.sarif").read_text()
    assert (work / "junit.xml").read_text().startswith("<?xml")

    good = job.step("Check payloads", paths="payloads/good.json\n", strict="true")
    assert (good.returncode, good.stderr) == (0, "")
    evil = job.step("Check payloads", paths='$(touch pwned); "`touch pwned`\n--help\n')
    assert evil.returncode == 3
    assert not (work / "pwned").exists()
    assert job.output.read_text() == "exit-code=1\nexit-code=0\nexit-code=3\n"

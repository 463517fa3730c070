"""The pre-commit hook: well formed, and run by pre-commit from a clone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from check_files import ROOT

_GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]


def _pre_commit(*args: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", *args]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_the_manifest_is_well_formed() -> None:
    """By pre-commit's own word."""
    done = _pre_commit("validate-manifest", ".pre-commit-hooks.yaml", cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="pre-commit needs git")
def test_the_hook_runs_from_a_clone(tmp_path: Path, work: Path, bad: Path, own_environment: dict[str, str]) -> None:
    """pre-commit clones this repository, installs it, and shows what is wrong with the files of another."""
    hooks = _clone(tmp_path / "hooks")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*_GIT, *command], cwd=work, check=True, capture_output=True)
    rev = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True
    ).stdout.strip()
    (work / "mine.toml").write_text('[profile]\nextends = "default"\n[events]\navailable = "READY"\n')
    diff = "  - id: flex-wfm-contract-diff\n    args: [default, mine.toml]\n"
    config = f"repos:\n- repo: {hooks}\n  rev: {rev}\n  hooks:\n  - id: flex-wfm-validate\n{diff}"
    (work / ".pre-commit-config.yaml").write_text(config)
    subprocess.run([*_GIT, "add", "."], cwd=work, check=True)
    environment = {**own_environment, "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    failed = _pre_commit("run", "--all-files", cwd=work, env=environment)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "payloads/bad.json:7:18: error M06" in failed.stdout
    assert "mine.toml:4:1: error D12 events.available breaking in meaning: id: AVAILABLE becomes READY" in failed.stdout
    bad.unlink()
    (work / "mine.toml").write_text('[profile]\nextends = "default"\n')
    subprocess.run([*_GIT, "rm", "-q", "--cached", "payloads/bad.json"], cwd=work, check=True)
    passed = _pre_commit("run", "--all-files", cwd=work, env=environment)
    assert passed.returncode == 0, passed.stdout
    assert passed.stdout.count("Passed") == 2


def _clone(target: Path) -> Path:
    """This tree as a repository of its own, with what is not committed yet."""
    names = ("pyproject.toml", "README.md", ".pre-commit-hooks.yaml")
    target.mkdir()
    for name in names:
        shutil.copy(ROOT / name, target / name)
    for package in ("flex_plugin_backend", "simulator", "contract_tests"):
        shutil.copytree(ROOT / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*_GIT, *command], cwd=target, check=True, capture_output=True)
    return target

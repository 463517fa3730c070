"""A checkout with payloads in it, and an environment in which our package finds its dependencies without a download."""

from __future__ import annotations

import json
import os
import site
from pathlib import Path

import pytest
from check_files import state, states


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with one good payload under payloads/."""
    folder = tmp_path / "work"
    (folder / "payloads").mkdir(parents=True)
    (folder / "payloads" / "good.json").write_text(json.dumps(states(state())))
    return folder


@pytest.fixture
def bad(work: Path) -> Path:
    """A payload with an error, in that folder."""
    path = work / "payloads" / "bad.json"
    path.write_text(json.dumps(states(state(event="ELSEWHERE")), indent=2))
    return path


@pytest.fixture
def own_environment() -> dict[str, str]:
    """The host installs our package from the tree for real; what it depends on is taken from this environment.

    Otherwise each run would download some thirty packages.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PYTEST_", "COV_"))}
    return {**kept, "PIP_NO_DEPS": "1", "PYTHONPATH": os.pathsep.join(site.getsitepackages()), "NO_COLOR": "1"}

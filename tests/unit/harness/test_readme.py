"""The README's commands are what CI runs, and its links lead somewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/flex-wfm-sim demo"
TEST = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox"
PAGES = [
    "README.md",
    "docs/index.md",
    "docs/tutorial.md",
    "docs/demo.md",
    "docs/simulator.md",
    "docs/tutorial-fake-twilio.md",
]


def test_ci_runs_the_readmes_test_command() -> None:
    """The README's test command and the last line of .ci/run are the same line."""
    assert TEST in (ROOT / "README.md").read_text().splitlines()
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == TEST


def test_ci_can_be_run() -> None:
    """.ci/run is executable and stops at the first failure."""
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "set -euo pipefail" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_run_command_is_the_same_everywhere(page: str) -> None:
    """README and tutorial give the same one line to run the demo."""
    assert RUN in (ROOT / page).read_text().splitlines()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    """Every relative link of the pages for newcomers leads to a file of this project."""
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def test_the_manual_names_every_option_of_the_demo() -> None:
    """docs/demo.md lists each option of the command with its present default."""
    from simulator.cli.demo import demo

    table = (ROOT / "docs/demo.md").read_text()
    for option in demo.params:
        default = option.to_info_dict()["default"]
        shown = f"{default:g}" if isinstance(default, int | float) and not isinstance(default, bool) else None
        row = next(line for line in table.splitlines() if line.startswith(f"| `{option.opts[0]}` |"))
        assert shown is None or f"| {shown} |" in row

"""The contract page of the documentation says what the code does."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

from flex_plugin_backend.wfm.contract import Finding, load_profile
from flex_plugin_backend.wfm.contract.rules import RULES
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "contract.md").read_text()


def test_the_page_of_rules_is_that_of_the_rules_and_their_samples() -> None:
    """docs/rules.md is what docs/rules/write.py makes of them now."""
    writer = runpy.run_path(str(DOCS / "rules" / "write.py"))
    assert (DOCS / "rules.md").read_text() == writer["page"]()


def test_each_rule_names_its_place_on_the_page() -> None:
    """The address that a rule gives is a heading of the page."""
    headings = set(re.findall(r"^## (\S+)$", (DOCS / "rules.md").read_text(), re.MULTILINE))
    assert headings == {*SHAPE_RULES, *RULES}
    assert RULES["M04"].page == "rules.md#m04"


def test_the_profile_on_the_page_loads(tmp_path: Path) -> None:
    """The example profile is TOML, extends the default and does what its comments say."""
    block = re.search(r"```toml\n(.+?)```", TEXT, re.DOTALL)
    assert block is not None
    assert tomllib.loads(block[1])["profile"]["name"] == "acme"
    path = tmp_path / "acme.toml"
    path.write_text(block[1])
    profile = load_profile(path)
    wire = profile.encode("AgentState", {"agent_id": "7", "event_id": "LUNCH", "start_ms": 1_772_442_900_000})
    assert wire == {
        "loginId": "7",
        "stateCode": "LUNCH",
        "eventReason": "",
        "startTime": "2026-03-02T09:15:00.000Z",
        "userId": "7",
    }
    assert profile.event_id("AVAILABLE") == "READY"
    assert profile.validate("AgentState", wire) == []


def test_the_code_on_the_page_runs() -> None:
    """The Python block runs and gives what its comments say."""
    block = re.search(r"```python\n(.+?)```", TEXT, re.DOTALL)
    assert block is not None
    names: dict[str, object] = {}
    exec(block[1], names)
    assert names["wire"] == {"acdType": "T", "agentStates": []}


def test_a_finding_reads_well() -> None:
    """A finding as text has rule, place, problem, expectation and repair."""
    finding = Finding("M04", "/startDate", "is off the grid", "minute 15", "Move it.")
    assert str(finding) == "M04 /startDate: is off the grid; expected minute 15. Move it."
    assert finding.to_dict()["severity"] == "error"

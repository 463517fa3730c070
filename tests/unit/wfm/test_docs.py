"""The contract page of the documentation says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from flex_plugin_backend.wfm.contract import Finding, load_profile
from flex_plugin_backend.wfm.contract.rules import RULES
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES

TEXT = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()


def test_every_rule_is_in_the_table() -> None:
    """The table of rules has each rule with its title, and no other."""
    shown = dict(re.findall(r"^\| ([SM]\d\d) \| (.+?)(?: \(warning\))? \|$", TEXT, re.MULTILINE))
    assert shown == {**SHAPE_RULES, **{rule.id: rule.title for rule in RULES.values()}}


def test_the_profile_on_the_page_loads(tmp_path: Path) -> None:
    """The example profile is TOML, extends the default and does what its comments say."""
    block = re.search(r"```toml\n(.+?)```", TEXT, re.DOTALL)
    assert block is not None
    assert tomllib.loads(block[1])["profile"]["name"] == "acme"
    path = tmp_path / "acme.toml"
    path.write_text(block[1])
    profile = load_profile(path)
    wire = profile.encode("AgentState", {"agent_id": "7", "event_id": "LUNCH", "start_ms": 0})
    assert wire == {
        "loginId": "7",
        "stateCode": "LUNCH",
        "eventReason": "",
        "startTime": "1970-01-01T00:00:00.000Z",
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

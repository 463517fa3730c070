"""Every sample under fixtures/payloads: what each rule finds and what it leaves alone."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flex_plugin_backend.wfm.contract import Finding, Profile, Severity, load_profile
from flex_plugin_backend.wfm.contract.rules import RULES, Series
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES

FIXTURES = Path(__file__).parents[3] / "fixtures"
POSITIVE = sorted((FIXTURES / "payloads" / "positive").glob("*.json"))
NEGATIVE = sorted((FIXTURES / "payloads" / "negative").glob("*.json"))


def _sample(path: Path) -> tuple[dict[str, Any], Profile]:
    sample = json.loads(path.read_text())
    name = sample.get("profile")
    return sample, load_profile(FIXTURES / "profiles" / name if name else "default")


def _now_ms(sample: dict[str, Any]) -> int | None:
    return round(datetime.fromisoformat(sample["now"]).timestamp() * 1000) if "now" in sample else None


def _found(path: Path) -> list[tuple[str, Finding]]:
    """What the rules find in a sample: for a series with the name of the payload, else with ""."""
    sample, profile = _sample(path)
    if "series" not in sample:
        found = profile.validate(sample["dto"], sample["payload"], now_ms=_now_ms(sample))
        return [("", finding) for finding in found]
    series = Series(profile)
    findings: list[tuple[str, Finding]] = []
    for one in sample["series"]:
        findings += [(one["name"], finding) for finding in profile.validate(one["dto"], one["payload"])]
        beside = series.add(one["name"], one["dto"], one["payload"], revision=one.get("revision"))
        findings += [(one["name"], finding) for finding in beside]
    return [*findings, *series.finish()]


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem)
def test_negative_sample_is_found(path: Path) -> None:
    """Exactly the rule that the sample is for finds it, at the place the sample names."""
    sample, _ = _sample(path)
    assert [(sample.get("at", ""), sample["rule"], sample["pointer"], sample["severity"])] == [
        (name, finding.rule, finding.pointer, finding.severity.value) for name, finding in _found(path)
    ]
    assert all((finding.message, finding.expected, finding.repair) for _, finding in _found(path))


@pytest.mark.parametrize("path", POSITIVE, ids=lambda path: path.stem)
def test_positive_sample_is_clean(path: Path) -> None:
    """Nothing is found in a positive sample."""
    assert _found(path) == []


def test_every_rule_has_samples_of_both_kinds() -> None:
    """Each rule has a sample that triggers it and a near miss that does not."""
    # S06 catches what no other words exist for; the generated schemas hold nothing of that kind.
    rules = {*RULES, *SHAPE_RULES} - {"S06"}
    assert rules - {_sample(path)[0]["rule"] for path in NEGATIVE} == set()
    assert rules - {rule for path in POSITIVE for rule in _sample(path)[0]["rules"]} == set()


def test_there_are_at_least_sixty_rules_and_each_says_why() -> None:
    """Beyond shape there are sixty rules or more, numbered without repetition, each with a title and a reason."""
    assert len(RULES) >= 60
    assert all(rule.title and rule.why.endswith((".", ")")) for rule in RULES.values())
    assert all(re.fullmatch(r"M\d\d", number) for number in RULES)


def test_findings_come_in_the_order_of_the_payload() -> None:
    """Findings are sorted by place, list positions as numbers."""
    row = {"agentId": "", "agentValue": "x", "eventId": "AVAILABLE", "eventReason": "", "startTime": "x"}
    found = load_profile().validate("AgentStateListDTO", {"agentStates": [row] * 11})
    places = [finding.pointer for finding in found]
    assert places[0] == "/acdType"
    assert places.index("/agentStates/2/agentId") < places.index("/agentStates/10/agentId")


def test_messages_repeat_no_secret() -> None:
    """A wrong type in a login is reported without its value."""
    wire = {"accessKeyTokenRequest": {"accessKeyId": "KEY", "accessKeySecret": ["S3CRET"]}, "tenantName": 4711}
    text = " ".join(map(str, load_profile().validate("AccessTokenRequest", wire)))
    assert "/accessKeyTokenRequest/accessKeySecret" in text
    assert "S3CRET" not in text
    assert "4711" not in text


@pytest.mark.parametrize("value", [None, 7, "text", [], True])
def test_a_payload_that_is_no_object_is_a_finding(value: object) -> None:
    """Whatever JSON comes, validation gives findings and does not fail."""
    found = load_profile().validate("AgentStateListDTO", value)
    assert [(finding.rule, finding.pointer) for finding in found] == [("S01", "")]


def test_a_warning_is_not_an_error() -> None:
    """A mixed queue is warned about, not refused."""
    sample, profile = _sample(FIXTURES / "payloads" / "negative" / "M14-queue-twice.json")
    found = profile.validate(sample["dto"], sample["payload"])
    assert [finding.severity for finding in found] == [Severity.WARNING]

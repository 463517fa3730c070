"""Every sample under fixtures/payloads: what each rule finds and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flex_plugin_backend.wfm.contract import Profile, Severity, load_profile
from flex_plugin_backend.wfm.contract.rules import RULES
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES

FIXTURES = Path(__file__).parents[3] / "fixtures"
POSITIVE = sorted((FIXTURES / "payloads" / "positive").glob("*.json"))
NEGATIVE = sorted((FIXTURES / "payloads" / "negative").glob("*.json"))


def _sample(path: Path) -> tuple[dict[str, Any], Profile]:
    sample = json.loads(path.read_text())
    name = sample.get("profile")
    return sample, load_profile(FIXTURES / "profiles" / name if name else "default")


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem)
def test_negative_sample_is_found(path: Path) -> None:
    """Exactly the rule that the sample is for finds it, at the place the sample names."""
    sample, profile = _sample(path)
    found = profile.validate(sample["dto"], sample["payload"])
    assert [(sample["rule"], sample["pointer"], sample["severity"])] == [
        (finding.rule, finding.pointer, finding.severity.value) for finding in found
    ]
    assert all((finding.message, finding.expected, finding.repair) for finding in found)


@pytest.mark.parametrize("path", POSITIVE, ids=lambda path: path.stem)
def test_positive_sample_is_clean(path: Path) -> None:
    """Nothing is found in a positive sample."""
    sample, profile = _sample(path)
    assert profile.validate(sample["dto"], sample["payload"]) == []


def test_every_rule_has_samples_of_both_kinds() -> None:
    """Each rule has a sample that triggers it and a near miss that does not."""
    # S06 catches what no other words exist for; the generated schemas hold nothing of that kind.
    rules = {*RULES, *SHAPE_RULES} - {"S06"}
    assert rules == {_sample(path)[0]["rule"] for path in NEGATIVE}
    assert rules == {rule for path in POSITIVE for rule in _sample(path)[0]["rules"]}


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
    row = {
        "queueId": "WQ1", "contactsReceived": 0, "contactsHandled": 0, "contactsAbandoned": 0,
        "contactsAnsweredInSL": 0, "contactsAbandonedInSL": 0, "handleTime": 0, "workTime": 0, "queueDelay": 0,
    }  # fmt: skip
    payload = {
        "acdType": "T", "reportVersion": "1.0", "startDate": "2026-03-02T09:15:00Z", "endDate": "2026-03-02T09:30:00Z",
        "queueReport": [row, row], "agentQueueReport": [], "agentSystemPerformanceReport": [],
    }  # fmt: skip
    assert [finding.severity for finding in load_profile().validate("ReportDTO", payload)] == [Severity.WARNING]

"""SARIF 2.1.0: for code scanning and every tool that reads the standard."""

from __future__ import annotations

import json
from typing import Any, TextIO

from flex_plugin_backend import __version__
from flex_plugin_backend.wfm.contract.check.reporters.words import (
    level,
    remarks,
    sentence,
    unique_fingerprints,
    uri,
)
from flex_plugin_backend.wfm.contract.check.result import CheckResult, Located, Standing
from flex_plugin_backend.wfm.contract.check.rulebook import entry

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def report(result: CheckResult, out: TextIO) -> None:
    """One run; columns count Unicode characters, and the end column is the one after the value."""
    rules = sorted({found.finding.rule for found in result.findings})
    run = {
        "tool": {"driver": {"name": "flex-wfm", "version": __version__, "rules": [_rule(rule) for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": [_result(found, name, rules) for found, name in unique_fingerprints(result)],
    }
    json.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, out, indent=2, ensure_ascii=True)
    out.write("\n")


def _rule(rule: str) -> dict[str, Any]:
    known = entry(rule)
    text = f"{known.title}. {known.why}".strip()
    return {
        "id": rule,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} See {known.page}."},
    }


def _invocation(result: CheckResult) -> dict[str, Any]:
    notes = [{"level": "error", "message": {"text": text}} for text in remarks(result)[: len(result.unread)]]
    notes += [{"level": "note", "message": {"text": text}} for text in remarks(result)[len(result.unread) :]]
    facts = {"executionSuccessful": not result.unread, "exitCode": int(result.exit)}
    return {**facts, "toolExecutionNotifications": notes}


def _result(found: Located, fingerprint: str, rules: list[str]) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": found.line,
        "startColumn": found.column,
        "endLine": found.end_line,
        "endColumn": found.end_column,
    }
    if found.value is not None and not found.value.endswith("..."):
        region["snippet"] = {"text": found.value}
    location = {
        "physicalLocation": {"artifactLocation": {"uri": uri(found.file)}, "region": region},
        "logicalLocations": [{"fullyQualifiedName": found.pointer}],
    }
    return {
        "ruleId": found.finding.rule,
        "ruleIndex": rules.index(found.finding.rule),
        "level": level(found),
        "message": {"text": sentence(found)},
        "locations": [location],
        "partialFingerprints": {"flexWfm/v1": fingerprint},
        "properties": {"kind": found.kind, "expired": found.standing is Standing.EXPIRED},
    }

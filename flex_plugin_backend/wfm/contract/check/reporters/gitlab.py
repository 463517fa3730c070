"""GitLab code quality: a list of findings for the widget of a merge request."""

from __future__ import annotations

import json
from typing import Any, TextIO

from flex_plugin_backend.wfm.contract.check.reporters.words import level, sentence, unique_fingerprints
from flex_plugin_backend.wfm.contract.check.result import CheckResult, Located

_SEVERITY = {"error": "major", "warning": "minor", "note": "info"}


def report(result: CheckResult, out: TextIO) -> None:
    """One entry for each finding; GitLab drops all but the first of entries with the same fingerprint."""
    entries = [_entry(found, name) for found, name in unique_fingerprints(result)]
    json.dump(entries, out, indent=2, ensure_ascii=True)
    out.write("\n")


def _entry(found: Located, fingerprint: str) -> dict[str, Any]:
    return {
        "description": sentence(found),
        "check_name": found.finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITY[level(found)],
        "location": {"path": found.file.removeprefix("./"), "lines": {"begin": found.line}},
    }

"""NDJSON: one record a line, its `type` first; findings, then what could not be read, the files and the totals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from flex_plugin_backend.wfm.contract.check.reporters.words import file_facts
from flex_plugin_backend.wfm.contract.check.result import CheckResult


def report(result: CheckResult, out: TextIO) -> None:
    """A line for each record."""
    for record in _records(result):
        out.write(json.dumps(record, ensure_ascii=True) + "\n")


def _records(result: CheckResult) -> Iterator[Mapping[str, Any]]:
    for found in result.findings:
        yield {"type": "finding", **found.to_dict()}
    for one in result.unread:
        yield {"type": "unread", **asdict(one)}
    for entry in result.unused:
        yield {"type": "unused_baseline", **entry}
    for file in result.files:
        yield {"type": "file", **file_facts(file)}
    yield {"type": "totals", **result.totals(), "not_shown_by_rule": result.rest}

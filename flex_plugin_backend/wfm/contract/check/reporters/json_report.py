"""JSON: the whole result as one object."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TextIO

from flex_plugin_backend.wfm.contract.check.reporters.words import file_facts
from flex_plugin_backend.wfm.contract.check.result import CheckResult


def report(result: CheckResult, out: TextIO) -> None:
    """Totals, files, findings, and what could not be read."""
    whole = {
        "totals": result.totals(),
        "files": [file_facts(file) for file in result.files],
        "findings": [found.to_dict() for found in result.findings],
        "not_shown": result.rest,
        "unread": [asdict(one) for one in result.unread],
        "unused_baseline": [dict(entry) for entry in result.unused],
    }
    json.dump(whole, out, indent=2, ensure_ascii=True)
    out.write("\n")

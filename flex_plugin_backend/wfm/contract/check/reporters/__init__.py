"""Reporters: each writes a result in one format; one small file for each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TextIO, TypeAlias

from flex_plugin_backend.wfm.contract.check.result import CheckResult

# Imported when asked for: a run pays for one or two of them.
_HOMES = {
    "text": "text",
    "json": "json_report",
    "ndjson": "ndjson",
    "junit": "junit",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
}
FORMATS = tuple(_HOMES)


Reporter: TypeAlias = Callable[[CheckResult, TextIO], None]  # writes a whole result, ending with a line feed


def reporter(name: str) -> Reporter:
    """The reporter of a format, one of FORMATS."""
    report: Reporter = importlib.import_module(f"{__name__}.{_HOMES[name]}").report
    return report

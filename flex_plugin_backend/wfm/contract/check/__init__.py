"""The validator of files: finds payloads in them, checks each, and says what is wrong with line and column."""

from __future__ import annotations

from flex_plugin_backend.wfm.contract.check.baseline import Baseline, Recorder
from flex_plugin_backend.wfm.contract.check.engine import Options, check
from flex_plugin_backend.wfm.contract.check.inputs import Source, find
from flex_plugin_backend.wfm.contract.check.result import CheckResult, Exit, FileResult, Located, Standing, Unread

__all__ = [
    "Baseline",
    "CheckResult",
    "Exit",
    "FileResult",
    "Located",
    "Options",
    "Recorder",
    "Source",
    "Standing",
    "Unread",
    "check",
    "find",
]

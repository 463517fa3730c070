"""Writes files to check, and runs over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from check_files import TODAY, Put, Run

from flex_plugin_backend.wfm.contract.check import Baseline, CheckResult, Options, Recorder, check, find


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file: bytes and text as they are, a list with a name in .ndjson as lines, all else as JSON."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_bytes(content.encode())
        elif name.endswith(".ndjson"):
            path.write_text("".join(json.dumps(line) + "\n" for line in content))
        else:
            path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Checks paths."""

    def go(
        *paths: Path | str, baseline: Baseline | None = None, recorder: Recorder | None = None, **options: Any
    ) -> CheckResult:
        sources, unread = find(map(str, paths))
        given = Options(**{"today": TODAY, "here": tmp_path, **options})
        return check(sources, given, baseline=baseline, recorder=recorder, unread=unread)

    return go

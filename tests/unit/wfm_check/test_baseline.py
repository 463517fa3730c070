"""Findings that are put up with: what a fingerprint outlives, when an entry ends, what is left over."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from check_files import TODAY, Put, Run, activity, report, said, state, states

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.check import Baseline, CheckResult, Recorder, Standing
from flex_plugin_backend.wfm.contract.check.baseline import read


def _baseline(run: Run, path: Path, file: Path, expires: date | None = None) -> Baseline:
    recorder = Recorder(Baseline(), expires)
    run(path, recorder=recorder)
    recorder.write(file)
    return read(file)


def _prints(result: CheckResult) -> list[str]:
    return [found.fingerprint for found in result.findings]


def test_what_the_baseline_holds_is_counted_and_not_shown(put: Put, run: Run, tmp_path: Path) -> None:
    """The run is clean, and says how many are put up with."""
    path = put("a.json", states(state(event="ELSEWHERE")))
    result = run(path, baseline=_baseline(run, path, tmp_path / "base"))
    assert (said(result), result.errors, result.baselined, result.exit) == ([], 0, 1, 0)


def test_a_fingerprint_outlives_rows_that_come_and_go(put: Put, run: Run) -> None:
    """Other rows before it, other indentation, another line; but not another agent."""
    bad = activity("WK9", duration=61)
    (before,) = _prints(run(put("a.json", report(1, bad))))
    text = json.dumps(report(1, activity("WK1"), activity("WK2"), bad), indent=7)
    assert _prints(run(put("a.json", "\n\n" + text))) == [before]
    assert _prints(run(put("a.json", report(1, activity("WK8", duration=61))))) != [before]


def test_the_fingerprint_of_a_bare_row_does_not_hang_on_its_line(put: Put, run: Run) -> None:
    """A row that moves down keeps its name; the same row of another file has another."""
    bad = activity("WK9", duration=61)
    (before,) = _prints(run(put("a.ndjson", [bad])))
    assert _prints(run(put("a.ndjson", [activity("WK1"), bad]))) == [before]
    assert _prints(run(put("b.ndjson", [bad]))) != [before]


def test_a_payload_of_a_list_is_known_by_its_interval(put: Put, run: Run) -> None:
    """Reports that are put before it do not matter."""
    bad = report(2, activity(minute=15, duration=61))
    (before,) = _prints(run(put("a.ndjson", [bad])))
    assert _prints(run(put("a.ndjson", [report(0), report(1), bad]))) == [before]


def test_an_expired_entry_counts_again_and_says_so(put: Put, run: Run, tmp_path: Path) -> None:
    """Up to and with its last day it holds."""
    path = put("a.json", states(state(event="ELSEWHERE")))
    baseline = _baseline(run, path, tmp_path / "base", expires=TODAY)
    assert run(path, baseline=baseline, today=TODAY).exit == 0
    result = run(path, baseline=baseline, today=TODAY + timedelta(days=1))
    assert [found.standing for found in result.findings] == [Standing.EXPIRED]
    assert result.exit == 1


def test_entries_that_nothing_meets_are_reported(put: Put, run: Run, tmp_path: Path) -> None:
    """So that a repaired finding leaves the file."""
    path = put("a.json", states(state(event="ELSEWHERE")))
    baseline = _baseline(run, path, tmp_path / "base")
    put("a.json", states(state()))
    result = run(path, baseline=baseline)
    assert [entry["rule"] for entry in result.unused] == ["M06"]
    assert result.exit == 0


def test_writing_again_keeps_reasons_and_dates(put: Put, run: Run, tmp_path: Path) -> None:
    """What somebody wrote into an entry is not lost."""
    path, file = put("a.json", states(state(event="ELSEWHERE"))), tmp_path / "base"
    _baseline(run, path, file)
    plain = json.loads(file.read_text())
    plain["entries"][0] |= {"expires": "2030-01-01", "why": "the old dialler"}
    file.write_text(json.dumps(plain))
    recorder = Recorder(read(file), None)
    run(path, recorder=recorder)
    recorder.write(file)
    assert json.loads(file.read_text()) == plain


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"version": 2, "entries": []}', '{"version": 1, "entries": [{}]}',
     '{"version": 1, "entries": [{"fingerprint": "x", "expires": "soon"}]}'],
)  # fmt: skip
def test_a_baseline_that_is_none_is_refused(put: Put, content: str) -> None:
    """With what to do."""
    with pytest.raises(ContractError, match=r"--write-baseline|2027-01-31"):
        read(put("base", content))

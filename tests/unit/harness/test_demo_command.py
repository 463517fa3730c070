"""flex-wfm-sim demo: what it prints, writes and returns, with the run itself replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import simulator.cli.demo as command
from simulator.audit import Counts, Fault, Finding, Verdict, latency_of
from simulator.audit.reports import ReportCounts, ReportVerdict
from simulator.cli.demo_output import Screen, show_failure, show_verdict
from simulator.harness import ChildFailed, DemoPlan, DemoResult, Progress

CLEAN = Counts(agents=2, states=3, expected=3, delivered=3, expected_delivered=3, rows=3)
STATE = {"event_id": "WRAPUP", "event_reason": "", "start": "2026-01-05T08:00:00Z", "seq": 4, "request": 2}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary directory, for this test alone."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def missing(agent: str) -> Finding:
    return Finding(Fault.MISSING, agent, f"Name of {agent}", "no row tells this state", expected=STATE, causes=("EV1",))


def result_of(counts: Counts = CLEAN, findings: tuple[Finding, ...] = (), *, drained: bool = True) -> DemoResult:
    return DemoResult(
        plan=DemoPlan(seed=7),
        verdict=Verdict(counts=counts, latency=latency_of([0.01, 0.02]), findings=findings),
        reports=ReportVerdict(counts=ReportCounts()),
        drained=drained,
        wall_s=1.0,
        floor={"callbacks_sent": 5},
        wfm={},
        connector={},
        outages=(),
        logs={"connector": "/logs/connector.log"},
        directory=Path("/logs"),
    )


def shown(result: DemoResult) -> str:
    console = Console(file=io.StringIO(), width=120)
    show_verdict(result, None, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_clean_verdict_says_so() -> None:
    """A clean run shows CLEAN and neither logs nor a command."""
    text = shown(result_of())
    assert "CLEAN" in text
    assert "NOT CLEAN" not in text
    assert "Repeat it" not in text


def test_a_failed_verdict_helps_on() -> None:
    """A failed run shows its findings, the logs and the one command that repeats it."""
    text = shown(result_of(replace(CLEAN, missing=1, expected=4), (missing("WK1"),)))
    assert "NOT CLEAN  1 missing." in text
    assert "missing: agent Name of WK1 (WK1): no row tells this state" in text
    assert "EV1" in text
    assert "/logs/connector.log" in text
    assert "flex-wfm-sim demo --agents 50 --minutes 60 --speed 75 --seed 7" in text


def test_findings_are_capped_in_print() -> None:
    """Ten findings are printed, the rest is counted."""
    text = shown(result_of(replace(CLEAN, missing=12), tuple(missing(f"WK{n}") for n in range(12))))
    assert text.count("no row tells this state") == 10
    assert "and 2 more findings" in text


def test_an_unsettled_run_is_not_clean() -> None:
    """A run that was judged before the connector had settled is not called clean."""
    result = result_of(drained=False)
    assert not result.clean
    assert "had not settled" in shown(result)


def test_an_empty_run_is_not_clean() -> None:
    """A run in which nothing was expected proves nothing and says so."""
    assert "nothing was proved" in shown(result_of(Counts()))


def test_the_end_of_the_log_is_shown_when_a_server_fails() -> None:
    """A run that broke off names the log, prints its end and the command."""
    console = Console(file=io.StringIO(), width=120)
    show_failure(ChildFailed("the connector ended", log=Path("/logs/x.log"), tail="Traceback"), DemoPlan(), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert all(part in text for part in ("the connector ended", "/logs/x.log", "Traceback", "Repeat it"))


def test_progress_is_plain_lines_without_a_terminal() -> None:
    """Where there is no terminal, progress is a line per phase and per tenth of the run."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    with Screen(console) as screen:
        for share in (0.0, 0.01, 0.02, 0.11, 0.12):
            screen.tell(Progress(phase="running", share=share, virtual_ms=1_767_600_000_000, callbacks=3, rows=2))
    assert isinstance(console.file, io.StringIO)
    assert (
        console.file.getvalue().splitlines()
        == [
            "the floor runs  08:00:00  3 callbacks  2 states at the WFM",
        ]
        * 2
    )


def run(monkeypatch: pytest.MonkeyPatch, result: DemoResult | Exception, *arguments: str) -> Any:
    def run_demo(plan: DemoPlan, *, tell: object, stay: Callable[[object, DemoResult], None]) -> DemoResult:
        if isinstance(result, Exception):
            raise result
        stay(None, result)
        return result

    monkeypatch.setattr(command, "run_demo", run_demo)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return CliRunner().invoke(command.demo, list(arguments))


def test_exit_code_0_means_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a clean verdict ends with 0."""
    assert run(monkeypatch, result_of()).exit_code == 0
    assert run(monkeypatch, result_of(replace(CLEAN, wrong=1))).exit_code == 1
    assert run(monkeypatch, result_of(drained=False)).exit_code == 1


def test_a_temporary_directory_is_kept_only_for_a_failed_run(
    monkeypatch: pytest.MonkeyPatch, temporary: Path, tmp_path: Path
) -> None:
    """A clean run leaves nothing behind; a failed one leaves its logs; a directory of the user's is never removed."""
    run(monkeypatch, result_of())
    assert list(temporary.iterdir()) == []
    run(monkeypatch, result_of(drained=False))
    assert len(list(temporary.iterdir())) == 1
    run(monkeypatch, result_of(), "--dir", str(tmp_path))
    assert temporary.exists()


def test_exit_code_1_when_the_run_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that could not be carried through ends with 1 and a message instead of a traceback."""
    outcome = run(monkeypatch, ChildFailed("the connector ended"))
    assert outcome.exit_code == 1
    assert "could not be carried through: the connector ended" in outcome.output
    assert "Traceback" not in outcome.output


def test_json_holds_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file holds verdict, versions, seed, counts, latency and every finding, also beyond the printed ones."""
    findings = tuple(missing(f"WK{n}") for n in range(12))
    path = tmp_path / "verdict.json"
    run(monkeypatch, result_of(replace(CLEAN, missing=12), findings), "--json", str(path))
    body = json.loads(path.read_text())
    assert body["clean"] is False
    assert body["seed"] == 7
    assert body["versions"]["flex-wfm"]
    assert body["counts"]["missing"] == len(body["findings"]) == 12
    assert body["latency"]["max_ms"] == 20.0


@pytest.mark.parametrize("option", ["--minutes", "--speed"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "0"])
def test_numbers_that_are_no_amount_are_usage_errors(monkeypatch: pytest.MonkeyPatch, option: str, value: str) -> None:
    """Not a number and infinity are refused like zero."""
    outcome = run(monkeypatch, AssertionError("started"), option, value)
    assert outcome.exit_code == 2
    assert option in outcome.output


def test_places_that_cannot_be_written_are_usage_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, temporary: Path
) -> None:
    """A verdict file or a directory that cannot be made is found before anything starts, and nothing is left behind."""
    (tmp_path / "file").write_text("")
    for option, place in (("--json", tmp_path / "no" / "x.json"), ("--dir", tmp_path / "file" / "below")):
        outcome = run(monkeypatch, AssertionError("started"), option, str(place))
        assert outcome.exit_code == 2
        assert option in outcome.output
        assert "cannot be written" in outcome.output
    assert list(temporary.iterdir()) == []


def test_a_run_that_breaks_off_leaves_no_old_verdict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A verdict of an earlier run is not taken for this one's."""
    path = tmp_path / "verdict.json"
    path.write_text('{"clean": true}')
    run(monkeypatch, ChildFailed("the connector ended"), "--json", str(path))
    assert path.read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is shown although its file cannot be written, and the exit code says that something is missing."""
    outcome = run(monkeypatch, result_of(), "--json", "/dev/full")
    assert outcome.exit_code == 1
    assert "CLEAN" in outcome.output
    assert "could not be written to /dev/full" in outcome.output

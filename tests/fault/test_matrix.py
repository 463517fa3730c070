"""The fault matrix: whatever goes wrong, in the end the WFM and the ledger hold exactly what happened."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.faults.fault import Fault
from simulator.faults.host.kill import Kill
from simulator.faults.registry import all_faults
from simulator.harness.matrix import Outcome, run_case
from simulator.harness.matrix_cases import Case, crashes, mixtures, outages, singles
from simulator.harness.virtual import VirtualFloor

FULL = os.environ.get("FLEX_WFM_SOAK") == "full"
SINGLES, MIXTURES, CRASHES = list(singles(1)), list(mixtures(50, 1)), list(crashes(10, 1))
# In CI a few stand for all; each is of another side, and mixtures have most of them in turn.
SHORT = ("missing-keys", "rest-down", "wfm-half-answer", "disk-full")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The connector says a lot when everything goes wrong."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def assert_clean(outcome: Outcome) -> None:
    """Nothing is wrong in the end, and something was in between."""
    assert outcome.problems == {}, outcome.details
    assert sum(outcome.struck.values()) > 0


def short(case: Case) -> Case:
    """The same with fewer agents."""
    return case if FULL else replace(case, agents=3, calm_minutes=15.0)


def test_the_matrix_has_every_fault_and_mixtures_of_them() -> None:
    """No fault is left out, alone or together; the same seed mixes the same."""
    assert [one.name for one in SINGLES] == list(all_faults())
    assert len({one.name for case in MIXTURES for one in case.faults}) > 40
    assert all(2 <= len(case.faults) <= 5 for case in MIXTURES)
    assert list(mixtures(50, 1)) == MIXTURES
    assert list(mixtures(50, 2)) != MIXTURES


@pytest.mark.soak
@pytest.mark.parametrize("case", [one for one in SINGLES if FULL or one.name in SHORT], ids=lambda one: one.name)
def test_a_fault_alone_leaves_nothing_wrong(case: Case, tmp_path: Path) -> None:
    """In CI one of each side."""
    assert_clean(run_case(short(case), tmp_path))


@pytest.mark.soak
@pytest.mark.parametrize("case", MIXTURES if FULL else MIXTURES[5:6], ids=lambda one: one.name)
def test_mixtures_leave_nothing_wrong(case: Case, tmp_path: Path) -> None:
    """Two to five faults, each in a window of its own."""
    assert_clean(run_case(short(case), tmp_path))


@pytest.mark.soak
@pytest.mark.parametrize("case", CRASHES if FULL else CRASHES[:1], ids=lambda one: one.name)
def test_deaths_at_chosen_points_leave_nothing_wrong(case: Case, tmp_path: Path) -> None:
    """Before and after commits, before an answer is heard, and in power cuts that tear the last writes."""
    outcome = run_case(short(case), tmp_path)
    assert_clean(outcome)
    assert outcome.deaths == case.crashes


@pytest.mark.soak
@pytest.mark.parametrize("case", list(outages(72, 4, 1) if FULL else outages(2, 1, 1)), ids=lambda one: one.name)
def test_outages_of_hours_and_days_leave_nothing_wrong(case: Case, tmp_path: Path) -> None:
    """Of the WFM, and of the connector itself."""
    assert_clean(run_case(short(case), tmp_path))


SPOILS = {
    "DELETE FROM events WHERE seq = (SELECT max(seq) - 50 FROM events)": "an event is not in the ledger",
    "UPDATE events SET sid = 'EVffff' WHERE seq = (SELECT max(seq) - 51 FROM events)": "never happened",
    "UPDATE state_changes SET status = 'dead' WHERE id = 20": "dead_letters",
}


def test_the_judge_finds_what_is_wrong_in_the_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What faults would have left is put there by hand."""
    spoilt: list[int] = []
    run_to = VirtualFloor.run_to

    def spoiling(floor: VirtualFloor, until_ms: int) -> None:
        run_to(floor, until_ms)
        if floor.service.has_ended() and not spoilt:
            with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as ledger, ledger:
                spoilt.extend(ledger.execute(spoil).rowcount for spoil in SPOILS)

    monkeypatch.setattr(VirtualFloor, "run_to", spoiling)
    outcome = run_case(calm_case(()), tmp_path)
    assert spoilt == [1, 1, 1]
    for found in SPOILS.values():
        assert any(found in problem for problem in outcome.problems), outcome.problems


def test_the_judge_finds_a_connector_that_stays_away(tmp_path: Path) -> None:
    """Reports and states are missing, and nobody answers for them."""
    case = calm_case((Kill(from_minutes=20.0, minutes=30.0),))
    outcome = run_case(replace(case, calm_minutes=40.0, settle_minutes=2.0), tmp_path)
    assert any(problem.startswith("after the trouble: missing") for problem in outcome.problems), outcome.problems


def calm_case(faults: Sequence[Fault]) -> Case:
    """An hour of three agents."""
    return Case(
        name="calm", faults=tuple(faults), seed=3, agents=3, trouble_minutes=5.0, settle_minutes=10.0, calm_minutes=20.0
    )


def test_the_command_prints_what_was_tried_and_how_it_ended(tmp_path: Path) -> None:
    """One line a case, then the numbers; the verdict as JSON on demand."""
    file, scenario = tmp_path / "matrix.json", tmp_path / "bad-minutes.toml"
    scenario.write_text('agents = 3\n[[faults]]\nfault = "burst"\nfrom_minutes = 5.0\nminutes = 5.0\n')
    done = CliRunner().invoke(main, ["matrix", "--scenario", str(scenario), "--jobs", "1", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert "    1 scenario: 1 clean" in done.output
    verdict = json.loads(file.read_text())
    assert (verdict["clean"], [one["case"] for one in verdict["cases"]]) == (True, ["bad-minutes"])
    scenario.write_text('[[faults]]\nfault = "drop"\n')
    endless = CliRunner().invoke(main, ["matrix", "--scenario", str(scenario)])
    assert endless.exit_code == 1
    assert "drop never ends" in endless.output
    wrong = CliRunner().invoke(main, ["matrix", "--only", "nothing"])
    assert wrong.exit_code == 2
    assert "there is no case nothing" in wrong.output

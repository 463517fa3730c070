"""The simulated floor does what theory says, with fixed seeds, and a floor that does not is found out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.theory.checks import Textbook, scenario_checks, textbook_checks
from simulator.theory.fit import Check
from simulator.theory.observe import observe
from simulator.world.scenario.files import load_scenario

ERLANG_C = Textbook(agents=6, calls_per_hour=96.0, patience_s=None, runs=6, hours=10.0, warm_up_hours=1.0, seed=1)
ERLANG_A = replace(ERLANG_C, calls_per_hour=130.0, patience_s=100.0, seed=20)


def _misfits(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.fits]


@pytest.mark.parametrize("textbook", [ERLANG_C, ERLANG_A], ids=lambda one: one.name)
def test_a_simple_queue_waits_as_erlang_says(textbook: Textbook) -> None:
    """Shares, means, occupancy, Little's law, and the distribution of talk times."""
    checks = textbook_checks(textbook)
    assert _misfits(checks) == []
    assert len(checks) == 6 + (textbook.patience_s is not None)


class _Longer(Textbook):
    """Theory believes in shorter talks than the floor has."""

    def scenario(self, run: int):  # type: ignore[no-untyped-def]
        return super().scenario(run).with_({"channels.voice.talk.mean_s": 1.4 * self.talk_s})


def test_a_floor_that_talks_longer_than_theory_believes_is_found_out() -> None:
    """By waits, occupancy and the distribution of talks alike."""
    names = ("agents", "calls_per_hour", "patience_s", "runs", "hours", "warm_up_hours", "seed")
    misfits = _misfits(textbook_checks(_Longer(**{name: getattr(ERLANG_A, name) for name in names})))
    assert "talk, s" in misfits
    assert "share of time agents talk" in misfits


@pytest.mark.parametrize(
    ("name", "changes"),
    [("ordinary-day", {}), ("monday-spike", {}), ("follow-the-sun", {}), ("chat-heavy", {"agents": 40})],
)
def test_a_ready_scenario_is_what_it_says(name: str, changes: dict[str, object]) -> None:
    """Arrivals follow the curve with its spikes, talks and patience their distributions; Little's law holds."""
    scenario = load_scenario(name, {"agents": 60, "hours": 6.0, **changes})
    checks = scenario_checks(observe(scenario))
    assert _misfits(checks) == []
    assert len(checks) >= 12


def test_arrivals_of_another_curve_are_found_out() -> None:
    """A spike that the comparison does not know of."""
    seen = observe(load_scenario("monday-spike", {"agents": 60, "hours": 6.0}))
    seen.world.scenario = seen.world.scenario.with_({"spikes": []})
    assert "arrivals by quarter of an hour" in _misfits(scenario_checks(seen))


def test_the_command_tells_what_fits(tmp_path: Path) -> None:
    """As a table and as JSON; exit code 0 if everything does."""
    path = tmp_path / "checks.json"
    given = ["theory", "--agents", "3", "--calls-per-hour", "40", "--runs", "4", "--hours", "6", "--json", str(path)]
    answer = CliRunner().invoke(main, given)
    assert answer.exit_code == 0, answer.output
    assert "Erlang C: 3 agents, 2.00 Erlang" in answer.output
    assert "13 of 13 fit" in answer.output
    assert all(check["fits"] for check in json.loads(path.read_text()))


def test_the_command_leaves_out_what_has_no_answer() -> None:
    """Erlang C, where more calls come than agents can take."""
    answer = CliRunner().invoke(
        main, ["theory", "--agents", "2", "--calls-per-hour", "60", "--runs", "3", "--hours", "4"]
    )
    assert "Erlang A alone" in answer.output
    assert "Erlang C:" not in answer.output


def test_run_reports_on_itself() -> None:
    """`run --report` compares a run with its scenario."""
    answer = CliRunner().invoke(main, ["run", "--agents", "30", "--hours", "5", "--report"])
    assert answer.exit_code == 0, answer.output
    assert "Support" in answer.output
    assert "fit." in answer.output

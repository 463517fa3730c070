"""The simulated floor does what theory says, with fixed seeds, and a floor that does not is found out."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.theory.checks import Textbook, scenario_checks, textbook_checks
from simulator.theory.fit import Check
from simulator.theory.observe import observe
from simulator.world.scenario import Scenario
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
    assert len(checks) == 8 + 2 * (textbook.patience_s is not None)


class _Mutated(Textbook):
    """A floor that is a tenth off what theory believes."""

    changes: dict[str, float]

    def scenario(self, run: int) -> Scenario:
        return super().scenario(run).with_(self.changes)


@pytest.mark.parametrize(
    ("textbook", "changes", "found"),
    [
        (ERLANG_C, {"channels.voice.talk.mean_s": 198.0}, {"talk, s"}),
        (ERLANG_C, {"channels.voice.per_agent_hour": 17.6}, {"calls", "gaps between calls, s"}),
        (ERLANG_A, {"channels.voice.talk.mean_s": 198.0}, {"talk, s"}),
        (ERLANG_A, {"channels.voice.per_agent_hour": 1.1 * 130 / 6}, {"calls", "gaps between calls, s"}),
        (ERLANG_A, {"channels.voice.patience.mean_s": 110.0}, {"patience, s"}),
        # With one agent less nothing that is drawn is wrong; the queue is.
        (
            ERLANG_A,
            {"agents": 5, "channels.voice.per_agent_hour": 26.0},
            {"share of time agents talk"},
        ),
    ],
)
def test_a_textbook_queue_a_tenth_off_is_found_out(
    textbook: Textbook, changes: dict[str, float], found: set[str]
) -> None:
    """Whatever is wrong with it."""
    mutated = _Mutated(**asdict(textbook))
    object.__setattr__(mutated, "changes", changes)
    assert set(_misfits(textbook_checks(mutated))) >= found


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


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"per_agent_hour": 2.86}, "arrivals"),
        ({"talk": {"kind": "lognormal", "median_s": 231.0, "spread": 0.6}}, "talk: share that is shorter, mean"),
        ({"wrap_up": {"kind": "lognormal", "median_s": 33.0, "spread": 0.7}}, "wrap-up: share that is shorter, mean"),
        ({"patience": {"kind": "weibull", "scale_s": 286.0, "shape": 0.9}}, "patience: share that is shorter, mean"),
    ],
    ids=["arrivals", "talk", "wrap-up", "patience"],
)
def test_a_scenario_a_tenth_off_is_found_out(change: dict[str, object], found: str) -> None:
    """All calls of a day together show it, where no single queue might."""
    floor = {"agents": 90, "hours": 9.0, "start": "2026-01-05T08:00:00Z"}
    believed = load_scenario("ordinary-day", floor)
    seen = observe(believed.with_({"channels.voice": change}))
    seen.world.scenario = believed
    misfits = [f"{check.subject}, {check.name}" for check in scenario_checks(seen) if not check.fits]
    assert f"All voice queues, {found}" in misfits


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
    assert "18 of 18 fit" in answer.output
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

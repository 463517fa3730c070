"""What a plan may be, the floor that fits it, and the command that says it again."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from click.testing import CliRunner

from simulator.cli.load import load
from simulator.load.floor import scenario_of
from simulator.load.plan import MOST_EVENTS, LoadPlan


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"rate": 0}, "rate must be above 0"),
        ({"duration_s": -1}, "duration_s must be above 0"),
        ({"shape": "burst", "burst_every_s": 1, "burst_within_s": 2}, "a burst must be over before the next one"),
        ({"connections": 501}, "connections must lie between 1 and 500"),
        ({"target": "ftp://x"}, "http:// or https://"),
        ({"wfm": "http://127.0.0.1:1"}, "belong to a --target"),
        ({"anchor_ms": 1}, "belong to a --target"),
        ({"log": "a.jsonl", "shape": "replay"}, "--log belongs to"),
        ({"log": "a.jsonl", "target": "http://a/b"}, "--log belongs to"),
        ({"rate": 10.0, "duration_s": MOST_EVENTS}, "make it several runs"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(given: dict[str, Any], problem: str) -> None:
    """With a sentence that says what is wrong."""
    with pytest.raises(ValueError, match=problem):
        LoadPlan(**given)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--shape", "login-storm", "--rate", "5"], "leave out --rate"),
        (["--shape", "replay", "--rate", "5"], "leave out --rate"),
        (["--speed", "2"], "--speed belongs to --shape replay"),
        (["--wfm", "http://127.0.0.1:1"], "belong to a --target"),
        (["--rate", "nan"], "--rate"),
        (["--json", "/nowhere/at/all.json"], "cannot be written"),
        (["--scenario", "no-such-day"], "no-such-day"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(options: list[str], problem: str) -> None:
    """Before anything is started."""
    result = CliRunner().invoke(load, options)
    assert result.exit_code == 2, result.output
    assert problem in result.output


def test_the_floor_fits_the_rate() -> None:
    """So many agents that it need not run much faster than in life, within bounds."""
    assert [LoadPlan(rate=rate).floor_agents for rate in (0.5, 20.0, 200.0, 2000.0)] == [50, 500, 5000, 5000]
    assert LoadPlan(rate=20.0, agents=7).floor_agents == 7
    assert LoadPlan(rate=20.0, scenario="quiet-night").floor_agents is None


def test_the_storm_has_a_floor_of_its_own() -> None:
    """Five thousand agents at one minute before nine, unless another floor is asked for."""
    plan = LoadPlan(shape="login-storm")
    scenario = scenario_of(plan)
    assert (scenario.agents, f"{scenario.start:%H:%M}", plan.floor_warm_up_minutes) == (5000, "08:59", 0)
    assert scenario_of(LoadPlan(shape="login-storm", agents=40)).agents == 40
    assert scenario_of(LoadPlan(shape="login-storm", scenario="quiet-night")).title.startswith("A quiet night")


@pytest.mark.parametrize(
    "plan",
    [
        LoadPlan(rate=12.5, duration_s=7, arrivals="even", seed=4, agents=9, connections=3),
        LoadPlan(shape="burst", burst_every_s=4, burst_within_s=0.5, warm_up_minutes=5),
        LoadPlan(shape="replay", speed=3, scenario="monday-spike"),
        LoadPlan(shape="login-storm", duration_s=20, agents=30),
        LoadPlan(target="http://127.0.0.1:8080/twilio/a/events#rc=5", wfm="http://127.0.0.1:8082", anchor_ms=5),
    ],
    ids=lambda plan: plan.shape,
)
def test_the_command_of_a_plan_makes_the_same_plan(plan: LoadPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that failed can be repeated by what it printed."""
    found: list[LoadPlan] = []

    def carry_out(made: LoadPlan, _place: object) -> Any:
        found.append(made)
        raise SystemExit(77)

    monkeypatch.setattr("simulator.cli.load._carry_out", carry_out)
    words = shlex.split(plan.command)
    assert words[:2] == ["flex-wfm-sim", "load"]
    result = CliRunner().invoke(load, words[2:])
    assert result.exit_code == 77, result.output
    assert found == [plan]
    assert "--auth-token" not in LoadPlan(target=plan.target or "http://a/b", auth_token="secret").command

"""The options with which a command takes a scenario, and the command line that says the same again."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from simulator.cli.numbers import FiniteRange
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import ScenarioError, load_scenario

F = TypeVar("F", bound=Callable[..., Any])


def scenario_options(command: F) -> F:
    """Add --scenario, --agents, --seed, --start, --hours and --set."""
    options = (
        click.option("--scenario", "name", default="ordinary-day", show_default=True, metavar="NAME|FILE",
                     help="A ready scenario or a TOML file."),
        click.option("--agents", type=click.IntRange(1, 15_000), help="Instead of the scenario's."),
        click.option("--seed", type=click.IntRange(0), help="Instead of the scenario's."),
        click.option("--start", metavar="TIME", help="The world's birth, such as 2026-01-05T08:00:00Z."),
        click.option("--hours", type=FiniteRange(0, min_open=True), help="Virtual hours; instead of the scenario's."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     help="Change one value by its path, as in channels.voice.per_agent_hour=4.0."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def chosen_scenario(
    name: str, agents: int | None, seed: int | None, start: str | None, hours: float | None, settings: tuple[str, ...]
) -> Scenario:
    """The scenario that the options describe; raises click.ClickException with all that is wrong."""
    changes: dict[str, Any] = {}
    for text in settings:
        path, sign, value = text.partition("=")
        if not sign or not path.strip():
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
        changes[path.strip()] = _value(value.strip())
    given = {"agents": agents, "seed": seed, "start": start, "hours": hours}
    changes |= {key: value for key, value in given.items() if value is not None}
    try:
        return load_scenario(name, changes)
    except ScenarioError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        raise click.ClickException(f"{error.source} cannot be used:\n{lines}") from error


def _value(text: str) -> Any:
    """A value as TOML has it; what is none of TOML's is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def command_again(command: str, **given: Any) -> str:
    """The command line that repeats a run."""
    words = ["flex-wfm-sim", command]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words += [option] if value else []
        elif isinstance(value, tuple):
            for one in value:
                words += [option, str(one)]
        elif value is not None:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)

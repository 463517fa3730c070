"""flex-wfm-sim run: a simulated floor alone, from its birth to its end, as fast as it goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from simulator.cli.scenario_options import chosen_scenario, command_again, scenario_options


@click.command()
@scenario_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Write the event log here; a name that ends in .gz is compressed, - is standard output.",
)
@click.option(
    "--truth",
    "truth_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what really happened here: every agent's states, and the figures of every interval.",
)
@click.option("--report", is_flag=True, help="Compare the run with what its scenario says; exit code 1 if it differs.")
@click.option("--list", "lists", is_flag=True, help="List the ready scenarios and end.")
def run(lists: bool, out: Path | None, truth_file: Path | None, report: bool, **given: Any) -> None:
    """Run a simulated Flex floor on its own. One scenario and one seed give the same event log, byte for byte."""
    from simulator.theory.observe import Observation
    from simulator.world.run import run_world
    from simulator.world.scenario.files import ready_scenarios

    if lists:
        for name, title in ready_scenarios().items():
            click.echo(f"{name:24} {title}")
        return
    scenario = chosen_scenario(**given)
    watch = Observation(scenario.start_ms, scenario.end_ms) if report else None
    with ExitStack() as stack, _repeatable(given, out):
        write = None if out is None else stack.enter_context(_writing(out))
        result = run_world(scenario, write=write, keeps_truth=report or truth_file is not None, watch=watch)
        if truth_file is not None:
            _write_truth(truth_file, result.world)
    hours = (result.world.now_ms - scenario.start_ms) / 3_600_000
    shown = {
        "scenario": scenario.title,
        "agents": f"{scenario.agents:,}, seed {scenario.seed}",
        "from": f"{scenario.start:%Y-%m-%dT%H:%M:%SZ}, for {hours:g} virtual hours",
        "events": f"{result.events:,}, of {result.contacts:,} contacts",
        "took": f"{result.wall_s:.1f} s: {result.events / max(result.wall_s, 1e-9):,.0f} events a second",
    }
    if result.sha256:
        shown["sha256"] = result.sha256
    for name, text in shown.items():
        click.echo(f"{name:9} {text}", err=True)
    if watch is not None:
        _report(watch, given)


def _report(watch: Any, given: dict[str, Any]) -> None:
    from simulator.cli.theory import show_checks
    from simulator.theory.checks import scenario_checks

    checks = scenario_checks(watch)
    show_checks(checks)
    if not all(check.fits for check in checks):
        click.echo(f"Not everything fits. Repeat it with:\n  {_again(given, report=True)}", err=True)
        raise SystemExit(1)


def _again(given: dict[str, Any], **more: Any) -> str:
    """The command that repeats the run."""
    names = {"name": "scenario", "settings": "set"}
    return command_again("run", **{names.get(key, key): value for key, value in given.items()}, **more)


@contextmanager
def _repeatable(given: dict[str, Any], out: Path | None) -> Iterator[None]:
    """Say how to repeat the run if it fails."""
    try:
        yield
    except (click.ClickException, KeyboardInterrupt):
        raise
    except Exception:
        click.echo(f"The run failed. Repeat it with:\n  {_again(given, out=out)}", err=True)
        raise


@contextmanager
def _writing(out: Path) -> Iterator[Callable[[str], object]]:
    from simulator.world.log_file import open_text

    if str(out) == "-":
        yield sys.stdout.write
        return
    try:
        with open_text(out, "w") as file:
            yield file.write
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error


def _write_truth(path: Path, world: Any) -> None:
    from simulator.world.figures_face import true_reports, true_states

    try:
        with path.open("w", encoding="utf-8") as file:
            json.dump({"states": true_states(world), "reports": true_reports(world)}, file, ensure_ascii=False)
            file.write("\n")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error

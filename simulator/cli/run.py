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
@click.option("--list", "lists", is_flag=True, help="List the ready scenarios and end.")
def run(lists: bool, out: Path | None, truth_file: Path | None, **given: Any) -> None:
    """Run a simulated Flex floor on its own. One scenario and one seed give the same event log, byte for byte."""
    from simulator.world.run import run_world
    from simulator.world.scenario.files import ready_scenarios

    if lists:
        for name, title in ready_scenarios().items():
            click.echo(f"{name:24} {title}")
        return
    scenario = chosen_scenario(**given)
    with ExitStack() as stack, _repeatable(given, out):
        write = None if out is None else stack.enter_context(_writing(out))
        result = run_world(scenario, write=write, keeps_truth=truth_file is not None)
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


@contextmanager
def _repeatable(given: dict[str, Any], out: Path | None) -> Iterator[None]:
    """Say how to repeat the run if it fails."""
    try:
        yield
    except (click.ClickException, KeyboardInterrupt):
        raise
    except Exception:
        again = {("scenario" if key == "name" else "set" if key == "settings" else key): given[key] for key in given}
        click.echo(f"The run failed. Repeat it with:\n  {command_again('run', **again, out=out)}", err=True)
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

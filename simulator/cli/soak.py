"""flex-wfm-sim soak: days of virtual time in one process, judged as they pass."""

from __future__ import annotations

import json
import logging
import shutil
import signal
from pathlib import Path

import click

from simulator.cli.demo import interrupt, make_empty, make_place, write_verdict
from simulator.cli.numbers import FiniteRange
from simulator.harness.soak import ROUTES, SoakPlan, run_soak

_DEFAULT = SoakPlan()
_SHARE = FiniteRange(0, 1)


@click.command()
@click.option(
    "--scenario", default="", metavar="NAME|FILE", help="What the floor is like; `flex-wfm-sim run --list` lists them."
)
@click.option(
    "--agents",
    type=click.IntRange(1, 15_000),
    help=f"Default: the scenario's, else {_DEFAULT.agents}.",
)
@click.option(
    "--days",
    type=FiniteRange(0, min_open=True),
    help=f"Virtual days for which events flow; default: the scenario's, else {_DEFAULT.days:g}.",
)
@click.option(
    "--route",
    default=_DEFAULT.route,
    show_default=True,
    type=click.Choice(ROUTES),
    help="How events come to the connector.",
)
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="The same seed gives the same run.")
@click.option(
    "--warm-up-minutes",
    default=_DEFAULT.warm_up_minutes,
    show_default=True,
    type=FiniteRange(0),
    help="What the connector learns of by REST alone.",
)
@click.option("--duplicates", default=_DEFAULT.duplicates, show_default=True, type=_SHARE, help="Share of events.")
@click.option("--reordered", default=_DEFAULT.reordered, show_default=True, type=_SHARE, help="Share of events.")
@click.option(
    "--reorder-minutes",
    default=_DEFAULT.reorder_minutes,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="How late those are at most.",
)
@click.option("--late", default=_DEFAULT.late, show_default=True, type=_SHARE, help="Share of events.")
@click.option(
    "--late-hours",
    default=_DEFAULT.late_hours,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="How late those are at most.",
)
@click.option(
    "--repair/--no-repair",
    default=_DEFAULT.repair,
    show_default=True,
    help="Let the connector also read Twilio's event history.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the whole verdict to this file.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for the ledger and the log; default: a temporary one, kept unless the verdict is clean.",
)
def soak(json_file: Path | None, directory: Path | None, **given: object) -> None:
    """Run days of a simulated Flex floor, the connector and a fake CXone WFM in this process, on virtual time.

    Nothing waits: the clock jumps from event to event. What the WFM holds is compared with what happened, states and
    interval reports, as the days pass.

    Exit code 0: the verdict is clean. 1: it is not.
    """
    from simulator.cli.soak_output import SoakScreen, show_soak
    from simulator.world.scenario.files import ScenarioError

    if json_file is not None:
        make_empty(json_file)
    place = make_place(directory)
    given |= _size(given)
    try:
        plan = SoakPlan(**given, directory=place)  # type: ignore[arg-type]
    except ValueError as error:
        raise click.UsageError(f"{error}; see --no-repair") from error
    logging.basicConfig(filename=place / "connector.log", level=logging.WARNING, force=True)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with SoakScreen() as screen:
            result = run_soak(plan, tell=screen.tell)
    except ScenarioError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt as error:
        click.echo("Interrupted.", err=True)
        raise SystemExit(130) from error
    unwritten = write_verdict(json_file, json.dumps(result.to_dict(), indent=2)) if json_file is not None else ""
    show_soak(result, None if unwritten else json_file)
    if unwritten:
        click.echo(unwritten, err=True)
    if result.clean and directory is None:
        shutil.rmtree(place)  # nothing in it is worth a look; a failed run keeps it
    raise SystemExit(0 if result.clean and not unwritten else 1)


def _size(given: dict[str, object]) -> dict[str, object]:
    """Agents and days: what was asked for, else the scenario's, else the defaults."""
    from simulator.world.scenario.files import ScenarioError, load_scenario

    usual: dict[str, object] = {"agents": _DEFAULT.agents, "days": _DEFAULT.days}
    if given["scenario"]:
        try:
            scenario = load_scenario(str(given["scenario"]))
        except ScenarioError as error:
            raise click.ClickException(str(error)) from error
        usual = {"agents": scenario.agents, "days": scenario.hours / 24}
    return {name: usual[name] for name in usual if given[name] is None}

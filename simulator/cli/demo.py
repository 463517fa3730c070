"""flex-wfm-sim demo: a simulated floor, the real connector and a fake WFM, judged at the end."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType

import click

from simulator.cli.numbers import FiniteRange
from simulator.harness import DemoPlan, DemoResult, HarnessError, Stage, run_demo

_DEFAULT = DemoPlan()


@click.command()
@click.option(
    "--scenario", default="", metavar="NAME|FILE", help="What the floor is like; `flex-wfm-sim run --list` lists them."
)
@click.option("--agents", default=_DEFAULT.agents, show_default=True, type=click.IntRange(1, 5000))
@click.option(
    "--minutes",
    default=_DEFAULT.minutes,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Virtual minutes for which events flow.",
)
@click.option(
    "--speed",
    default=_DEFAULT.speed,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Virtual seconds per second.",
)
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="The same seed gives the same floor.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the whole verdict to this file.",
)
@click.option("--stay", is_flag=True, help="Keep the servers running after the verdict, until Ctrl-C.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for logs, configuration and ledger; default: a temporary one, kept unless the verdict is clean.",
)
def demo(
    scenario: str,
    agents: int,
    minutes: float,
    speed: float,
    seed: int,
    json_file: Path | None,
    stay: bool,
    directory: Path | None,
) -> None:
    """Run a simulated Flex floor, the connector and a fake CXone WFM, and judge whether the WFM holds the truth.

    Exit code 0: the verdict is clean. 1: it is not, or the run could not be carried through.
    """
    from simulator.cli.demo_output import Screen, show_failure, show_stay, show_verdict

    if json_file is not None:
        make_empty(json_file)
    place = make_place(directory)
    plan = DemoPlan(
        scenario=_known(scenario),
        agents=agents,
        minutes=minutes,
        speed=speed,
        seed=seed,
        directory=place,
    )
    screen = Screen()
    # SIGTERM ends the demo the way Ctrl-C does, so that no server is left behind.
    signal.signal(signal.SIGTERM, interrupt)

    unwritten = ""

    def report(stage: Stage, result: DemoResult) -> None:
        nonlocal unwritten
        screen.close()
        if json_file is not None:
            unwritten = write_verdict(json_file, json.dumps(result.to_dict(), indent=2))
        show_verdict(result, None if unwritten else json_file)
        if unwritten:
            click.echo(unwritten, err=True)
        if stay:
            show_stay(stage)
            _wait()

    try:
        with screen:
            result = run_demo(plan, tell=screen.tell, stay=report)
    except HarnessError as error:
        show_failure(error, plan)
        raise SystemExit(1) from error
    except KeyboardInterrupt as error:
        click.echo("Interrupted; every server was ended.", err=True)
        raise SystemExit(130) from error
    if result.clean and directory is None:
        shutil.rmtree(place)  # nothing in it is worth a look; a failed run keeps it
    raise SystemExit(0 if result.clean and not unwritten else 1)


def _known(scenario: str) -> str:
    """The scenario, if it can be used; a server that is started with it would say so too late."""
    if scenario:
        from simulator.world.scenario.files import ScenarioError, load_scenario

        try:
            load_scenario(scenario)
        except ScenarioError as error:
            raise click.ClickException(str(error)) from error
    return str(Path(scenario).resolve()) if Path(scenario).is_file() else scenario


def make_empty(json_file: Path) -> None:
    """Find out before the run that the file can be written; an old verdict in it would be taken for this run's."""
    try:
        json_file.open("w", encoding="utf-8").close()
    except OSError as error:
        raise click.BadParameter(f"{json_file} cannot be written: {error.strerror}", param_hint="--json") from error


def write_verdict(json_file: Path, text: str) -> str:
    """Write it; what stood in the way, or nothing."""
    try:
        json_file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        return f"The verdict could not be written to {json_file}: {error.strerror}."
    return ""


def make_place(directory: Path | None, prefix: str = "flex-wfm-demo-") -> Path:
    """A directory that can be written to: the given one, made if need be, or a temporary one."""
    try:
        if directory is None:
            return Path(tempfile.mkdtemp(prefix=prefix))
        place = directory.resolve()
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError as error:
        shown = "the temporary directory" if directory is None else directory
        raise click.BadParameter(f"{shown} cannot be written to: {error.strerror}", param_hint="--dir") from error


def _wait() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("Ending the servers.")


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """A signal handler: end as Ctrl-C does."""
    raise KeyboardInterrupt

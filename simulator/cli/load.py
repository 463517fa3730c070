"""flex-wfm-sim load: signed callbacks at a planned rate, and how long a connector takes with them."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.demo import interrupt, make_place
from simulator.cli.numbers import FiniteRange
from simulator.load.plan import SHAPES, LoadPlan

if TYPE_CHECKING:
    from simulator.load.result import LoadResult
    from simulator.load.run import LoadRun

_DEFAULT = LoadPlan()
_STORM_S = 90.0
_ABOVE = FiniteRange(0, min_open=True)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--shape", default=_DEFAULT.shape, show_default=True, type=click.Choice(SHAPES), help="See below.")
@click.option("--rate", type=_ABOVE, help=f"Callbacks a second.  [default: {_DEFAULT.rate:g}]")
@click.option("--duration", "duration_s", type=_ABOVE, help="Seconds.  [default: 30; login-storm: 90]")
@click.option(
    "--arrivals",
    default=_DEFAULT.arrivals,
    show_default=True,
    type=click.Choice(["poisson", "even"]),
    help="Independent of one another, or evenly spaced.",
)
@click.option("--burst-every", "burst_every_s", default=_DEFAULT.burst_every_s, show_default=True, type=_ABOVE,
              help="Seconds from one burst to the next.")  # fmt: skip
@click.option("--burst-within", "burst_within_s", default=_DEFAULT.burst_within_s, show_default=True, type=_ABOVE,
              help="Seconds that a burst lasts.")  # fmt: skip
@click.option("--speed", type=_ABOVE, help="How many times as fast `replay` is.  [default: 1]")
@click.option("--scenario", default="", metavar="NAME|FILE", help="What the floor is like.")
@click.option("--log", type=click.Path(exists=True, dir_okay=False), help="Replay this event log.")
@click.option("--agents", type=click.IntRange(1, 5000), help="Default: as fits the rate, or the scenario's.")
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="The same seed gives the same plan.")
@click.option("--warm-up-minutes", default=_DEFAULT.warm_up_minutes, show_default=True, type=FiniteRange(0),
              help="How long the floor has been at work before the first callback, in its own time.")  # fmt: skip
@click.option("--target", default="", metavar="URL", help="The connector's callback URL; default: one is started.")
@click.option("--wfm", default="", metavar="URL", help="The fake WFM behind the target, to be read at the end.")
@click.option("--auth-token", default="", envvar="FLEX_WFM_SIM_AUTH_TOKEN", help="Default: made from the seed.")
@click.option("--account-sid", default="", help="Default: made from the seed.")
@click.option("--workspace-sid", default="", help="Default: made from the seed.")
@click.option("--anchor-ms", type=int, help="The machine time at which the target's [clock] shows the floor's start.")
@click.option("--connections", default=_DEFAULT.connections, show_default=True, type=click.IntRange(1, 500),
              help="Requests that are under way at most.")  # fmt: skip
@click.option("--drain-timeout", "drain_timeout_s", default=_DEFAULT.drain_timeout_s, show_default=True, type=_ABOVE,
              help="Seconds to wait for the last answers, and then for the WFM.")  # fmt: skip
@click.option("--json", "json_file", type=_FILE, help="Write the whole result here.")
@click.option("--html", "html_file", type=_FILE, help="Write a page with plots here; it needs no network.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for what is started; default: a temporary one, kept unless the result is clean.",
)
def load(json_file: Path | None, html_file: Path | None, directory: Path | None, **given: Any) -> None:
    """Send TaskRouter callbacks open loop, each at its planned time, and measure from that time.

    \b
    steady       --rate callbacks a second
    burst        the same on average, all of --burst-every within --burst-within
    ramp         from nothing to --rate
    login-storm  5,000 agents log in within a minute, by the floor's own times
    replay       a floor's own times, or those of a --log, --speed times as fast

    Without --target a floor, a connector and a fake WFM are started, and what the WFM holds is judged.

    Exit codes: 0 clean; 1 a callback was not taken, the WFM does not hold the truth, or a file could not be written; 2
    wrong usage; 3 the run could not be carried out; 4 the generator was the bottleneck; 130 interrupted, the result so
    far is shown.
    """
    _need_extra()
    plan = _plan(given)
    for name, file in (("--json", json_file), ("--html", html_file)):
        if file is not None:
            _make_empty(file, name)
    # A target has its own; what is started here needs a place.
    place = Path() if plan.target else make_place(directory, "flex-wfm-load-")
    is_temporary = directory is None and not plan.target
    try:
        result = _carry_out(plan, place)
    except click.UsageError:
        if is_temporary:
            shutil.rmtree(place)
        raise
    unwritten = _write(result, json_file, html_file)
    if result.ending == 0 and is_temporary:
        shutil.rmtree(place)  # nothing in it is worth a look; a failed run keeps it
    raise SystemExit(int(result.ending) or (1 if unwritten else 0))


def _need_extra() -> None:
    missing = [name for name in ("hdrh", "httptools", "plotly") if find_spec(name) is None]
    if missing:
        raise click.UsageError(
            f"this command needs {', '.join(missing)}; install them with: pip install 'flex-wfm[load]'"
        )


def _plan(given: dict[str, Any]) -> LoadPlan:
    """The plan that the options describe; an option that has no part in the shape is refused, not ignored."""
    shape = given["shape"]
    own_times = shape in ("login-storm", "replay")
    if own_times and given["rate"] is not None:
        raise click.UsageError(f"{shape} goes by the floor's own times; leave out --rate")
    if shape != "replay" and given["speed"] is not None:
        raise click.UsageError("--speed belongs to --shape replay")
    usual = {
        "rate": _DEFAULT.rate,
        "speed": _DEFAULT.speed,
        "duration_s": _STORM_S if shape == "login-storm" else _DEFAULT.duration_s,
        "agents": _DEFAULT.agents,
        "log": _DEFAULT.log,
    }
    given |= {name: value for name, value in usual.items() if given[name] is None}
    try:
        return LoadPlan(**given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _make_empty(file: Path, option: str) -> None:
    """Find out before the run that the file can be written; an old result in it would be taken for this run's."""
    try:
        file.open("w", encoding="utf-8").close()
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint=option) from error


def _carry_out(plan: LoadPlan, place: Path) -> LoadResult:
    from simulator.cli.load_output import Ticker, show_failure, show_load
    from simulator.harness import HarnessError
    from simulator.load.result import Ending
    from simulator.load.run import LoadRun
    from simulator.world.log_file import LogFileError
    from simulator.world.scenario.files import ScenarioError

    ticker = Ticker()
    run = LoadRun(plan, place, ticker.tell)
    try:
        with _ending(run), ticker:
            result = run.run()
    except (ScenarioError, LogFileError) as error:
        raise click.UsageError(str(error)) from error
    except HarnessError as error:
        show_failure(error, plan)
        raise SystemExit(int(Ending.NOT_CARRIED_OUT)) from error
    except KeyboardInterrupt as error:
        click.echo("Interrupted before there was a result; every server was ended.", err=True)
        raise SystemExit(int(Ending.INTERRUPTED)) from error
    show_load(result)
    return result


@contextmanager
def _ending(run: LoadRun) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the sending; the second one, or one at another time, ends the command."""

    def end(number: int, frame: FrameType | None) -> None:
        if run.stop():
            click.echo("\nInterrupted: waiting for the answers that are due. Again to end at once.", err=True)
        else:
            interrupt(number, frame)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(result: LoadResult, json_file: Path | None, html_file: Path | None) -> bool:
    """Write the files that were asked for; says so, and whether one could not be written."""
    from simulator.load.page import page_of

    texts: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (json_file, lambda: json.dumps(result.to_dict(), indent=2) + "\n"),
        (html_file, lambda: page_of(result)),
    )
    failed = False
    for file, text in texts:
        if file is None:
            continue
        try:
            file.write_text(text(), encoding="utf-8")
        except OSError as error:
            failed = True
            click.echo(f"{file} could not be written: {error.strerror}.", err=True)
        else:
            click.echo(f"Written: {file}")
    return failed

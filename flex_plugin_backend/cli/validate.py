"""flex-wfm validate: checks payload files against the contract, for people and for CI."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from flex_plugin_backend.cli.outputs import Outputs, PairedCommand, output_options
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.check import (
    Baseline,
    CheckResult,
    Exit,
    Options,
    Recorder,
    Source,
    check,
    find,
)
from flex_plugin_backend.wfm.contract.check.baseline import read as read_baseline
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS, reporter
from flex_plugin_backend.wfm.contract.check.workers import processors

_MAX_FINDINGS = 10_000


@click.command(cls=PairedCommand)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--profile", "-p", "profiles", multiple=True, help="Built-in name or .toml file; of several the fitting one."
)
@click.option(
    "--kind", "-k", help="What every payload is: a DTO or an endpoint's name. Default: recognised by its names."
)
@output_options(FORMATS)
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path), help="Findings to put up with.")
@click.option("--write-baseline", is_flag=True, help="Write what is found to the file of --baseline.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="With --write-baseline: the last day of its entries.",
)
@click.option("--strict", is_flag=True, help="Warnings alone end with 1 too.")
@click.option(
    "--max-findings",
    type=click.IntRange(min=0),
    default=_MAX_FINDINGS,
    show_default=True,
    help="List so many; the rest is counted. 0 lists all.",
)
@click.option("--one-feed", is_flag=True, help="All files are one feed: look for holes and repetitions across them.")
@click.option("--now", default="now", show_default=True, help="The time for rules that look at it, or `none`.")
@click.option("--processes", type=click.IntRange(min=1), help="For large files of bare rows. Default: one a processor.")
@click.pass_context
def validate(ctx: click.Context, /, paths: tuple[str, ...], outputs: Outputs, **given: Any) -> None:
    """Check the payloads in PATH... against the wire contract with CXone WFM.

    A PATH is a file, a folder (every .json, .ndjson and .jsonl below it), a pattern, or - for standard input. A file
    holds one payload, a list of payloads, one payload or bare row on each line, or a capture of the fake WFM; gzip is
    unpacked.

    An -o belongs to the -f before it; an -f without one writes to standard output. In a GitHub job, annotations are
    written beside text by themselves.

    Ends with 0 when nothing is wrong, 1 with findings, 2 for a wrong command line, 3 when something could not be read
    or nothing was there to check.
    """
    with _contract_errors():
        old = _baseline(given)
        recorder = (
            Recorder(old, given["expires"].date() if given["expires"] else None) if given["write_baseline"] else None
        )
        found, unread = find(paths, getattr(sys.stdin, "buffer", None))
        sources = _without_own(found, outputs, given["baseline"])
        result = check(sources, _options(given), baseline=None if recorder else old, recorder=recorder, unread=unread)
    if recorder is not None:
        _write_baseline(ctx, recorder, given["baseline"], result)
    outputs.write(lambda name: lambda out: reporter(name)(result, out))
    ctx.exit(int(result.exit))


def _without_own(sources: Iterable[Source], outputs: Outputs, baseline: Path | None) -> list[Source]:
    """The sources without the files that this command writes: they may lie in a folder that is checked."""
    own = {path.resolve() for path in (*(item.file for item in outputs.items), baseline) if path is not None}
    return [source for source in sources if source.path is None or source.path.resolve() not in own]


def _options(given: dict[str, Any]) -> Options:
    return Options(
        profiles=given["profiles"],
        kind=given["kind"],
        one_feed=given["one_feed"],
        max_findings=given["max_findings"] or None,
        strict=given["strict"],
        processes=given["processes"] or processors(),
        today=_today(),
        now_ms=_now_ms(given["now"]),
    )


def _today() -> date:
    return datetime.now(UTC).date()


def _now_ms(text: str) -> int | None:
    if text == "none":
        return None
    if text == "now":
        return time.time_ns() // 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter("is no instant; write 2026-03-02T09:15:00Z, now or none", param_hint="--now")
    return round(moment.timestamp() * 1000)


def _baseline(given: dict[str, Any]) -> Baseline:
    path: Path | None = given["baseline"]
    if path is None:
        if given["write_baseline"] or given["expires"]:
            raise click.UsageError("--write-baseline and --expires go with --baseline FILE.")
        return Baseline()
    if given["write_baseline"] and not path.exists():
        return Baseline()
    return read_baseline(path)


def _write_baseline(ctx: click.Context, recorder: Recorder, path: Path, result: CheckResult) -> NoReturn:
    try:
        number = recorder.write(path)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from error
    for one in result.unread:
        click.echo(f"{one.name}: {one.problem}. {one.repair}", err=True)
    click.echo(f"Wrote {number} entries to {path}.", err=True)
    ctx.exit(int(Exit.UNCHECKED if result.unread else Exit.CLEAN))


@contextmanager
def _contract_errors() -> Iterator[None]:
    """A wrong profile, kind or baseline is a wrong command line."""
    try:
        yield
    except ContractError as error:
        raise click.UsageError(str(error)) from error

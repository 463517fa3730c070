"""What a load run shows: one line while it runs, a table and a verdict after it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from simulator.cli.demo_output import show_findings
from simulator.harness import HarnessError
from simulator.load.histogram import Latencies
from simulator.load.plan import LoadPlan
from simulator.load.result import Ending, LoadResult
from simulator.load.run import LoadProgress

_PHASES = {
    "floor": "building the floor",
    "servers": "starting fake WFM, floor and connector",
    "making": "making callbacks",
    "running": "sending",
    "settling": "waiting for the WFM",
    "auditing": "comparing with the truth",
}
_PLAIN_EVERY_S = 5.0
_HINTS = {
    "403": "the target refuses the signature: is --auth-token its own, and --target the URL that it knows itself by?",
    "404": "the target does not know this path: compare --target with what `flex-wfm serve` prints",
    "400": "the target refuses what is sent: are --account-sid and --workspace-sid its own?",
}


class Ticker:
    """One line of progress, cheap enough not to disturb what is measured: nothing redraws by itself."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._phase = ""
        self._said_s = 0.0
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._out.write("\n")
            self._width = 0

    def tell(self, progress: LoadProgress) -> None:
        """Show how far the run has come."""
        text = _PHASES[progress.phase]
        if progress.phase == "running":
            text += f"  {progress.share:4.0%}  {progress.due:,} due, {progress.unanswered:,} unanswered"
        if self._out.isatty():
            self._out.write("\r" + text.ljust(self._width))
            self._width = len(text)
        elif progress.phase != self._phase or time.monotonic() - self._said_s >= _PLAIN_EVERY_S:
            self._out.write(text + "\n")
            self._said_s = time.monotonic()
        self._phase = progress.phase
        self._out.flush()


def show_failure(error: HarnessError, plan: LoadPlan) -> None:
    """Why there is no result, and where to look."""
    click.echo(f"The run could not be carried out: {error}", err=True)
    if error.log is not None:
        click.echo(f"Log: {error.log}\n{error.tail}", err=True)
    click.echo(f"Repeat it: {plan.command}", err=True)


def show_load(result: LoadResult, console: Console | None = None) -> None:
    """The table, the verdict, and for anything but a clean result the command that repeats it."""
    console = console or Console()
    console.print(_table(result))
    if result.delivery is not None:
        show_findings(result.delivery.verdict, None, console)
    for reason in result.fitness.reasons:
        console.print(f"[bold yellow]THE GENERATOR IS THE BOTTLENECK[/]: {reason}.", highlight=False, soft_wrap=True)
    if result.fitness.is_bottleneck:
        console.print("Its latencies are too long and its rate too low; they say nothing of the target.")
    if result.interrupted:
        console.print("[bold yellow]INTERRUPTED[/]  This is the result so far.")
    for outcome in result.outcomes:
        if outcome in _HINTS:
            console.print(f"{outcome}: {_HINTS[outcome]}", markup=False, highlight=False, soft_wrap=True)
    if result.reasons:
        console.print("[bold red]NOT CLEAN[/]", highlight=False)
        for reason in result.reasons:
            console.print(f"  {reason}", markup=False, highlight=False, soft_wrap=True)
    elif result.ending is Ending.CLEAN:
        console.print(f"[bold green]CLEAN[/]  {_clean_words(result)}")
    if result.ending is not Ending.CLEAN:
        console.print(f"Repeat it: {result.plan.command}", markup=False, highlight=False, soft_wrap=True)
        if result.directory is not None:
            console.print(f"Logs: {result.directory}", markup=False, highlight=False, soft_wrap=True)


def _clean_words(result: LoadResult) -> str:
    if result.delivery is None:
        return "Every callback was taken. What became of it was not judged (--wfm)."
    return "Every callback was taken, and the WFM holds what happened."


def _table(result: LoadResult) -> Table:
    table = Table(title=f"{result.plan.title}, {result.agents:,} agents", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("what", no_wrap=True)
    for name in ("p50", "p90", "p99", "p99.9", "max"):
        table.add_column(name, justify="right")
    table.add_column("counted", justify="right")
    rows: list[tuple[str, Latencies]] = [("planned to answered", result.latency)]
    if result.to_wfm is not None:
        rows.append(("planned to WFM accepted", result.to_wfm))
    rows += [
        ("  generator late", result.fitness.late),
        ("  waited for the target", result.waited),
        ("sent to answered", result.from_sending),
    ]
    for name, latencies in rows:
        figures = [latencies.percentile_ms(share) for share in (50, 90, 99, 99.9)]
        shown = [f"{one:,.1f}" if latencies.count else "-" for one in (*figures, latencies.most_ms)]
        table.add_row(name, *shown, f"{latencies.count:,}")
    table.caption = _caption(result)
    table.caption_justify = "left"
    return table


def _caption(result: LoadResult) -> str:
    lines = [
        f"milliseconds; percentiles to within 0.1 %; {result.machine}",
        f"callbacks: {result.planned:,} due ({result.rate:,.1f}/s), {result.taken:,} taken",
    ]
    if result.resent:
        lines.append(f"{result.resent:,} sent once more because their connection had just been closed")
    if result.delivery is not None:
        counts = result.delivery.verdict.counts
        lines.append(
            f"states at the WFM: {counts.expected:,} expected, {counts.delivered:,} delivered, {counts.missing:,} "
            f"missing, {counts.wrong + counts.invented:,} wrong or invented, {counts.out_of_order:,} out of order"
        )
    lines.append(f"generator: {result.fitness.cpu_share:.0%} of a processor")
    if abs(result.clock_step_ms) >= 1:
        lines.append(f"the machine's clock was set by {result.clock_step_ms:,.1f} ms during the run")
    return "\n".join(lines)

"""What a soak shows: virtual time, speed and the audit so far, and the verdict at the end."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from simulator.cli.demo_output import show_findings
from simulator.harness.soak import SoakProgress, SoakResult

_PLAIN_STEP = 0.1


class SoakScreen:
    """Progress: a live bar on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._open = ExitStack()
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._said = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = self._open.enter_context(Bar(*columns, console=self._console, transient=True))
            self._task = self._bar.add_task("building the floor", total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar = None
        self._open.close()

    def tell(self, progress: SoakProgress) -> None:
        """Show how far the run has come."""
        if self._bar is not None:
            self._bar.update(self._task, description=_line(progress), completed=progress.share)
        elif int(progress.share / _PLAIN_STEP) != self._said:
            self._said = int(progress.share / _PLAIN_STEP)
            self._console.print(_line(progress), highlight=False, soft_wrap=True)


def _line(progress: SoakProgress) -> str:
    clock = datetime.fromtimestamp(progress.virtual_ms / 1000, UTC).strftime("%a %H:%M")
    audit = "clean so far" if not progress.faults else f"{progress.faults} faults so far"
    return f"{clock}  {progress.speed:,.0f}x  {progress.events:,} events  {progress.rows:,} states  {audit}"


def show_soak(result: SoakResult, json_file: Path | None, console: Console | None = None) -> None:
    """The verdict table, and for a failed run its findings and the command that repeats it."""
    console = console or Console()
    console.print(_table(result))
    show_findings(result.verdict, result.reports, console)
    if result.clean:
        console.print("[bold green]CLEAN[/]  What the WFM holds is what happened.")
    else:
        console.print(f"[bold red]NOT CLEAN[/]  {', '.join(_reasons(result))}.", highlight=False)
        console.print(f"Repeat it: {result.plan.command}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"Ledger and log: {result.directory}", markup=False, highlight=False, soft_wrap=True)
    if json_file is not None:
        console.print(f"The whole verdict: {json_file}", markup=False, highlight=False, soft_wrap=True)


def _reasons(result: SoakResult) -> list[str]:
    found = {**result.verdict.failures, **result.reports.failures}
    reasons = [f"{count} {name.replace('_', ' ')}" for name, count in found.items()]
    if not result.drained:
        reasons.append("the connector still had something to do at the end")
    if result.verdict.counts.expected == 0:
        reasons.append("nothing was expected, so nothing was proved")
    return reasons


def _table(result: SoakResult) -> Table:
    plan, counts, reports = result.plan, result.verdict.counts, result.reports.counts
    title = f"{plan.agents} agents, {plan.days:g} virtual days by {plan.route}, seed {plan.seed}"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("meaning", style="dim")
    rows = [
        ("events", result.events, f"taken in {result.requests:,} requests"),
        ("expected", counts.expected, "states of 3 s or more, to be told"),
        ("delivered", counts.delivered, "states told, short ones included"),
        ("interval reports", reports.intervals_expected, "of both kinds"),
        ("report figures", reports.fields_judged, "compared with the truth"),
    ]
    for name, count, meaning in rows:
        table.add_row(name, f"{count:,}", meaning)
    table.add_section()
    for name, failures in (("state faults", result.verdict.failures), ("report faults", result.reports.failures)):
        count = sum(failures.values())
        style = "bold red" if count else "green"
        table.add_row(f"[{style}]{name}[/]", f"[{style}]{count:,}[/]", "missing, wrong, invented or out of order")
    table.add_section()
    per_event = 1e6 * result.wall_s / max(1, result.events)
    table.add_row("wall time", f"{result.wall_s:.1f} s", f"{result.speed:,.0f} times real speed")
    table.add_row("per event", f"{per_event:.0f} us", "the floor, the connector, the WFM and the audit together")
    return table

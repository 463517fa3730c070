"""What the demo shows: progress while it runs, the verdict after it, and where to look when it failed."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from simulator.audit import Finding, Verdict
from simulator.audit.reports import ReportFinding, ReportVerdict
from simulator.harness import DemoPlan, DemoResult, HarnessError, Progress, Stage

_MOST_FINDINGS = 10
_PLAIN_STEP = 0.1

_PHASES = {
    "floor": "starting the floor and the fake WFM",
    "connector": "starting the connector",
    "lead": "waiting for the first event",
    "running": "the floor runs",
    "settling": "waiting for the last states",
    "auditing": "comparing with the truth",
}


class Screen:
    """Progress: a live bar on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._open = ExitStack()
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._said: tuple[str, int] = ("", -1)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = self._open.enter_context(
                Bar(
                    TextColumn("{task.description:<36}"),
                    BarColumn(),
                    TextColumn("{task.fields[figures]}"),
                    TimeElapsedColumn(),
                    console=self._console,
                    transient=True,
                )
            )
            self._task = self._bar.add_task(_PHASES["floor"], total=1.0, figures="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._bar = None
        self._open.close()

    def tell(self, progress: Progress) -> None:
        """Show how far the demo has come."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=_PHASES[progress.phase],
                completed=progress.share,
                figures=_figures(progress),
            )
            return
        step = (progress.phase, int(progress.share / _PLAIN_STEP))
        if step != self._said:
            self._said = step
            self._console.print(f"{_PHASES[progress.phase]}  {_figures(progress)}".rstrip(), highlight=False)


def _figures(progress: Progress) -> str:
    if progress.virtual_ms is None:
        return ""
    clock = datetime.fromtimestamp(progress.virtual_ms / 1000, UTC).strftime("%H:%M:%S")
    return f"{clock}  {progress.callbacks} callbacks  {progress.rows} states at the WFM"


def show_verdict(result: DemoResult, json_file: Path | None, console: Console | None = None) -> None:
    """The verdict table, and for a failed run its findings, logs and the command that repeats it."""
    console = console or Console()
    console.print(_verdict_table(result))
    verdict = result.verdict
    show_findings(verdict, result.reports, console)
    if result.clean:
        console.print("[bold green]CLEAN[/]  What the WFM holds is what happened.")
    else:
        reasons = [f"{count} {name.replace('_', ' ')}" for name, count in verdict.failures.items()]
        if not result.drained:
            reasons.append("the connector had not settled when the audit began")
        if not result.reports_clean:
            reasons += [f"{count} {name.replace('_', ' ')}" for name, count in result.reports.failures.items()]
        if verdict.counts.expected == 0:
            reasons.append("nothing was expected, so nothing was proved")
        console.print(f"[bold red]NOT CLEAN[/]  {', '.join(reasons)}.", highlight=False)
        console.print(f"Repeat it: {result.plan.command}", markup=False, highlight=False, soft_wrap=True)
    if not result.clean:
        for name, log in result.logs.items():
            console.print(f"Log of {name}: {log}", markup=False, highlight=False, soft_wrap=True)
    if json_file is not None:
        console.print(f"The whole verdict: {json_file}", markup=False, highlight=False, soft_wrap=True)


def show_findings(verdict: Verdict, reports: ReportVerdict | None, console: Console) -> None:
    """The first findings of each verdict."""
    for finding in verdict.findings[:_MOST_FINDINGS]:
        console.print(_finding_text(finding), markup=False, highlight=False, soft_wrap=True)
    for report_finding in (reports.findings if reports else ())[:_MOST_FINDINGS]:
        console.print(_report_finding_text(report_finding), markup=False, highlight=False, soft_wrap=True)
    left = len(verdict.findings) - _MOST_FINDINGS
    if left > 0:
        console.print(f"... and {left} more findings; --json FILE writes all of them.", markup=False)


def _verdict_table(result: DemoResult) -> Table:
    plan, counts = result.plan, result.verdict.counts
    table = Table(
        title=f"{plan.agents} agents, {plan.minutes:g} virtual minutes at {plan.speed:g}x, seed {plan.seed}",
        title_justify="left",
        show_header=False,
    )
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("meaning", style="dim")
    rows: list[tuple[str, int, str]] = [
        ("callbacks sent", int(result.floor["callbacks_sent"]), "events of the floor, signed and posted"),
        ("expected", counts.expected, "states of 3 s or more, to be told"),
        ("delivered", counts.delivered, "states told, short ones included"),
        ("skipped short", counts.skipped_short, "under 3 s and left out: allowed"),
        ("absorbed", counts.absorbed, "same again behind a skipped one: allowed"),
        ("repeated", counts.repeated, "the newest state told again: allowed"),
        (
            "opening, rough start",
            counts.opening_approximate,
            "REST does not tell since when: allowed",
        ),
        ("duplicated", counts.duplicated, "all rows that told a state told before"),
    ]
    faults: list[tuple[str, int, str]] = [
        ("missing", counts.missing, "no row tells the state"),
        ("wrong", counts.wrong, "another state, or another start"),
        ("invented", counts.invented, "the agent was not in that state"),
        ("out of order", counts.out_of_order, "an older state after a newer one"),
        ("unknown agent", counts.unknown_agent, "an agent who does not exist"),
        ("unreadable", counts.unreadable, "a start that is no time"),
    ]
    for name, count, meaning in rows:
        table.add_row(name, str(count), meaning)
    table.add_section()
    for name, count, meaning in faults:
        style = "bold red" if count else "green"
        table.add_row(f"[{style}]{name}[/]", f"[{style}]{count}[/]", meaning)
    for row in _report_rows(result):
        table.add_row(*row)
    table.add_section()
    for name, text in _latency_rows(result):
        table.add_row(name, text, "planned callback to acceptance" if name == "latency p50" else "")
    return table


def _report_rows(result: DemoResult) -> list[tuple[str, str, str]]:
    counts = result.reports.counts
    faults = sum(result.reports.failures.values())
    style = "bold red" if faults else "green"
    return [
        ("interval reports", str(counts.intervals_expected), "due, of both kinds"),
        ("report figures", str(counts.fields_judged), "compared with the truth"),
        (f"[{style}]report faults[/]", f"[{style}]{faults}[/]", "missing, invented or wrong"),
    ]


def _report_finding_text(finding: ReportFinding) -> str:
    what = " ".join(str(part) for part in (finding.kind, finding.interval, finding.part, finding.field) if part)
    ids = ", ".join(f"{name} {value}" for name, value in finding.ids.items())
    lines = [f"{finding.fault.value}: {what} ({ids}): {finding.note}"]
    return "\n".join([*lines, f"  expected {finding.expected}", f"  got      {finding.got}"])


def _latency_rows(result: DemoResult) -> list[tuple[str, str]]:
    latency = result.verdict.latency
    if latency is None:
        return [("latency", "none")]
    figures = (("p50", latency.p50_ms), ("p95", latency.p95_ms), ("p99", latency.p99_ms), ("max", latency.max_ms))
    return [(f"latency {name}", f"{value:.1f} ms") for name, value in figures]


def _finding_text(finding: Finding) -> str:
    lines = [
        f"{finding.fault.value}: agent {finding.agent_name or finding.agent_id} ({finding.agent_id}): {finding.note}"
    ]
    if finding.expected is not None:
        lines.append(f"  expected {_state_text(finding.expected)}")
    if finding.got is not None:
        lines.append(
            f"  got      {_state_text(finding.got)} (row {finding.got['seq']}, request {finding.got['request']})"
        )
    if finding.causes:
        lines.append(f"  events   {' '.join(finding.causes)}")
    return "\n".join(lines)


def _state_text(state: dict[str, Any]) -> str:
    reason = f" [{state['event_reason']}]" if state["event_reason"] else ""
    return f"{state['event_id']}{reason} since {state['start']}"


def show_stay(stage: Stage, console: Console | None = None) -> None:
    """Where the servers are while they stay."""
    console = console or Console()
    for name, url in stage.urls().items():
        console.print(f"{name}: {url}", markup=False, highlight=False, soft_wrap=True)
    console.print("The servers stay until Ctrl-C.")


def show_failure(error: HarnessError, plan: DemoPlan, console: Console | None = None) -> None:
    """Why the run could not be carried through, and where to look."""
    console = console or Console(stderr=True)
    console.print(f"The demo could not be carried through: {error}", style="bold red", markup=False, soft_wrap=True)
    if error.log is not None:
        console.print(f"The end of {error.log}:", markup=False, highlight=False, soft_wrap=True)
        console.print(error.tail or "(empty)", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Repeat it: {plan.command}", markup=False, highlight=False, soft_wrap=True)

"""flex-wfm backfill: reads up to 30 days of TaskRouter's history by hand, and says what that changes."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from flex_plugin_backend.cli.moments import Moment, as_second
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.backfill import Backfill
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.leader import is_held, lease_path
from flex_plugin_backend.flow.reconciler import READABLE_MS
from flex_plugin_backend.flow.rehearsal import Change, Rehearsal
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import Settings, TenantSettings, load_settings
from flex_plugin_backend.taskrouter.pages import TaskRouterPages

_MOST_SHOWN = 50
# Where nobody looks at a terminal (a pipe, a file) nothing is cut.
_PIPE_WIDTH = 200


@click.command()
@config_option("The settings.")
@click.option("--tenant", help="Which tenant; can be left out where there is only one.")
@click.option("--from", "from_ms", type=Moment(), required=True, help="From when on, e.g. 2026-01-05T09:00Z.")
@click.option("--to", "to_ms", type=Moment(), required=True, help="Until when.")
@click.option("--dry-run", is_flag=True, help="Change nothing; work out on a copy of the ledger what would change.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def backfill(config: Path | None, tenant: str | None, from_ms: int, to_ms: int, dry_run: bool, as_json: bool) -> None:
    """Read what TaskRouter remembers of a span of time, and store the events that the ledger lacks.

    A running connector takes them up at once, another one when it starts: states and reports follow. A run that was
    ended goes on where it stopped when it is given the same span again.
    """
    settings = load_settings(config)
    name, chosen = _chosen(settings, tenant)
    clock = settings.clock.build()
    span = _span(from_ms, to_ms, clock.now_ms(), chosen)
    with closing(Ledger(settings.ledger.url)) as ledger:
        job = _Job(name, chosen, clock, span, Console(stderr=True), as_json)
        if dry_run:
            job.rehearse(ledger)
        else:
            job.fill(ledger)


def _chosen(settings: Settings, tenant: str | None) -> tuple[str, TenantSettings]:
    if tenant is None:
        if len(settings.tenants) > 1:
            raise click.UsageError(f"say which --tenant: {', '.join(sorted(settings.tenants))}")
        tenant = next(iter(settings.tenants))
    if tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    return tenant, settings.tenants[tenant]


def _span(from_ms: int, to_ms: int, now_ms: int, tenant: TenantSettings) -> Span:
    """The span in whole seconds; a usage error where Twilio cannot know it."""
    if to_ms <= from_ms:
        raise click.BadParameter("it does not lie after --from", param_hint="--to")
    oldest_ms = now_ms - READABLE_MS
    if from_ms < oldest_ms:
        raise click.BadParameter(
            f"Twilio keeps its history for 30 days; the earliest possible is {as_second(oldest_ms + 1000)}",
            param_hint="--from",
        )
    newest_ms = now_ms - round(tenant.repair.settle_s * 1000)
    if to_ms > newest_ms:
        raise click.BadParameter(
            f"what has happened since {as_second(newest_ms)} may still be on its way; the latest possible is that",
            param_hint="--to",
        )
    return Span(from_ms // 1000 * 1000, -(-to_ms // 1000) * 1000)


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of the command."""

    tenant: str
    settings: TenantSettings
    clock: Clock
    span: Span
    console: Console
    as_json: bool

    def fill(self, ledger: Ledger) -> None:
        """Store what is missing."""
        lease = lease_path(ledger.path, self.tenant)
        running = is_held(lease)
        run = self._run(ledger, running=partial(is_held, lease))
        if self.as_json:
            click.echo(json.dumps(_plain(run, self.span)))
            return
        _show_recovered(run)
        if run.progress.recovered:
            click.echo(
                "The running connector takes them up now; what they change is reported again."
                if running
                else "No connector is running on this ledger; it takes them up when it starts."
            )

    def rehearse(self, ledger: Ledger) -> None:
        """Work out on copies what that would change."""
        with ExitStack() as stack:
            # Beside the ledger, where there is room for what is as large as it.
            temporary = tempfile.TemporaryDirectory(prefix="flex-wfm-backfill-", dir=ledger.path.absolute().parent)
            folder = Path(stack.enter_context(temporary))
            with self.console.status("Copying the ledger"):
                copies = Rehearsal(self.tenant, self.settings, ledger, folder, self.clock)
                stack.enter_context(closing(copies))
            run = self._run(copies.ledger, running=lambda: False)
            with self.console.status("Comparing the reports"):
                changes = [one for one in copies.changes(self.span.start_ms) if one is not None]
        if self.as_json:
            plain = _plain(run, self.span)
            click.echo(json.dumps({**plain, "dry_run": True, "changes": [_plain_change(one) for one in changes]}))
            return
        _show_recovered(run)
        _show_changes(changes)
        click.echo("Nothing was changed: this was worked out on a copy of the ledger.")

    def _run(self, ledger: Ledger, *, running: Callable[[], bool]) -> Backfill:
        """Read and store, before a progress bar; what ends it early says how to go on."""
        intake = Intake(ledger, self.clock, ack_timeout_s=10.0, on_stored=lambda *_: None, by_hand=True)
        intake.start()
        run = Backfill(
            self.tenant,
            ledger,
            self.clock,
            TaskRouterPages(self.settings.twilio, self.settings.mapping.agent_attribute),
            self.span,
            submit=partial(intake.submit, self.tenant),
            requests_per_minute=self.settings.repair.requests_per_minute,
            running=running,
        )
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=self.console) as bar:
            shown = bar.add_task("Reading", total=run.progress.whole_ms, completed=run.progress.read_ms, note="")
            never = threading.Event()
            try:
                for pause in run.course():
                    _update(bar, shown, run)
                    self.clock.wait(never, pause.seconds)
            except TwilioUnavailable as error:
                raise click.ClickException(f"{error} Mend that and run the same command to go on.") from error
            except KeyboardInterrupt:
                raise click.ClickException("Stopped. Run the same command to go on where it stopped.") from None
            _update(bar, shown, run)
        return run


def _update(bar: Progress, shown: TaskID, run: Backfill) -> None:
    progress = run.progress
    note = f"{progress.rows} events read, {progress.recovered.total()} were missing"
    if run.asker.problem is not None:
        note = run.asker.problem
    bar.update(shown, completed=progress.read_ms, note=note)


def _show_recovered(run: Backfill) -> None:
    progress = run.progress
    if progress.resumed_ms:
        click.echo(f"{progress.resumed_ms / progress.whole_ms:.0%} of the span had been read by a run before this one.")
    click.echo(
        f"{progress.rows} events were read in {progress.requests} requests; "
        f"{progress.recovered.total()} of them the ledger did not have."
    )
    if progress.unreadable:
        click.echo(f"{progress.unreadable} rows of Twilio's list were no event and are left out.")
    if progress.recovered:
        table = Table("interval", "events that were missing")
        for start_ms, number in _some(sorted(progress.recovered.items())):
            table.add_row(as_second(start_ms), str(number))
        _console().print(table)


def _show_changes(changes: Sequence[Change]) -> None:
    if not changes:
        click.echo("No report would change.")
        return
    table = Table("interval", "rows", "figures: before, after", "and then")
    for one in _some(changes):
        figures = ", ".join(f"{name} {before} -> {after}" for name, (before, after) in one.figures.items())
        table.add_row(as_second(one.start_ms), str(one.rows), figures or "the same sums", one.fate)
    _console().print(table)
    click.echo(f"The reports of {len(changes)} intervals would change.")


def _some(rows: Sequence[Any]) -> Sequence[Any]:
    if len(rows) > _MOST_SHOWN:
        click.echo(f"The first {_MOST_SHOWN} of {len(rows)} intervals; --json has all of them.")
    return rows[:_MOST_SHOWN]


def _plain(run: Backfill, span: Span) -> dict[str, Any]:
    progress = run.progress
    return {
        "from": as_second(span.start_ms),
        "to": as_second(span.end_ms),
        "events_read": progress.rows,
        "requests": progress.requests,
        "unreadable": progress.unreadable,
        "recovered": progress.recovered.total(),
        "intervals": {as_second(start_ms): number for start_ms, number in sorted(progress.recovered.items())},
    }


def _plain_change(one: Change) -> dict[str, Any]:
    return {
        "interval": as_second(one.start_ms),
        "rows": one.rows,
        "figures": {name: list(pair) for name, pair in one.figures.items()},
        "fate": one.fate,
    }


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)

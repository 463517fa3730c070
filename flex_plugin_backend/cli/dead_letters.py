"""flex-wfm dead-letters: what the WFM refused or has no name for: list it, look at one, send it again, give it up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from flex_plugin_backend.cli import letters_words as words
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.ledger import letters, lookups
from flex_plugin_backend.ledger.lookups import StoredState
from flex_plugin_backend.ledger.outbox import Delivery
from flex_plugin_backend.ledger.receipts import Receipt
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import Settings, load_settings

_MOST = 1_000
_PIPE_WIDTH = 220
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the group's options say."""

    settings: Settings
    tenants: tuple[str, ...]

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger of the settings."""
        with closing(Ledger(self.settings.ledger.url)) as found:
            yield found


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of one tenant."""

    tenant: str
    states: tuple[StoredState, ...]
    reports: tuple[Receipt, ...]

    @property
    def all(self) -> list[StoredState | Receipt]:
        """States, then reports."""
        return [*self.states, *self.reports]


@click.group("dead-letters")
@config_option()
@click.option("--tenant", help="Only this tenant.")
@click.pass_context
def dead_letters(context: click.Context, config: Path | None, tenant: str | None) -> None:
    """List states and reports that could not be delivered, and replay them once the cause is mended."""
    settings = load_settings(config)
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    context.obj = Chosen(settings, (tenant,) if tenant else tuple(sorted(settings.tenants)))


def _which(command: _F) -> _F:
    """The letters that a command is about: by number, or by cause."""
    cause = click.option("--cause", metavar="TEXT", help="Those whose cause has this text in it.")
    ids = click.argument("ids", nargs=-1, metavar="[ID]...")
    return ids(cause(command))


@dead_letters.command("list")
@_which
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a line.")
@click.pass_obj
def list_them(chosen: Chosen, ids: tuple[str, ...], cause: str | None, as_json: bool) -> None:
    """Show what is held, the newest first, and why; at the end the causes with how often each."""
    with chosen.ledger() as ledger:
        found = _find(chosen, ledger, ids, cause)
    if as_json:
        for one in found:
            for state in one.states:
                click.echo(json.dumps(words.plain_state(one.tenant, state), ensure_ascii=False))
            for report in one.reports:
                click.echo(json.dumps(words.plain_report(one.tenant, report), ensure_ascii=False))
        return
    number = sum(len(one.states) + len(one.reports) for one in found)
    if not number:
        click.echo("There are no dead letters.")
        return
    console = Console()
    console = console if console.is_terminal else Console(width=_PIPE_WIDTH)
    rows = [words.row_of_state(one.tenant, state) for one in found for state in one.states]
    rows += [words.row_of_report(one.tenant, report) for one in found for report in one.reports]
    console.print(words.table(rows[:_MOST]))
    if number > _MOST:
        click.echo(f"and {number - _MOST} more; --json lists all")
    causes = Counter(one.note or "" for of in found for one in of.all)
    for text, times in causes.most_common(10):
        click.echo(f"{times:>6} x {text}")


@dead_letters.command("show")
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def show(chosen: Chosen, id_: str, as_json: bool) -> None:
    """Show one whole: what it is, why it is held, what the WFM answered, and how to mend it."""
    with chosen.ledger() as ledger:
        found = _find(chosen, ledger, (id_,), None)[0]
        one = found.all[0]
        with ledger.read() as connection:
            answer = lookups.answer(connection, one.answer_id) if one.answer_id is not None else None
            present = isinstance(one, StoredState) and letters.is_present(connection, found.tenant, one)
    settings = chosen.settings.tenants[found.tenant]
    detail = words.Detail(found.tenant, one, answer, present, settings)
    if as_json:
        click.echo(json.dumps(words.plain_detail(detail), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(words.lines_of(detail)))


@dead_letters.command("replay")
@_which
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a tenant.")
@click.pass_obj
def replay(chosen: Chosen, ids: tuple[str, ...], cause: str | None, as_json: bool) -> None:
    """Send again what was refused: these, those of one cause, or all; a running connector takes them up.

    A state is sent again where it still is the present of its agent; what was over is let go. What lacks a name is
    sent by itself once it has one.
    """
    with chosen.ledger() as ledger:
        for one in _find(chosen, ledger, ids, cause):
            with ledger.write_durably() as connection:
                again, past = letters.replay(connection, one.tenant, one.states)
                for report in one.reports:
                    letters.replay_report(connection, one.tenant, report)
            unmapped = sum(state.status is Delivery.UNMAPPED for state in one.states)
            if as_json:
                counts = {"sent_again": again, "let_go": past, "reports": len(one.reports), "unmapped": unmapped}
                click.echo(json.dumps({"tenant": one.tenant, **counts}))
            else:
                _say_replayed(one, again, past, unmapped, chosen)


def _say_replayed(one: Letters, again: int, past: int, unmapped: int, chosen: Chosen) -> None:
    click.echo(f"{one.tenant}: {again} states are sent again, {past} were over and are let go.")
    if unmapped:
        click.echo(f"{one.tenant}: {unmapped} states have no name in the WFM yet; they are sent by themselves then.")
    reports = chosen.settings.tenants[one.tenant].reports
    now_ms = chosen.settings.clock.build().now_ms()
    last_ms = now_ms - round(reports.correct_for_days * 86_400_000)
    soon = [report for report in one.reports if report.start_ms >= last_ms]
    if soon:
        seconds = f"{reports.correct_every_s:g} s"
        click.echo(f"{one.tenant}: {len(soon)} reports are sent again within {seconds} of a running connector.")
    if len(soon) < len(one.reports):
        click.echo(
            f"{one.tenant}: {len(one.reports) - len(soon)} reports are older than correct_for_days; "
            "flex-wfm report --send sends them."
        )


@dead_letters.command("discard")
@_which
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept with each.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a tenant.")
@click.pass_obj
def discard(
    chosen: Chosen, ids: tuple[str, ...], cause: str | None, everything: bool, reason: str, as_json: bool
) -> None:
    """Give up these, those of one cause, or --all; they are kept as skipped, with the reason.

    The present state of an agent is told again at the next start, and its next one as always.
    """
    if not (ids or cause or everything):
        raise click.UsageError("Say which: IDs, --cause TEXT, or --all.")
    if not reason.strip():
        raise click.BadParameter("it is empty", param_hint="--reason")
    with chosen.ledger() as ledger:
        for one in _find(chosen, ledger, ids, cause):
            with ledger.write_durably() as connection:
                letters.discard(connection, one.states, reason.strip())
                for report in one.reports:
                    letters.discard_report(connection, one.tenant, report, reason.strip())
            if as_json:
                counts = {"states": len(one.states), "reports": len(one.reports)}
                click.echo(json.dumps({"tenant": one.tenant, **counts}))
            else:
                click.echo(f"{one.tenant}: {len(one.states)} states and {len(one.reports)} reports are given up.")


def _find(chosen: Chosen, ledger: Ledger, ids: Sequence[str], cause: str | None) -> list[Letters]:
    """The letters asked for, tenants without any left out where some were named; an unknown id is a usage error."""
    asked = {one.casefold() for one in ids}
    known: set[str] = set()
    found: list[Letters] = []
    for tenant in chosen.tenants:
        with ledger.read() as connection:
            states, reports = letters.states(connection, tenant), letters.reports(connection, tenant)
        kept_states = [one for one in states if _is_asked(words.id_of(one), one.note, asked, cause)]
        kept_reports = [one for one in reports if _is_asked(words.id_of(one), one.note, asked, cause)]
        kept = Letters(tenant, tuple(kept_states), tuple(kept_reports))
        known.update(words.id_of(one).casefold() for one in kept.all)
        if kept.all or not (asked or cause):
            found.append(kept)
    missing = sorted(asked - known)
    if missing and cause is None:
        raise click.ClickException(
            f"There is no dead letter {', '.join(missing)}: sent, replayed or discarded meanwhile, or never there. "
            "flex-wfm dead-letters list shows those that are."
        )
    return found


def _is_asked(id_: str, note: str | None, asked: set[str], cause: str | None) -> bool:
    if asked and id_.casefold() not in asked:
        return False
    return cause is None or cause.casefold() in (note or "").casefold()

"""flex-wfm gaps: the holes in what Twilio sent, what became of them, and totals on which both sides differ."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from flex_plugin_backend.cli.moments import as_second
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.ledger import crosschecks
from flex_plugin_backend.ledger import gaps as gap_rows
from flex_plugin_backend.ledger.crosschecks import Difference
from flex_plugin_backend.ledger.gaps import Gap, GapState
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import load_settings

_STATES = {
    GapState.OPEN: "not read to its end yet",
    GapState.CLEAR: "nothing was missing",
    GapState.FILLED: "filled; its reports are not sent yet",
    GapState.HEALED: "healed",
    GapState.LOST: "lost",
}
_PIPE_WIDTH = 200


@click.command()
@config_option("The settings.")
@click.option("--tenant", help="Only this tenant.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a line.")
def gaps(config: Path | None, tenant: str | None, limit: int, as_json: bool) -> None:
    """List the holes in what Twilio sent: why, how large, and whether they are healed."""
    settings = load_settings(config)
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    tenants = [tenant] if tenant else sorted(settings.tenants)
    with closing(Ledger(settings.ledger.url)) as ledger, ledger.read() as connection:
        holes = [(name, one) for name in tenants for one in gap_rows.listed(connection, name, limit)]
        differences = [(name, one) for name in tenants for one in crosschecks.listed(connection, name)]
    if as_json:
        for name, hole in holes:
            click.echo(json.dumps({"kind": "gap", "tenant": name, **_plain(hole)}, ensure_ascii=False))
        for name, difference in differences:
            click.echo(json.dumps({"kind": "total", "tenant": name, **_plain_difference(difference)}))
        return
    console = Console()
    console = console if console.is_terminal else Console(width=_PIPE_WIDTH)
    if not holes:
        click.echo("There are no holes.")
    else:
        console.print(_table(holes))
        click.echo(_summary(holes, limit))
    if differences:
        console.print(_differences(differences))
        click.echo("flex-wfm backfill reads a day again; a difference that stays is one of meaning.")


def _table(holes: list[tuple[str, Gap]]) -> Table:
    table = Table("tenant", "from", "to", "cause", "events", "state", "healed after", "intervals sent again", "what")
    for name, one in holes:
        after = f"{(one.healed_ms - one.found_ms) // 1000} s" if one.healed_ms is not None else "-"
        table.add_row(
            name,
            as_second(one.from_ms),
            as_second(one.to_ms),
            one.cause.value,
            str(one.events),
            _STATES[one.state],
            after,
            str(one.intervals) if one.state is GapState.HEALED else "-",
            one.note or ", ".join(f"{number} {kind}" for kind, number in one.types.items()),
        )
    return table


def _summary(holes: list[tuple[str, Gap]], limit: int) -> str:
    states = Counter(one.state for _, one in holes)
    parts = [f"{number} {state.value}" for state, number in states.most_common()]
    recovered = sum(one.events for _, one in holes)
    shown = f"The newest {limit} of each tenant" if len(holes) >= limit else "Holes"
    return f"{shown}: {', '.join(parts)}; {recovered} events recovered."


def _differences(differences: list[tuple[str, Difference]]) -> Table:
    table = Table(
        "tenant", "day (UTC)", "until", "queue", "figure", "Twilio", "ledger", title="Totals that differ from Twilio's"
    )
    for name, one in differences:
        table.add_row(
            name,
            as_second(one.day_ms)[:10],
            as_second(one.until_ms),
            "all queues" if one.queue_sid == "*" else one.queue_sid,
            one.figure,
            str(one.twilio),
            str(one.ours),
        )
    return table


def _plain(one: Gap) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(one).items() if not name.endswith("_ms") and name != "until_seq"},
        "from": as_second(one.from_ms),
        "to": as_second(one.to_ms),
        "found": as_second(one.found_ms),
        "filled": None if one.filled_ms is None else as_second(one.filled_ms),
        "healed": None if one.healed_ms is None else as_second(one.healed_ms),
    }


def _plain_difference(one: Difference) -> dict[str, Any]:
    return {
        "day": as_second(one.day_ms)[:10],
        "until": as_second(one.until_ms),
        "queue": one.queue_sid,
        "figure": one.figure,
        "twilio": one.twilio,
        "ledger": one.ours,
        "checked": as_second(one.checked_ms),
    }

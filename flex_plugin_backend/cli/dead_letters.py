"""flex-wfm dead-letters: the states that the WFM refused or that have no name there, and how to send them again."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from flex_plugin_backend.ledger import outbox
from flex_plugin_backend.ledger.outbox import Delivery, StateChange
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import ENV_CONFIG, Settings, load_settings

_MOST = 1_000


@click.group("dead-letters")
@click.option(
    "--config",
    "-c",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar=ENV_CONFIG,
    help="The TOML file with the settings.",
)
@click.option("--tenant", help="Only this tenant.")
@click.pass_context
def dead_letters(context: click.Context, config: Path | None, tenant: str | None) -> None:
    """List states that could not be delivered, and replay them once the cause is mended."""
    settings = load_settings(config)
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    context.obj = (settings, [tenant] if tenant else sorted(settings.tenants))


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a line.")
@click.pass_obj
def list_them(chosen: tuple[Settings, list[str]], as_json: bool) -> None:
    """Show what is held, the newest first, and why."""
    settings, tenants = chosen
    with closing(Ledger(settings.ledger.url)) as ledger, ledger.read() as connection:
        rows = [(tenant, one) for tenant in tenants for one in outbox.held(connection, tenant, _MOST)]
    if as_json:
        for tenant, one in rows:
            click.echo(json.dumps(_plain(tenant, one), ensure_ascii=False))
        return
    if not rows:
        click.echo("There are no dead letters.")
        return
    table = Table("tenant", "worker", "agent", "state", "since", "what it needs")
    for tenant, one in rows:
        needs = "a mapping; sent by itself then" if one.status is Delivery.UNMAPPED else "a repair, then replay"
        shown = f"{one.event_id or one.state} {one.reason}".strip()
        table.add_row(tenant, one.worker_sid, one.agent_id or "-", shown, _time(one), f"{needs}: {one.note or ''}")
    Console().print(table)


@dead_letters.command("replay")
@click.pass_obj
def replay(chosen: tuple[Settings, list[str]]) -> None:
    """Send the refused states again that still are the present of their agents; a running connector takes them up."""
    settings, tenants = chosen
    with closing(Ledger(settings.ledger.url)) as ledger:
        for tenant in tenants:
            with ledger.write_durably() as connection:
                again, past = outbox.replay_dead(connection, tenant)
            click.echo(f"{tenant}: {again} states are sent again, {past} were over and are let go.")


def _plain(tenant: str, one: StateChange) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "id": one.id,
        "worker_sid": one.worker_sid,
        "agent_id": one.agent_id,
        "event_id": one.event_id,
        "reason": one.reason,
        "state": one.state,
        "start": _time(one),
        "status": one.status.value,
        "why": one.note,
    }


def _time(one: StateChange) -> str:
    return datetime.fromtimestamp(one.start_ms / 1000, UTC).isoformat(timespec="seconds")

"""flex-wfm health: how the running connector is, and the alarms of the past weeks."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.table import Table

from flex_plugin_backend.cli.moments import as_second
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.ledger import alarms as alarm_rows
from flex_plugin_backend.ledger.alarms import Alarm
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import Settings, load_settings

ALARM, NO_ANSWER = 1, 3
_TIMEOUT_S = 10.0
_PIPE_WIDTH = 200
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 where it listens, not where we ask


@click.command()
@config_option("The settings.")
@click.option("--url", help="Where the connector is, url_prefix included; without it [server] host and port say so.")
@click.option("--tenant", help="Only this tenant.")
@click.option("--alarms", type=click.IntRange(1), metavar="N", help="List the newest N alarms of each tenant instead.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def health(
    context: click.Context, config: Path | None, url: str | None, tenant: str | None, alarms: int | None, as_json: bool
) -> None:
    """Ask the running connector how it is: each tenant's condition, since when, why, and what to do.

    Ends with 0 where there is no alarm, with 1 where there is one, with 3 where the connector does not answer.
    """
    settings = load_settings(config)
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    tenants = [tenant] if tenant else sorted(settings.tenants)
    if alarms is not None:
        _list_alarms(settings, tenants, alarms, as_json=as_json)
        return
    where = (url or _address(settings)).rstrip("/") + "/healthz"
    try:
        found = _ask(where, tenants)
    except click.ClickException as error:
        if as_json:
            click.echo(json.dumps({"answers": False, "url": where, "problem": error.message}))
        else:
            click.echo(error.message, err=True)
            _tell_of_open_alarms(settings, tenants)
        context.exit(NO_ANSWER)
    if as_json:
        click.echo(json.dumps({"answers": True, "url": where, "tenants": found}, ensure_ascii=False))
    else:
        _console().print(_conditions(found))
    if any(one.get("alarms") for one in found.values()):
        context.exit(ALARM)


def _address(settings: Settings) -> str:
    host = _ANYWHERE.get(settings.server.host, settings.server.host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.server.port}{settings.server.url_prefix}"


def _ask(where: str, tenants: list[str]) -> dict[str, Any]:
    """What the connector says of these tenants, by name."""
    try:
        answer = httpx.get(where, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        said = answer.json()["tenants"]
        return {name: said[name] for name in tenants}
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = str(error) or type(error).__name__
        raise click.ClickException(f"No connector answers at {where}: {problem}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"What answers at {where} is no connector of these tenants.") from error


def _conditions(found: dict[str, Any]) -> Table:
    table = Table("tenant", "condition", "since", "cause", "detail", "what to do")
    for name, one in found.items():
        alarms = one.get("alarms", [])
        shown = {"condition": one["status"], **one}
        # The condition in force, then the alarms behind it.
        behind = [other for other in alarms if other["cause"] != one.get("cause")]
        for at, line in enumerate((shown, *behind)):
            words = (line["condition"], line["since"], line.get("cause"), line.get("detail"), line.get("to_do"))
            table.add_row(name if at == 0 else "", *(word or "-" for word in words))
    return table


def _tell_of_open_alarms(settings: Settings, tenants: list[str]) -> None:
    """What stood when the connector was last heard of, as the ledger has it."""
    stood = [(name, one) for name, one in _alarms(settings, tenants, 1_000) if one.ended_ms is None]
    for name, one in stood:
        click.echo(f"{name}: {one.condition} ({one.cause}) since {as_second(one.since_ms)} when it last ran.", err=True)


def _list_alarms(settings: Settings, tenants: list[str], limit: int, *, as_json: bool) -> None:
    found = _alarms(settings, tenants, limit)
    if as_json:
        for name, one in found:
            click.echo(json.dumps({"tenant": name, **_plain(one)}, ensure_ascii=False))
        return
    if not found:
        click.echo("There was no alarm.")
        return
    table = Table("tenant", "alarm", "cause", "since", "until", "told", "detail")
    for name, one in found:
        until = "stands" if one.ended_ms is None else as_second(one.ended_ms)
        told = "-" if one.begin_told_ms is None else as_second(one.begin_told_ms)
        table.add_row(name, one.condition, one.cause, as_second(one.since_ms), until, told, one.detail)
    _console().print(table)


def _alarms(settings: Settings, tenants: list[str], limit: int) -> list[tuple[str, Alarm]]:
    with closing(Ledger(settings.ledger.url)) as ledger, ledger.read() as connection:
        return [(name, one) for name in tenants for one in alarm_rows.latest(connection, name, limit)]


def _plain(one: Alarm) -> dict[str, Any]:
    return {
        "condition": one.condition,
        "cause": one.cause,
        "since": as_second(one.since_ms),
        "ended": None if one.ended_ms is None else as_second(one.ended_ms),
        "told": None if one.begin_told_ms is None else as_second(one.begin_told_ms),
        "detail": one.detail,
    }


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)

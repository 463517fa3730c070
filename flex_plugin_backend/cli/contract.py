"""flex-wfm contract: what goes over the wire to CXone WFM, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flex_plugin_backend.cli.contract_check import check
from flex_plugin_backend.cli.contract_diff import diff
from flex_plugin_backend.cli.contract_import import import_
from flex_plugin_backend.cli.contract_schema import schema
from flex_plugin_backend.wfm.contract import Dto, Field, Origin, Profile, Provenance, load_profile

_PIPED_WIDTH = 160  # columns when the output is no terminal, so that names are not torn apart


@click.group()
def contract() -> None:
    """Look at the wire contract with CXone WFM."""


contract.add_command(import_)
contract.add_command(check)
contract.add_command(diff)
contract.add_command(schema)


@contract.command()
@click.option("--profile", "-p", default="default", show_default=True, help="A built-in profile or a .toml file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(profile: str, as_json: bool) -> None:
    """Show endpoints, fields and event ids, each with where it comes from."""
    loaded = load_profile(profile)
    if as_json:
        click.echo(json.dumps(_as_json(loaded), indent=2))
    else:
        _print(loaded)


def _as_json(profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "title": profile.title,
        "lineage": list(profile.lineage),
        "sources": dict(profile.sources),
        "formats": {
            "time": {"value": profile.time_format.name, **_origin(profile.format_origins["time"])},
            "duration": {"value": profile.duration_format.name, **_origin(profile.format_origins["duration"])},
        },
        "limits": {
            name: {"value": getattr(profile.limits, name), **_origin(origin)}
            for name, origin in profile.limit_origins.items()
        },
        "http": {"message_header": {"wire": profile.message_header, **_origin(profile.message_header_origin)}},
        "endpoints": {
            item.name: {
                "method": item.method,
                "path": item.path,
                "request": item.request,
                "response": item.response,
                "auth": item.auth,
                **_origin(item.origin),
            }
            for item in profile.endpoints.values()
        },
        "dtos": {
            dto.name: {
                **_origin(dto.origin),
                "closed": dto.closed,
                "fields": {field.name: _field_json(field) for field in dto.fields.values()},
                "dropped": sorted(dto.dropped),
            }
            for dto in profile.dtos.values()
        },
        "events": {
            item.key: {
                "id": item.id,
                "state": item.state,
                "channel": item.channel,
                "direction": item.direction,
                "reason": item.reason.value,
                **_origin(item.origin),
            }
            for item in profile.events.values()
        },
        "counts": _counts(profile),
    }


def _field_json(field: Field) -> dict[str, Any]:
    known: dict[str, Any] = {"wire": field.wire, "type": field.type.value, "required": field.required}
    known |= {"of": field.of} if field.of else {}
    known |= {"default": field.default} if field.has_default else {}
    return {**known, **_origin(field.origin)}


def _origin(origin: Origin) -> dict[str, str]:
    facts = {
        "provenance": origin.provenance.value,
        "source": origin.source,
        "why": origin.why,
        "note": origin.note,
        "set_by": origin.profile,
    }
    return {name: value for name, value in facts.items() if value}


def _origins(profile: Profile) -> Iterable[Origin]:
    yield from profile.format_origins.values()
    yield from profile.limit_origins.values()
    yield profile.message_header_origin
    yield from (item.origin for item in profile.endpoints.values())
    for dto in profile.dtos.values():
        yield dto.origin
        yield from (field.origin for field in dto.fields.values())
    yield from (item.origin for item in profile.events.values())


def _counts(profile: Profile) -> Mapping[str, int]:
    found = [origin.provenance for origin in _origins(profile)]
    return {item.value: found.count(item) for item in Provenance}


# ------------------------------------------------------------------------------------------------- tables


def _print(profile: Profile) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED_WIDTH)
    counts = _counts(profile)
    console.print(f"[bold]{escape(profile.title or profile.name)}[/bold]")
    console.print(f"profile {escape(' <- '.join(reversed(profile.lineage)))}")
    console.print(f"{counts['documented']} entries documented, {counts['assumed']} assumed\n")
    console.print(_endpoints(profile))
    for dto in profile.dtos.values():
        console.print(_dto(dto))
    console.print(_events(profile))
    console.print(_numbers(profile))
    console.print(_sources(profile))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("provenance", "on the wire"))
    return table


def _row(table: Table, origin: Origin, *cells: object) -> None:
    style = "green" if origin.provenance is Provenance.DOCUMENTED else "yellow"
    mark = f"[{style}]{origin.provenance.value}[/{style}]"
    table.add_row(*(escape(str(cell)) for cell in cells), mark, escape(origin.text))


def _endpoints(profile: Profile) -> Table:
    table = _table("Endpoints", "name", "on the wire", "request", "answer", "provenance", "source or reason")
    for item in profile.endpoints.values():
        _row(table, item.origin, item.name, f"{item.method} {item.path}", item.request or "", item.response or "")
    return table


def _dto(dto: Dto) -> Table:
    title = f"{dto.name} ({dto.origin.provenance.value}: {dto.origin.text})"
    table = _table(title, "field", "on the wire", "type", "", "provenance", "source or reason")
    for field in dto.fields.values():
        kind = f"{field.type.value} of {field.of}" if field.of else field.type.value
        _row(table, field.origin, field.name, field.wire, kind, "required" if field.required else "optional")
    for name in sorted(dto.dropped):
        table.add_row(escape(name), "", "", "left out", "", "")
    return table


def _events(profile: Profile) -> Table:
    columns = ("state", "channel", "direction", "on the wire", "reason", "provenance", "source or reason")
    table = _table("Event ids", *columns)
    for item in profile.events.values():
        place = (item.state or "never sent", item.channel or "any", item.direction or "any")
        _row(table, item.origin, *place, item.id, item.reason.value)
    return table


def _numbers(profile: Profile) -> Table:
    table = _table("Formats and limits", "name", "value", "provenance", "source or reason")
    _row(table, profile.format_origins["time"], "time", profile.time_format.name)
    _row(table, profile.format_origins["duration"], "duration", profile.duration_format.name)
    _row(table, profile.message_header_origin, "message header", profile.message_header)
    for name, origin in profile.limit_origins.items():
        _row(table, origin, name, getattr(profile.limits, name))
    return table


def _sources(profile: Profile) -> Table:
    table = _table("Sources", "name", "address")
    for name, address in profile.sources.items():
        table.add_row(escape(name), escape(address))
    return table

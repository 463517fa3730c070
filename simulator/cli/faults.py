"""flex-wfm-sim faults: what can go wrong in a simulation, and how each fault is set."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every key of every fault.")
def faults(names: tuple[str, ...], as_json: bool) -> None:
    """List the faults of the simulator; with NAMES, say how these are set."""
    from simulator.faults.registry import all_faults
    from simulator.world.scenario.nearest import did_you_mean

    known = all_faults()
    for name in names:
        if name not in known:
            raise click.ClickException(f"there is no fault {name!r}{did_you_mean(name, known)}")
    chosen = {name: kind for name, kind in known.items() if not names or name in names}
    if as_json:
        listed = [
            {"name": name, "side": kind.side.value, "description": kind.description(), "keys": _keys(kind)}
            for name, kind in chosen.items()
        ]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif names:
        for name, kind in chosen.items():
            click.echo(f'{kind.description()}\n\n[[faults]]\nfault = "{name}"')
            for key, one in _keys(kind).items():
                click.echo(f"{_toml(key, one['default'])}  # {one['meaning']}")
            click.echo()
    else:
        side = None
        for name, kind in chosen.items():
            if kind.side != side:
                side = kind.side
                click.echo(f"{side}:")
            click.echo(f"  {name:20} {kind.description()}")
        click.echo(f"{len(chosen)} faults; `flex-wfm-sim faults NAME` says how one is set.")


def _keys(kind: Any) -> dict[str, dict[str, Any]]:
    return {
        key: {"default": field.get_default(), "meaning": field.description} for key, field in kind.model_fields.items()
    }


def _toml(key: str, default: Any) -> str:
    return f"# {key} =" if default is None else f"{key} = {json.dumps(default)}"

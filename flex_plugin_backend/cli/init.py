"""flex-wfm init: writes a commented settings file to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from flex_plugin_backend.domain.events import EVENTS_FILTER
from flex_plugin_backend.settings.example import example_toml


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default=Path("flex-wfm.toml"))
@click.option("--tenant", default="main", show_default=True, help="Name of the first tenant; part of its addresses.")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def init(path: Path, tenant: str, force: bool) -> None:
    """Write a commented settings file to PATH (flex-wfm.toml) and say what comes next."""
    try:
        text = example_toml(tenant)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--tenant") from error
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise click.ClickException(f"{path} is there already; nothing was changed. --force overwrites it.") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(_next_steps(path, tenant))


def _next_steps(path: Path, tenant: str) -> str:
    # The written file names its secrets relative to itself.
    folder = path.parent / "secrets"
    files = [shlex.quote(str(folder / f"{tenant}-{name}")) for name in ("auth-token", "access-key", "secret-key")]
    install = "\n".join(f"     install -m 600 /dev/null {file}" for file in files)
    return f"""Wrote {path}. Next:

1. Enter the sids, the public address and the CXone service URL in {path}: what is empty there.
2. Make the three secret files, readable by the connector alone, and put the secrets in:
     mkdir -p -m 700 {shlex.quote(str(folder))}
{install}
3. Start:  flex-wfm serve --config {shlex.quote(str(path))}
   What is wrong or missing is named all at once.
4. In the TaskRouter workspace set
     EventCallbackUrl  <public_url>/twilio/{tenant}/events#rp=all&rc=5
       The part after # asks Twilio to try again on any failure; without it a failed callback is lost for good.
       A workspace has one such URL: if something else uses it, the connector must not take it over.
     EventsFilter      {",".join(EVENTS_FILTER)}
"""

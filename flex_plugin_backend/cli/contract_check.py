"""flex-wfm contract check: what a profile still lacks, and whether samples pass through it unchanged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from flex_plugin_backend.wfm.contract import load_profile
from flex_plugin_backend.wfm.contract.importer import Open, RoundTrip, open_entries, read_samples, round_trips

_PROFILE = click.argument("profile")


@click.command()
@_PROFILE
@click.option("--samples", type=click.Path(exists=True, path_type=Path), help="A folder of JSON samples, or one file.")
@click.option("--strict", is_flag=True, help="Also fail where something that the connector needs is only assumed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, profile: str, samples: Path | None, strict: bool, as_json: bool) -> None:
    """Say what PROFILE (a name or a .toml file) still lacks, and send samples through it and back.

    Ends with 1 where a sample does not come back as it was, or breaks a rule; with --strict also where something
    needed is only assumed.
    """
    loaded = load_profile(profile)
    missing = list(open_entries(loaded))
    trips = list(round_trips(loaded, read_samples(samples)[1])) if samples is not None else []
    if as_json:
        click.echo(json.dumps(_as_json(missing, trips), indent=2))
    else:
        _print(missing, trips)
    failed = any(not trip.ok or trip.findings for trip in trips)
    ctx.exit(1 if failed or (strict and any(one.needed for one in missing)) else 0)


def _as_json(missing: Sequence[Open], trips: Sequence[RoundTrip]) -> dict[str, object]:
    return {
        "assumed": [{"where": one.where, "value": one.value, "why": one.why, "needed": one.needed} for one in missing],
        "samples": [
            {
                "sample": trip.sample.name,
                "dto": trip.dto,
                "ok": trip.ok,
                "problem": trip.problem,
                "findings": [str(finding) for finding in trip.findings],
            }
            for trip in trips
        ],
    }


def _print(missing: Sequence[Open], trips: Sequence[RoundTrip]) -> None:
    needed = [one for one in missing if one.needed]
    if needed:
        click.echo(f"{len(needed)} entries that the connector needs are only assumed:")
        for one in needed:
            click.echo(f"  {one.where} = {one.value}  ({one.why})")
    else:
        click.echo("Everything that the connector needs is documented.")
    click.echo(f"{len(missing) - len(needed)} further entries are assumed; flex-wfm contract show prints them.")
    for trip in trips:
        word = "ok" if trip.ok else f"not ok: {trip.problem}"
        click.echo(f"sample {trip.sample.name} as {trip.dto or 'nothing known'}: {word}")
        for finding in trip.findings:
            click.echo(f"  {finding}")

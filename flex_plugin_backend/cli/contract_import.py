"""flex-wfm contract import: drafts a contract profile from JSON samples or from NICE's SDK jar."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import load_profile
from flex_plugin_backend.wfm.contract.importer import Draft, Evidence, draft_profile, read_jar, read_samples

_EXISTING = click.Path(exists=True, path_type=Path)


@click.command("import")
@click.option("--jar", type=_EXISTING, help="NICE's SDK jar, as downloaded from CXone; Java is not needed.")
@click.option("--samples", type=_EXISTING, help="A folder of JSON samples, or one file.")
@click.option("--base", default="default", show_default=True, help="The profile that the draft extends.")
@click.option("--name", default="drafted", show_default=True, help="The name of the draft.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft here.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what was paired and what is left as JSON.")
def import_(
    jar: Path | None, samples: Path | None, base: str, name: str, out: Path | None, force: bool, as_json: bool
) -> None:
    """Draft a profile from what you have: JSON samples pasted from NICE's pages, or NICE's SDK jar.

    Each pair is marked certain, probable or possible. Without --out the draft goes to standard output and the summary
    to standard error.
    """
    if (jar is None) == (samples is None):
        raise click.UsageError("Give --jar or --samples. For both, draft from the jar first and give that as --base.")
    if out is not None and out.exists() and not force:
        raise click.UsageError(f"{out} is there already; say --force to write over it.")
    draft = draft_profile(load_profile(base), _evidence(jar, samples), name=name)
    if out is not None:
        try:
            out.write_text(draft.toml, encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error
    if as_json:
        click.echo(json.dumps({**_as_json(draft), **({} if out else {"toml": draft.toml})}, indent=2))
        return
    if out is None:
        click.echo(draft.toml, nl=False)
    for line in _summary(draft, out):
        click.echo(line, err=out is None)


def _evidence(jar: Path | None, samples: Path | None) -> Evidence:
    if jar is not None:
        return read_jar(jar)
    if samples is None:
        raise ContractError(profile="the draft", problem="there is nothing to read", repair="Give --jar or --samples.")
    return read_samples(samples)[0]


def _as_json(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "extends": draft.base,
        "objects": {
            one.dto.name: {
                "found": one.shape.label,
                "confidence": one.confidence.value,
                "fields": {
                    pair.ours.name: {"found": pair.found.wire, "confidence": pair.confidence.value}
                    for pair in one.fields
                },
            }
            for one in draft.objects
        },
        "paths": {
            one.endpoint: {"found": one.found.path, "where": one.found.where, "confidence": one.confidence.value}
            for one in draft.paths
        },
        "events": {one.event.key: {"found": one.id, "confidence": one.confidence.value} for one in draft.events},
        "left": list(draft.left),
        "not_found": list(draft.unseen),
        "problems": list(draft.problems),
    }


def _summary(draft: Draft, out: Path | None) -> Iterable[str]:
    fields = [pair.confidence.value for one in draft.objects for pair in one.fields]
    counts = ", ".join(f"{fields.count(word)} {word}" for word in ("certain", "probable", "possible"))
    yield f"{len(draft.objects)} objects, {len(draft.paths)} paths, {len(draft.events)} event ids; fields: {counts}."
    yield from _listed("Could not be read", draft.problems)
    yield from _listed("Found, and without a place", draft.left)
    yield from _listed("Needed, and not found", draft.unseen)
    if out is not None:
        yield f"Wrote {out}. Read it once, then see what is missing: flex-wfm contract check {out}"


def _listed(title: str, lines: Iterable[str]) -> Iterable[str]:
    lines = list(lines)
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)

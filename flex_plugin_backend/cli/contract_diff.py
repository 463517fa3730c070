"""flex-wfm contract diff: what changes from one contract to the next, and whom it breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from flex_plugin_backend.cli.outputs import Outputs, PairedCommand, output_options
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import load_profile
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS, reporter
from flex_plugin_backend.wfm.contract.diff import Change, diff_profiles, diff_result, diff_schemas


@click.command(cls=PairedCommand)
@click.argument("old")
@click.argument("new")
@output_options(FORMATS)
@click.pass_context
def diff(ctx: click.Context, /, old: str, new: str, outputs: Outputs) -> None:
    """Say what changes from OLD to NEW, and whom it breaks.

    Both are profiles (built-in names or .toml files) or both JSON Schema files. Each change is breaking on the wire
    (refused), breaking in meaning (taken and understood otherwise) or safe, for a program that writes payloads by OLD
    and for one that reads by OLD. -f and -o as for `flex-wfm validate`.

    Ends with 0 when nothing breaks, 1 when something does, 2 for a wrong command line.
    """
    is_schema = [name.endswith(".json") for name in (old, new)]
    try:
        if all(is_schema):
            changes: Sequence[Change] = diff_schemas(_schema(old), _schema(new))
        elif any(is_schema):
            raise click.UsageError("A profile and a JSON Schema cannot be compared; give two of a kind.")
        else:
            changes = diff_profiles(load_profile(old), load_profile(new))
    except ContractError as error:
        raise click.UsageError(str(error)) from error
    result = diff_result(changes, new, _text(new), schema=all(is_schema))
    outputs.write(lambda name: lambda out: reporter(name)(result, out))
    ctx.exit(1 if result.errors else 0)


def _schema(name: str) -> Mapping[str, Any]:
    try:
        schema = json.loads(Path(name).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ContractError(profile=name, problem=f"it cannot be read: {why}", repair="Give a JSON file.") from error
    if not isinstance(schema, dict):
        raise ContractError(profile=name, problem="it is no JSON Schema", repair="Give a file that holds an object.")
    return schema


def _text(name: str) -> str:
    path = Path(name)
    return path.read_text(encoding="utf-8-sig") if path.is_file() else ""

"""flex-wfm contract schema: the JSON Schemas of a profile, printed, written, or compared with what is committed."""

from __future__ import annotations

import difflib
import json
from importlib import resources
from pathlib import Path

import click

from flex_plugin_backend.wfm.contract import Profile, builtin_profiles, load_profile

_SHOWN_LINES = 40


@click.command()
@click.argument("dto", required=False)
@click.option("--profile", "-p", help="A built-in profile or a .toml file; default: every built-in one, or `default`.")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where schemas are kept.")
@click.option("--write", is_flag=True, help="Write the schema of every object.")
@click.option("--check", is_flag=True, help="Compare the kept schemas with the profile; end with 1 where they differ.")
@click.pass_context
def schema(
    ctx: click.Context, dto: str | None, profile: str | None, folder: Path | None, write: bool, check: bool
) -> None:
    """Print the JSON Schema (2020-12) of DTO, or keep the schemas of all objects beside a profile.

    A profile's schemas stand in DIR/NAME/DTO.json. Without --dir that is the package's own folder.
    """
    if write + check + (dto is not None) != 1:
        raise click.UsageError("Name an object, or give --write or --check.")
    if dto is not None:
        click.echo(json.dumps(load_profile(profile or "default").json_schema(dto), indent=2, ensure_ascii=False))
        return
    target = folder or Path(str(resources.files("flex_plugin_backend.wfm.contract") / "schemas"))
    profiles = [load_profile(profile)] if profile else [load_profile(name) for name in builtin_profiles()]
    if write:
        for one in profiles:
            _write(one, target / one.name)
        return
    problems = [problem for one in profiles for problem in _differences(one, target / one.name)]
    for problem in problems:
        click.echo(problem)
    click.echo("The schemas are those of the profile." if not problems else "Run: flex-wfm contract schema --write")
    ctx.exit(1 if problems else 0)


def _texts(profile: Profile) -> dict[str, str]:
    """The content of each file by its name."""
    schemas = {name: profile.json_schema(name) for name in profile.dtos}
    return {f"{name}.json": json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in schemas.items()}


def _write(profile: Profile, folder: Path) -> None:
    texts = _texts(profile)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            if old.name not in texts:
                old.unlink()
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {len(texts)} schemas to {folder}.")


def _differences(profile: Profile, folder: Path) -> list[str]:
    wanted = _texts(profile)
    kept = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.json"))}
    problems = [f"{profile.name}/{name}: the profile has no such object" for name in kept.keys() - wanted.keys()]
    for name, text in wanted.items():
        if name not in kept:
            problems.append(f"{profile.name}/{name}: is missing")
        elif kept[name] != text:
            lines = difflib.unified_diff(
                kept[name].splitlines(), text.splitlines(), "kept", "profile", lineterm="", n=1
            )
            shown = list(lines)
            rest = [f"... and {len(shown) - _SHOWN_LINES} lines more"] if len(shown) > _SHOWN_LINES else []
            problems.append("\n".join([f"{profile.name}/{name}: differs", *shown[:_SHOWN_LINES], *rest]))
    return sorted(problems)

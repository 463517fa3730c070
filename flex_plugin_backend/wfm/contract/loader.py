"""Loads contract profiles: finds the file, follows `extends`, merges, and hands the result to the builder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import builder
from flex_plugin_backend.wfm.contract.profile import Profile

_PROFILES = resources.files(__package__) / "profiles"
_ORIGIN_KEYS = frozenset({"provenance", "source", "why", "note"})
_MAX_LINEAGE = 16

# The one key that a plain value stands for: `agent_id = "loginId"` is `agent_id = { wire = "loginId" }`.
_SHORTHAND = {"formats": "value", "limits": "value", "http": "wire", "events": "id", "endpoints": "path"}


def builtin_profiles() -> list[str]:
    """The names of the profiles that come with the package."""
    return sorted(item.name.removesuffix(".toml") for item in _PROFILES.iterdir() if item.name.endswith(".toml"))


def load_profile(name_or_path: str | Path | Profile = "default") -> Profile:
    """The profile of a built-in name or of a file; ContractError says what is wrong with it and what to do.

    A text is a path when it ends in `.toml` or holds a path separator.
    """
    if isinstance(name_or_path, Profile):
        return name_or_path
    if isinstance(name_or_path, str) and not _is_path(name_or_path):
        return _load_builtin(name_or_path)
    return builder.build(*_resolve(Path(name_or_path), ()))


def _is_path(text: str) -> bool:
    return text.endswith(".toml") or "/" in text or "\\" in text


@cache
def _load_builtin(name: str) -> Profile:
    return builder.build(*_resolve(name, ()))


def _resolve(where: str | Path, chain: tuple[str, ...]) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """The file's label, its data merged over what it extends, and the labels of all files, the base first."""
    label = str(where)
    if label in chain or len(chain) >= _MAX_LINEAGE:
        raise ContractError(
            profile=label, problem=f"extends itself: {' -> '.join((*chain, label))}", repair="Break the circle."
        )
    raw = _parse(label, _read(where))
    name = _own_name(label, raw)
    _stamp(label, raw, name)
    base = raw["profile"].get("extends")
    if base is None:
        return label, raw, (label,)
    target: str | Path = base
    if _is_path(base):
        target = (where.parent / base).resolve() if isinstance(where, Path) else Path(base)
    _, parent, lineage = _resolve(target, (*chain, label))
    return label, _merge(parent, raw), (*lineage, label)


def _read(where: str | Path) -> bytes:
    source = where if isinstance(where, Path) else _PROFILES / f"{where}.toml"
    try:
        return source.read_bytes()
    except (OSError, ValueError) as error:
        known = ", ".join(builtin_profiles())
        raise ContractError(
            profile=str(where),
            problem=f"it cannot be read ({type(error).__name__})",
            repair=f"Give the path of a .toml file, or one of the built-in names: {known}.",
        ) from error


def _parse(label: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContractError(profile=label, problem=f"it is not TOML: {error}", repair="Correct that line.") from error


def _own_name(label: str, raw: dict[str, Any]) -> str:
    head = raw.setdefault("profile", {})
    extends = head.get("extends") if isinstance(head, dict) else None
    if not isinstance(head, dict) or not isinstance(extends, str | None):
        raise ContractError(
            profile=label, problem="[profile] or its `extends` has the wrong type", repair='Write extends = "default".'
        )
    return str(head.setdefault("name", Path(label).stem))


def _stamp(label: str, raw: dict[str, Any], name: str) -> None:
    """Expand short forms and note on each entry which profile says it; an entry without provenance is assumed."""
    for section, shorthand in _SHORTHAND.items():
        _stamp_table(label, section, raw.get(section, {}), shorthand, name)
    dtos = raw.get("dto", {})
    _stamp_table(label, "dto", dtos, None, name)
    for dto_name, dto in dtos.items():
        _stamp_table(label, f"dto.{dto_name}.fields", dto.get("fields", {}), "wire", name)


def _stamp_table(label: str, section: str, table: object, shorthand: str | None, name: str) -> None:
    if not isinstance(table, dict):
        raise ContractError(profile=label, problem=f"[{section}] is not a table", repair="Write it as [section].")
    for key, entry in table.items():
        if not isinstance(entry, dict):
            if shorthand is None:
                raise ContractError(
                    profile=label, problem=f"[{section}] {key} is not a table", repair=f"Write [{section}.{key}]."
                )
            table[key] = entry = {shorthand: entry}
        if not entry.keys() - {"fields"}:
            continue
        entry["_profile"] = name
        if "provenance" not in entry:
            entry["provenance"] = "assumed"
            entry.setdefault("why", f"set by profile {name}")


def _merge(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """`child` over `parent`; an entry that the child touches loses the parent's provenance."""
    merged = dict(parent)
    if "provenance" in child:
        for key in _ORIGIN_KEYS:
            merged.pop(key, None)
    for key, value in child.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged

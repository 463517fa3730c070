"""Fingerprints: names for findings that stay the same when unrelated rows come and go."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flex_plugin_backend.wfm.contract.findings import pointer_join
from flex_plugin_backend.wfm.contract.model import Dto, FieldType

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

# What tells the rows of a list apart, as far as a row has it; a row without any of it is known by its position.
_IDENTITY = ("queue_id", "agent_id", "start_ms", "event_id")


def stable_pointer(profile: Profile, dto: str, wire: object, pointer: str) -> str:
    """`pointer` with the identity of a row in place of its position, where the row has one."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    known: Dto | None = profile.dto(dto)
    value: Any = wire
    stable = ""
    for step in steps:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
            stable = pointer_join(stable, identity(known, value) or step)
            continue
        field = known.by_wire.get(step) if known is not None else None
        known = profile.dto(field.of) if field is not None and field.of is not None else None
        value = value.get(step) if isinstance(value, Mapping) else None
        stable = pointer_join(stable, step)
    return stable


def identity(dto: Dto | None, row: object) -> str:
    """What tells a row from its neighbours: `[agentId=WK1,startTime=...]`; "" where it has nothing of that kind."""
    if dto is None or not isinstance(row, Mapping):
        return ""
    parts = []
    for name in _IDENTITY:
        field = dto.fields.get(name)
        value = row.get(field.wire) if field is not None else None
        if field is not None and isinstance(value, str | int):
            parts.append(f"{field.wire}={value}")
    return f"[{','.join(parts)}]" if parts else ""


def payload_identity(dto: Dto, wire: object) -> str:
    """What tells a payload from the others of its file: its interval; "" for a kind that has none."""
    field = dto.fields.get("start_ms")
    if field is None or field.type is not FieldType.TIME or not isinstance(wire, Mapping):
        return ""
    value = wire.get(field.wire)
    return f"[{field.wire}={value}]" if isinstance(value, str | int) else ""


def fingerprint(rule: str, file: str, place: str) -> str:
    """32 hexadecimal digits that name a finding: its rule, its file, and its place by identities."""
    text = "\0".join((rule, file, place))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def stable_name(name: str, here: Path) -> str:
    """A file's name as a fingerprint takes it: relative to the folder `here` where it lies below it, with `/`."""
    path = Path(name)
    try:
        return (here / path).resolve().relative_to(here.resolve()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()

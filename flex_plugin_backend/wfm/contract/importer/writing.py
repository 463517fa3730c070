"""Writes the pairs as the TOML of a profile; what only type and place suggest stays an assumption in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from flex_plugin_backend.wfm.contract.importer.callings import EventPair, PathPair
from flex_plugin_backend.wfm.contract.importer.confidence import Confidence
from flex_plugin_backend.wfm.contract.importer.pairing import FieldPair, ObjectPair, Pairing
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundField
from flex_plugin_backend.wfm.contract.importer.words import words_of
from flex_plugin_backend.wfm.contract.model import FieldType
from flex_plugin_backend.wfm.contract.profile import Profile

Entry = Mapping[str, str | bool]

_NOTES = {
    Confidence.CERTAIN: "",
    Confidence.PROBABLE: "paired by its words; check it",
    Confidence.POSSIBLE: "paired by its type and place alone",
}
# What has no counterpart here is read and written as it is, whatever is inside.
_TAKEN_AS = {FieldType.OBJECT: FieldType.ANY, FieldType.ARRAY: FieldType.ANY}
# The profile's formats say how instants and durations stand on the wire; an id is a text to the connector.
_KEEP_OUR_TYPE = {FieldType.TIME, FieldType.DURATION, FieldType.STRING, FieldType.ANY}


def write_profile(
    base: Profile,
    evidence: Evidence,
    name: str,
    pairing: Pairing,
    paths: Iterable[PathPair],
    events: Iterable[EventPair],
) -> str:
    """The text of a profile that extends `base` by these pairs."""
    lines = [
        f"# Drafted from {_one_line(evidence.address)}. Each entry says how sure its pairing is; read them all once.",
        "# `flex-wfm contract check` says what is still missing.",
    ]
    lines += _section("profile", {"extends": base.name, "name": name})
    lines += _section("sources", {evidence.source: evidence.address})
    lines += _formats(pairing, evidence)
    for path in paths:
        lines += _section(f"endpoints.{path.endpoint}", _endpoint(path, evidence))
    for one in pairing.objects:
        lines += _object(one, evidence)
    for event in events:
        lines += _section(f"events.{event.event.key}", {"id": event.id, **_said(evidence, event.confidence)})
    return "\n".join(lines) + "\n"


def _formats(pairing: Pairing, evidence: Evidence) -> list[str]:
    pairs = [one for item in pairing.objects for one in item.fields]
    times = [one.found for one in pairs if one.ours.type is FieldType.TIME]
    time = _common(one.time_formats for one in times)
    duration = _common(one.found.duration_formats for one in pairs if one.ours.type is FieldType.DURATION)
    lines: list[str] = []
    if time:
        lines += _section("formats.time", {"value": time, **_said(evidence, Confidence.CERTAIN)})
    elif times and all(one.type is FieldType.INTEGER for one in times):
        why = f"{evidence.source}: instants are whole numbers, and Java's are milliseconds"
        lines += _section("formats.time", {"value": "epoch-ms", "provenance": "assumed", "why": why})
    if duration:
        lines += _section("formats.duration", {"value": duration, **_said(evidence, Confidence.CERTAIN)})
    return lines


def _endpoint(one: PathPair, evidence: Evidence) -> Entry:
    entry: dict[str, str | bool] = {"path": one.found.path}
    if one.found.method:
        entry["method"] = one.found.method
    note = f"seen in {one.found.where}"
    if one.confidence is not Confidence.CERTAIN:
        note = f"{note}; paired by the words around it, check it"
    return {**entry, **_documented(evidence, note)}


def _object(one: ObjectPair, evidence: Evidence) -> list[str]:
    lines = ["", f"# {one.dto.name}: {one.confidence.value}, seen as {_one_line(one.shape.label)}"]
    lines.append(f"[dto.{one.dto.name}.fields]")
    entries = {item.ours.name: _pair(item, evidence) for item in one.fields}
    taken = set(one.dto.fields) | one.dto.dropped
    # Another spelling that the profile reads already needs no field of its own.
    read = {wire for ours in one.dto.fields.values() for wire in ours.also}
    entries |= {_free_name(found.wire, taken): _extra(found, evidence) for found in one.left if found.wire not in read}
    if one.shape.whole:
        # The class holds no such field, so it must not stand on the wire.
        entries |= {ours.name: {"drop": True} for ours in one.unseen}
    return lines + [f"{name} = {_inline(entry)}" for name, entry in entries.items()]


def _pair(item: FieldPair, evidence: Evidence) -> Entry:
    entry: dict[str, str | bool] = {"wire": item.found.wire}
    ours, found = item.ours.type, item.found.type
    if found is not ours and found is not FieldType.ANY and ours not in _KEEP_OUR_TYPE:
        entry["type"] = found.value
    if item.found.required:
        entry["required"] = True
    return {**entry, **_said(evidence, item.confidence)}


def _extra(found: FoundField, evidence: Evidence) -> Entry:
    kind = _TAKEN_AS.get(found.type, found.type).value
    entry: Entry = {"wire": found.wire, "type": kind, "required": False, "nullable": True}
    return {**entry, **_documented(evidence, "no counterpart here; never filled")}


def _said(evidence: Evidence, confidence: Confidence) -> Entry:
    if confidence is Confidence.POSSIBLE:
        return {"provenance": "assumed", "why": f"{evidence.source}: {_NOTES[confidence]}"}
    return _documented(evidence, _NOTES[confidence])


def _documented(evidence: Evidence, note: str) -> Entry:
    entry: Entry = {"provenance": "documented", "source": evidence.source}
    return {**entry, "note": note} if note else entry


def _common(choices: Iterable[tuple[str, ...]]) -> str:
    """The first format that all fields which show any agree on; "" where there is none."""
    shown = [one for one in choices if one]
    return next((name for name in shown[0] if all(name in one for one in shown)), "") if shown else ""


def _free_name(wire: str, taken: set[str]) -> str:
    """A canonical name for a found field, unlike those in use."""
    base = "_".join(words_of(wire)) or "field"
    base = base if re.match(r"[a-z]", base) else f"field_{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


# --------------------------------------------------------------------------------------------------- TOML


def _section(name: str, entry: Entry) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in entry.items())]


def _inline(entry: Entry) -> str:
    return f"{{ {', '.join(f'{key} = {_value(value)}' for key, value in entry.items())} }}"


def _value(value: str | bool) -> str:
    """A flag, or a basic string: JSON's, but for DEL, and without halves of characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    whole = value.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    """For a comment: no line may end it early."""
    return "".join(one if one.isprintable() else "?" for one in text)

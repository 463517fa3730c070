"""Builds a Profile from the merged tables of its files and refuses what is missing, unknown or contradictory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NoReturn, TypeVar

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.formats import DURATION_FORMATS, TIME_FORMATS
from flex_plugin_backend.wfm.contract.model import (
    Dto,
    Endpoint,
    Event,
    Field,
    FieldType,
    Limits,
    Origin,
    Provenance,
    ReasonNeed,
)
from flex_plugin_backend.wfm.contract.profile import Profile

STATES = ("AVAILABLE", "UNAVAILABLE", "RESERVED", "DIALLING", "CONTACT", "WRAPUP", "OFFLINE")

# What the connector calls, and which bodies it cannot do without; a profile that lacks one of them is of no use.
ENDPOINTS: dict[str, tuple[str, ...]] = {
    "token": ("request", "response"),
    "refresh": ("request", "response"),
    "acd_details": ("response",),
    "heartbeat": (),
    "agent_states": ("request",),
    "agent_activity": ("request",),
    "queue_report": ("request",),
}

_SECTIONS = {"profile", "sources", "formats", "limits", "http", "endpoints", "dto", "events"}
_ORIGIN = {"provenance", "source", "why", "note", "_profile"}
_FIELD = _ORIGIN | {"wire", "also", "type", "of", "required", "empty", "nullable", "copy_of", "default", "limit"}
_FIELD |= {"maximum", "drop"}

_T = TypeVar("_T")


def build(label: str, raw: Mapping[str, Any], lineage: tuple[str, ...]) -> Profile:
    """The profile of the merged tables `raw`; `label` names its file in errors."""
    return _Builder(label, raw).build(lineage)


class _Builder:
    def __init__(self, label: str, raw: Mapping[str, Any]) -> None:
        self._label = label
        self._raw = raw
        self._sources: dict[str, str] = {}

    def build(self, lineage: tuple[str, ...]) -> Profile:
        self._known("the file", self._raw, _SECTIONS)
        head = self._raw["profile"]
        self._known("profile", head, {"name", "title", "extends"})
        sources = self._raw.get("sources", {})
        self._known("sources", sources, set(sources))
        self._sources = {key: self._text("sources", sources, key) for key in sources}
        formats = self._section("formats", {"time", "duration"})
        header = self._section("http", {"message_header"})["message_header"]
        limits = self._section("limits", {item.name for item in fields(Limits)})
        self._dtos = self._build_dtos(limits)
        return Profile(
            name=self._text("profile", head, "name"),
            title=self._text("profile", head, "title", ""),
            lineage=lineage,
            sources=self._sources,
            time_format=self._choice("formats.time", formats["time"], "value", TIME_FORMATS),
            duration_format=self._choice("formats.duration", formats["duration"], "value", DURATION_FORMATS),
            format_origins={key: self._origin(f"formats.{key}", entry) for key, entry in formats.items()},
            limits=Limits(**{key: self._limit(f"limits.{key}", entry) for key, entry in limits.items()}),
            limit_origins={key: self._origin(f"limits.{key}", entry) for key, entry in limits.items()},
            message_header=self._text("http.message_header", header, "wire"),
            message_header_origin=self._origin("http.message_header", header),
            endpoints=self._build_endpoints(),
            dtos=self._dtos,
            events=self._build_events(),
        )

    # ---------------------------------------------------------------------------------------- sections

    def _build_endpoints(self) -> dict[str, Endpoint]:
        entries = self._section("endpoints", set(ENDPOINTS))
        return {key: self._endpoint(key, entries[key]) for key in ENDPOINTS}

    def _endpoint(self, key: str, entry: Mapping[str, Any]) -> Endpoint:
        where = f"endpoints.{key}"
        self._known(where, entry, _ORIGIN | {"method", "path", "request", "response", "auth"})
        path = self._text(where, entry, "path")
        if not path.startswith("/") or any(mark in path for mark in "?# <>{}"):
            self._fail(where, f"path {path!r} is no path", "Begin it with /; no query, fragment, space or placeholder.")
        bodies: dict[str, str | None] = {}
        for side in ("request", "response"):
            bodies[side] = self._text(where, entry, side, "") or None
            if bodies[side] is None and side in ENDPOINTS[key]:
                self._fail(where, f"{side} is missing", f'Name its DTO: {side} = "...".')
            if bodies[side] is not None and bodies[side] not in self._dtos:
                self._fail(
                    where, f"{side} names the unknown DTO {bodies[side]!r}", f"Describe it in [dto.{bodies[side]}]."
                )
        return Endpoint(
            name=key,
            method=self._choice(where, entry, "method", {name: name for name in ("GET", "POST", "PUT", "PATCH")}),
            path=path,
            request=bodies["request"],
            response=bodies["response"],
            auth=self._flag(where, entry, "auth", default=True),
            origin=self._origin(where, entry),
        )

    def _build_dtos(self, limits: Mapping[str, Any]) -> dict[str, Dto]:
        raw = self._raw.get("dto", {})
        dtos = {name: self._dto(name, entry, limits) for name, entry in raw.items()}
        for dto in dtos.values():
            for field in dto.fields.values():
                if field.of is not None and field.of not in dtos:
                    self._fail(
                        f"dto.{dto.name}.fields.{field.name}", f"of names the unknown DTO {field.of!r}", "Describe it."
                    )
        return dtos

    def _dto(self, name: str, entry: Mapping[str, Any], limits: Mapping[str, Any]) -> Dto:
        where = f"dto.{name}"
        self._known(where, entry, _ORIGIN | {"unknown_fields", "fields"})
        built: dict[str, Field] = {}
        dropped = set()
        for key, raw in entry.get("fields", {}).items():
            if self._flag(f"{where}.fields.{key}", raw, "drop", default=False):
                dropped.add(key)
            else:
                built[key] = self._field(f"{where}.fields.{key}", key, raw, limits)
        wires = [wire for field in built.values() for wire in (field.wire, *field.also)]
        for wire in wires:
            if wires.count(wire) > 1:
                self._fail(f"{where}.fields", f"two fields are called {wire!r} on the wire", "Rename one.")
        for field in built.values():
            if field.copy_of is not None and field.copy_of not in built.keys() | dropped:
                self._fail(f"{where}.fields.{field.name}", f"copy_of names no field: {field.copy_of!r}", "Correct it.")
        closed = {"refuse": True, "accept": False}
        return Dto(
            name=name,
            fields=built,
            closed=self._choice(where, entry, "unknown_fields", closed),
            dropped=frozenset(dropped),
            origin=self._origin(where, entry),
        )

    def _field(self, where: str, key: str, raw: Mapping[str, Any], limits: Mapping[str, Any]) -> Field:
        self._known(where, raw, _FIELD)
        kind = self._choice(where, raw, "type", {item.value: item for item in FieldType})
        of = self._text(where, raw, "of", "") or None
        if (of is None) == (kind in (FieldType.ARRAY, FieldType.OBJECT)):
            self._fail(where, "of goes with type array or object, and only with them", "Name the DTO of the items.")
        limit = self._text(where, raw, "limit", "")
        if limit and limit not in limits:
            self._fail(where, f"limit names no limit: {limit!r}", f"Use one of: {', '.join(limits)}.")
        also = raw.get("also", [])
        if not isinstance(also, list) or not all(isinstance(item, str) for item in also):
            self._fail(where, "also is not a list of names", 'Write also = ["otherName"].')
        return Field(
            name=key,
            wire=self._text(where, raw, "wire"),
            also=tuple(also),
            type=kind,
            of=of,
            required=self._flag(where, raw, "required", default=False),
            empty=self._flag(where, raw, "empty", default=False),
            nullable=self._flag(where, raw, "nullable", default=False),
            copy_of=self._text(where, raw, "copy_of", "") or None,
            default=raw.get("default"),
            has_default="default" in raw,
            max_rows=self._limit(f"limits.{limit}", limits[limit]) if limit else None,
            maximum=self._limit(where, {"value": raw["maximum"]}) if "maximum" in raw else None,
            origin=self._origin(where, raw),
        )

    def _build_events(self) -> dict[str, Event]:
        events = {key: self._event(key, entry) for key, entry in self._raw.get("events", {}).items()}
        seen: dict[tuple[str | None, ...], str] = {}
        for event in events.values():
            place = (event.state, event.channel, event.direction)
            if event.state is not None and place in seen:
                self._fail(f"events.{event.key}", f"describes the same case as events.{seen[place]}", "Remove one.")
            seen[place] = event.key
        for state in STATES:
            if (state, None, None) not in seen:
                self._fail("events", f"no entry fits every {state}", f'Add one with state = "{state}" and an id.')
        return events

    def _event(self, key: str, entry: Mapping[str, Any]) -> Event:
        where = f"events.{key}"
        self._known(where, entry, _ORIGIN | {"state", "channel", "direction", "id", "reason"})
        state = self._text(where, entry, "state", "") or None
        if state is not None and state not in STATES:
            self._fail(where, f"unknown state {state!r}", f"Use one of: {', '.join(STATES)}.")
        needs = {item.value: item for item in ReasonNeed}
        return Event(
            key=key,
            state=state,
            channel=self._text(where, entry, "channel", "") or None,
            direction=self._text(where, entry, "direction", "") or None,
            id=self._text(where, entry, "id"),
            reason=self._choice(where, {"reason": "optional", **entry}, "reason", needs),
            origin=self._origin(where, entry),
        )

    # ------------------------------------------------------------------------------------------ values

    def _section(self, name: str, keys: set[str]) -> dict[str, dict[str, Any]]:
        """The tables of a section that must hold exactly `keys`."""
        section: dict[str, dict[str, Any]] = self._raw.get(name, {})
        self._known(name, section, keys)
        missing = sorted(keys - section.keys())
        if missing:
            self._fail(name, f"{missing[0]} is missing", 'Add it, or say extends = "default" in [profile].')
        return section

    def _origin(self, where: str, entry: Mapping[str, Any]) -> Origin:
        provenance = self._choice(where, entry, "provenance", {item.value: item for item in Provenance})
        source = self._text(where, entry, "source", "")
        why = self._text(where, entry, "why", "")
        if provenance is Provenance.DOCUMENTED and not source:
            self._fail(where, "documented without a source", 'Name the page: source = "S1".')
        unknown = {name.strip() for name in source.split(",")} - self._sources.keys() - {""}
        if provenance is Provenance.DOCUMENTED and unknown:
            self._fail(where, f"the source {min(unknown)!r} is not in [sources]", "Say there what it is.")
        if provenance is Provenance.ASSUMED and not why:
            self._fail(where, "assumed without a reason", 'Say why = "...".')
        note = self._text(where, entry, "note", "")
        return Origin(provenance=provenance, source=source, why=why, note=note, profile=entry.get("_profile", ""))

    def _limit(self, where: str, entry: Mapping[str, Any]) -> int:
        self._known(where, entry, _ORIGIN | {"value"})
        value = entry.get("value")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self._fail(where, f"{value!r} is no number above 0", "Write a whole number.")
        return value

    def _text(self, where: str, entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = entry.get(key, default)
        if value is None:
            self._fail(where, f"{key} is missing", f'Write {key} = "...".')
        if not isinstance(value, str) or (default is None and not value.strip()):
            self._fail(where, f"{key} is {value!r}, not a text", f'Write {key} = "...".')
        return value

    def _flag(self, where: str, entry: Mapping[str, Any], key: str, *, default: bool) -> bool:
        value = entry.get(key, default)
        if not isinstance(value, bool):
            self._fail(where, f"{key} is {value!r}", "Write true or false.")
        return value

    def _choice(self, where: str, entry: Mapping[str, Any], key: str, choices: Mapping[str, _T]) -> _T:
        value = self._text(where, entry, key)
        if value not in choices:
            self._fail(where, f"{key} is {value!r}", f"Use one of: {', '.join(choices)}.")
        return choices[value]

    def _known(self, where: str, entry: Mapping[str, Any], keys: set[str]) -> None:
        if not isinstance(entry, Mapping):
            self._fail(where, "is not a table", "Write it as a table.")
        unknown = sorted(entry.keys() - keys)
        if unknown:
            known = ", ".join(sorted(keys - {"_profile"}))
            self._fail(where, f"unknown key {unknown[0]!r}", f"Use one of: {known}.")

    def _fail(self, where: str, problem: str, repair: str) -> NoReturn:
        raise ContractError(profile=self._label, problem=f"[{where}] {problem}", repair=repair)

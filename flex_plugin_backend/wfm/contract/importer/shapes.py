"""The neutral form of what was found, in samples or in a jar: objects with fields, paths, and sets of ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flex_plugin_backend.wfm.contract.model import FieldType


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundField:
    """One field as it was found.

    Attributes:
        wire: its name in JSON.
        type: what kind of value; ANY where it cannot be told.
        of: the key of the shape of the object or of the items.
        time_format, duration_format: names of `formats` that the values fit, best first; empty where unknown.
        required: it was never absent (samples), or is marked so (jar); None where unknown.
        ids: the members of the enum that it holds.
    """

    wire: str
    type: FieldType
    of: str | None = None
    time_formats: tuple[str, ...] = ()
    duration_formats: tuple[str, ...] = ()
    required: bool | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One object as it was found.

    Attributes:
        key: unique within the evidence (a class name, or a file and a path in it).
        label: how to call it to people, and the name that is compared with the names of DTOs.
        whole: all its fields are known (a class); of a sample only what it happens to hold is.
        root: it is sent or answered by itself, as far as is known.
    """

    key: str
    label: str
    fields: tuple[FoundField, ...]
    whole: bool
    root: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPath:
    """A text that looks like a path of the service.

    Attributes:
        path: with a leading slash.
        method: GET, POST, PUT or PATCH where something told it, else "".
        words: the names of constant, method and class around it, the nearest first.
        where: for people.
    """

    path: str
    method: str
    words: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIds:
    """A set of constants that may be event ids: an enum's members as they stand on the wire."""

    label: str
    names: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was found.

    Attributes:
        source: its short name in the profile's [sources], such as JAR.
        address: what stands behind that name.
        problems: what could not be read, one line each.
    """

    source: str
    address: str
    shapes: tuple[Shape, ...] = ()
    paths: tuple[FoundPath, ...] = ()
    ids: tuple[FoundIds, ...] = ()
    problems: tuple[str, ...] = field(default=())

    def shape(self, key: str | None) -> Shape | None:
        """The shape of that key."""
        return next((one for one in self.shapes if one.key == key), None) if key else None


def joined(fields: Iterable[FoundField]) -> tuple[FoundField, ...]:
    """Several sightings of fields as one field per name: what they agree on is kept."""
    merged: dict[str, FoundField] = {}
    for one in fields:
        before = merged.get(one.wire)
        merged[one.wire] = one if before is None else _both(before, one)
    return tuple(merged.values())


def _both(before: FoundField, after: FoundField) -> FoundField:
    if before.type is FieldType.ANY:
        return after
    if after.type is FieldType.ANY:
        return before
    if before.type is not after.type:
        number = {before.type, after.type} == {FieldType.INTEGER, FieldType.NUMBER}
        text = {before.type, after.type} <= {FieldType.STRING, FieldType.TIME, FieldType.DURATION}
        kind = FieldType.NUMBER if number else FieldType.STRING if text else FieldType.ANY
        return replace(before, type=kind, of=None, time_formats=(), duration_formats=())
    return replace(
        before,
        time_formats=tuple(name for name in before.time_formats if name in after.time_formats),
        duration_formats=tuple(name for name in before.duration_formats if name in after.duration_formats),
        of=before.of or after.of,
    )

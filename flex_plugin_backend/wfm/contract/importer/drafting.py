"""Drafts the profile: the pairs as TOML that extends another profile, and lists of what could not be placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flex_plugin_backend.wfm.contract.importer.callings import EventPair, PathPair, pair_events, pair_paths
from flex_plugin_backend.wfm.contract.importer.checking import sent_objects
from flex_plugin_backend.wfm.contract.importer.pairing import ObjectPair, Pairing, pair
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundField, FoundIds, FoundPath
from flex_plugin_backend.wfm.contract.importer.writing import write_profile
from flex_plugin_backend.wfm.contract.profile import Profile

_FEWEST_FIELDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted profile.

    Attributes:
        name, base: of the profile, and of the one that it extends.
        toml: the file's text; it loads.
        objects, paths, events: what was paired.
        left: what was found and could not be placed, one line each.
        unseen: what the connector needs and the evidence does not show, one line each.
        problems: what could not be read.
    """

    name: str
    base: str
    toml: str
    objects: tuple[ObjectPair, ...]
    paths: tuple[PathPair, ...]
    events: tuple[EventPair, ...]
    left: tuple[str, ...]
    unseen: tuple[str, ...]
    problems: tuple[str, ...]


def draft_profile(base: Profile, evidence: Evidence, *, name: str) -> Draft:
    """The draft of a profile `name` that extends `base` by what the evidence shows."""
    pairing = pair(base, evidence)
    paths, other_paths = pair_paths(base, evidence)
    events, other_ids = pair_events(base, evidence)
    return Draft(
        name=name,
        base=base.name,
        toml=write_profile(base, evidence, name, pairing, paths, events),
        objects=tuple(pairing.objects),
        paths=tuple(paths),
        events=tuple(events),
        left=tuple(_left(pairing, other_paths, other_ids)),
        unseen=tuple(_unseen(base, pairing, paths, evidence)),
        problems=evidence.problems,
    )


def _left(pairing: Pairing, paths: list[FoundPath], ids: list[FoundIds]) -> Iterator[str]:
    for one in pairing.objects:
        for found in one.left:
            yield f"{one.dto.name}: field {found.wire} ({_kind(found)})"
    for shape in pairing.left:
        if len(shape.fields) < _FEWEST_FIELDS:
            continue  # what a service keeps for itself
        yield f"object {shape.label}: {', '.join(found.wire for found in shape.fields)}"
    for path in paths:
        yield f"path {path.path} ({path.where})"
    for one_set in ids:
        yield f"constants {one_set.label}: {', '.join(one_set.values)}"


def _unseen(base: Profile, pairing: Pairing, paths: list[PathPair], evidence: Evidence) -> Iterator[str]:
    if evidence.paths:
        placed = {one.endpoint for one in paths}
        yield from (f"endpoint {name}: no path found" for name in base.endpoints if name not in placed)
    for name in sent_objects(base):
        one = pairing.of(name)
        if one is None:
            yield f"{name}: no object found"
            continue
        for ours in one.unseen:
            if ours.required:
                yield f"{name}: nothing found for {ours.name}"


def _kind(found: FoundField) -> str:
    return f"{found.type.value} of {found.of}" if found.of else found.type.value

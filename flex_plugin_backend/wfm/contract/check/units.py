"""Units: the payloads and bare rows inside a JSON value, each with the pointer to it and the kind it is taken for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flex_plugin_backend.wfm.contract.check.capture import inbox_reports, unwrap
from flex_plugin_backend.wfm.contract.check.kinds import Guess, Kind, Kinds
from flex_plugin_backend.wfm.contract.findings import Finding

VOTERS = 100  # so many values at the beginning of a file say which kind is usual in it


@dataclass(frozen=True, slots=True)
class Unit:
    """One payload or bare row.

    Attributes:
        at: which text it stands in: 0 for a whole file, else the number of its line.
        prefix: the pointer to it within that text.
        value: the JSON value.
        kind: what it is checked as; None where it is not recognised.
        guess: how it was recognised.
        revision: of a captured report, where the record has one.
    """

    at: int
    prefix: str
    value: Any
    kind: Kind | None
    guess: Guess
    revision: int | None = None


def bare_values(kinds: Kinds, value: object) -> Iterator[tuple[str, Any, str | None, int | None]]:
    """(prefix, value, DTO that a capture record names, revision) of each payload inside a JSON value."""
    reports = inbox_reports(value)
    if reports is not None:
        items: Iterable[tuple[str, Any]] = ((f"/reports/{index}", item) for index, item in enumerate(reports))
    elif isinstance(value, list):
        items = ((f"/{index}", item) for index, item in enumerate(value))
    else:
        items = (("", value),)
    for prefix, item in items:
        captured = unwrap(kinds.profile, item)
        if captured is None:
            yield prefix, item, None, None
        else:
            yield f"{prefix}/{captured.step}", captured.value, captured.dto, captured.revision


def units_of(kinds: Kinds, at: int, value: object, *, forced: Kind | None, usual: Kind | None) -> Iterator[Unit]:
    """The units of one text; `forced` is the kind that the user gave, `usual` that of the neighbouring texts."""
    if forced is None and usual is None and not isinstance(value, dict | str):
        usual = usual_kind(kinds, [value])
    for prefix, item, dto, revision in bare_values(kinds, value):
        if forced is not None:
            guess = Guess(forced, 1.0)
        elif dto is not None and dto in kinds.by_name:
            guess = Guess(kinds.by_name[dto], 1.0)
        else:
            guess = kinds.guess(item, usual)
        yield Unit(at, prefix, item, guess.kind, guess, revision)


def usual_kind(kinds: Kinds, values: Iterable[object]) -> Kind | None:
    """The kind of most of the first payloads in these values."""
    items = (item for value in values for _, item, _, _ in bare_values(kinds, value))
    return kinds.usual(islice(items, VOTERS))


def not_recognised(kinds: Kinds, unit: Unit) -> Finding:
    """The finding for a unit that nothing is like."""
    profile, guess = kinds.profile.name, unit.guess
    known = ", ".join(kinds.by_name)
    if not isinstance(unit.value, dict):
        message, repair = "is no object, so no payload", "Take it off the list, or correct what writes it."
        return Finding("J09", "", message, "a payload", repair)
    if guess.rivals:
        message = f"may be {' or '.join(guess.rivals)}"
        return Finding("J09", "", message, "one kind alone", "Say which with --kind.")
    message = f"is like no payload of profile {profile} (the nearest shares {guess.likeness:.0%} of the names)"
    return Finding("J09", "", message, f"one of {known}", "Correct the member names, or say --kind or --profile.")

"""Recognises by its member names which object of the contract a JSON value is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.profile import Profile

RECOGNISED = 0.3  # at least this likeness, and more than that of any other kind
FAMILIAR = 0.7  # at least this likeness to the kind that its neighbours in the file are of


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of payload.

    Attributes:
        dto: its name in the profile.
        names: the member names it knows on the wire; `required` those it must have.
        holder: for the row of a list, the request that holds such rows, and the list's wire name there.
        has_time: it says when it began, so that rows of a kind can be compared with their neighbours.
        secret: its values are never shown.
    """

    dto: str
    names: frozenset[str]
    required: frozenset[str]
    holder: tuple[str, str] | None
    has_time: bool
    secret: bool

    def likeness(self, members: frozenset[str]) -> float:
        """Shared names as a part of all names: those shared, those it does not know, and those it wants and misses."""
        shared = len(members & self.names)
        all_names = len(members | self.required)
        return shared / all_names if all_names else 0.0


@dataclass(frozen=True, slots=True)
class Guess:
    """What a value is taken for.

    Attributes:
        kind: None where nothing is like it enough, or two kinds are equally like it.
        likeness: of the best kind, 0 to 1.
        rivals: the kinds that are as like it as the best, where that is why there is none.
    """

    kind: Kind | None
    likeness: float
    rivals: tuple[str, ...] = ()


class Kinds:
    """The kinds of one profile: the bodies of its endpoints, and the rows in their lists."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        secret = _secret(profile)
        self.by_name: dict[str, Kind] = {}
        for name, holder in _roots_and_rows(profile):
            dto = profile.dto(name)
            fields = dto.fields.values()
            names = frozenset(wire for field in fields for wire in (field.wire, *field.also))
            required = frozenset(field.wire for field in fields if field.required)
            self.by_name[name] = Kind(name, names, required, holder, "start_ms" in dto.fields, name in secret)
        self._guesses: dict[frozenset[str], Guess] = {}

    def named(self, name: str) -> Kind:
        """The kind called `name`: a DTO, or an endpoint whose request it is; ContractError for an unknown one."""
        endpoint = self.profile.endpoints.get(name)
        dto = endpoint.request if endpoint is not None and endpoint.request else name
        kind = self.by_name.get(dto)
        if kind is None:
            known = ", ".join(self.by_name)
            raise ContractError(
                profile=self.profile.name, problem=f"no kind of payload {name!r}", repair=f"Use one of: {known}."
            )
        return kind

    def guess(self, value: object, usual: Kind | None = None) -> Guess:
        """What a JSON value is taken for; `usual` is the kind of its neighbours in the file."""
        if not isinstance(value, Mapping) or not value:
            return Guess(None, 0.0)
        members = frozenset(value)
        if usual is not None and (likeness := usual.likeness(members)) >= FAMILIAR:
            return Guess(usual, likeness)
        found = self._guesses.get(members)
        if found is None:
            found = self._best(members)
            if len(self._guesses) < 1000:
                self._guesses[members] = found
        return found

    def usual(self, values: Iterable[object]) -> Kind | None:
        """The kind of most of these values, the first of equals; None where none of them is recognised."""
        votes: dict[str, int] = {}
        for value in values:
            kind = self.guess(value).kind
            if kind is not None:
                votes[kind.dto] = votes.get(kind.dto, 0) + 1
        return self.by_name[max(votes, key=lambda name: votes[name])] if votes else None

    def _best(self, members: frozenset[str]) -> Guess:
        likenesses = {name: kind.likeness(members) for name, kind in self.by_name.items()}
        top = max(likenesses.values(), default=0.0)
        if top < RECOGNISED:
            return Guess(None, top)
        first = [name for name, likeness in likenesses.items() if likeness == top]
        if len(first) > 1:
            return Guess(None, top, tuple(first))
        return Guess(self.by_name[first[0]], top)


def _roots_and_rows(profile: Profile) -> Iterable[tuple[str, tuple[str, str] | None]]:
    """Each kind once: the requests with their rows, then the answers."""
    seen: dict[str, tuple[str, str] | None] = {}
    for endpoint in profile.endpoints.values():
        if endpoint.request is not None:
            seen.setdefault(endpoint.request, None)
    for request in tuple(seen):
        for field in profile.dto(request).fields.values():
            if field.of is not None and field.type.value == "array":
                seen.setdefault(field.of, (request, field.wire))
    for endpoint in profile.endpoints.values():
        if endpoint.response is not None:
            seen.setdefault(endpoint.response, None)
    return seen.items()


def _secret(profile: Profile) -> set[str]:
    """Whatever goes to or comes from the token endpoints, with all that is inside."""
    waiting = [
        name
        for key in ("token", "refresh")
        for name in (profile.endpoint(key).request, profile.endpoint(key).response)
        if name is not None
    ]
    secret: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in secret:
            secret.add(name)
            waiting.extend(field.of for field in profile.dto(name).fields.values() if field.of is not None)
    return secret

"""The records of a contract profile: endpoints, DTOs, fields, event ids and limits, each with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Provenance(StrEnum):
    """Where a name comes from."""

    DOCUMENTED = "documented"
    ASSUMED = "assumed"


class FieldType(StrEnum):
    """The kinds of values a field holds; `time` and `duration` follow the profile's formats."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    DURATION = "duration"
    OBJECT = "object"
    ARRAY = "array"
    ANY = "any"


class ReasonNeed(StrEnum):
    """Whether an event wants a reason."""

    REQUIRED = "required"
    NONE = "none"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Provenance of one entry.

    Attributes:
        provenance: documented or assumed.
        source: the page or pages, keys of the profile's sources.
        why: for an assumption, its reason.
        note: a restriction of the above.
        profile: the name of the profile that said so last.
    """

    provenance: Provenance
    source: str = ""
    why: str = ""
    note: str = ""
    profile: str = ""

    @property
    def text(self) -> str:
        """Source, reason and note in one line."""
        return "; ".join(part for part in (self.source, self.why, self.note) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation of the service.

    Attributes:
        name: the project's word for it, e.g. `agent_states`.
        method, path: HTTP method and path below the service URL.
        request, response: DTO names; None when there is no body.
        auth: whether the call carries the access token.
    """

    name: str
    method: str
    path: str
    request: str | None
    response: str | None
    auth: bool
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a DTO.

    Attributes:
        name: the canonical name; it carries the unit (`start_ms`, `duration_s`).
        wire: the name in JSON; `also` are further names that are read, never written.
        of: for objects and arrays the DTO of the value or the items.
        empty: a string may be empty.
        copy_of: the canonical sibling whose value is taken when none is given.
        default: the value taken when none is given; `has_default` tells it from absent.
        max_rows: the most items an array may hold.
        maximum: the largest number.
    """

    name: str
    wire: str
    type: FieldType
    required: bool
    of: str | None = None
    also: tuple[str, ...] = ()
    empty: bool = False
    nullable: bool = False
    copy_of: str | None = None
    default: Any = None
    has_default: bool = False
    max_rows: int | None = None
    maximum: int | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Dto:
    """One JSON object of the contract.

    Attributes:
        fields: by canonical name, in order of appearance.
        closed: unknown fields are refused.
        dropped: canonical names that the profile leaves off the wire.
    """

    name: str
    fields: Mapping[str, Field]
    closed: bool
    dropped: frozenset[str]
    origin: Origin
    by_wire: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_wire = {name: item for item in self.fields.values() for name in reversed((item.wire, *item.also))}
        object.__setattr__(self, "by_wire", by_wire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the event table: what WFM is told for an agent's state.

    Attributes:
        key: its name in the profile.
        state: AVAILABLE, UNAVAILABLE, RESERVED, DIALLING, CONTACT, WRAPUP or OFFLINE; None: known, never chosen.
        channel, direction: None fits every one.
        id: the event id on the wire.
        reason: whether a reason goes with it.
    """

    key: str
    state: str | None
    channel: str | None
    direction: str | None
    id: str
    reason: ReasonNeed
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of the contract; rows are per request, characters per text, the rest are seconds."""

    agent_states_rows: int
    agent_activity_rows: int
    queue_rows: int
    text_chars: int
    interval_s: int
    min_state_s: int
    heartbeat_period_s: int
    token_life_s: int
    refresh_token_life_s: int
    refresh_margin_s: int
    clock_skew_s: int

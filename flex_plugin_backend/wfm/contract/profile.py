"""Profile: one wire contract with CXone WFM, with the translations and checks that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import codec
from flex_plugin_backend.wfm.contract.formats import DurationFormat, TimeFormat
from flex_plugin_backend.wfm.contract.model import Dto, Endpoint, Event, Limits, Origin

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.findings import Finding
    from flex_plugin_backend.wfm.contract.payload import Plan
    from flex_plugin_backend.wfm.contract.validator import Validator


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One wire contract.

    Attributes:
        name, title: of the profile; `lineage` are the files it was made of, the base first.
        sources: the addresses behind the short names in `Origin.source`.
        endpoints, dtos: by the project's name.
        events: the event table by key, in order.
        limits: numbers; `limit_origins` and `format_origins` say where they come from.
        message_header: the response header that may hold a message in place of the body.
    """

    name: str
    title: str
    lineage: tuple[str, ...]
    sources: Mapping[str, str]
    time_format: TimeFormat
    duration_format: DurationFormat
    format_origins: Mapping[str, Origin]
    limits: Limits
    limit_origins: Mapping[str, Origin]
    message_header: str
    message_header_origin: Origin
    endpoints: Mapping[str, Endpoint]
    dtos: Mapping[str, Dto]
    events: Mapping[str, Event]
    _by_id: dict[str, tuple[Event, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id: dict[str, tuple[Event, ...]] = {}
        for event in self.events.values():
            by_id[event.id] = (*by_id.get(event.id, ()), event)
        object.__setattr__(self, "_by_id", by_id)

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"

    # ------------------------------------------------------------------------------------------ lookups

    def endpoint(self, name: str) -> Endpoint:
        """The operation called `name`, e.g. `agent_states`; ContractError for an unknown one."""
        try:
            return self.endpoints[name]
        except KeyError:
            raise self._unknown("endpoint", name, self.endpoints) from None

    def dto(self, name: str) -> Dto:
        """The object called `name`, e.g. `AgentStateListDTO`; ContractError for an unknown one."""
        try:
            return self.dtos[name]
        except KeyError:
            raise self._unknown("DTO", name, self.dtos) from None

    @property
    def event_ids(self) -> Mapping[str, str]:
        """The event ids by their key in the profile (`contact_voice` -> id)."""
        return {key: event.id for key, event in self.events.items()}

    def event_id(self, state: str, channel: str | None = None, direction: str | None = None) -> str:
        """The event id for an agent's state; direction counts more than channel."""
        return self.event(state, channel, direction).id

    def event(self, state: str, channel: str | None = None, direction: str | None = None) -> Event:
        """The line of the event table for an agent's state; ContractError when there is none."""
        best: tuple[int, Event] | None = None
        for event in self.events.values():
            if event.state != state or event.channel not in (None, channel) or event.direction not in (None, direction):
                continue
            weight = 2 * (event.direction is not None) + (event.channel is not None)
            if best is None or weight > best[0]:
                best = (weight, event)
        if best is None:
            raise ContractError(
                profile=self.name,
                problem=f"no event id for state {state}, channel {channel}, direction {direction}",
                repair="Add an entry under [events].",
            )
        return best[1]

    def events_of(self, event_id: str) -> tuple[Event, ...]:
        """The lines of the event table that carry this id; empty for an unknown id."""
        return self._by_id.get(event_id, ())

    def _unknown(self, what: str, name: str, known: Mapping[str, object]) -> ContractError:
        return ContractError(
            profile=self.name, problem=f"no {what} {name!r}", repair=f"Use one of: {', '.join(known)}."
        )

    # ------------------------------------------------------------------------------------- translations

    def encode(self, dto: str, plain: Mapping[str, Any]) -> dict[str, Any]:
        """`plain` with canonical names as the JSON object on the wire."""
        return codec.encode(self, self.dto(dto), plain, dto)

    def decode(self, dto: str, wire: object) -> dict[str, Any]:
        """A JSON object from the wire as a plain dict with canonical names; unknown fields are left out."""
        return codec.decode(self, self.dto(dto), wire, dto)

    def format_time(self, epoch_ms: int) -> Any:
        """An instant as it stands on the wire; finer than the format's resolution is cut off."""
        return self.time_format.write(epoch_ms)

    def parse_time(self, wire: Any) -> int:
        """An instant from the wire in epoch milliseconds; ValueError when it is none."""
        return self.time_format.read(wire)

    # --------------------------------------------------------------------------------------------- checks

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """How the objects of each DTO are read by the rules."""
        from flex_plugin_backend.wfm.contract.payload import plan_of

        return {name: plan_of(self, dto) for name, dto in self.dtos.items()}

    @cached_property
    def validator(self) -> Validator:
        """The checks of this profile, compiled at first use."""
        from flex_plugin_backend.wfm.contract.validator import Validator

        return Validator(self)

    def validate(self, dto: str, wire: object, *, now_ms: int | None = None) -> list[Finding]:
        """Everything that is wrong with a JSON value as a `dto`; an empty list when nothing is.

        `now_ms` is the clock in epoch milliseconds; without it the rules about now do not look.
        """
        return self.validator.validate(dto, wire, now_ms=now_ms)

    def json_schema(self, dto: str) -> dict[str, Any]:
        """The JSON Schema (2020-12) of `dto`."""
        from flex_plugin_backend.wfm.contract.schema import json_schema

        return json_schema(self, dto)

"""The building blocks of a scenario: frozen tables that refuse unknown keys, and fields that know their unit."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field

UNIT = "unit"


class Part(BaseModel):
    """One table of a scenario; it cannot be changed, and it takes only the keys it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __repr_args__(self) -> Any:
        """What was written down; the rest is as ever."""
        return [(name, value) for name, value in super().__repr_args__() if name in self.model_fields_set]


def _field(default: Any, doc: str, unit: str, **bounds: Any) -> Any:
    return Field(default, description=doc, json_schema_extra={UNIT: unit}, **bounds)


def share(default: Any, doc: str) -> Any:
    """A probability or a part of a whole."""
    return _field(default, doc, "0..1", ge=0, le=1, strict=True)


def seconds(default: Any, doc: str, *, above_zero: bool = False) -> Any:
    """A length of time."""
    return _field(default, doc, "s", strict=True, **({"gt": 0} if above_zero else {"ge": 0}))


def minutes(default: Any, doc: str, *, above_zero: bool = False) -> Any:
    """A length of time as people plan it."""
    return _field(default, doc, "min", strict=True, **({"gt": 0} if above_zero else {"ge": 0}))


def hours(default: Any, doc: str) -> Any:
    """A length of time as shifts have it."""
    return _field(default, doc, "h", strict=True, gt=0)


def per_agent_hour(default: Any, doc: str) -> Any:
    """How often something happens, counted per agent of the scenario and hour."""
    return _field(default, doc, "per agent and hour", ge=0, strict=True)


def number(default: Any, doc: str, unit: str, *, above_zero: bool = False) -> Any:
    """A number with another unit; `1` means without one."""
    return _field(default, doc, unit, strict=True, **({"gt": 0} if above_zero else {"ge": 0}))


def count(default: Any, doc: str, *, least: int = 0, most: int | None = None, unit: str = "count") -> Any:
    """A whole number of things."""
    return _field(default, doc, unit, ge=least, le=most, strict=True)


def text(default: Any, doc: str, *, unit: str = "text", **bounds: Any) -> Any:
    """A name or another text."""
    return _field(default, doc, unit, strict=True, **bounds)


def word(default: Any) -> Any:
    """The one word that tells the kinds of a table apart."""
    return _field(default, "the kind", "text")


def choice(default: Any, doc: str) -> Any:
    """One of a few words."""
    return _field(default, doc, "text")


def flag(default: Any, doc: str) -> Any:
    """Yes or no."""
    return _field(default, doc, "true or false", strict=True)


def table(default: Any, doc: str) -> Any:
    """A table or list of tables inside this one."""
    return Field(default, description=doc)


def unit_of(field: Any) -> str:
    """The unit of a field as the documentation shows it."""
    extra = field.json_schema_extra
    return str(extra[UNIT]) if isinstance(extra, dict) and UNIT in extra else ""


def parts_in(annotation: Any) -> list[type[Part]]:
    """The tables that a field may hold, however they are wrapped."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Part) else []
    found: list[type[Part]] = []
    for inner in get_args(annotation):
        found.extend(one for one in parts_in(inner) if one not in found)
    return found

"""Payload: a wire object as the rules see it, by canonical names, with a JSON Pointer for everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flex_plugin_backend.wfm.contract.findings import pointer_join
from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

Read = Callable[[Any], int]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How the objects of one DTO are read.

    Attributes:
        readers: canonical name, wire name and reader of each instant and duration.
        inner: the fields that hold objects.
    """

    readers: tuple[tuple[str, str, Read], ...]
    inner: tuple[Field, ...]


class Row:
    """One JSON object of the payload; reading never fails, what makes no sense reads as None."""

    __slots__ = ("_read", "dto", "pointer", "profile", "wire")

    def __init__(self, profile: Profile, dto: Dto, wire: Mapping[str, Any], pointer: str, read: dict[str, int]) -> None:
        self.profile = profile
        self.dto = dto
        self.wire = wire
        self.pointer = pointer
        self._read = read

    def field(self, name: str) -> Field | None:
        """The field of that canonical name; None when the profile leaves it off."""
        return self.dto.fields.get(name)

    def raw(self, name: str) -> Any:
        """The value on the wire; None when absent."""
        field = self.dto.fields.get(name)
        return None if field is None else self.wire.get(field.wire)

    def pointer_of(self, name: str) -> str:
        """Where the value stands."""
        field = self.dto.fields.get(name)
        return self.pointer if field is None else pointer_join(self.pointer, field.wire)

    def text(self, name: str) -> str | None:
        """The value when it is a text."""
        field = self.dto.fields.get(name)
        value = None if field is None else self.wire.get(field.wire)
        return value if isinstance(value, str) else None

    def time_ms(self, name: str) -> int | None:
        """The value as an instant in epoch milliseconds."""
        return self._read.get(name)

    def number(self, name: str) -> int | float | None:
        """The value as a number; of a duration, its whole seconds."""
        field = self.dto.fields.get(name)
        if field is None:
            return None
        if field.type is FieldType.DURATION:
            return self._read.get(name)
        value = self.wire.get(field.wire)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value

    def numbers(self, *names: str) -> tuple[int | float, ...] | None:
        """Several numbers; None unless all of them are there."""
        found: list[int | float] = []
        for name in names:
            value = self.number(name)
            if value is None:
                return None
            found.append(value)
        return tuple(found)


class Payload:
    """A wire object of a known DTO, with every object inside it found and read once.

    Attributes:
        now_ms: the clock, in epoch milliseconds; None where nobody said what time it is.
    """

    def __init__(self, profile: Profile, dto_name: str, wire: Mapping[str, Any], now_ms: int | None = None) -> None:
        self.profile = profile
        self.now_ms = now_ms
        self._rows: dict[str, list[Row]] = {}
        self._made: dict[Callable[[Payload], Any], Any] = {}
        self.root = self._collect(profile.dto(dto_name), wire, "")

    def _collect(self, dto: Dto, wire: Mapping[str, Any], pointer: str) -> Row:
        plan = self.profile.plans[dto.name]
        read: dict[str, int] = {}
        for name, wire_name, reader in plan.readers:
            value = wire.get(wire_name)
            if value is not None:
                try:
                    read[name] = reader(value)
                except ValueError:
                    continue
        row = Row(self.profile, dto, wire, pointer, read)
        self._rows.setdefault(dto.name, []).append(row)
        for field in plan.inner:
            value = wire.get(field.wire)
            if value is None:
                continue
            inner = self.profile.dto(field.of or "")
            place = pointer_join(pointer, field.wire)
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, Mapping):
                        self._collect(inner, item, f"{place}/{index}")
            elif isinstance(value, Mapping):
                self._collect(inner, value, place)
        return row

    def once(self, make: Callable[[Payload], _T]) -> _T:
        """What `make` makes of this payload, made once for all rules that want it."""
        if make not in self._made:
            self._made[make] = make(self)
        made: _T = self._made[make]
        return made

    def rows(self, *dto_names: str) -> Iterator[Row]:
        """The objects of these DTOs, or of all, in the order of the payload."""
        for name in dto_names or tuple(self._rows):
            yield from self._rows.get(name, ())

    def fields(self, *types: FieldType) -> Iterator[tuple[Row, Field, Any]]:
        """Every present, non-null value of a field of these types."""
        for name, rows in self._rows.items():
            wanted = [field for field in self.profile.dto(name).fields.values() if field.type in types]
            if not wanted:
                continue
            for row in rows:
                for field in wanted:
                    value = row.wire.get(field.wire)
                    if value is not None:
                        yield row, field, value


def plan_of(profile: Profile, dto: Dto) -> Plan:
    """The plan of one DTO."""
    readers = {FieldType.TIME: profile.time_format.read, FieldType.DURATION: profile.duration_format.read}
    return Plan(
        tuple((one.name, one.wire, readers[one.type]) for one in dto.fields.values() if one.type in readers),
        tuple(one for one in dto.fields.values() if one.of is not None),
    )

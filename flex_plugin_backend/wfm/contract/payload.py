"""Payload: a wire object as the rules see it, by canonical names, with a JSON Pointer for everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flex_plugin_backend.wfm.contract.findings import pointer_join
from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile


class Row:
    """One JSON object of the payload; reading never fails, what makes no sense reads as None."""

    __slots__ = ("dto", "pointer", "profile", "wire")

    def __init__(self, profile: Profile, dto: Dto, wire: Mapping[str, Any], pointer: str) -> None:
        self.profile = profile
        self.dto = dto
        self.wire = wire
        self.pointer = pointer

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
        value = self.raw(name)
        return value if isinstance(value, str) else None

    def time_ms(self, name: str) -> int | None:
        """The value as an instant in epoch milliseconds."""
        value = self.raw(name)
        if value is None:
            return None
        try:
            return self.profile.time_format.read(value)
        except ValueError:
            return None

    def number(self, name: str) -> int | float | None:
        """The value as a number; of a duration, its whole seconds."""
        value = self.raw(name)
        field = self.dto.fields.get(name)
        if field is not None and field.type is FieldType.DURATION:
            try:
                return self.profile.duration_format.read(value)
            except ValueError:
                return None
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value

    def numbers(self, *names: str) -> tuple[int | float, ...] | None:
        """Several numbers; None unless all of them are there."""
        values = [self.number(name) for name in names]
        found = tuple(value for value in values if value is not None)
        return found if len(found) == len(values) else None


class Payload:
    """A wire object of a known DTO, with every object inside it found once."""

    def __init__(self, profile: Profile, dto_name: str, wire: Mapping[str, Any]) -> None:
        self.profile = profile
        self.root = Row(profile, profile.dto(dto_name), wire, "")
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._collect(self.root)

    def _collect(self, row: Row) -> None:
        self._rows[row.dto.name].append(row)
        for field in row.dto.fields.values():
            if field.of is None:
                continue
            value = row.wire.get(field.wire)
            inner = self.profile.dto(field.of)
            pointer = pointer_join(row.pointer, field.wire)
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, Mapping):
                        self._collect(Row(self.profile, inner, item, f"{pointer}/{index}"))
            elif isinstance(value, Mapping):
                self._collect(Row(self.profile, inner, value, pointer))

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

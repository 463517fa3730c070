"""Translation between plain dicts with canonical names and the JSON objects that stand on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

_ABSENT: Any = object()


def encode(profile: Profile, dto: Dto, plain: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The wire form of `plain`; raises ContractError for a name or value that the profile does not know."""
    unknown = plain.keys() - dto.fields.keys() - dto.dropped
    if unknown:
        raise _error(profile, f"{where} has no field {min(unknown)!r}", f"Use one of: {', '.join(dto.fields)}.")
    wire: dict[str, Any] = {}
    for field in dto.fields.values():
        value = _given(field, plain)
        if value is not _ABSENT:
            wire[field.wire] = None if value is None else _encode_value(profile, field, value, f"{where}.{field.name}")
        elif field.required:
            raise _error(profile, f"{where}.{field.name} is required and missing", "Give it a value.")
    return wire


def _given(field: Field, plain: Mapping[str, Any]) -> Any:
    value = plain.get(field.name)
    if value is not None:
        return value
    if field.copy_of is not None and plain.get(field.copy_of) is not None:
        return plain[field.copy_of]
    if field.has_default:
        return field.default
    if field.nullable and field.name in plain:
        return None
    return _ABSENT


def _encode_value(profile: Profile, field: Field, value: Any, where: str) -> Any:
    if field.type is FieldType.ARRAY:
        item = profile.dto(field.of or "")
        return [encode(profile, item, row, f"{where}[{index}]") for index, row in enumerate(value)]
    if field.type is FieldType.OBJECT:
        return encode(profile, profile.dto(field.of or ""), value, where)
    if field.type is FieldType.TIME or field.type is FieldType.DURATION:
        form = profile.time_format if field.type is FieldType.TIME else profile.duration_format
        try:
            return form.write(value)
        except (ValueError, TypeError) as error:
            raise _error(profile, f"{where} cannot be written: {error}", "Give a whole number in range.") from error
    return value


def decode(profile: Profile, dto: Dto, wire: object, where: str) -> dict[str, Any]:
    """The canonical form of `wire`: what is unknown is left out, what is missing stays absent.

    Raises ContractError where no sense can be made of a value: no object, no list, no instant.
    """
    if not isinstance(wire, Mapping):
        raise _error(profile, f"{where} is not a JSON object", "Compare the profile with the service's answer.")
    plain: dict[str, Any] = {}
    for field in dto.fields.values():
        for name in (field.wire, *field.also):
            if name in wire:
                value = wire[name]
                plain[field.name] = None if value is None else _decode_value(profile, field, value, f"{where}.{name}")
                break
    return plain


def _decode_value(profile: Profile, field: Field, value: Any, where: str) -> Any:
    if field.type is FieldType.ARRAY:
        if not isinstance(value, list):
            raise _error(profile, f"{where} is not a list", "Compare the profile with the service's answer.")
        item = profile.dto(field.of or "")
        return [decode(profile, item, row, f"{where}[{index}]") for index, row in enumerate(value)]
    if field.type is FieldType.OBJECT:
        return decode(profile, profile.dto(field.of or ""), value, where)
    if field.type is FieldType.TIME or field.type is FieldType.DURATION:
        form = profile.time_format if field.type is FieldType.TIME else profile.duration_format
        try:
            return form.read(value)
        except ValueError as error:
            raise _error(profile, f"{where} cannot be read: {error}", f"Expected the form {form.example}.") from error
    return value


def _error(profile: Profile, problem: str, repair: str) -> ContractError:
    return ContractError(profile=profile.name, problem=problem, repair=repair)

"""JSON Schemas (2020-12), generated from a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

_PLAIN = {FieldType.STRING: "string", FieldType.BOOLEAN: "boolean"}


def json_schema(profile: Profile, dto_name: str) -> dict[str, Any]:
    """The schema of one DTO, complete in itself: the objects inside it stand under `$defs`."""
    dto = profile.dto(dto_name)
    inner = _reachable(profile, dto)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": dto_name, **_object(profile, dto)}
    if inner:
        schema["$defs"] = {name: _object(profile, profile.dto(name)) for name in sorted(inner)}
    return schema


def _reachable(profile: Profile, dto: Dto) -> set[str]:
    found: set[str] = set()
    waiting = [dto]
    while waiting:
        for field in waiting.pop().fields.values():
            if field.of is not None and field.of not in found:
                found.add(field.of)
                waiting.append(profile.dto(field.of))
    return found


def _object(profile: Profile, dto: Dto) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for field in dto.fields.values():
        value = {**_value(profile, field), "description": f"{field.origin.provenance}: {field.origin.text}"}
        for name in (field.wire, *field.also):
            schema["properties"][name] = value
    schema["required"] = [field.wire for field in dto.fields.values() if field.required]
    schema["additionalProperties"] = not dto.closed
    return schema


def _value(profile: Profile, field: Field) -> dict[str, Any]:
    schema = _typed(profile, field)
    if field.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _typed(profile: Profile, field: Field) -> dict[str, Any]:
    if field.type is FieldType.ANY:
        return {}
    if field.type is FieldType.OBJECT:
        return {"$ref": f"#/$defs/{field.of}"}
    if field.type is FieldType.ARRAY:
        schema: dict[str, Any] = {"type": "array", "items": {"$ref": f"#/$defs/{field.of}"}}
        return schema if field.max_rows is None else {**schema, "maxItems": field.max_rows}
    if field.type is FieldType.TIME:
        is_text = profile.time_format.json_type == "string"
        return {"type": "string", "format": "date-time"} if is_text else {"type": "integer", "minimum": 0}
    if field.type is FieldType.DURATION:
        is_text = profile.duration_format.json_type == "string"
        return {"type": "string", "format": "duration"} if is_text else {"type": "integer", "minimum": 0}
    if field.type is FieldType.INTEGER or field.type is FieldType.NUMBER:
        number: dict[str, Any] = {"type": field.type.value, "minimum": 0}
        return number if field.maximum is None else {**number, "maximum": field.maximum}
    plain: dict[str, Any] = {"type": _PLAIN[field.type]}
    if field.type is FieldType.STRING and field.required and not field.empty:
        plain["minLength"] = 1
    return plain

"""Validator: shape by JSON Schema, then meaning by the numbered rules, as one list of findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from flex_plugin_backend.wfm.contract.findings import Finding, pointer_join, pointer_order
from flex_plugin_backend.wfm.contract.payload import Payload
from flex_plugin_backend.wfm.contract.rules import RULES, Rule

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

SHAPE_RULES = {
    "S01": "a value has the type that the profile names",
    "S02": "a required field is there",
    "S03": "a request holds no unknown field",
    "S04": "a required text is not empty",
    "S05": "a number lies in its range",
    "S06": "the payload fits its JSON Schema in every other way",
}


class Validator:
    """The checks of one profile; JSON Schemas are compiled at first use and kept.

    Args:
        profile: the contract.
        rules: the rules of meaning, all by default.
    """

    def __init__(self, profile: Profile, rules: Iterable[Rule] | None = None) -> None:
        self._profile = profile
        self._rules = tuple(RULES.values() if rules is None else rules)
        self._schemas: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._fitting: dict[str, tuple[Rule, ...]] = {}

    def validate(self, dto: str, wire: object, *, now_ms: int | None = None) -> list[Finding]:
        """Everything that is wrong with `wire` as a `dto`, in the order of the payload.

        Where a rule of meaning and the schema complain about the same value, the rule's words are kept: they say more.
        """
        shape = list(self._shape(dto, wire))
        meaning: list[Finding] = []
        if isinstance(wire, Mapping):
            payload = Payload(self._profile, dto, wire, now_ms)
            meaning = self._meaning(dto, payload)
        return _together(shape, meaning)

    def validate_rows(self, dto: str, member: str, rows: list[Any], *, now_ms: int | None = None) -> list[Finding]:
        """Everything that is wrong with rows that stand alone, judged as those of a `dto` without the rest of it.

        Args:
            dto: the request that holds such rows; `member` the wire name of their list in it.
            rows: JSON values.
            now_ms: as in `validate`.

        Returns:
            Findings whose pointers begin with the row's position: `/0/agentId`.
        """
        (field,) = (one for one in self._profile.dto(dto).fields.values() if one.wire == member)
        shape = list(self._row_shape(field.of or "", rows))
        start = pointer_join("", member)
        payload = Payload(self._profile, dto, {member: rows}, now_ms)
        meaning = [
            replace(finding, pointer=finding.pointer.removeprefix(start))
            for finding in self._meaning(dto, payload)
            if finding.pointer.startswith(f"{start}/")
        ]
        return _together(shape, meaning)

    def _meaning(self, dto: str, payload: Payload) -> list[Finding]:
        found: list[Finding] = []
        for rule in self._rules_for(dto):
            found.extend(map(rule.finding, rule.check(payload) if rule.check else ()))
        return found

    def _rules_for(self, dto: str) -> tuple[Rule, ...]:
        fitting = self._fitting.get(dto)
        if fitting is None:
            fitting = self._fitting[dto] = tuple(rule for rule in self._rules if rule.fits(dto))
        return fitting

    def _shape(self, dto: str, wire: object) -> Iterable[Finding]:
        schema = self._schemas.get(dto)
        if schema is None:
            schema = self._schemas[dto] = jsonschema_rs.Draft202012Validator(self._profile.json_schema(dto))
        return _shape(schema, wire)

    def _row_shape(self, dto: str, rows: list[Any]) -> Iterable[Finding]:
        key = f"{dto}[]"
        schema = self._schemas.get(key)
        if schema is None:
            row = self._profile.json_schema(dto)
            inner = row.pop("$defs", {})
            whole = {"$schema": row["$schema"], "type": "array", "items": row, "$defs": inner}
            schema = self._schemas[key] = jsonschema_rs.Draft202012Validator(whole)
        return _shape(schema, rows)


def _shape(schema: jsonschema_rs.Draft202012Validator, wire: object) -> Iterable[Finding]:
    if schema.is_valid(wire):
        return
    for error in schema.iter_errors(wire):
        yield from _shape_findings(error)


def _together(shape: list[Finding], meaning: list[Finding]) -> list[Finding]:
    if not meaning and not shape:
        return []
    explained = {finding.pointer for finding in meaning}
    findings = [finding for finding in shape if finding.pointer not in explained] + meaning
    return sorted(findings, key=lambda finding: (pointer_order(finding.pointer), finding.rule))


def _shape_findings(error: jsonschema_rs.ValidationError) -> Iterable[Finding]:
    """The findings of one schema error; values are not repeated, a payload may hold secrets."""
    pointer = pointer_join("", *error.instance_path)
    facts: Mapping[str, Any] = error.kind.as_dict()
    match error.kind.name:
        case "type":
            expected = " or ".join(facts["types"])
            yield Finding("S01", pointer, f"is {_json_type(error.instance)}", expected, "Send the right type.")
        case "required":
            place = pointer_join(pointer, facts["property"])
            yield Finding("S02", place, "is missing", "the field", "Add it; the profile calls it required.")
        case "additionalProperties":
            for name in facts["unexpected"]:
                place = pointer_join(pointer, name)
                yield Finding("S03", place, "is not in the profile", "known fields only", "Correct or add the name.")
        case "minLength":
            yield Finding("S04", pointer, "is empty", "a text", "Fill it.")
        case "minimum" | "maximum":
            word = "at least" if error.kind.name == "minimum" else "at most"
            yield Finding("S05", pointer, "is out of range", f"{word} {facts['limit']}", "Correct the number.")
        case other:
            yield Finding("S06", pointer, f"breaks {other}", "what the JSON Schema says", "Compare with the schema.")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for kind, word in ((int, "a whole number"), (float, "a number"), (str, "a text"), (list, "a list")):
        if isinstance(value, kind):
            return word
    return "an object"

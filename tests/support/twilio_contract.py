"""Twilio's own OpenAPI file as a judge of answers."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

_FILE = Path(__file__).parents[2].parent / "shared" / "reference" / "twilio_taskrouter_v1.json"


@cache
def contract() -> dict[str, Any]:
    """The file, translated to JSON Schema; the test is skipped where it is not at hand."""
    if not _FILE.exists():
        pytest.skip("Twilio's OpenAPI file is not at hand")
    translated: dict[str, Any] = _translate(json.loads(_FILE.read_text()))
    return translated


def operations() -> set[tuple[str, str]]:
    """Method and path of every operation."""
    return {
        (method.upper(), path)
        for path, item in contract()["paths"].items()
        for method in item
        if method in {"get", "post", "delete"}
    }


def operation_of(method: str, path: str) -> str | None:
    """The path template that a request belongs to; the one with the most words if several fit."""
    fitting = [template for one, template in operations() if one == method and _pattern(template).fullmatch(path)]
    return max(fitting, key=lambda template: -template.count("{"), default=None)


def faults_of(method: str, template: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer: its status, its shape, or a field that the file names and it lacks."""
    known = contract()
    answers = known["paths"][template][method.lower()]["responses"]
    if str(status) not in answers:
        return [f"status {status}, not {', '.join(answers)}"]
    content = answers[str(status)].get("content")
    if content is None:
        return [] if body is None else ["a body, and none is expected"]
    schema = content["application/json"]["schema"]
    validator = jsonschema_rs.validator_for({**schema, "components": known["components"]})
    faults = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(body)]
    if "$ref" in schema:
        named = set(known["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"])
        faults += [f"{name} is missing" for name in sorted(named - set(body))]
    return faults


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))


def _translate(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema; properties that Twilio does not name are let through."""
    if isinstance(node, list):
        return [_translate(item) for item in node]
    if not isinstance(node, dict):
        return node
    translated = {key: _translate(value) for key, value in node.items() if key not in {"nullable", "example"}}
    if node.get("nullable"):
        return {"anyOf": [translated, {"type": "null"}]}
    return translated

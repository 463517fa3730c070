"""JSON at the speed of orjson, reading whatever the standard library would read."""

from __future__ import annotations

import json
from typing import Any

import orjson


def loads(text: str | bytes) -> Any:
    """What a JSON text says.

    orjson is stricter than the standard library: lone surrogates, NaN and other encodings than UTF-8 are errors to it.
    What it refuses is read again by the standard library, so nothing that was understood before is lost.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def dumps(value: Any) -> str:
    """A value as compact JSON, characters beyond ASCII as they are."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate, or a number of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

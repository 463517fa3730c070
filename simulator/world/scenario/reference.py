"""The reference of all parameters as Markdown, made from the fields themselves.

`python -m simulator.world.scenario.reference` prints it; docs/scenarios.md holds it, and a test compares the two.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticUndefined

from simulator.world.scenario.durations import Constant, Exponential, LogNormal, Never, Weibull
from simulator.world.scenario.fields import Part, parts_in, unit_of
from simulator.world.scenario.root import Scenario

_KINDS: tuple[type[Part], ...] = (Constant, Exponential, LogNormal, Weibull, Never)


def reference() -> str:
    """All tables of a scenario, each key with its default, unit and meaning."""
    lines = ["### The scenario itself", "", *_table(Scenario, skip_tables=True)]
    for name, field in Scenario.model_fields.items():
        parts = [part for part in parts_in(field.annotation) if part not in _KINDS]
        for part in parts:
            is_list = "tuple" in str(field.annotation)
            lines += ["", f"### `{'[[' + name + ']]' if is_list else '[' + name + ']'}`", ""]
            lines += [_sentence(part), ""]
            lines += list(_channels(part)) if name == "channels" else list(_table(part))
    lines += ["", "### Lengths of time", ""]
    lines += ["Where the unit says *length*, a table states a distribution; `kind` says which."]
    for part in _KINDS:
        lines += ["", f'`kind = "{part.model_fields["kind"].default}"`: {_lower(_sentence(part))}', ""]
        rows = [row for row in _table(part) if not row.startswith("| `kind`")]
        lines += rows if len(rows) > 2 else ["It has no other key."]
    return "\n".join(lines) + "\n"


def _channels(part: type[Part]) -> Iterator[str]:
    """The media share their keys; only the defaults differ."""
    media = {name: parts_in(field.annotation)[0] for name, field in part.model_fields.items()}
    yield from (f"* `[channels.{name}]`: {_lower(_sentence(medium))}" for name, medium in media.items())
    yield ""
    yield "They have the same keys; a default that not all of them share is shown for each."
    yield ""
    yield "| key | default | unit | meaning |"
    yield "|---|---|---|---|"
    first = next(iter(media.values()))
    for key, field in first.model_fields.items():
        if parts_in(field.annotation) and key == "curve":
            yield f"| `{key}` | | table | {field.description} |"
            continue
        shown = {name: _default(medium.model_fields[key]) for name, medium in media.items()}
        default = next(iter(shown.values()))
        if len(set(shown.values())) > 1:
            default = "<br>".join(f"{name} {value}" for name, value in shown.items())
        yield _row(key, field, default)
    yield ""
    curve = parts_in(first.model_fields["curve"].annotation)[0]
    yield f"`[channels.NAME.curve]`: {_lower(_sentence(curve))}"
    yield ""
    yield from _table(curve)


def _table(part: type[Part], *, skip_tables: bool = False) -> Iterator[str]:
    yield "| key | default | unit | meaning |"
    yield "|---|---|---|---|"
    for key, field in part.model_fields.items():
        inner = [one for one in parts_in(field.annotation) if one not in _KINDS]
        if not (skip_tables and inner):
            yield _START if key == "start_ms" else _row(key, field, _default(field))


_START = "| `start` | 2026-01-05T08:00:00Z | date, time and offset | the world's birth |"


def _row(key: str, field: Any, default: str) -> str:
    unit = unit_of(field)
    if any(kind in parts_in(field.annotation) for kind in _KINDS):
        unit = "length"
    elif not unit:
        unit = "list"
    meaning = re.sub(r" \(Twilio reference [^)]*\)", "", str(field.description or "")).replace("|", "\\|")
    return f"| `{key}` | {default} | {unit} | {meaning} |"


def _default(field: Any) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "*required*"
    if isinstance(value, Part):
        numbers = {name: one for name, one in value.model_dump().items() if name != "kind"}
        inside = ", ".join(f"{name} = {one:g}" for name, one in numbers.items())
        return f"{value.kind}: {inside}" if inside else str(value.kind)  # type: ignore[attr-defined]
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        return ", ".join(_plain(one) for one in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _sentence(part: type[Part]) -> str:
    text = " ".join((part.__doc__ or "").split("\n\n")[0].split())
    return re.sub(r" \(Twilio reference [^)]*\)", "", text)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


if __name__ == "__main__":
    sys.stdout.write(reference())

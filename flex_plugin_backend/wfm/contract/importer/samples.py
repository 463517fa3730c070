"""Reads JSON samples as people paste them from documentation, and works out the objects that they show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.formats import DURATION_FORMATS, TIME_FORMATS
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundField, Shape, joined
from flex_plugin_backend.wfm.contract.model import FieldType

SOURCE = "SAMPLES"
LARGEST_SAMPLE_BYTES = 64 << 20
_SUFFIXES = (".json", ".txt")
# What schema viewers print in place of a value.
_PLACEHOLDERS = {
    "string": FieldType.STRING,
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "datetime": FieldType.TIME,
    "date-time": FieldType.TIME,
}
# A number this large is no count and no length of time in seconds: it is an instant.
_EPOCH_S, _EPOCH_MS = 1_000_000_000, 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One JSON value of a file; `name` is the file's name without suffix, and a number where it holds several."""

    name: str
    file: Path
    value: Any


def read_samples(directory: Path) -> tuple[Evidence, tuple[Sample, ...]]:
    """What the files of a directory (or one file) show, and the samples themselves for `round_trip`.

    A file holds one JSON value, or several one after the other. Its name may say what it is:
    `AgentActivityReportDTO.json`, or `agent_activity.request.json` for an endpoint's body.

    Raises:
        ContractError: nothing there can be read.
    """
    problems: list[str] = []
    samples = tuple(_read_all(directory, problems))
    if not samples:
        why = f" ({problems[0]})" if problems else ""
        raise ContractError(
            profile=str(directory),
            problem=f"no JSON sample is there{why}",
            repair="Put each sample into a .json file of its own.",
        )
    shapes: list[Shape] = []
    for sample in samples:
        found = shapes_of(sample)
        if not found:
            problems.append(f"{sample.file.name}: it holds no JSON object")
        shapes.extend(found)
    evidence = Evidence(
        source=SOURCE,
        address=f"{len(samples)} JSON samples of {directory.name}",
        shapes=tuple(shapes),
        problems=tuple(problems),
    )
    return evidence, samples


def shapes_of(sample: Sample) -> tuple[Shape, ...]:
    """The objects that a sample shows, itself first; of a list, what its objects have together."""
    objects = sample.value if isinstance(sample.value, list) else [sample.value]
    rows = [one for one in objects if isinstance(one, Mapping)]
    shapes: dict[str, Shape] = {}
    if rows:
        _collect(sample.name, _label(sample.name), rows, shapes, root=True)
    return tuple(shapes.values())


def _read_all(directory: Path, problems: list[str]) -> Iterator[Sample]:
    files = [directory] if directory.is_file() else sorted(directory.rglob("*")) if directory.is_dir() else []
    for file in files:
        if file.suffix.lower() not in _SUFFIXES or not file.is_file():
            continue
        try:
            if file.stat().st_size > LARGEST_SAMPLE_BYTES:
                problems.append(f"{file.name}: it is larger than is read")
                continue
            values = list(_values(file.read_text(encoding="utf-8-sig")))
        except (OSError, ValueError, RecursionError) as error:
            problems.append(f"{file.name}: it is no JSON ({error})")
            continue
        for number, value in enumerate(values, 1):
            yield Sample(file.stem if len(values) == 1 else f"{file.stem}#{number}", file, value)


def _values(text: str) -> Iterator[Any]:
    """The JSON values of a text, one after the other."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        yield value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _label(name: str) -> str:
    """`agent_activity.request#2` -> `agent_activity.request`."""
    return name.partition("#")[0]


def _collect(key: str, label: str, rows: list[Mapping[str, Any]], shapes: dict[str, Shape], *, root: bool) -> None:
    """The shape of objects that stand at one place, and of the objects inside them."""
    fields: list[FoundField] = []
    for row in rows:
        # A blank name cannot be that of a field; no profile could hold it.
        fields.extend(_field(name, value, f"{key}/{name}") for name, value in row.items() if name.strip())
    merged = joined(fields)
    shapes[key] = Shape(key=key, label=label, fields=merged, whole=False, root=root)
    for field in merged:
        if field.of is None:
            continue
        inner: list[Mapping[str, Any]] = []
        for row in rows:
            value = row.get(field.wire)
            inner.extend(one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping))
        _collect(field.of, field.wire, inner, shapes, root=False)


def _field(wire: str, value: Any, key: str) -> FoundField:
    if value is None or value == []:
        # An empty list shows that there is a list, but not of what; null shows nothing.
        return FoundField(wire=wire, type=FieldType.ANY)
    if isinstance(value, bool):
        return FoundField(wire=wire, type=FieldType.BOOLEAN)
    if isinstance(value, Mapping):
        return FoundField(wire=wire, type=FieldType.OBJECT, of=key)
    if isinstance(value, list):
        of = key if any(isinstance(one, Mapping) for one in value) else None
        return FoundField(wire=wire, type=FieldType.ARRAY if of else FieldType.ANY, of=of)
    if isinstance(value, str) and value.strip().lower() in _PLACEHOLDERS:
        return FoundField(wire=wire, type=_PLACEHOLDERS[value.strip().lower()])
    return _scalar(wire, value)


def _scalar(wire: str, value: str | float) -> FoundField:
    times = tuple(one.name for one in TIME_FORMATS.values() if _reads(one.read, value) and _plausible(one.name, value))
    if times:
        return FoundField(wire=wire, type=FieldType.TIME, time_formats=times)
    if isinstance(value, str):
        if _reads(DURATION_FORMATS["iso8601"].read, value):
            return FoundField(wire=wire, type=FieldType.DURATION, duration_formats=("iso8601",))
        return FoundField(wire=wire, type=FieldType.STRING)
    return FoundField(wire=wire, type=FieldType.INTEGER if isinstance(value, int) else FieldType.NUMBER)


def _reads(read: Any, value: object) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _plausible(name: str, value: object) -> bool:
    """Is a number as large as an instant of our days; any text that reads as one is."""
    if name == "epoch-s":
        return isinstance(value, int) and _EPOCH_S <= value < 10 * _EPOCH_S
    if name == "epoch-ms":
        return isinstance(value, int) and _EPOCH_MS <= value < 10 * _EPOCH_MS
    return True

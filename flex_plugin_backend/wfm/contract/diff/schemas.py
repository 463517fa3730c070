"""Differences of two JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flex_plugin_backend.wfm.contract.diff.change import Change, Impact
from flex_plugin_backend.wfm.contract.findings import pointer_join

_SAFE, _MEANING, _WIRE = Impact
_WORDS = {"title", "description", "$comment", "examples", "$schema", "$id", "deprecated", "readOnly", "writeOnly"}
_HANDLED = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "$ref", "$defs"}
_HANDLED |= {"definitions", "default", "format"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_DEEPEST = 64


def diff_schemas(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Everything that changes from one schema to the other; places are pointers into the new one, or the old one where
    something is gone. A `$ref` within the document is followed; a keyword that is not understood counts as breaking.
    """
    return list(_Pair(old, new).compare(old, new, "", 0))


class _Pair:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: Any, new: Any, where: str, depth: int) -> Iterator[Change]:
        if old == new and not _refs(old):
            return
        if depth > _DEEPEST:
            yield self._unknown(where, "nested too deeply", None, None)
            return
        refs = (_ref(old), _ref(new))
        if refs != ("", ""):
            if refs in self._seen:
                return
            self._seen.add(refs)
        old, _ = _resolved(self._old, old, where)
        new, where = _resolved(self._new, new, where)
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            if old != new:
                yield self._unknown(where, "a schema becomes true or false", old, new)
            return
        yield from self._type(old, new, where)
        yield from self._bounds(old, new, where)
        yield from self._values(old, new, where)
        yield from self._members(old, new, where, depth)
        if "items" in old or "items" in new:
            yield from self.compare(old.get("items", {}), new.get("items", {}), f"{where}/items", depth + 1)
        for word in sorted((old.keys() | new.keys()) - _WORDS - _HANDLED - _UPPER - _LOWER):
            if old.get(word) != new.get(word):
                yield self._unknown(pointer_join(where, word), f"{word} changes", old.get(word), new.get(word))

    def _type(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
        before, after = _types(old), _types(new)
        if before != after:
            yield _change(
                "D06",
                f"{where}/type",
                f"{_list(before)} becomes {_list(after)}",
                (old.get("type"), new.get("type")),
                writers=_SAFE if _within(before, after) else _WIRE,
                readers=_SAFE if _within(after, before) else _WIRE,
                why="a value of the other type is refused",
            )
        for word, rule, impact in (("format", "D11", _WIRE), ("default", "D14", _MEANING)):
            if old.get(word) != new.get(word):
                what = f"{word} {old.get(word)!r} becomes {new.get(word)!r}"
                yield _change(
                    rule, f"{where}/{word}", what, (old.get(word), new.get(word)),
                    writers=impact if word == "format" else _SAFE, readers=impact, why="the other form is not expected",
                )  # fmt: skip

    def _bounds(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
        for word in sorted((_UPPER | _LOWER) & (old.keys() | new.keys())):
            before, after = old.get(word), new.get(word)
            if before == after:
                continue
            if before is None or after is None:
                narrower = before is None
            else:
                narrower = (after < before) == (word in _UPPER)
            yield _change(
                "D09", f"{where}/{word}", f"{word} {before} becomes {after}", (before, after),
                writers=_WIRE if narrower else _SAFE, readers=_SAFE if narrower else _WIRE,
                why="what lies beyond the bound is refused",
            )  # fmt: skip

    def _values(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
        before, after = _allowed(old), _allowed(new)
        if before == after:
            return
        fewer = after is not None and (before is None or any(item not in after for item in before))
        more = before is not None and (after is None or any(item not in before for item in after))
        writers, readers = _WIRE if fewer else _SAFE, _WIRE if more else _SAFE
        what, why = f"allowed values {before} become {after}", "a value that is not listed is refused"
        yield _change("D16", where, what, (before, after), writers=writers, readers=readers, why=why)

    def _members(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str, depth: int) -> Iterator[Change]:
        old_open, new_open = (schema.get("additionalProperties", True) is not False for schema in (old, new))
        if old_open != new_open:
            word = "accepted" if new_open else "refused"
            yield _change(
                "D10", f"{where}/additionalProperties", f"unknown fields are {word}", (old_open, new_open),
                writers=_SAFE if new_open else _WIRE, readers=_WIRE if new_open else _SAFE,
                why="a field that one side adds is refused by the other",
            )  # fmt: skip
        before, after = old.get("properties", {}), new.get("properties", {})
        wanted, wants = set(old.get("required", ())), set(new.get("required", ()))
        for name in [*before, *(name for name in after if name not in before)]:
            place = pointer_join(where, "properties", name)
            if name not in before:
                word, writers = ("required", _WIRE) if name in wants else ("optional", _SAFE)
                why = "payloads without it are refused" if name in wants else "a closed reader refuses it"
                readers = _SAFE if old_open else _WIRE
                what = f"the {word} field {name} is new"
                yield _change("D03", place, what, (None, name), writers=writers, readers=readers, why=why)
            elif name not in after:
                why = "what it told is told no more" if new_open else "payloads that still have it are refused"
                writers, readers = _SAFE if new_open else _WIRE, _WIRE if name in wanted else _MEANING
                what = f"the field {name} is gone"
                yield _change("D04", place, what, (name, None), writers=writers, readers=readers, why=why)
            else:
                if (name in wanted) != (name in wants):
                    narrower = name in wants
                    yield _change(
                        "D07", place, f"it becomes {'required' if narrower else 'optional'}",
                        (name in wanted, narrower), writers=_WIRE if narrower else _SAFE,
                        readers=_SAFE if narrower else _WIRE, why="one side leaves out what the other wants",
                    )  # fmt: skip
                yield from self.compare(before[name], after[name], place, depth + 1)

    @staticmethod
    def _unknown(where: str, what: str, old: Any, new: Any) -> Change:
        why = "this keyword is not understood, so it counts as breaking"
        return _change("D17", where, what, (old, new), writers=_WIRE, readers=_WIRE, why=why)


def _change(
    rule: str, where: str, what: str, values: tuple[Any, Any], *, writers: Impact, readers: Impact, why: str
) -> Change:
    old, new = values
    return Change(rule=rule, where=where, what=what, old=old, new=new, writers=writers, readers=readers, why=why)


def _ref(schema: Any) -> str:
    ref = schema.get("$ref", "") if isinstance(schema, Mapping) else ""
    return ref if isinstance(ref, str) and ref.startswith("#/") else ""


def _refs(schema: Any) -> bool:
    """Whether a `$ref` stands anywhere in a schema: then equal words may mean other things."""
    if isinstance(schema, Mapping):
        return "$ref" in schema or any(_refs(inner) for inner in schema.values())
    return isinstance(schema, list) and any(_refs(inner) for inner in schema)


def _resolved(root: Any, schema: Any, where: str) -> tuple[Any, str]:
    """The schema behind a local `$ref`, and the pointer to it."""
    for _ in range(_DEEPEST):
        ref = _ref(schema)
        if not ref:
            break
        target: Any = root
        for step in ref[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            target = target.get(step) if isinstance(target, Mapping) else None
        if target is None:
            break
        schema, where = target, ref[1:]
    return schema, where


def _types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    kinds = schema.get("type")
    if kinds is None:
        return None
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def _within(inner: frozenset[str] | None, outer: frozenset[str] | None) -> bool:
    """Whether every value of the one types is one of the other."""
    if outer is None:
        return True
    return inner is not None and all(kind in outer or (kind == "integer" and "number" in outer) for kind in inner)


def _list(kinds: frozenset[str] | None) -> str:
    return "any type" if kinds is None else " or ".join(sorted(kinds))


def _allowed(schema: Mapping[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None

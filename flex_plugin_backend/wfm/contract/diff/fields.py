"""Differences of the fields of one object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flex_plugin_backend.wfm.contract.diff.change import Change, Impact
from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType

_SAFE, _MEANING, _WIRE = Impact


def diff_fields(old: Dto, new: Dto) -> Iterator[Change]:
    """What changes from the fields of one object to those of its next form."""
    for key in {**old.fields, **new.fields}:
        before, after = old.fields.get(key), new.fields.get(key)
        where = f"dto.{new.name}.fields.{key}"
        if before is None and after is not None:
            yield _added(where, after, closed=old.closed)
        elif after is None and before is not None:
            yield _removed(where, before, closed=new.closed)
        elif before is not None and after is not None:
            yield from _changed(where, before, after)


def _added(where: str, field: Field, *, closed: bool) -> Change:
    word = "required" if field.required else "optional"
    readers = _WIRE if closed else _SAFE
    if field.required:
        why = "payloads without it are refused" + ("; old readers refuse it" if closed else "")
    else:
        why = "old readers refuse a field that they do not know" if closed else "who does not know it passes over it"
    return Change(
        rule="D03",
        where=where,
        what=f"the {word} field {field.wire} is new",
        old=None,
        new=field.wire,
        writers=_WIRE if field.required else _SAFE,
        readers=readers,
        why=why,
    )


def _removed(where: str, field: Field, *, closed: bool) -> Change:
    readers = _WIRE if field.required else _MEANING
    if closed:
        why = "payloads that still have it are refused"
    elif field.required:
        why = "old readers want it"
    else:
        why = "what it told is told no more"
    return Change(
        rule="D04",
        where=where,
        what=f"the field {field.wire} is gone",
        old=field.wire,
        new=None,
        writers=_WIRE if closed else _SAFE,
        readers=readers,
        why=why,
    )


def _changed(where: str, old: Field, new: Field) -> Iterator[Change]:
    def change(rule: str, what: str, before: Any, after: Any, writers: Impact, readers: Impact, why: str) -> Change:
        return Change(
            rule=rule, where=where, what=what, old=before, new=after, writers=writers, readers=readers, why=why
        )

    if old.wire != new.wire:
        still, known = old.wire in new.also, new.wire in old.also
        why = "old readers do not know the new name" if still else "each looks for another name"
        writers, readers = _SAFE if still else _WIRE, _SAFE if known else _WIRE
        yield change("D05", f"{old.wire} is now {new.wire}", old.wire, new.wire, writers, readers, why)
    if (old.type, old.of) != (new.type, new.of):
        wider = (old.type, new.type) == (FieldType.INTEGER, FieldType.NUMBER) or new.type is FieldType.ANY
        narrower = (old.type, new.type) == (FieldType.NUMBER, FieldType.INTEGER) or old.type is FieldType.ANY
        before, after = _type(old), _type(new)
        writers, readers = _SAFE if wider else _WIRE, _SAFE if narrower else _WIRE
        why = "a value of the other type is refused"
        yield change("D06", f"{before} becomes {after}", before, after, writers, readers, why)
    if old.required != new.required:
        what, why = (
            f"it becomes {'required' if new.required else 'optional'}",
            "one side leaves out what the other wants",
        )
        yield change("D07", what, old.required, new.required, *_narrowed(new.required), why)
    for part, word in (("nullable", "null"), ("empty", "an empty text")):
        one, other = getattr(old, part), getattr(new, part)
        if one != other:
            what = f"{word} is {'allowed' if other else 'refused'}"
            yield change("D08", what, one, other, *_narrowed(not other), f"{word} is sent to who refuses it")
    for part, bounded in (("maximum", True), ("max_rows", old.max_rows is None or new.max_rows is None)):
        one, other = getattr(old, part), getattr(new, part)
        if bounded and one != other:  # a limit on rows that moves stands under [limits]
            what = f"at most {_bound(one)} becomes at most {_bound(other)}"
            lower = other is not None and (one is None or other < one)
            yield change("D09", what, one, other, *_narrowed(lower), "what is larger is refused")
    before, after = _given(old), _given(new)
    if before != after:
        what = f"where nothing is given, {before} becomes {after}"
        yield change("D14", what, before, after, _SAFE, _MEANING, "the same facts are told otherwise")


def _narrowed(narrower: bool) -> tuple[Impact, Impact]:
    """(writers, readers): who writes suffers where less is taken, who reads where more may come."""
    return (_WIRE, _SAFE) if narrower else (_SAFE, _WIRE)


def _type(field: Field) -> str:
    return f"{field.type.value} of {field.of}" if field.of else field.type.value


def _bound(value: int | None) -> str:
    return "any number" if value is None else str(value)


def _given(field: Field) -> str:
    if field.copy_of is not None:
        return f"that of {field.copy_of}"
    return repr(field.default) if field.has_default else "nothing"

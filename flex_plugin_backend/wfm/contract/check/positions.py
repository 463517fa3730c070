"""Where the values of a JSON text stand: found by walking the text once, and only when something is wrong in it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

_SPACE = re.compile(r"[ \t\r\n]*")
_read = json.JSONDecoder().raw_decode  # (value, end) of the value at an offset


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a text.

    Attributes:
        line: from 1; a line ends with a line feed.
        column: from 1, in Unicode characters; a tab and an emoji count one each.
        start, end: offsets into the text, in characters.
        exact: the value itself stands there; otherwise it is missing and the place is that of what should hold it.
    """

    line: int
    column: int
    start: int
    end: int
    exact: bool


class Lines:
    """Line and column of offsets into one text."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._first = first_line

    def at(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        index = bisect_right(self._starts, offset) - 1
        return self._first + index, offset - self._starts[index] + 1


@dataclass(slots=True)
class _Wanted:
    """A node of the tree of wanted pointers."""

    pointers: list[str] = field(default_factory=list)
    below: dict[str, _Wanted] = field(default_factory=dict)

    def all(self) -> Iterable[str]:
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield from node.pointers
            waiting.extend(node.below.values())


def locate(text: str, pointers: Iterable[str], first_line: int = 1, lines: Lines | None = None) -> dict[str, Place]:
    """The place of each pointer (RFC 6901) in a text that is JSON.

    Where a member stands several times, the last one counts, as for every JSON reader that lets it pass. Of what is
    missing the place is that of the nearest object or list that is there. What is not wanted is skipped at the speed of
    the JSON reader.

    Args:
        text: the JSON text, white space around it allowed.
        pointers: "" is the whole value.
        first_line: the number of the text's first line.
        lines: the text's line table, where the caller has one.
    """
    lines = lines or Lines(text, first_line)
    tree = _tree(pointers)
    spans: dict[str, tuple[int, int, bool]] = {}
    _Walk(text, spans).value(_after_space(text, 0), tree)
    places = {}
    for pointer, (start, end, exact) in spans.items():
        line, column = lines.at(start)
        places[pointer] = Place(line, column, start, end, exact)
    return places


def _tree(pointers: Iterable[str]) -> _Wanted:
    root = _Wanted()
    for pointer in pointers:
        node = root
        for step in pointer.split("/")[1:]:
            node = node.below.setdefault(step.replace("~1", "/").replace("~0", "~"), _Wanted())
        if pointer not in node.pointers:
            node.pointers.append(pointer)
    return root


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


class _Walk:
    """Goes down only where something is wanted; its depth is that of the wanted pointers."""

    def __init__(self, text: str, spans: dict[str, tuple[int, int, bool]]) -> None:
        self._text = text
        self._spans = spans

    def value(self, at: int, wanted: _Wanted) -> int:
        """Note what is wanted of the value that begins at `at`; returns its end."""
        first = self._text[at]
        if not wanted.below or first not in "{[":
            end = _read(self._text, at)[1]
        else:
            for pointer in wanted.all():  # until it is found further down
                self._spans[pointer] = (at, at + 1, False)
            end = self._members(at, wanted) if first == "{" else self._items(at, wanted)
        for pointer in wanted.pointers:
            self._spans[pointer] = (at, end, True)
        if first not in "{[":
            for pointer in wanted.all():
                if pointer not in wanted.pointers:
                    self._spans[pointer] = (at, end, False)
        return end

    def _members(self, at: int, wanted: _Wanted) -> int:
        at = _after_space(self._text, at + 1)
        while self._text[at] != "}":
            name, at = _read(self._text, at)
            at = _after_space(self._text, _after_space(self._text, at) + 1)
            at = self._child(at, wanted, name)
        return at + 1

    def _items(self, at: int, wanted: _Wanted) -> int:
        at = _after_space(self._text, at + 1)
        index = 0
        while self._text[at] != "]":
            at = self._child(at, wanted, str(index))
            index += 1
        return at + 1

    def _child(self, at: int, wanted: _Wanted, step: str) -> int:
        child = wanted.below.get(step)
        end = _read(self._text, at)[1] if child is None else self.value(at, child)
        at = _after_space(self._text, end)
        return _after_space(self._text, at + 1) if self._text[at] == "," else at


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something a JSON reader lets pass and should not.

    Attributes:
        what: `twice`: a name of an object that stands there already; `number`: one that JSON or a double cannot hold.
        pointer: to the member or the number.
        start, end: offsets into the text.
    """

    what: str
    pointer: str
    start: int
    end: int


_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\],:])|(")|([^\s{}\[\],:"]+))')


def oddities(text: str) -> list[Oddity]:
    """Every name that stands twice in one object, and every number that is none, of a text that is read as JSON."""
    found: list[Oddity] = []
    # Of each open object or list: its pointer, the names seen (None for a list), and the step to the present value.
    stack: list[tuple[str, set[str] | None]] = []
    step: list[str | int] = []
    at, name_next = 0, False
    while (token := _TOKEN.match(text, at)) is not None:
        mark, quote, bare = token.groups()
        start, at = token.start(token.lastindex or 0), token.end()
        if quote is not None:
            content, at = _read(text, start)
            parent, names = stack[-1] if stack else ("", None)
            if name_next and names is not None:
                step[-1] = content
                if content in names:
                    found.append(Oddity("twice", _below(parent, content), start, at))
                names.add(content)
                name_next = False
        elif bare is not None:
            if bare.lstrip("-") in ("NaN", "Infinity") or (bare[0] in "-0123456789" and _too_large(bare)):
                found.append(Oddity("number", _below(stack[-1][0], step[-1]) if stack else "", start, at))
        elif mark in "{[":
            stack.append((_below(stack[-1][0], step[-1]) if stack else "", set() if mark == "{" else None))
            step.append(0)
            name_next = mark == "{"
        elif mark in "}]":
            stack.pop()
            step.pop()
            name_next = False
        elif mark == ",":
            name_next = stack[-1][1] is not None
            last = step[-1]
            if isinstance(last, int):
                step[-1] = last + 1
    return found


def _below(parent: str, step: str | int) -> str:
    return f"{parent}/{str(step).replace('~', '~0').replace('/', '~1')}"


def _too_large(number: str) -> bool:
    if number.lstrip("-").isdigit():
        return len(number) > LARGEST_INTEGER_DIGITS
    return float(number) in (float("inf"), float("-inf"))


LARGEST_INTEGER_DIGITS = 300  # a double, which most JSON readers use, ends at 309

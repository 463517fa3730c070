"""Expressions over attributes, as list filters take them: comparisons, HAS, IN, CONTAINS, AND, OR, NOT and brackets.

`==` and `HAS` are seen in TaskRouter's own expressions; the rest of the grammar is assumed.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request

from simulator.twilio.problems import RestProblem

Row = TypeVar("Row")
Test = Callable[[Any], bool]
_DEEPEST = 50
_TOKEN = re.compile(r"""\s*(?:("[^"]*"|'[^']*')|(-?\d+(?:\.\d+)?)|(==|!=|>=|<=|=|>|<|[()\[\],])|([A-Za-z_][\w.]*))""")
_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "=": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def matching(parameter: str, rows: list[Row], attributes_of: Callable[[Row], str]) -> list[Row]:
    """The rows whose attributes fulfil the expression of this parameter, or all if it is missing."""
    text = request.args.get(parameter)
    if not text:
        return rows
    try:
        test = compiled(text)
    except ValueError as error:
        raise RestProblem.invalid(f"{parameter} cannot be read: {error}") from error
    return [row for row in rows if test(json.loads(attributes_of(row)))]


def compiled(text: str) -> Test:
    """The test that an expression says; ValueError where it is none."""
    reader = _Reader(_tokens(text))
    test = reader.either()
    if reader.left():
        raise ValueError(f"{reader.left()[0]} was not expected")
    return test


def _tokens(text: str) -> list[str]:
    found, at, text = list[str](), 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at:].strip()[:20]!r} is neither a name, a value nor an operator")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Reader:
    """Recursive descent: OR of ANDs of comparisons."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def left(self) -> list[str]:
        return self._tokens[self._at :]

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return lambda attributes: any(test(attributes) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("AND"):
            tests.append(self._one())
        return lambda attributes: all(test(attributes) for test in tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        test = self._negated() if self._take("NOT") else self._inner() if self._take("(") else self._comparison()
        self._depth -= 1
        return test

    def _negated(self) -> Test:
        negated = self._one()
        return lambda attributes: not negated(attributes)

    def _inner(self) -> Test:
        inner = self.either()
        self._need(")")
        return inner

    def _comparison(self) -> Test:
        left, sign = self._value(), self._next("an operator")
        negated = sign.upper() == "NOT" and self._take("IN")
        right = self._value()
        if sign in _COMPARES:
            return lambda attributes: _compared(_COMPARES[sign], left(attributes), right(attributes))
        if sign.upper() == "IN" or negated:
            return lambda attributes: _holds(right(attributes), left(attributes)) is not negated
        if sign.upper() in ("HAS", "CONTAINS"):
            return lambda attributes: _holds(left(attributes), right(attributes))
        raise ValueError(f"{sign} is no operator")

    def _value(self) -> Callable[[Any], Any]:
        word = self._next("a value")
        if word == "[":
            return self._list()
        if word[0] in "\"'":
            return lambda _: word[1:-1]
        if re.fullmatch(r"-?[\d.]+", word):
            return lambda _: float(word)
        if word in ("true", "false"):
            return lambda _: word == "true"
        if not re.fullmatch(r"[A-Za-z_][\w.]*", word):
            raise ValueError(f"{word} was not expected")
        return lambda attributes: _looked_up(attributes, word.split("."))

    def _list(self) -> Callable[[Any], Any]:
        values = list[Callable[[Any], Any]]()
        while not self._take("]"):
            if self.left()[:1] == ["["]:
                raise ValueError("a list within a list was not expected")
            values.append(self._value())
            self._take(",")
        return lambda attributes: [value(attributes) for value in values]

    def _take(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at].upper() == word
        self._at += found
        return found

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise ValueError(f"{word} is missing")

    def _next(self, what: str) -> str:
        if self._at >= len(self._tokens):
            raise ValueError(f"{what} is missing at the end")
        self._at += 1
        return self._tokens[self._at - 1]


def _looked_up(attributes: Any, path: list[str]) -> Any:
    for name in path:
        attributes = attributes.get(name) if isinstance(attributes, dict) else None
    return attributes


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return bool(compare(left, right))
    except TypeError:  # a number is neither above nor below a text, and nothing is above what is missing
        return False


def _holds(container: Any, item: Any) -> bool:
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    return isinstance(container, list) and item in container

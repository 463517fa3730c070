"""Reads a JSON text: what is wrong with it becomes findings (`J..`), never an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.wfm.contract.check.positions import LARGEST_INTEGER_DIGITS, locate, oddities
from flex_plugin_backend.wfm.contract.findings import Finding, Severity, pointer_join, pointer_order

TEXT_RULES = {
    "J01": "the text is JSON",
    "J02": "the text is UTF-8",
    "J03": "the text has no byte order mark",
    "J04": "an object holds no name twice",
    "J05": "a number is one that JSON and a double can hold",
    "J06": "objects and lists are not nested beyond what readers take",
    "J07": "a text holds whole Unicode characters",
    "J08": "there is something to check",
    "J09": "the payload is one that the profile knows",
}
DEEPEST = 250  # a little less than what the schema engine goes down
_LOCATED_LEVELS = 100
_BOM = b"\xef\xbb\xbf"
_LONG_NUMBER = re.compile(rf"-?\d{{{LARGEST_INTEGER_DIGITS + 1},}}")


@dataclass(frozen=True, slots=True)
class TextFinding:
    """A finding about the text itself; `start` and `end` are offsets into the text, in characters."""

    finding: Finding
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text that was read.

    Attributes:
        text: without byte order mark; of bytes that are no UTF-8, what comes before them.
        ok: it is JSON; `value` is what it says.
        findings: what is wrong with it all the same.
    """

    text: str
    ok: bool
    value: Any
    findings: tuple[TextFinding, ...] = ()


class Reader:
    """Reads texts; one serves a whole run."""

    def __init__(self) -> None:
        self._odd = False
        self._decode: Callable[[str], Any] = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_constant=self._constant, parse_float=self._float
        ).decode

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self._odd = True
        return made

    def _constant(self, _word: str) -> None:
        self._odd = True

    def _float(self, digits: str) -> float:
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            self._odd = True
        return value

    def read(self, data: bytes) -> Parsed:
        """The value of a text, and what is wrong with the text."""
        before: tuple[TextFinding, ...] = ()
        if data.startswith(_BOM):
            data = data[len(_BOM) :]
            before = (_at(0, 0, _BYTE_ORDER_MARK),)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            return _no_utf8(data, error, before)
        if not text.strip(" \t\r\n"):
            return Parsed(text, False, None, (*before, _at(0, 0, _EMPTY)))
        self._odd = False
        try:
            value = self._decode(text)
        except json.JSONDecodeError as error:
            return Parsed(text, False, None, (*before, _syntax(text, error)))
        except RecursionError:
            return Parsed(text, False, None, (*before, _at(0, 1, too_deep())))
        except ValueError:  # a whole number of thousands of digits
            return Parsed(text, False, None, (*before, *_long_numbers(text)))
        if self._odd or _LONG_NUMBER.search(text):
            before = (*before, *_oddities(text))
        if "\\ud" in text or "\\uD" in text:
            before = (*before, *_halves(text, value))
        return Parsed(text, True, value, before)


def _at(start: int, end: int, finding: Finding) -> TextFinding:
    return TextFinding(finding, start, end)


_BYTE_ORDER_MARK = Finding(
    "J03", "", "begins with a byte order mark", "the first brace", "Save it as UTF-8 without BOM.", Severity.WARNING
)
_EMPTY = Finding("J08", "", "holds nothing", "a payload", "Fill it, or take it off the list.")


def too_deep() -> Finding:
    """The finding for a value nested too deeply."""
    message = f"objects and lists are nested more than about {DEEPEST} deep"
    return Finding("J06", "", message, f"at most {DEEPEST} levels", "Look for an object that holds itself.")


def half_character(pointer: str = "") -> Finding:
    """The finding for half of a surrogate pair."""
    message = "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
    return Finding("J07", pointer, message, "whole characters", "Do not cut texts within a character.")


def _halves(text: str, value: object) -> list[TextFinding]:
    # What lies deeper is no payload, and is told as the place above it.
    pointers = list(dict.fromkeys("/".join(one.split("/")[: _LOCATED_LEVELS + 1]) for one in _half_pointers(value)))
    places = locate(text, pointers)
    return [_at(places[one].start, places[one].end, half_character(one)) for one in pointers]


def _half_pointers(value: object) -> list[str]:
    """Pointers to the texts and names that hold half of a surrogate pair."""
    found = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        pointer, one = waiting.pop()
        if isinstance(one, str):
            if not _is_whole(one):
                found.append(pointer)
        elif isinstance(one, Mapping):
            waiting.extend((pointer_join(pointer, name), inner) for name, inner in one.items())
            found.extend(pointer for name in one if not _is_whole(name))
        elif isinstance(one, list):
            waiting.extend((pointer_join(pointer, index), inner) for index, inner in enumerate(one))
    return sorted(found, key=pointer_order)


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _no_utf8(data: bytes, error: UnicodeDecodeError, before: tuple[TextFinding, ...]) -> Parsed:
    text = data[: error.start].decode("utf-8")
    encoding = json.detect_encoding(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or encoding != "utf-8":
        message, repair = f"is {encoding.upper()}, not UTF-8", "Save it as UTF-8."
    else:
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 ({error.reason})"
        repair = "Save it as UTF-8; it may be Latin-1."
    finding = Finding("J02", "", message, "UTF-8", repair)
    return Parsed(text, False, None, (*before, _at(len(text), len(text), finding)))


def _syntax(text: str, error: json.JSONDecodeError) -> TextFinding:
    at = error.pos
    before = text[:at].rstrip(" \t\r\n")
    rest = text[at:].lstrip(" \t\r\n")
    message, expected, repair = error.msg[:1].lower() + error.msg[1:], "JSON", "Correct the text there."
    if rest[:1] in ("}", "]") and before.endswith(","):
        at = len(before) - 1
        message, expected, repair = "a comma before the end", "no trailing comma", "Remove the comma."
    elif text[at : at + 1] == "," and rest[1:].lstrip(" \t\r\n")[:1] in ("}", "]"):
        message, expected, repair = "a comma before the end", "no trailing comma", "Remove the comma."
    elif rest[:1] == "'":
        message, expected, repair = "a single quote", 'double quotes: "..."', "JSON knows only double quotes."
    elif rest[:2] in ("//", "/*") or rest[:1] == "#":
        message, expected, repair = "a comment", "no comments", "JSON has none; remove it."
    elif error.msg.startswith("Extra data"):
        message, expected = "something follows after the end of the value", "one JSON value"
        repair = "For several, one on each line, name the file .ndjson."
    elif not rest:
        message, expected, repair = "the text ends too early", "the rest of the value", "Was it cut off?"
    elif error.msg.startswith("Invalid control character"):
        message, expected = "a control character within a text", r"an escape: \n, \t, \u0000"
        repair = "Escape it, or look for a quote that is missing."
    finding = Finding("J01", "", message, expected, repair)
    return _at(at, min(at + 1, len(text)), finding)


def _number(pointer: str) -> Finding:
    message = "is no number that JSON and a double can hold"
    return Finding("J05", pointer, message, "a finite number", "Send a number of ordinary size, or leave it out.")


def _long_numbers(text: str) -> list[TextFinding]:
    return [_at(match.start(), match.end(), _number("")) for match in _LONG_NUMBER.finditer(text)]


def _oddities(text: str) -> list[TextFinding]:
    found = []
    for odd in oddities(text):
        if odd.what == "number":
            finding = _number(odd.pointer)
        else:
            repair = "Remove one; readers differ in which of them they take."
            finding = Finding("J04", odd.pointer, "the name stands there already", "each name once", repair)
        found.append(_at(odd.start, odd.end, finding))
    return found

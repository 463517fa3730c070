"""The route closest to a call that no route takes, what is different about it, and what to do."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from flask import current_app

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TWILIO_S = {"PUT": "POST", "PATCH": "POST"}  # changes are POSTs there
_WITHOUT = 0.8  # what a part too many or too few costs; a part that differs costs 0.5 to 1.5


def closest_route(method: str, path: str) -> dict[str, Any]:
    """`closest_route`, `difference` and `what_to_do`, looked up among the routes of the application."""
    asked, wanted = _parts(path), _TWILIO_S.get(method, method)
    found = [(*_compared(asked, _parts(rule)), one != wanted, one, rule) for one, rule in _routes()]
    _, differences, _, right, rule = min(found, key=lambda one: (round(one[0], 3), *one[2:]))
    if right != method:
        differences = [f"the method is {method}, not {right}", *differences]
    shown, told = f"{right} {_shown(rule)}", "; ".join(differences)
    return {
        "closest_route": shown,
        "difference": told,
        "what_to_do": f"The closest call that is simulated is {shown}: {told}.",
    }


def _routes() -> list[tuple[str, str]]:
    return [
        (method, rule)
        for one in current_app.url_map.iter_rules()
        for rule in _spelt_out(one.rule)
        for method in _METHODS
        if method in (one.methods or ()) and one.endpoint != "static"
    ]


def _spelt_out(rule: str) -> list[str]:
    """`<any(A, B):kind>` as one route for each word."""
    words = re.search(r"<any\(([^)]*)\):\w+>", rule)
    return [rule] if words is None else [rule.replace(words.group(), word.strip()) for word in words[1].split(",")]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _shown(rule: str) -> str:
    """`<worker_sid>` -> `{WorkerSid}`."""
    return re.sub(
        r"<(?:\w+:)?(\w+)>", lambda name: "{" + "".join(part.capitalize() for part in name[1].split("_")) + "}", rule
    )


def _compared(asked: list[str], route: list[str]) -> tuple[float, list[str]]:
    """How far a path is from a route, part by part, and in what; parts may be too many or missing anywhere."""
    row: list[tuple[float, list[str]]] = [(0.0, [])]
    for wanted in route:
        cost, told = row[-1]
        row.append((cost + _WITHOUT, [*told, f"{_shown(wanted)} is missing"]))
    for given in asked:
        before, row = row, [(row[0][0] + _WITHOUT, [*row[0][1], f"{given!r} is too much"])]
        for number, wanted in enumerate(route):
            step = _distance(given, wanted)
            differs = [f"{given!r}, not {_shown(wanted)!r}"] if step >= _DIFFERS else []
            row.append(
                min(
                    (before[number][0] + step, [*before[number][1], *differs]),
                    (before[number + 1][0] + _WITHOUT, [*before[number + 1][1], f"{given!r} is too much"]),
                    (row[number][0] + _WITHOUT, [*row[number][1], f"{_shown(wanted)} is missing"]),
                    key=lambda one: one[0],
                )
            )
    return row[-1]


_UNLIKELY, _DIFFERS = 0.45, 0.5


def _distance(given: str, wanted: str) -> float:
    if wanted.startswith("<"):
        # A place for a sid takes anything, but a word that is no sid more likely is a misspelt one.
        return 0.0 if re.match(r"[A-Z]{2}[0-9a-f]|\{", given) else _UNLIKELY
    return 0.0 if given == wanted else 1.5 - SequenceMatcher(None, given.lower(), wanted.lower()).ratio()

"""What a request asks for: typed parameters, filters, orders, and the version it was made for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response, jsonify, request

from simulator.twilio.paging import Key
from simulator.twilio.problems import RestProblem

Json = dict[str, Any]
WORKSPACE = "/v1/Workspaces/<workspace_sid>"
_TRUTHS = {"true": True, "false": False}


class Form:
    """The parameters of a POST.

    What no such call knows is refused, because a silent typing error costs more than a strict simulator (assumed:
    Twilio would ignore it). What Twilio knows and the simulator does not is refused with the reason.
    """

    def __init__(self, *known: str, unknown: Mapping[str, str] | None = None) -> None:
        for name in request.form:
            if unknown and name in unknown:
                raise RestProblem.invalid(f"{name} is not simulated: {unknown[name]}")
            if name not in known:
                raise _unknown(name, [*known, *(unknown or {})])

    def text(self, name: str) -> str | None:
        """A text, or None where the parameter is missing."""
        return request.form.get(name)

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that may come several times."""
        return request.form.getlist(name)

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = request.form.get(name)
        if value is None or value == "":
            raise RestProblem.invalid(f"Missing required parameter {name} in the post body")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds."""
        value = request.form.get(name)
        if value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise RestProblem.invalid(f"{name} must be a whole number from {low} to {high}, not {value!r}")
        return number

    def flag(self, name: str) -> bool | None:
        """`true` or `false`."""
        value = request.form.get(name)
        if value is None:
            return None
        if value.lower() not in _TRUTHS:
            raise RestProblem.invalid(f"{name} must be true or false, not {value!r}")
        return _TRUTHS[value.lower()]


def _unknown(name: str, known: list[str]) -> RestProblem:
    close = difflib.get_close_matches(name, known, n=1)
    expected = f"did you mean {close[0]}?" if close else f"this call takes {', '.join(known) or 'none'}"
    return RestProblem.invalid(
        f"Unknown parameter {name}; {expected}",
        {"unknown_parameter": name, "parameters": known, "what_to_do": expected},
    )


def must_match(version: int) -> None:
    """Refuse the request if it was made for another version of the resource (reference 3.2; the code is assumed)."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    tags = {part.strip().removeprefix("W/").strip('"') for part in wanted.split(",")}
    if str(version) not in tags:
        raise RestProblem(
            412,
            20412,
            f"Precondition Failed: the resource has the version {version}, If-Match asks for {wanted}",
            {"version": version, "what_to_do": "fetch the resource again and send its ETag"},
        )


def versioned(body: Json, version: int, status: int = 200) -> Response:
    """An answer with the version of its resource."""
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["ETag"] = f'"{version}"'
    return answer


def created(body: Json) -> tuple[Response, int]:
    """The answer to a POST that made something."""
    return jsonify(body), 201


def gone() -> tuple[str, int]:
    """The answer to a DELETE."""
    return "", 204


def one_of(rows: Iterable[Any], sid: str) -> Any:
    """The row with this sid; RestProblem 20404 if there is none."""
    for row in rows:
        if row.sid == sid:
            return row
    raise RestProblem.not_found()


def named(parameter: str, rows: Iterable[Any], sid: str) -> Any:
    """The row that a parameter names by its sid; RestProblem 20001 if there is none (assumed)."""
    for row in rows:
        if row.sid == sid:
            return row
    raise RestProblem.invalid(f"{parameter} {sid} is not in this workspace")


def keep(rows: Iterable[Any], parameter: str, value_of: Callable[[Any], str]) -> list[Any]:
    """The rows whose value equals the request's parameter, or all if it has none."""
    wanted = request.args.get(parameter)
    if wanted is None or wanted == "":
        return list(rows)
    return [row for row in rows if value_of(row) == wanted]


def ordering(orders: dict[str, Callable[[Any], int]]) -> Callable[[Any], Key] | None:
    """The order that the request asks for."""
    text = request.args.get("Ordering")
    if not text:
        return None
    field, _, direction = text.partition(":")
    value_of = orders.get(field)
    if value_of is None or direction not in {"", "asc", "desc"}:
        raise RestProblem.invalid(f"Ordering takes {' or '.join(orders)} with :asc or :desc")
    sign = -1 if direction == "desc" else 1
    return lambda row: (sign * value_of(row), row.sid)


def by_creation(row: Any) -> Key:
    """Oldest first."""
    return (row.created_ms, row.sid)

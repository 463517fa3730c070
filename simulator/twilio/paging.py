"""Lists as Twilio pages them: an envelope, absolute next addresses, and a cursor that stands on a row, not a number."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from simulator.twilio.problems import RestProblem

Row = TypeVar("Row")
Key = tuple[int, str]

_PAGING = ("PageSize", "Page", "PageToken")
_DEFAULT_SIZE, _LARGEST_SIZE = 50, 1000
_LONGEST_NUMBER = 9


def page(
    name: str,
    rows: Sequence[Row],
    key: Callable[[Row], Key],
    render: Callable[[Row], dict[str, Any]],
    *,
    in_order: bool = False,
) -> dict[str, Any]:
    """The page of `rows`, sorted by `key`, that the present request asks for; `in_order`: they are sorted already.

    Raises RestProblem 70002 if a later page is asked for without the token that Twilio gave.
    """
    size = _number("PageSize", _DEFAULT_SIZE)
    if not 1 <= size <= _LARGEST_SIZE:
        raise RestProblem.invalid(f"PageSize must lie between 1 and {_LARGEST_SIZE}")
    number = _number("Page", 0)
    token = request.args.get("PageToken")
    if number > 0 and not token:
        raise RestProblem(400, 70002, "Paged requests must include a PageToken")
    if not in_order:
        rows = sorted(rows, key=key)
    first = 0
    if token:
        backwards, cursor = _read_token(token)
        if backwards:
            first = max(0, bisect_left(rows, cursor, key=key) - size)
        else:
            first = bisect_right(rows, cursor, key=key)
    shown = rows[first : first + size]
    has_more = first + size < len(rows)
    return {
        "meta": {
            "page": number,
            "page_size": size,
            "first_page_url": _address(size, 0),
            "previous_page_url": _address(size, number - 1, _token(key(shown[0]), backwards=True))
            if number > 0 and shown
            else None,
            "url": _address(size, number, token),
            "next_page_url": _address(size, number + 1, _token(key(shown[-1]))) if has_more else None,
            "key": name,
        },
        name: [render(row) for row in shown],
    }


def _number(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise RestProblem.invalid(f"{name} must be a number")
    return int(text)


def _address(size: int, number: int, token: str | None = None) -> str:
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name not in _PAGING]
    pairs += [("PageSize", str(size)), ("Page", str(number))]
    if token:
        pairs.append(("PageToken", token))
    return f"{request.base_url}?{urlencode(pairs)}"


def _token(key: Key, *, backwards: bool = False) -> str:
    mark = "PB" if backwards else "PA"
    return mark + base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[bool, Key]:
    try:
        text = token[2:]
        rank, sid = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return token.startswith("PB"), (int(rank), str(sid))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RestProblem.invalid("PageToken is not one of ours") from error

"""Scripted answers: what the fake WFM does instead of behaving, for the next requests to an endpoint."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MAX_DELAY_S = 120.0
_MAX_TIMES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """One scripted answer.

    Attributes:
        endpoint: the endpoint's name in the profile, or `*` for any.
        times: for how many requests.
        skip: how many requests behave before that.
        status: the answer; None: the true answer, perhaps late.
        headers, body: of the answer; a text is sent as it is, anything else as JSON.
        delay_s: wall seconds before anything happens.
        apply: do the work first, so that only the answer is lost.
    """

    endpoint: str = "*"
    times: int = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay_s: float = 0.0
    apply: bool = False


class BadScript(ValueError):
    """A script that cannot be carried out; the text says why."""


def read_misbehaviour(data: Any, endpoints: tuple[str, ...]) -> Misbehaviour:
    """A scripted answer from JSON; BadScript says what is wrong with it."""
    if not isinstance(data, dict):
        raise BadScript("send a JSON object")
    if not data:
        raise BadScript("send a JSON object that says what to do; an empty one, or another body, says nothing")
    unknown = data.keys() - set(Misbehaviour.__slots__)
    if unknown:
        raise BadScript(f"unknown {min(unknown)!r}; known are {', '.join(Misbehaviour.__slots__)}")
    script = Misbehaviour(**data)
    problems = {
        "endpoint": script.endpoint != "*" and script.endpoint not in endpoints,
        "times": not _is_int(script.times, 1, _MAX_TIMES),
        "skip": not _is_int(script.skip, 0, _MAX_TIMES),
        "status": script.status is not None and not _is_int(script.status, 200, 599),
        "headers": not isinstance(script.headers, dict)
        or not all(isinstance(text, str) and text.isprintable() for pair in script.headers.items() for text in pair),
        "delay_s": isinstance(script.delay_s, bool)
        or not isinstance(script.delay_s, int | float)
        or not 0 <= script.delay_s <= _MAX_DELAY_S,
        "apply": not isinstance(script.apply, bool),
    }
    wrong = [name for name, is_wrong in problems.items() if is_wrong]
    if wrong:
        raise BadScript(f"{wrong[0]} is {data.get(wrong[0])!r}; endpoints are *, {', '.join(endpoints)}")
    return script


def _is_int(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Script:
    """The scripted answers that are still to come; the first that fits a request is used up by it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[list[Any]] = []  # [misbehaviour, requests to skip, times left]

    def add(self, misbehaviour: Misbehaviour) -> None:
        """Append to the script."""
        with self._lock:
            self._waiting.append([misbehaviour, misbehaviour.skip, misbehaviour.times])

    def next(self, endpoint: str) -> Misbehaviour | None:
        """What to do with a request to this endpoint; None: behave."""
        with self._lock:
            for entry in self._waiting:
                misbehaviour: Misbehaviour = entry[0]
                if misbehaviour.endpoint not in ("*", endpoint):
                    continue
                if entry[1] > 0:
                    entry[1] -= 1
                    return None
                entry[2] -= 1
                if entry[2] == 0:
                    self._waiting.remove(entry)
                return misbehaviour
        return None

    def pending(self) -> int:
        """How many scripts are not used up."""
        with self._lock:
            return len(self._waiting)

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._waiting.clear()

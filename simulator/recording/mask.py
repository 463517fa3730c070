"""Takes personal data and names out of events: what is on the list stays, all else is replaced or left out.

The same original has the same replacement throughout a recording. The key of the replacements is drawn anew for each
recording and kept nowhere, so nobody can get from a replacement to its original, or check a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_SID = re.compile(r"^([A-Z]{2})([0-9a-fA-F]{20,40})$")
_NUMBER = re.compile(r"^-?\d{1,16}(\.\d{1,6})?$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?$")
_WORD = re.compile(r"^[A-Za-z][A-Za-z_-]{0,23}$")


@dataclass(frozen=True, slots=True)
class Keeps:
    """The list of what stays; keeps.toml says what each part means."""

    numbers: frozenset[str]
    dates: frozenset[str]
    words: frozenset[str]
    texts: frozenset[str]
    attributes: frozenset[str]
    reasons: frozenset[str]
    reason_keys: frozenset[str]
    names: Mapping[str, str]


@cache
def keeps() -> Keeps:
    """The list that comes with the simulator."""
    file = resources.files("simulator.recording") / "keeps.toml"
    given = tomllib.loads(file.read_text("utf-8"))
    lists = {name: frozenset(value) for name, value in given.items() if isinstance(value, list)}
    lists["reasons"] = frozenset(reason.casefold() for reason in lists["reasons"])
    return Keeps(**lists, names=given["names"])


class Mask:
    """Masks the events of one recording; `dropped` counts the keys that were left out."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = secrets.token_bytes(32) if key is None else key
        self._keeps = keeps()
        self.dropped: Counter[str] = Counter()

    def data(self, data: Mapping[str, Any]) -> dict[str, str]:
        """The data of an event under Twilio's snake_case names, all values as texts."""
        found = {}
        for name, value in data.items():
            masked = self._value(name, "" if value is None else _text(value))
            if masked is None:
                self.dropped[name] += 1
            else:
                found[name] = masked
        return found

    def sid(self, sid: str) -> str:
        """Another sid with the same prefix; what is no sid becomes nothing."""
        found = _SID.match(sid)
        return found.group(1) + self._digest("sid", sid)[:32] if found else ""

    def name(self, kind: str, name: str) -> str:
        """A name that says nothing but what kind of thing it is."""
        return f"{kind}-{self._digest(kind, name)[:8]}" if name else ""

    def _value(self, name: str, text: str) -> str | None:
        kept = self._keeps
        if not text:
            return ""
        if name.endswith("_sid") or name == "transfer_to":
            return self.sid(text)
        if name in ("task_attributes", "worker_attributes"):
            return self._attributes(name, text)
        if name in kept.names:
            return self.name(kept.names[name], text)
        if name in kept.reason_keys:
            return text if text.strip().casefold() in kept.reasons else self.name("reason", text)
        stays = (
            name in kept.texts
            or (name in kept.words and _WORD.match(text))
            or (name in kept.numbers and _NUMBER.match(text))
            or (name in kept.dates and (_NUMBER.match(text) or _DATE.match(text)))
        )
        return text if stays else None

    def _attributes(self, name: str, text: str) -> str:
        try:
            given = json.loads(text)
        except ValueError:
            return "{}"
        if name == "worker_attributes" or not isinstance(given, dict):
            return "{}"
        return json.dumps(self._kept(given, ""), ensure_ascii=False, separators=(",", ":"))

    def _kept(self, given: Mapping[str, Any], above: str) -> dict[str, Any]:
        """The keys on the list, however deep they lie."""
        found: dict[str, Any] = {}
        for key, value in given.items():
            path = f"{above}{key}"
            if isinstance(value, dict):
                inner = self._kept(value, f"{path}.")
                if inner:
                    found[key] = inner
            elif path in self._keeps.attributes:
                masked = self._attribute(value)
                if masked is not None:
                    found[key] = masked
        return found

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, bool | int | float):
            return value
        if not isinstance(value, str):
            return None
        if _WORD.match(value) or _NUMBER.match(value):
            return value
        return self.sid(value) or None

    def _digest(self, kind: str, text: str) -> str:
        return hmac.new(self._key, f"{kind}\0{text}".encode(), hashlib.sha256).hexdigest()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)

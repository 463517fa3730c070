"""Baseline: findings that are known and put up with for a while, in a file of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.check.result import Located

VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding that is put up with.

    Attributes:
        fingerprint: of the finding.
        rule, file, pointer, message: as it was found, for the reader; they are not compared.
        expires: the last day on which it is put up with; None for ever.
        why: the reader's own words.
    """

    fingerprint: str
    rule: str
    file: str
    pointer: str
    message: str
    expires: date | None = None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The entry as it stands in the file."""
        plain: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "file": self.file,
            "pointer": self.pointer,
            "message": self.message,
            "expires": self.expires.isoformat() if self.expires else None,
        }
        return {**plain, "why": self.why} if self.why else plain


class Baseline:
    """The entries of one file, and which of them a run has met."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = {entry.fingerprint: entry for entry in entries}
        self._met: set[str] = set()

    def covers(self, found: Located, today: date) -> bool | None:
        """Whether a finding is put up with today; None where an entry of it has expired."""
        entry = self.entries.get(found.fingerprint)
        if entry is None:
            return False
        self._met.add(found.fingerprint)
        return True if entry.expires is None or today <= entry.expires else None

    def unused(self) -> list[Entry]:
        """The entries that no finding met, in the order of the file."""
        return [entry for name, entry in self.entries.items() if name not in self._met]


def read(path: Path) -> Baseline:
    """The baseline in a file; ContractError says what is wrong with it."""
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise _bad(path, f"it cannot be read: {why}", "Make one with --write-baseline.") from error
    if not isinstance(plain, dict) or plain.get("version") != VERSION or not isinstance(plain.get("entries"), list):
        raise _bad(path, f"it is no baseline of version {VERSION}", "Make one with --write-baseline.")
    return Baseline(_entry(path, number, raw) for number, raw in enumerate(plain["entries"], 1))


def _entry(path: Path, number: int, raw: object) -> Entry:
    where = f"entry {number}"
    if not isinstance(raw, Mapping) or not isinstance(raw.get("fingerprint"), str):
        raise _bad(path, f"{where} has no fingerprint", "Make the file anew with --write-baseline.")
    expires = raw.get("expires")
    try:
        until = None if expires is None else date.fromisoformat(expires)
    except (TypeError, ValueError) as error:
        problem = f"{where} expires on {expires!r}, which is no date"
        raise _bad(path, problem, 'Write "expires": "2027-01-31", or null.') from error
    texts = {name: str(raw.get(name, "")) for name in ("rule", "file", "pointer", "message", "why")}
    return Entry(fingerprint=raw["fingerprint"], expires=until, **texts)


def _bad(path: Path, problem: str, repair: str) -> ContractError:
    return ContractError(profile=str(path), problem=problem, repair=repair)


class Recorder:
    """Gathers the entries of a new baseline, one for each fingerprint."""

    def __init__(self, old: Baseline, expires: date | None) -> None:
        self._old = old
        self._expires = expires
        self._entries: dict[str, Entry] = {}

    def add(self, found: Located) -> None:
        """Take in a finding; what an old entry says of expiry and reason is kept."""
        before = self._old.entries.get(found.fingerprint)
        self._entries.setdefault(
            found.fingerprint,
            Entry(
                fingerprint=found.fingerprint,
                rule=found.finding.rule,
                file=found.file,
                pointer=found.pointer,
                message=found.finding.message,
                expires=self._expires if before is None or self._expires is not None else before.expires,
                why="" if before is None else before.why,
            ),
        )

    def write(self, path: Path) -> int:
        """Write the file, sorted so that its differences can be read; returns how many entries it has."""
        entries = sorted(self._entries.values(), key=lambda one: (one.file, one.rule, one.pointer, one.fingerprint))
        plain = {"version": VERSION, "entries": [entry.to_dict() for entry in entries]}
        path.write_text(json.dumps(plain, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")
        return len(entries)

"""Changes as a result that every reporter of the checks can write, each in its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flex_plugin_backend.wfm.contract.check.fingerprint import fingerprint
from flex_plugin_backend.wfm.contract.check.positions import Lines, Place, locate
from flex_plugin_backend.wfm.contract.check.result import CheckResult, FileResult, Located
from flex_plugin_backend.wfm.contract.diff.change import Change, Impact
from flex_plugin_backend.wfm.contract.findings import Finding, Severity


def diff_result(changes: Iterable[Change], name: str, text: str, *, schema: bool) -> CheckResult:
    """A result with one finding for each change: breaking ones are errors, safe ones notes.

    Args:
        changes: what changed.
        name, text: the new contract's file; "" where it has none.
        schema: it is a JSON Schema, not a profile.
    """
    changes = list(changes)
    file = FileResult(name, profile=name, payloads={"contract": 1})
    places = locate(text, [change.where for change in changes]) if schema else {}
    lines = Lines(text)
    for change in changes:
        place = places[change.where] if schema else _in_toml(text, lines, change.where)
        file.findings.append(_located(change, name, place))
    file.errors = sum(1 for change in changes if change.impact is not Impact.SAFE)
    counts = [sum(1 for change in changes if change.impact is impact) for impact in reversed(Impact)]
    words = ", ".join(f"{number} {impact.words}" for number, impact in zip(counts, reversed(Impact), strict=True))
    return CheckResult(files=[file], headline=f"{words}." if changes else "Nothing changes.")


def _located(change: Change, name: str, place: Place) -> Located:
    why = change.why[:1].upper() + change.why[1:]
    finding = Finding(
        rule=change.rule,
        pointer=change.where,
        message=f"{change.impact.words}: {change.what}",
        expected=f"the old contract: {'nothing' if change.old is None else change.old}",
        repair=f"Writers: {change.writers.words}. Readers: {change.readers.words}. {why}.",
        severity=Severity.NOTE if change.impact is Impact.SAFE else Severity.ERROR,
    )
    return Located(
        file=name,
        line=place.line,
        column=place.column,
        end_line=place.line,
        end_column=place.column,
        pointer=change.where,
        kind=change.impact.name.lower(),
        value=None if change.new is None else str(change.new)[:60],
        finding=finding,
        fingerprint=fingerprint(change.rule, name, f"{change.where}\0{change.what}"),
        details=change.facts(),
    )


def _in_toml(text: str, lines: Lines, where: str) -> Place:
    """The line of an entry that the file itself holds; its beginning for what it takes over from its base."""
    table, _, key = where.rpartition(".")
    own = re.search(rf"^\[{re.escape(where)}\][ \t]*(?:#.*)?$", text, re.MULTILINE)
    if own is None and table:
        head = re.search(rf"^\[{re.escape(table)}\][ \t]*(?:#.*)?$", text, re.MULTILINE)
        if head is not None:
            following = re.search(r"^\[", text[head.end() :], re.MULTILINE)
            end = len(text) if following is None else head.end() + following.start()
            own = re.compile(rf"^{re.escape(key)}\b", re.MULTILINE).search(text, head.end(), end)
    start = 0 if own is None else own.start()
    line, column = lines.at(start)
    return Place(line, column, start, start, own is not None)

"""Text: for people; in colour on a terminal alone, and never where NO_COLOR is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

from flex_plugin_backend.wfm.contract.check.reporters.words import level, remarks, shown, verdict
from flex_plugin_backend.wfm.contract.check.result import CheckResult, Located, Standing

_Part = tuple[str, str]  # words, and the style they have on a terminal
_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold blue"}


def report(result: CheckResult, out: TextIO) -> None:
    """Each finding with what was expected and how to repair it, then the verdict."""
    if out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        _in_colour(result, out)
        return
    for line in _lines(result):
        out.write("".join(words for words, _ in line) + "\n")


def _in_colour(result: CheckResult, out: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False, soft_wrap=True)
    for line in _lines(result):
        console.print(Text.assemble(*((words, style) for words, style in line if words)))


def _lines(result: CheckResult) -> Iterator[list[_Part]]:
    for found in result.findings:
        yield from _finding(found)
    told = remarks(result)
    for remark in told:
        yield [(remark, "yellow")]
    if told or any(file.findings for file in result.files):
        yield [("", "")]
    yield [(verdict(result), "bold")]


def _finding(found: Located) -> Iterator[list[_Part]]:
    word, finding = level(found), found.finding
    where = f"{shown(found.file)}:{found.line}:{found.column}"
    expired = " (its baseline entry has expired)" if found.standing is Standing.EXPIRED else ""
    yield [
        (where, "bold"),
        (": ", ""),
        (f"{word} {finding.rule}", _STYLES[word]),
        (f" {shown(found.pointer) or '/'} {shown(finding.message)}{expired}", ""),
    ]
    if found.value is not None:
        yield [("    value:    ", "dim"), (shown(found.value), "")]
    yield [("    expected: ", "dim"), (shown(finding.expected), "")]
    yield [("    repair:   ", "dim"), (shown(finding.repair), "")]

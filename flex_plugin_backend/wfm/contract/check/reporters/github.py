"""GitHub annotations: workflow commands that put each finding beside its line in a pull request."""

from __future__ import annotations

from typing import TextIO

from flex_plugin_backend.wfm.contract.check.reporters.words import counted, level, remarks, sentence, shown
from flex_plugin_backend.wfm.contract.check.result import CheckResult, Located

SHOWN_PER_STEP = 10  # GitHub shows so many errors and so many warnings of one step; the rest stands in the log


def report(result: CheckResult, out: TextIO) -> None:
    """Errors first, so that warnings do not push them out of sight; a notice says what GitHub will not show."""
    findings = list(result.findings)
    for wanted, command in (("error", "error"), ("warning", "warning"), ("note", "notice")):
        some = [found for found in findings if level(found) == wanted]
        for found in some:
            out.write(_command(command, found))
        if len(some) > SHOWN_PER_STEP:
            hidden = counted(len(some) - SHOWN_PER_STEP, f"further {wanted}")
            out.write(
                f"::notice title=flex-wfm::{_data(f'{hidden}: GitHub shows {SHOWN_PER_STEP}, the log has all.')}\n"
            )
    for one in result.unread:
        out.write(f"::error title=flex-wfm::{_data(shown(f'{one.name}: {one.problem}. {one.repair}'))}\n")
    for remark in remarks(result)[len(result.unread) :]:
        out.write(f"::notice title=flex-wfm::{_data(remark)}\n")


def _command(word: str, found: Located) -> str:
    facts: dict[str, object] = {"file": found.file, "line": found.line, "endLine": found.end_line, "col": found.column}
    if found.line == found.end_line:
        facts["endColumn"] = found.end_column
    facts["title"] = f"{found.finding.rule} {found.kind or ''}".strip()
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in facts.items())
    return f"::{word} {properties}::{_data(sentence(found))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

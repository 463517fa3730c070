"""JUnit XML: a suite for each file, a failed case for each finding, one passed case for a clean file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from flex_plugin_backend.wfm.contract.check.reporters.words import level, remarks, sentence, shown, xml_text
from flex_plugin_backend.wfm.contract.check.result import CheckResult, FileResult, Located, Unread


def report(result: CheckResult, out: TextIO) -> None:
    """The report; an input that could not be read is an error, and so a red case."""
    failing = ("error", "warning") if result.strict else ("error",)
    suites = [_suite(file, failing) for file in result.files if file.findings or not _unread(result, file)]
    failures = sum(1 for found in result.findings if level(found) in failing)
    tests = sum(number for number, _ in suites) + len(result.unread)
    totals = f'tests="{tests}" failures="{failures}" errors="{len(result.unread)}" time="0"'
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="flex-wfm validate" {totals}>\n')
    for _, text in suites:
        out.write(text)
    if result.unread:
        out.write("".join(_unread_suite(result.unread)))
    further = remarks(result)[len(result.unread) :]
    if further:
        out.write('  <testsuite name="remarks" tests="0" failures="0" errors="0" skipped="0" time="0">\n')
        out.write(f"    <system-out>{_text(chr(10).join(further))}</system-out>\n  </testsuite>\n")
    out.write("</testsuites>\n")


def _unread(result: CheckResult, file: FileResult) -> bool:
    return any(one.name == file.name for one in result.unread)


def _suite(file: FileResult, failing: tuple[str, ...]) -> tuple[int, str]:
    cases = [_case(found, failing) for found in file.findings]
    if not cases:
        kinds = ", ".join(sorted(file.payloads)) or "nothing"
        cases = [f'    <testcase name={_attribute(kinds)} classname={_attribute(file.name)} time="0"/>\n']
    failures = sum(1 for found in file.findings if level(found) in failing)
    head = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="0"'
    return len(cases), f"  <testsuite name={_attribute(file.name)} {head}>\n{''.join(cases)}  </testsuite>\n"


def _case(found: Located, failing: tuple[str, ...]) -> str:
    name = f"{found.finding.rule} {found.pointer or '/'} ({found.line}:{found.column})"
    head = f'    <testcase name={_attribute(name)} classname={_attribute(found.file)} time="0"'
    where = shown(f"{found.file}:{found.line}:{found.column}")
    words = f"{where}: {level(found)} {found.finding.rule} {sentence(found)}"
    if level(found) not in failing:
        return f"{head}>\n      <system-out>{_text(words)}</system-out>\n    </testcase>\n"
    failure = f"<failure type={_attribute(found.finding.rule)} message={_attribute(found.finding.message)}>"
    return f"{head}>\n      {failure}{_text(words)}</failure>\n    </testcase>\n"


def _unread_suite(unread: list[Unread]) -> Iterator[str]:
    number = len(unread)
    yield f'  <testsuite name="unread" tests="{number}" failures="0" errors="{number}" skipped="0" time="0">\n'
    for one in unread:
        yield f'    <testcase name={_attribute(one.name)} classname="unread" time="0">\n'
        yield f'      <error type="unread" message={_attribute(one.problem)}>{_text(one.repair)}</error>\n'
        yield "    </testcase>\n"
    yield "  </testsuite>\n"


def _attribute(text: str) -> str:
    return quoteattr(xml_text(shown(text)))


def _text(text: str) -> str:
    return escape(xml_text(text))

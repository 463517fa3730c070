"""Checker: judges texts against one profile and puts each finding in its place; knows neither files nor processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flex_plugin_backend.wfm.contract.check.fingerprint import (
    fingerprint,
    identity,
    payload_identity,
    stable_pointer,
)
from flex_plugin_backend.wfm.contract.check.kinds import Kind, Kinds
from flex_plugin_backend.wfm.contract.check.positions import Lines, locate
from flex_plugin_backend.wfm.contract.check.result import Located
from flex_plugin_backend.wfm.contract.check.texts import Parsed, Reader, half_character, too_deep
from flex_plugin_backend.wfm.contract.check.units import Unit, not_recognised, units_of
from flex_plugin_backend.wfm.contract.findings import Finding
from flex_plugin_backend.wfm.contract.profile import Profile

BLOCK = 500  # bare rows that are judged together; below every limit on rows
_SHOWN = 60  # characters of a value
_BESIDE_OTHERS = ("M50",)  # compares a row with another list of its report, which a bare row has not
_SAID_OF_THE_TEXT = ("J07",)  # found, with its place, when the text was read
_BLINDING = ("J06", "J07")  # where one of these is found, nothing else was looked at


@dataclass(slots=True)
class Outcome:
    """What a piece of text came to: payloads by kind, findings in their order, and the payloads themselves if asked."""

    payloads: Counter[str] = field(default_factory=Counter)
    findings: list[Located] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)


class Checker:
    """Checks the texts of one file.

    Args:
        profile: the contract.
        file: the name in findings; `stable` the one in fingerprints.
        kind: what every payload is, where the user says so.
        now_ms: the time, for rules that look at it; None leaves them out.
    """

    def __init__(
        self, profile: Profile, file: str, stable: str, *, kind: str | None = None, now_ms: int | None = None
    ) -> None:
        self.kinds = Kinds(profile)
        self.usual: Kind | None = None
        self.forced = self.kinds.named(kind) if kind is not None else None
        self._profile = profile
        self._file = file
        self._stable = stable
        self._now_ms = now_ms
        self._reader = Reader()

    def document(self, data: bytes) -> Outcome:
        """Check a whole text: one payload, a list of them, or a capture."""
        return self._judge([(0, 1, self._reader.read(data))])

    def lines(self, lines: Sequence[bytes], first: int) -> Outcome:
        """Check texts of one line each; `first` is the number of the first one, blank lines are passed over."""
        read = self._reader.read
        return self._judge([(number, number, read(line)) for number, line in enumerate(lines, first) if line.strip()])

    def values(self, lines: Iterable[bytes]) -> Iterator[object]:
        """What those of these lines say that can be read."""
        for line in lines:
            parsed = self._reader.read(line) if line.strip() else None
            if parsed is not None and parsed.ok:
                yield parsed.value

    def place(self, data: bytes, first_line: int, found: Sequence[tuple[Unit, Finding]]) -> list[Located]:
        """Findings about units of a text that was checked before, in their places; `data` is empty where it is gone."""
        parsed = self._reader.read(data)
        places = _Places(self, parsed.text, first_line)
        if not parsed.ok:
            return list(places.at_the_beginning(found))
        whole = [(replace(unit, value=resolve(parsed.value, unit.prefix)), finding) for unit, finding in found]
        return list(places.all(whole))

    # -------------------------------------------------------------------------------------------- judging

    def _judge(self, texts: Sequence[tuple[int, int, Parsed]]) -> Outcome:
        outcome = Outcome()
        by_text: dict[int, list[tuple[Unit, Finding]]] = {}
        for at, _, parsed in texts:
            if parsed.ok:
                units = units_of(self.kinds, at, parsed.value, forced=self.forced, usual=self.usual)
                outcome.units.extend(units)
        for unit, finding in self._all_found(outcome.units):
            by_text.setdefault(unit.at, []).append((unit, finding))
        outcome.payloads.update(unit.kind.dto for unit in outcome.units if unit.kind is not None)
        for at, first_line, parsed in texts:
            found = by_text.get(at, ())
            if found or parsed.findings:
                places = _Places(self, parsed.text, first_line)
                outcome.findings.extend(places.text_findings(parsed))
                outcome.findings.extend(places.all(found))
        return outcome

    def _all_found(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Finding]]:
        block: list[Unit] = []
        block_size = BLOCK
        for unit in units:
            if block and (unit.kind is not block[0].kind or len(block) == block_size):
                yield from self._rows(block)
                block = []
            if unit.kind is None:
                yield unit, not_recognised(self.kinds, unit)
            elif unit.kind.holder is None:
                findings = self._validate(unit.kind.dto, unit.value)
                yield from ((unit, finding) for finding in findings if finding.rule not in _SAID_OF_THE_TEXT)
            else:
                block_size = BLOCK if unit.kind.has_time else 1
                block.append(unit)
        if block:
            yield from self._rows(block)

    def _rows(self, block: Sequence[Unit]) -> Iterator[tuple[Unit, Finding]]:
        """Bare rows, judged as the rows of one request; what is said of the request itself does not count."""
        kind = block[0].kind
        if kind is None or kind.holder is None:
            return
        request, member = kind.holder
        findings = self._validated(
            lambda rows: self._profile.validator.validate_rows(request, member, rows, now_ms=self._now_ms),
            [unit.value for unit in block],
        )
        if len(block) > 1 and any(finding.rule in _BLINDING for finding in findings):
            for unit in block:  # one row that cannot be looked at must not hide the others
                yield from self._rows([unit])
            return
        for finding in findings:
            index, slash, rest = finding.pointer.removeprefix("/").partition("/")
            if finding.rule not in (*_BESIDE_OTHERS, *_SAID_OF_THE_TEXT):
                yield block[int(index or 0)], replace(finding, pointer=slash + rest)

    def _validate(self, dto: str, value: object) -> list[Finding]:
        return self._validated(lambda value: self._profile.validate(dto, value, now_ms=self._now_ms), value)

    def _validated(self, validate: Callable[[Any], list[Finding]], value: Any) -> list[Finding]:
        """The findings, where the value can be looked at; otherwise the one that says why not."""
        try:
            return validate(value)
        except UnicodeEncodeError:
            return [half_character()]
        except RecursionError:
            return [too_deep()]
        except ValueError as error:
            if "ecursion" not in str(error):
                raise
            return [too_deep()]

    # -------------------------------------------------------------------------------------------- naming

    def name(self, unit: Unit | None, finding: Finding) -> str:
        """The fingerprint of a finding: by identities, so that it outlives unrelated edits."""
        if unit is None or unit.kind is None:
            return fingerprint(finding.rule, self._stable, f"{unit.prefix if unit else ''}{finding.pointer}")
        kind, dto = unit.kind, self._profile.dto(unit.kind.dto)
        own = identity(dto, unit.value) if kind.holder is not None else payload_identity(dto, unit.value)
        place = own or f"{unit.at}{unit.prefix}"
        return fingerprint(
            finding.rule, self._stable, place + stable_pointer(self._profile, kind.dto, unit.value, finding.pointer)
        )

    @property
    def file(self) -> str:
        """The name in findings."""
        return self._file


def resolve(value: Any, pointer: str) -> Any:
    """What a JSON Pointer names in a value; None where there is nothing."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


class _Places:
    """Puts the findings of one text in their places; the text is walked once, and only if there is one."""

    def __init__(self, checker: Checker, text: str, first_line: int) -> None:
        self._checker = checker
        self._text = text
        self._lines = Lines(text, first_line)

    def text_findings(self, parsed: Parsed) -> Iterator[Located]:
        for one in parsed.findings:
            yield self._located(None, one.finding, one.finding.pointer, one.start, one.end, show=False)

    def at_the_beginning(self, found: Sequence[tuple[Unit, Finding]]) -> Iterator[Located]:
        for unit, finding in found:
            yield self._located(unit, finding, unit.prefix + finding.pointer, 0, 0, show=False)

    def all(self, found: Sequence[tuple[Unit, Finding]]) -> Iterator[Located]:
        if not found:
            return
        places = locate(self._text, {unit.prefix + finding.pointer for unit, finding in found}, lines=self._lines)
        for unit, finding in found:
            pointer = unit.prefix + finding.pointer
            place = places[pointer]
            show = place.exact and unit.kind is not None and not unit.kind.secret
            yield self._located(unit, finding, pointer, place.start, place.end, show=show)

    def _located(
        self, unit: Unit | None, finding: Finding, pointer: str, start: int, end: int, *, show: bool
    ) -> Located:
        line, column = self._lines.at(start)
        end_line, end_column = self._lines.at(max(start, end))
        return Located(
            file=self._checker.file,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            pointer=pointer,
            kind=unit.kind.dto if unit is not None and unit.kind is not None else None,
            value=_cut(self._text[start : min(end, start + 4 * _SHOWN)]) if show else None,
            finding=finding,
            fingerprint=self._checker.name(unit, finding),
        )


def _cut(text: str) -> str:
    """A value on one line, cut short."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."

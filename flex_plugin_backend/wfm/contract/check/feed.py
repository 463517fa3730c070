"""Feed: what is wrong between the payloads of one feed; it remembers where each stands, not what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from flex_plugin_backend.wfm.contract.check.checker import Checker
from flex_plugin_backend.wfm.contract.check.inputs import READ_ERRORS, Source
from flex_plugin_backend.wfm.contract.check.result import Located
from flex_plugin_backend.wfm.contract.check.streams import Stream
from flex_plugin_backend.wfm.contract.check.units import Unit
from flex_plugin_backend.wfm.contract.findings import Finding
from flex_plugin_backend.wfm.contract.profile import Profile
from flex_plugin_backend.wfm.contract.rules import Series


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a payload stands."""

    source: Source
    checker: Checker
    unit: Unit


class Feed:
    """Takes the payloads of one feed in the order in which they were sent.

    Bare rows are left out: what goes on between rows is told within their report.
    """

    def __init__(self, profile: Profile) -> None:
        self._series = Series(profile)
        self._stands: dict[str, _Stand] = {}
        self._found: dict[tuple[str, int], list[tuple[_Stand, Finding]]] = {}

    def add(self, source: Source, checker: Checker, units: Iterable[Unit]) -> None:
        """More payloads of the feed."""
        for unit in units:
            if unit.kind is None or unit.kind.holder is not None:
                continue
            name = f"{source.name}:{unit.at}{unit.prefix}" if unit.at else f"{source.name}{unit.prefix}"
            stand = _Stand(source, checker, replace(unit, value=None))
            self._stands[name] = stand
            for finding in self._series.add(name, unit.kind.dto, unit.value, revision=unit.revision):
                self._note(stand, finding)

    def found(self) -> Iterator[tuple[str, Located]]:
        """(name of the source, finding) after the last payload; the texts are read again where something is wrong."""
        for name, finding in self._series.finish():
            self._note(self._stands[name], finding)
        by_source: dict[str, dict[int, list[tuple[_Stand, Finding]]]] = {}
        for (source, at), items in self._found.items():
            by_source.setdefault(source, {})[at] = items
        for source, texts in by_source.items():
            some = next(iter(texts.values()))[0][0]
            for at, data in _texts(texts, some.source):
                found = [(stand.unit, finding) for stand, finding in texts[at]]
                for located in some.checker.place(data, at or 1, found):
                    yield source, located

    def _note(self, stand: _Stand, finding: Finding) -> None:
        self._found.setdefault((stand.source.name, stand.unit.at), []).append((stand, finding))


def _texts(wanted: dict[int, list[tuple[_Stand, Finding]]], source: Source) -> Iterator[tuple[int, bytes]]:
    """(line number or 0, bytes) of the texts that are wanted; nothing where the source cannot be read a second time."""
    left = set(wanted)
    if source.can_reopen:
        try:
            with source.open() as opened:
                stream = Stream(opened, by_line=0 not in left)
                if 0 in left:
                    yield 0, stream.whole()
                    left.clear()
                for number, lines in stream.blocks(1) if left else ():
                    if number in left:
                        yield number, lines[0]
                        left.discard(number)
        except READ_ERRORS:
            pass
    for at in sorted(left):
        yield at, b""

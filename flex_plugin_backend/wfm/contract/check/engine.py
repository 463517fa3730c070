"""The run: opens each source, has it checked, and gathers one result."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flex_plugin_backend.wfm.contract.check.baseline import Baseline, Recorder
from flex_plugin_backend.wfm.contract.check.checker import BLOCK, Checker, Outcome
from flex_plugin_backend.wfm.contract.check.feed import Feed
from flex_plugin_backend.wfm.contract.check.fingerprint import stable_name
from flex_plugin_backend.wfm.contract.check.inputs import READ_ERRORS, Source, unread
from flex_plugin_backend.wfm.contract.check.kinds import Kinds
from flex_plugin_backend.wfm.contract.check.result import CheckResult, FileResult, Located, Standing, Unread
from flex_plugin_backend.wfm.contract.check.streams import Stream
from flex_plugin_backend.wfm.contract.check.units import bare_values, usual_kind
from flex_plugin_backend.wfm.contract.check.workers import Block, Recipe, check_blocks
from flex_plugin_backend.wfm.contract.findings import Severity
from flex_plugin_backend.wfm.contract.loader import builtin_profiles, load_profile
from flex_plugin_backend.wfm.contract.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run is carried out.

    Attributes:
        profiles: names or files; of several, the one that fits a file best is taken. Empty: the built-in ones.
        kind: what every payload is; None lets each be recognised by its shape.
        one_feed: all sources are one feed, in the order given; otherwise each is one of its own.
        max_findings: so many are kept, the rest is counted; None keeps all.
        strict: warnings count like errors.
        processes: how many check bare rows of a large source; more than one needs a main module that can be imported.
        here: the folder that fingerprints are relative to.
        today: for expiry dates.
        now_ms: the time, for rules that look at it; None leaves them out.
    """

    profiles: tuple[str, ...] = ()
    kind: str | None = None
    one_feed: bool = False
    max_findings: int | None = None
    strict: bool = False
    processes: int = 1
    here: Path = field(default_factory=Path.cwd)
    today: date
    now_ms: int | None = None


def check(
    sources: Iterable[Source],
    options: Options,
    *,
    baseline: Baseline | None = None,
    recorder: Recorder | None = None,
    unread: Iterable[Unread] = (),
) -> CheckResult:
    """Check all sources; what cannot be read is noted in the result and hides nothing else.

    Args:
        sources: what to check.
        options: how.
        baseline: what is put up with.
        recorder: takes all findings, for a new baseline.
        unread: what could not be read already when the sources were looked for.

    Raises:
        ContractError: a profile or the kind is unknown or wrong.
    """
    return _Run(options, baseline or Baseline(), recorder).all(sources, unread)


class _Run:
    def __init__(self, options: Options, baseline: Baseline, recorder: Recorder | None) -> None:
        self._options = options
        self._baseline = baseline
        self._recorder = recorder
        self._specs = options.profiles or tuple(builtin_profiles())
        self._profiles = [load_profile(spec) for spec in self._specs]
        self._kinds = [Kinds(profile) for profile in self._profiles]
        if options.kind is not None:
            self._kinds[0].named(options.kind)
        self._kept = 0
        self._result = CheckResult(strict=options.strict)
        self._shared: Feed | None = None

    def all(self, sources: Iterable[Source], missing: Iterable[Unread]) -> CheckResult:
        self._result.unread.extend(missing)
        for source in sources:
            file = FileResult(source.name)
            self._result.files.append(file)
            try:
                with source.open() as stream:
                    self._file(source, Stream(stream, by_line=source.by_line), file)
            except READ_ERRORS as error:
                self._result.unread.append(unread(source, error))
        if self._shared is not None:
            self._between(self._shared)
        self._result.unused.extend(entry.to_dict() for entry in self._baseline.unused())
        return self._result

    def _file(self, source: Source, stream: Stream, file: FileResult) -> None:
        blocks: Iterator[Block] = stream.blocks(BLOCK) if stream.by_line else iter(())
        first = next(blocks, None)
        data = b"" if stream.by_line else stream.whole()
        sample = first[1] if first is not None else [data]
        index = self._fitting(sample)
        profile, stable = self._profiles[index], stable_name(source.name, self._options.here)
        checker = Checker(profile, source.name, stable, kind=self._options.kind, now_ms=self._options.now_ms)
        file.profile = profile.name
        feed = self._feed(profile)
        if not stream.by_line or first is None:
            outcome = checker.document(data)
            feed.add(source, checker, outcome.units)
            self._take(file, outcome)
        else:
            checker.usual = usual_kind(checker.kinds, checker.values(first[1]))
            self._lines(source, checker, feed, file, self._specs[index], _again(first, blocks))
            if not file.payloads and not (file.errors or file.warnings or file.baselined):  # blank lines alone
                self._take(file, checker.document(b""))
        if feed is not self._shared:
            self._between(feed)

    def _lines(
        self, source: Source, checker: Checker, feed: Feed, file: FileResult, spec: str, blocks: Iterator[Block]
    ) -> None:
        usual = checker.forced or checker.usual
        if usual is None or usual.holder is None:
            for number, lines in blocks:
                outcome = checker.lines(lines, number)
                feed.add(source, checker, outcome.units)
                self._take(file, outcome)
            return
        stable = stable_name(source.name, self._options.here)
        name = checker.usual.dto if checker.usual is not None else None
        recipe = Recipe(spec, source.name, stable, self._options.kind, self._options.now_ms, name)
        for outcome in check_blocks(recipe, checker, blocks, self._options.processes):
            self._take(file, outcome)

    def _fitting(self, sample: Sequence[bytes]) -> int:
        """Which profile fits the beginning of a file best; the first of equals."""
        if len(self._profiles) == 1:
            return 0
        likenesses = []
        for kinds, profile in zip(self._kinds, self._profiles, strict=True):
            reader = Checker(profile, "", "")
            guesses = [
                kinds.guess(item).likeness
                for value in reader.values(sample)
                for _, item, _, _ in bare_values(kinds, value)
            ]
            likenesses.append(sum(guesses) / len(guesses) if guesses else 0.0)
        return likenesses.index(max(likenesses))

    # --------------------------------------------------------------------------------- between payloads

    def _feed(self, profile: Profile) -> Feed:
        if not self._options.one_feed:
            return Feed(profile)
        if self._shared is None:
            self._shared = Feed(profile)
        return self._shared

    def _between(self, feed: Feed) -> None:
        files = {file.name: file for file in self._result.files}
        for name, found in feed.found():
            self._keep(files[name], found)

    # -------------------------------------------------------------------------------------- findings

    def _take(self, file: FileResult, outcome: Outcome) -> None:
        for kind, number in outcome.payloads.items():
            file.payloads[kind] = file.payloads.get(kind, 0) + number
        for found in outcome.findings:
            self._keep(file, found)

    def _keep(self, file: FileResult, found: Located) -> None:
        if self._recorder is not None:
            self._recorder.add(found)
        covered = self._baseline.covers(found, self._options.today)
        if covered:
            file.baselined += 1
            return
        if found.finding.severity is Severity.ERROR:
            file.errors += 1
        elif found.finding.severity is Severity.WARNING:
            file.warnings += 1
        limit = self._options.max_findings
        if limit is not None and self._kept >= limit:
            rest = self._result.rest
            rest[found.finding.rule] = rest.get(found.finding.rule, 0) + 1
            return
        self._kept += 1
        file.findings.append(found if covered is False else dataclasses.replace(found, standing=Standing.EXPIRED))


def _again(first: Block, rest: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from rest

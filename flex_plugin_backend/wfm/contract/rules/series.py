"""Rules over several payloads: what was told twice, left out, or contradicts what was told before."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from flex_plugin_backend.wfm.contract.findings import Finding, Severity, pointer_join
from flex_plugin_backend.wfm.contract.payload import Payload, Row
from flex_plugin_backend.wfm.contract.rules.record import ACTIVITY, REPORTS, SHOWN, STATES, Found, Rule, register

if TYPE_CHECKING:
    from flex_plugin_backend.wfm.contract.profile import Profile

_KINDS = {"AgentActivityReportDTO": "agent activity report", "ReportDTO": "queue report"}


def _over_several(number: str, title: str, why: str, dtos: frozenset[str], severity: Severity = Severity.ERROR) -> Rule:
    return register(Rule(id=number, title=title, why=why, severity=severity, dtos=dtos, check=None))


ONCE = _over_several(
    "M63",
    "an interval is reported once, or as a higher revision",
    "A report replaces its interval (as with CSV import, S17); of two different ones nobody knows which was meant.",
    REPORTS,
)
REVISION = _over_several(
    "M64",
    "revisions of an interval go up",
    "An older revision that is sent later replaces the newer one, and what it corrected is lost again.",
    REPORTS,
)
GAP = _over_several(
    "M65",
    "no interval is missing",
    "An interval without a report looks like one without work; NICE wants empty arrays where nothing happened.",
    REPORTS,
    Severity.WARNING,
)
BOTH = _over_several(
    "M67",
    "an interval has both reports",
    "Adherence comes from the activity report, forecasts from the queue report; one alone leaves a hole in the other.",
    REPORTS,
    Severity.WARNING,
)
ACD = _over_several(
    "M68",
    "all payloads carry the same ACD type",
    "WFM integrates one ACD at a time (S5).",
    STATES | REPORTS,
)
VERSION = _over_several(
    "M69",
    "all reports of a kind have the same version",
    "Two versions in one feed are two senders, or a setting that changed in the middle.",
    REPORTS,
    Severity.WARNING,
)
OVERLAP = _over_several(
    "M70",
    "an agent's activities do not overlap across reports",
    "An activity is booked whole where it ends, so the next report's first one begins where this one's last ended.",
    ACTIVITY,
)
HOLE = _over_several(
    "M71",
    "there is no hole within a log-in across reports",
    "A hole shorter than the shortest state is no log-off: time was lost between two reports.",
    ACTIVITY,
)
ORDER = _over_several(
    "M72",
    "states are sent in the order of time",
    "WFM keeps the state it heard last (S12): an older one that is sent later stays in force.",
    STATES,
    Severity.WARNING,
)


@dataclass(slots=True)
class _Told:
    """The newest report of an interval: payload number, revision, and what its content was."""

    payload: int
    revision: int | None
    content: int


@dataclass(slots=True)
class _Line:
    """One agent's activities, as numbers side by side: start and end (ms), payload and row."""

    starts: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    payloads: array[int] = field(default_factory=lambda: array("l"))
    rows: array[int] = field(default_factory=lambda: array("l"))


class Series:
    """Takes payloads in the order in which they were sent, and tells what is wrong between them.

    It keeps per interval one entry and per activity four numbers, never the payloads.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._names: list[str] = []
        self._reports: dict[str, dict[int, _Told]] = {}
        self._acd: tuple[str, str] | None = None
        self._versions: dict[str, tuple[str, str]] = {}
        self._lines: dict[str, _Line] = {}
        self._last_state: dict[str, tuple[int, tuple[object, ...], str]] = {}
        self._replaced: set[int] = set()

    def add(self, name: str, dto: str, wire: object, *, revision: int | None = None) -> Iterator[Finding]:
        """One more payload; yields what is wrong with it beside those before.

        Args:
            name: how messages call the payload (a file and a line).
            dto, wire: the payload.
            revision: of a report, where the sender counts them.
        """
        if not isinstance(wire, Mapping) or dto not in STATES | REPORTS:
            return
        number = len(self._names)
        self._names.append(name)
        payload = Payload(self._profile, dto, wire)
        yield from self._same_acd(payload, name)
        if dto in STATES:
            yield from self._states(payload, name)
            return
        yield from self._same_version(payload, dto, name)
        start_ms = payload.root.time_ms("start_ms")
        if start_ms is not None:
            yield from self._interval(dto, start_ms, _Told(number, revision, _content(wire)), payload)
        if dto in ACTIVITY:
            self._remember(payload, number)

    def finish(self) -> Iterator[tuple[str, Finding]]:
        """After the last payload: (name of the payload, what is wrong with it beside all others)."""
        yield from self._missing()
        yield from self._one_sided()
        yield from self._side_by_side()

    # ------------------------------------------------------------------------------------ as they come

    def _same_acd(self, payload: Payload, name: str) -> Iterator[Finding]:
        value = payload.root.text("acd_type")
        if not value:
            return
        if self._acd is None:
            self._acd = (value, name)
        elif self._acd[0] != value:
            message = f"{value[:SHOWN]!r}, but {self._acd[0][:SHOWN]!r} in {self._acd[1]}"
            pointer = payload.root.pointer_of("acd_type")
            yield ACD.finding(Found(pointer, message, "one ACD type", "Send what the ACD lookup answers."))

    def _same_version(self, payload: Payload, dto: str, name: str) -> Iterator[Finding]:
        value = payload.root.text("report_version")
        if not value:
            return
        first, where = self._versions.setdefault(dto, (value, name))
        if first != value:
            message = f"{value[:SHOWN]!r}, but {first[:SHOWN]!r} in {where}"
            pointer = payload.root.pointer_of("report_version")
            yield VERSION.finding(Found(pointer, message, "one version", "Send one version throughout."))

    def _interval(self, dto: str, start_ms: int, told: _Told, payload: Payload) -> Iterator[Finding]:
        known = self._reports.setdefault(dto, {})
        before = known.get(start_ms)
        pointer, raw = payload.root.pointer_of("start_ms"), payload.root.raw("start_ms")
        if before is None:
            known[start_ms] = told
            return
        where = self._names[before.payload]
        if before.revision is not None and told.revision is not None and told.revision < before.revision:
            message = f"revision {told.revision} of {raw} after revision {before.revision} in {where}"
            expected, repair = f"revision {before.revision + 1}", "Send the newest revision last."
            yield REVISION.finding(Found(pointer, message, expected, repair))
            self._replaced.add(told.payload)
            return
        if before.content != told.content and before.revision == told.revision:
            message = f"{raw} was reported otherwise in {where}"
            repair = "Number corrections, or report each interval once."
            yield ONCE.finding(Found(pointer, message, "the same content, or a higher revision", repair))
        self._replaced.add(before.payload)
        known[start_ms] = told

    def _states(self, payload: Payload, name: str) -> Iterator[Finding]:
        newest: dict[str, tuple[int, tuple[object, ...], str]] = {}
        for row in payload.rows("AgentState"):
            agent_id, start_ms = row.text("agent_id"), row.time_ms("start_ms")
            if agent_id is None or start_ms is None:
                continue
            pair = (row.raw("event_id"), row.raw("event_reason"))
            before = self._last_state.get(agent_id)
            # Within one payload M21 looks; the state in force may be repeated.
            if agent_id not in newest and before is not None and start_ms < before[0] and pair != before[1]:
                message = f"starts before the last state of agent {agent_id[:SHOWN]!r} in {before[2]}"
                yield ORDER.finding(
                    Found(row.pointer_of("start_ms"), message, "a later start", "Send states as they come.")
                )
            newest[agent_id] = (start_ms, pair, name)
        self._last_state.update(newest)

    def _remember(self, payload: Payload, number: int) -> None:
        for index, row in enumerate(payload.rows("AgentActivity")):
            agent_id, start_ms, end_ms = row.text("agent_id"), row.time_ms("start_ms"), row.time_ms("end_ms")
            if agent_id is None or start_ms is None or end_ms is None or start_ms > end_ms:
                continue
            line = self._lines.setdefault(agent_id, _Line())
            line.starts.append(start_ms)
            line.ends.append(end_ms)
            line.payloads.append(number)
            line.rows.append(_position(row, index))

    # ---------------------------------------------------------------------------------------- at the end

    def _missing(self) -> Iterator[tuple[str, Finding]]:
        step_ms = self._profile.limits.interval_s * 1000
        for dto, known in self._reports.items():
            pointer = pointer_join("", self._profile.dto(dto).fields["start_ms"].wire)
            for start_ms, following_ms in pairwise(sorted(known)):
                number = (following_ms - start_ms) // step_ms - 1
                if number > 0:
                    first = self._profile.format_time(start_ms + step_ms)
                    message = f"{number} {_KINDS[dto]}s are missing before it, the first of {first}"
                    found = Found(
                        pointer, message, "a report for every interval", "Send them, empty where nothing was."
                    )
                    yield self._names[known[following_ms].payload], GAP.finding(found)

    def _one_sided(self) -> Iterator[tuple[str, Finding]]:
        if len(self._reports) < len(_KINDS):
            return  # a feed of one kind alone is looked at as such
        for dto, known in self._reports.items():
            other = next(name for name in _KINDS if name != dto)
            pointer = pointer_join("", self._profile.dto(dto).fields["start_ms"].wire)
            for start_ms in sorted(known.keys() - self._reports[other].keys()):
                message = f"the interval has no {_KINDS[other]}"
                found = Found(pointer, message, "both reports", "Send the other one too, empty where nothing was.")
                yield self._names[known[start_ms].payload], BOTH.finding(found)

    def _side_by_side(self) -> Iterator[tuple[str, Finding]]:
        shortest_ms = self._profile.limits.min_state_s * 1000
        for agent_id, line in self._lines.items():
            order = [at for at in range(len(line.starts)) if line.payloads[at] not in self._replaced]
            order.sort(key=lambda at: (line.starts[at], line.ends[at]))
            for at, later in pairwise(order):
                if line.payloads[at] == line.payloads[later]:
                    continue  # M33 and M34 look within one report
                gap_ms = line.starts[later] - line.ends[at]
                name, where = self._names[line.payloads[later]], self._names[line.payloads[at]]
                if gap_ms < 0:
                    message = f"begins before the activity in {where} of agent {agent_id[:SHOWN]!r} ends"
                    yield name, OVERLAP.finding(self._at(line.rows[later], message))
                elif 0 < gap_ms < shortest_ms:
                    message = f"begins {gap_ms / 1000:g} s after the activity in {where} of agent {agent_id[:SHOWN]!r}"
                    yield name, HOLE.finding(self._at(line.rows[later], message))

    def _at(self, row: int, message: str) -> Found:
        report, activity = self._profile.dto("AgentActivityReportDTO"), self._profile.dto("AgentActivity")
        pointer = pointer_join("", report.fields["report_data"].wire, row, activity.fields["start_ms"].wire)
        return Found(pointer, message, "the end of the one before", "End one activity where the next begins.")


def _position(row: Row, index: int) -> int:
    """The row's place in its list; objects that are none were left out of the count."""
    last = row.pointer.rpartition("/")[2]
    return int(last) if last.isdigit() else index


def _content(wire: Mapping[str, Any]) -> int:
    """A number that is the same for the same content within this run."""
    return hash(repr(wire))

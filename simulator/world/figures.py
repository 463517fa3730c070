"""The true figures of every 15-minute interval, computed from the books of the model by the rules of the reports."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.world.figures_ledger import Fate, Ledger, Stay, Stint
from simulator.world.figures_rules import INTERVAL_MS, FigureRules
from simulator.world.figures_timeline import Segment, Span, segments_of, spans_of, stint_end_ms

QUEUE_FIELDS = (
    "contacts_received",
    "contacts_handled",
    "contacts_abandoned",
    "contacts_answered_in_sl",
    "contacts_abandoned_in_sl",
    "handle_time_s",
    "work_time_s",
    "queue_delay_s",
    "backlog",
    "backlog_not_expired",
    "backlog_expired",
)
# What no report carries: the invariants need it, or the connector shows it.
QUEUE_EXTRAS = (
    "contacts_diverted",
    "contacts_abandoned_short",
    "contacts_abandoned_long",
    "unserved_delay_s",
    "hold_time_s",
)
AGENT_QUEUE_FIELDS = ("contacts_handled", "handle_time_s", "work_time_s")
AGENT_QUEUE_EXTRAS = ("hold_time_s",)
PERFORMANCE_FIELDS = (
    "internal_calls",
    "internal_time_s",
    "ready_time_s",
    "idle_time_s",
    "out_calls",
    "out_time_s",
    "login_time_s",
)
PERFORMANCE_EXTRAS = ("busy_time_s",)

_TIME_FIELD = {"AVAILABLE": "ready_time_s", "UNAVAILABLE": "idle_time_s"}
_CALLS = {"outbound": ("out_calls", "out_time_s"), "internal": ("internal_calls", "internal_time_s")}
NEVER_QUEUED = "never queued"
_NOTHING: Mapping[str, int] = {}


@dataclass(slots=True)
class _Row:
    """Sums of one row; `opening` is the part that began before the connector did.

    `opening_more` is by how much that part may be taken for more than it is, by one who does not know all of it.
    """

    sums: Counter[str] = field(default_factory=Counter)
    opening: Counter[str] = field(default_factory=Counter)
    opening_more: Counter[str] = field(default_factory=Counter)
    name: str = ""
    channels: set[str] = field(default_factory=set)

    def add(self, figures: Mapping[str, int], *, opened: bool, more: Mapping[str, int] = _NOTHING) -> None:
        self.sums.update(figures)
        if opened:
            self.opening.update(figures)
            self.opening_more.update(more)

    def shown(self, fields: tuple[str, ...]) -> dict[str, Any]:
        row: dict[str, Any] = {name: self.sums[name] for name in fields}
        for key, part in (("opening", self.opening), ("opening_more", self.opening_more)):
            shown = {name: part[name] for name in fields if part[name]}
            if shown:
                row[key] = shown
        return row


@dataclass(slots=True)
class IntervalFigures:
    """Everything that is reported of one interval, half-open in time."""

    start_ms: int
    end_ms: int
    activities: list[dict[str, Any]] = field(default_factory=list)
    queues: defaultdict[str, _Row] = field(default_factory=lambda: defaultdict(_Row))
    agent_queues: defaultdict[tuple[str, str], _Row] = field(default_factory=lambda: defaultdict(_Row))
    agents: defaultdict[str, _Row] = field(default_factory=lambda: defaultdict(_Row))
    not_reportable: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """The rows under the names of the report objects, ordered by their ids; no row where all is zero."""
        return {
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "report_data": sorted(self.activities, key=lambda row: (row["agent_id"], row["start_ms"])),
            "queue_report": [
                {"queue_id": queue_id, "queue_name": row.name, "channels": sorted(row.channels), **_queue_figures(row)}
                for queue_id, row in sorted(self.queues.items())
            ],
            "agent_queue_report": [
                {"queue_id": queue_id, "agent_id": agent_id, **row.shown(AGENT_QUEUE_FIELDS + AGENT_QUEUE_EXTRAS)}
                for (queue_id, agent_id), row in sorted(self.agent_queues.items())
            ],
            "agent_system_performance_report": [
                {"agent_id": agent_id, **row.shown(PERFORMANCE_FIELDS + PERFORMANCE_EXTRAS)}
                for agent_id, row in sorted(self.agents.items())
                if any(row.sums.values())
            ],
            "not_reportable": dict(sorted(self.not_reportable.items())),
        }


def _queue_figures(row: _Row) -> dict[str, Any]:
    received = row.sums["contacts_received"]
    level = round(100 * row.sums["contacts_answered_in_sl"] / received, 2) if received else None
    return {**row.shown(QUEUE_FIELDS + QUEUE_EXTRAS), "service_level": level}


class Figures:
    """Looks at the books as they are now.

    Args:
        ledger: the books of the world.
        rules: the parameters.
        until_ms: how far the world has come; nothing later is known.
        known_from_ms: when the connector began to watch. What began before is in the figures too, and its share
            stands beside them as `opening`, because the connector can know it in part only.
    """

    def __init__(self, ledger: Ledger, rules: FigureRules, *, until_ms: int, known_from_ms: int | None = None) -> None:
        self._rules = rules
        self._known_from_ms = known_from_ms
        self._from_the_beginning = ledger.since_ms is None
        self._stays = [stay for stay in ledger.stays if stay.start_ms <= until_ms]
        self._stints = [stint for stints in ledger.stints.values() for stint in stints]
        self._queue_at_start = {stay.task_sid: stay for stay in self._stays if self._opened(stay.entered_ms)}
        self._spans: dict[str, list[Span]] = {
            agent_id: spans_of(doings, ledger.stints[agent_id], rules, until_ms)
            for agent_id, doings in ledger.activities.items()
        }

    def spans(self, agent_id: str) -> list[Span]:
        """One agent's states as they were, wrap-up capped."""
        return self._spans[agent_id]

    def intervals(self, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
        """The intervals of the grid that lie wholly between the two instants, oldest first."""
        start_ms = -(-from_ms // INTERVAL_MS) * INTERVAL_MS
        count = (to_ms - start_ms) // INTERVAL_MS
        return [one.to_dict() for one in self.cut(start_ms, INTERVAL_MS, count)]

    def total(self, from_ms: int, to_ms: int) -> dict[str, Any]:
        """The same figures for one long interval; the backlog is that of its end."""
        return self.cut(from_ms, to_ms - from_ms, 1)[0].to_dict()

    def cut(self, start_ms: int, length_ms: int, count: int) -> list[IntervalFigures]:
        """The figures of `count` intervals in a row, each `length_ms` long; both whole seconds."""
        bins = [
            IntervalFigures(start_ms + number * length_ms, start_ms + (number + 1) * length_ms)
            for number in range(max(0, count))
        ]
        if bins:
            self._book_stints(bins, length_ms)
            self._book_stays(bins, length_ms)
            self._book_agents(bins, length_ms)
        return bins

    def _opened(self, ms: int) -> bool:
        return self._known_from_ms is not None and ms < self._known_from_ms

    # -- contacts, in the interval where they end

    def _book_stints(self, bins: list[IntervalFigures], length_ms: int) -> None:
        for stint in self._stints:
            end_ms = stint_end_ms(stint, self._rules.wrap_up_cap_s * 1000)
            one = None if end_ms is None or stint.accepted_ms is None else _bin(bins, length_ms, end_ms)
            if one is None or end_ms is None or stint.accepted_ms is None:
                continue
            handle_s = _seconds(stint.accepted_ms, end_ms)
            work_s = 0 if stint.wrapped_ms is None else _seconds(stint.wrapped_ms, end_ms)
            if stint.medium not in self._rules.reported_channels:
                one.not_reportable[stint.medium] += 1
            elif stint.direction in _CALLS:
                calls, time_s = _CALLS[stint.direction]
                one.agents[stint.worker_sid].add(
                    {calls: 1, time_s: handle_s},
                    opened=self._opened(stint.created_ms),
                    more={time_s: _seconds(stint.created_ms, stint.accepted_ms)},
                )
            else:
                self._book_handled(one, stint, stint.accepted_ms, handle_s, work_s)

    def _book_handled(self, one: IntervalFigures, stint: Stint, accepted_ms: int, handle_s: int, work_s: int) -> None:
        rules = self._rules
        began_ms = accepted_ms if stint.stay is None else stint.stay.start_ms
        opened = self._opened(min(began_ms, stint.created_ms))
        in_time = accepted_ms - began_ms <= rules.service_level_ms(stint.queue_sid, stint.queue_name)
        hold_s = sum(_seconds(start_ms, ended_ms) for start_ms, ended_ms in stint.holds)
        share = {"contacts_handled": 1, "handle_time_s": handle_s, "work_time_s": work_s, "hold_time_s": hold_s}
        # Of a contact that was in wrap-up when the connector came nobody can tell when it was answered, only when it
        # was offered: so much of its waiting may be taken for talking, and an answer out of time for one in time.
        more = {"handle_time_s": _seconds(stint.created_ms, accepted_ms)}
        self._queue_row(one, stint).add(
            {
                **share,
                "contacts_received": 1,
                "contacts_answered_in_sl": int(in_time),
                "queue_delay_s": _seconds(began_ms, accepted_ms),
            },
            opened=opened,
            more={**more, "contacts_answered_in_sl": int(not in_time), "queue_delay_s": _unseen_transfer_s(stint.stay)},
        )
        queue_id = rules.queue_id(stint.queue_sid, stint.queue_name, stint.medium)
        one.agent_queues[queue_id, stint.worker_sid].add(share, opened=opened, more=more)
        if opened and stint.stay is not None:
            self._book_elsewhere(one, stint, stint.stay, {**share, "handle_time_s": handle_s + more["handle_time_s"]})

    def _book_elsewhere(self, one: IntervalFigures, stint: Stint, stay: Stay, share: Mapping[str, int]) -> None:
        """Let the queue that a contact had come to when the connector began be taken for the one it was answered in.

        Only the present queue of a task can be asked for. So there may be a row that is all zeros in truth.
        """
        now = self._queue_at_start.get(stay.task_sid)
        if now is None or now.queue_sid == stint.queue_sid:
            return
        counts = dict.fromkeys(("contacts_received", "contacts_handled", "contacts_answered_in_sl"), 1)
        wait_s = _seconds(min(stay.entered_ms, stay.start_ms), stint.accepted_ms or stay.start_ms)
        more = {**counts, **share, "queue_delay_s": wait_s}
        self._queue_row(one, now).add(_NOTHING, opened=True, more=more)
        queue_id = self._rules.queue_id(now.queue_sid, now.queue_name, now.medium)
        one.agent_queues[queue_id, stint.worker_sid].add(_NOTHING, opened=True, more=more)

    def _queue_row(self, one: IntervalFigures, place: Stint | Stay) -> _Row:
        row = one.queues[self._rules.queue_id(place.queue_sid, place.queue_name, place.medium)]
        row.name = place.queue_name
        row.channels.add(place.medium)
        return row

    # -- stays that nobody answered, where they end, and those that go on at the end of an interval

    def _book_stays(self, bins: list[IntervalFigures], length_ms: int) -> None:
        for stay in self._stays:
            lost = stay.fate in (Fate.CANCELED, Fate.LEFT)
            one = None if stay.end_ms is None or not lost else _bin(bins, length_ms, stay.end_ms)
            if stay.medium not in self._rules.reported_channels:
                if one is not None:
                    one.not_reportable[stay.medium] += 1
                continue
            if not stay.queue_sid and stay.fate is Fate.CANCELED:
                if one is not None:  # who never entered a queue is no contact
                    one.not_reportable[NEVER_QUEUED] += 1
                continue
            opened = self._opened(stay.start_ms)
            if one is not None and stay.end_ms is not None:
                figures = self._unserved(stay, stay.end_ms)
                late = figures.get("contacts_abandoned", 0) - figures.get("contacts_abandoned_in_sl", 0)
                self._queue_row(one, stay).add(figures, opened=opened, more={"contacts_abandoned_in_sl": late})
            for waiting in _waiting_at_end(bins, length_ms, stay):
                wait_ms = waiting.end_ms - stay.start_ms
                in_time = wait_ms <= self._rules.service_level_ms(stay.queue_sid, stay.queue_name)
                self._queue_row(waiting, stay).add(
                    {"backlog": 1, "backlog_not_expired": int(in_time), "backlog_expired": int(not in_time)},
                    opened=opened,
                    more={
                        "backlog_not_expired": int(not in_time),
                        "backlog_expired": int(in_time and _unseen_transfer_s(stay) > 0),
                    },
                )

    def _unserved(self, stay: Stay, end_ms: int) -> dict[str, int]:
        rules, wait_ms = self._rules, end_ms - stay.start_ms
        figures = {"contacts_received": 1, "unserved_delay_s": _seconds(stay.start_ms, end_ms)}
        if stay.fate is Fate.CANCELED and rules.is_diverted(stay.reason):
            return {**figures, "contacts_diverted": 1}
        short = wait_ms < rules.short_abandon_s * 1000
        return {
            **figures,
            "contacts_abandoned": 1,
            "contacts_abandoned_in_sl": int(wait_ms <= rules.service_level_ms(stay.queue_sid, stay.queue_name)),
            "contacts_abandoned_short": int(short),
            "contacts_abandoned_long": int(not short),
        }

    # -- agents: activities where they end, times cut at the borders

    def _book_agents(self, bins: list[IntervalFigures], length_ms: int) -> None:
        for agent_id, spans in self._spans.items():
            for span in spans:
                if span.state != "OFFLINE":
                    name = _TIME_FIELD.get(span.state, "busy_time_s")
                    for one, clipped_s in _clipped(bins, length_ms, span):
                        one.agents[agent_id].add({"login_time_s": clipped_s, name: clipped_s}, opened=False)
            for segment in segments_of(spans, self._rules):
                one_bin = None if segment.end_ms is None else _bin(bins, length_ms, segment.end_ms)
                if one_bin is not None and segment.state != "OFFLINE":
                    one_bin.activities.append(self._activity(agent_id, segment))

    def _activity(self, agent_id: str, segment: Segment) -> dict[str, Any]:
        end_ms = segment.start_ms if segment.end_ms is None else segment.end_ms
        row: dict[str, Any] = {
            "agent_id": agent_id,
            "event_id": segment.event_id,
            "event_reason": segment.event_reason,
            "start_ms": segment.start_ms,
            "end_ms": end_ms,
            "duration_s": _seconds(segment.start_ms, end_ms),
        }
        # Short states at the connector's start are absorbed the other way round by one who does not know the past.
        margin_ms = round(self._rules.min_state_s * 1000)
        begins = segment.first and self._from_the_beginning
        if begins or self._opened(segment.start_ms - margin_ms):
            row["opening"] = True
        return row


def _seconds(start_ms: int, end_ms: int) -> int:
    """Whole seconds between two instants, each truncated first, so that the parts of a whole add up to it."""
    return end_ms // 1000 - start_ms // 1000


def _unseen_transfer_s(stay: Stay | None) -> int:
    """By how much a wait seems longer to one who knows when the queue was entered, but not of a transfer in it."""
    return 0 if stay is None else _seconds(stay.entered_ms, stay.start_ms)


def _bin(bins: list[IntervalFigures], length_ms: int, ms: int) -> IntervalFigures | None:
    """The interval that an instant belongs to; a border belongs to the one that starts there."""
    number = (ms - bins[0].start_ms) // length_ms
    return bins[number] if 0 <= number < len(bins) else None


def _waiting_at_end(bins: list[IntervalFigures], length_ms: int, stay: Stay) -> Iterator[IntervalFigures]:
    """The intervals at whose end instant the stay is open: begun before it, not ended before it."""
    first = max(0, (stay.start_ms - bins[0].start_ms) // length_ms)
    after = len(bins) if stay.end_ms is None else (stay.end_ms - bins[0].start_ms) // length_ms
    yield from bins[first : max(first, after)]


def _clipped(bins: list[IntervalFigures], length_ms: int, span: Span) -> Iterator[tuple[IntervalFigures, int]]:
    """The intervals that a state touches, with the seconds it has in each."""
    end_ms = bins[-1].end_ms if span.end_ms is None else min(span.end_ms, bins[-1].end_ms)
    number = max(0, (span.start_ms - bins[0].start_ms) // length_ms)
    while number < len(bins) and bins[number].start_ms < end_ms:
        one = bins[number]
        yield one, _seconds(max(span.start_ms, one.start_ms), min(end_ms, one.end_ms))
        number += 1

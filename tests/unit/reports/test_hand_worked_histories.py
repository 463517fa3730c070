"""The small histories of fixtures/histories, each with rows worked out by hand, against what the domain makes."""

from __future__ import annotations

import random
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from histories import AVAILABLE, BREAK, LUNCH, OFFLINE, rules

from flex_plugin_backend.domain.agents import AgentTimeline, Rules
from flex_plugin_backend.domain.contacts import TaskStory
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import Interval, intervals, owner
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reports import AgentLine, IntervalRows, rows_of
from flex_plugin_backend.domain.reservations import StateRules

FOLDER = Path(__file__).parents[3] / "fixtures" / "histories"
FILES = sorted(FOLDER.glob("*.toml"))
PARTS = ("queue", "agent_queue", "performance", "activity", "not_reportable")
ACTIVITIES = {"Available": AVAILABLE, "Break": BREAK, "Lunch": LUNCH, "Offline": OFFLINE}
COLUMNS = {
    "received": "contacts_received",
    "handled": "contacts_handled",
    "abandoned": "contacts_abandoned",
    "short": "contacts_abandoned_short",
    "long": "contacts_abandoned_long",
    "diverted": "contacts_diverted",
    "answered_sl": "contacts_answered_in_sl",
    "abandoned_sl": "contacts_abandoned_in_sl",
    "handle": "handle_time_s",
    "talk": "talk_time_s",
    "hold": "hold_time_s",
    "work": "work_time_s",
    "ring": "ring_time_s",
    "delay": "queue_delay_s",
    "backlog": "backlog",
    "fresh": "backlog_not_expired",
    "expired": "backlog_expired",
    "login": "login_time_s",
    "ready": "ready_time_s",
    "idle": "idle_time_s",
    "busy": "busy_time_s",
    "out_calls": "out_calls",
    "out": "out_time_s",
    "internal_calls": "internal_calls",
    "internal": "internal_time_s",
}
QUEUE_COLUMNS = [name for name in COLUMNS if name not in
                 ("login", "ready", "idle", "busy", "out_calls", "out", "internal_calls", "internal")]  # fmt: skip
SHARE_COLUMNS = ["handled", "handle", "talk", "hold", "work", "ring"]
TIME_COLUMNS = ["login", "ready", "idle", "busy", "out_calls", "out", "internal_calls", "internal"]


@dataclass
class History:
    """One file, read."""

    title: str
    parts: tuple[str, ...]
    events: list[TaskRouterEvent]
    rules: ReportRules
    until_ms: int
    expected: dict[int, dict[str, list[str]]]


class Reader:
    """Turns the terse lines of a file into events and times."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.day_ms = int(datetime.combine(data["day"], datetime.min.time(), UTC).timestamp()) * 1000

    def ms(self, text: str) -> int:
        """`09:10`, `09:10:00.250`, or with `+1d` behind it on the day after."""
        clock, _, days = text.partition("+")
        hours, minutes, seconds = [*clock.split(":"), "0"][:3]
        whole, _, fraction = seconds.partition(".")
        shift_ms = int(days.removesuffix("d") or 0) * 86_400_000
        in_day_s = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
        return self.day_ms + shift_ms + in_day_s * 1000 + int(fraction.ljust(3, "0"))

    def event(self, number: int, line: str) -> TaskRouterEvent:
        """`TIME TYPE WT1 WR1@Ana in=QUEUE since=TIME ...`."""
        time, kind, *words = shlex.split(line, comments=True)
        found: dict[str, Any] = {"sid": f"EV{number:04d}", "type": kind, "occurred_ms": self.ms(time)}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals and word.startswith("WT"):
                found["task_sid"] = word
            elif not equals:
                reservation_sid, _, name = word.partition("@")
                found["reservation_sid"] = reservation_sid or None
                if name:
                    found["worker_sid"], found["worker_name"] = f"WK{name}", name
            elif key == "is":
                found["activity_sid"], found["activity_name"] = ACTIVITIES[value], value
            elif key in ("since", "born"):
                found["queue_entered_ms" if key == "since" else "task_created_ms"] = self.ms(value)
            else:
                found[_FIELDS[key]] = int(value) if key == "v" else value
        if "in" in {word.partition("=")[0] for word in words}:
            found["task_queue_name"] = found["task_queue_sid"]
        task = self.data.get("task", {}).get(found.get("task_sid"), {})
        if found.get("task_sid"):
            found.setdefault("task_channel", task.get("channel", "voice"))
            if not task.get("silent"):
                found.setdefault("direction", task.get("direction", "inbound"))
        return TaskRouterEvent(**found)

    def read(self) -> History:
        """The whole file."""
        data = self.data
        lines = [line for line in data["events"].splitlines() if line.strip() and not line.strip().startswith("#")]
        events = [self.event(number, line) for number, line in enumerate(lines, 1)]
        newest_ms = max(one.occurred_ms for one in events)
        expected = {
            self.ms(one["at"]): {part: list(one.get(part, [])) for part in PARTS} for one in data.get("interval", ())
        }
        return History(
            title=data["title"],
            parts=tuple(data["parts"]),
            events=events,
            rules=_settings(data.get("settings", {})),
            until_ms=self.ms(data["until"]) if "until" in data else owner(newest_ms).end_ms,
            expected=expected,
        )


_FIELDS = {
    "in": "task_queue_sid",
    "to": "transfer_to",
    "type": "transfer_type",
    "mode": "transfer_mode",
    "by": "transfer_initiating_reservation_sid",
    "reason": "cancel_reason",
    "channel": "task_channel",
    "dir": "direction",
    "v": "task_version",
    "status": "reservation_status",
}


def _settings(given: Mapping[str, Any]) -> ReportRules:
    states = StateRules(wrap_up_cap_ms=int(given.get("wrap_up_cap_s", 3600) * 1000))
    per_queue = given.get("queue_service_level_s", {})
    return ReportRules(
        states=states,
        min_state_ms=int(given.get("min_state_s", 3) * 1000),
        service_level_ms=int(given.get("service_level_s", 20) * 1000),
        queue_service_level_ms={queue: int(s * 1000) for queue, s in per_queue.items()},
        short_abandon_ms=int(given.get("short_abandon_s", 5) * 1000),
        queue_id_format=given.get("queue_id_format", "{queue}"),
    )


def load(path: Path) -> History:
    """The history in a file."""
    return Reader(tomllib.loads(path.read_text("utf-8"))).read()


def build(history: History, events: Iterable[TaskRouterEvent]) -> dict[int, IntervalRows]:
    """Every interval from the first event to the end of the history, by its start, from events in the order given."""
    using: Rules = rules(states=history.rules.states)
    as_of_ms = history.until_ms + 120_000
    stories: dict[str, TaskStory] = {}
    timelines: dict[str, AgentTimeline] = {}
    told = list(events)
    for one in told:
        if one.task_sid is not None:
            stories.setdefault(one.task_sid, TaskStory(one.task_sid)).apply(one, using.mapping)
        if one.worker_sid is not None:
            timelines.setdefault(one.worker_sid, AgentTimeline(one.worker_sid)).apply(one, using)
    for one in told:
        if one.type in ("task.completed", "task.canceled") and one.task_sid is not None:
            for timeline in timelines.values():
                timeline.end_task(one.task_sid, one.occurred_ms, one.occurred_ms + using.states.task_end_grace_ms)
    gone = {sid: line.deleted_ms for sid, line in timelines.items() if line.deleted_ms is not None}
    facts = [story.facts(history.rules, gone) for story in stories.values()]
    lines = [
        AgentLine(sid, sid.removeprefix("WK"), None, timeline.segments(0, as_of_ms, using))
        for sid, timeline in timelines.items()
    ]
    first_ms = min(one.occurred_ms for one in told)
    return {
        interval.start_ms: rows_of(
            interval,
            visits=[visit for fact in facts for visit in fact.visits],
            contacts=[contact for fact in facts for contact in fact.contacts],
            lines=lines,
            rules=history.rules,
            mapping=using.mapping,
            as_of_ms=as_of_ms,
        )
        for interval in intervals(first_ms, history.until_ms)
    }


def written(rows: IntervalRows) -> dict[str, list[str]]:
    """The rows in the terse words of the files; a figure that is 0 is left out."""
    return {
        "queue": [f"{one.queue_id} {one.channel}{_figures(one, QUEUE_COLUMNS)}" for one in rows.queues],
        "agent_queue": [
            f"{one.queue_id} {one.channel} {one.agent_id}{_figures(one, SHARE_COLUMNS)}" for one in rows.agent_queues
        ],
        "performance": [f"{one.agent_id}{_figures(one, TIME_COLUMNS)}" for one in rows.performance],
        "activity": [
            f"{one.agent_id} {one.event_id} {one.event_reason}".rstrip()
            + f" {_clock(one.start_ms)} {_clock(one.end_ms)} {one.duration_s}s"
            for one in rows.activities
        ],
        "not_reportable": [
            f"{one.queue_id} {one.channel} {one.direction} {one.contacts} {one.cause}" for one in rows.not_reportable
        ],
    }


def _figures(row: object, columns: list[str]) -> str:
    found = [(name, getattr(row, COLUMNS[name])) for name in columns]
    return "".join(f" {name}={value}" for name, value in found if value)


def _clock(at_ms: int) -> str:
    text = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:12]
    return text.removesuffix(".000")


def _ordered(row: str) -> str:
    """The figures of a hand-written row in the order of the columns, so that a file may name them as it likes."""
    words = row.split()
    figures = {word.partition("=")[0]: word for word in words if "=" in word}
    order = [name for name in COLUMNS if name in figures]
    assert len(order) == len(figures), f"unknown or repeated figure in {row!r}"
    return " ".join([word for word in words if "=" not in word] + [figures[name] for name in order])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rows_are_those_worked_out_by_hand(path: Path) -> None:
    """Every listed interval has exactly the rows written down, and every other interval has none."""
    history = load(path)
    built = build(history, history.events)
    assert set(history.expected) <= set(built), "an interval is expected beyond the end of the history"
    for start_ms, rows in built.items():
        shown = written(rows)
        wanted = history.expected.get(start_ms, {})
        for part in history.parts:
            assert shown[part] == [_ordered(row) for row in wanted.get(part, [])], f"{part} at {_clock(start_ms)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_order_and_repetition_of_events_change_no_row(path: Path) -> None:
    """Backwards, shuffled and with every event twice, the rows are the same objects' equals."""
    history = load(path)
    expected = build(history, history.events)
    assert build(history, history.events[::-1]) == expected
    chance = random.Random(path.stem)
    for _ in range(3):
        mixed = history.events * 2
        chance.shuffle(mixed)
        assert build(history, mixed) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_complete_and_says_how_its_figures_came_about(path: Path) -> None:
    """Each file has a title, compares at least one part, expects on the grid, and shows its arithmetic in comments."""
    history = load(path)
    assert history.title
    assert history.parts
    assert set(history.parts) <= set(PARTS)
    assert "# " in path.read_text("utf-8")
    for start_ms, wanted in history.expected.items():
        assert owner(start_ms) == Interval(start_ms)
        assert not [part for part, rows in wanted.items() if rows and part not in history.parts]


def test_there_are_enough_histories() -> None:
    """The table of hand-worked histories has not shrunk."""
    assert len(FILES) >= 30

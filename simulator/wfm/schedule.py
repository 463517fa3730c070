"""What a planner has told the fake WFM: activity codes, the mapping of ACD events, shifts and a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

LOGIN, LOGOFF = "Login", "Logoff"  # CXone reference 5.1: special codes that are never scheduled


class BadSchedule(ValueError):
    """A schedule that makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class ActivityCode:
    """A kind of work or absence; `open` is work on contacts."""

    name: str
    is_open: bool
    category: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What an agent is scheduled for, half-open in time."""

    start_ms: int
    end_ms: int
    activity: str


@dataclass(frozen=True, slots=True)
class PlannedAgent:
    """An agent whom the WFM knows, by the ACD login id."""

    name: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a queue is expected to get in one interval."""

    volume: float
    aht_s: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything planned.

    Attributes:
        codes: activity codes by name.
        mapping: (event id, reason) -> activity name; reason None stands for every reason not named.
        agents: by ACD login id.
        forecast: by queue id and start of the interval.
        by_category: compare categories instead of activities.
    """

    codes: Mapping[str, ActivityCode] = field(default_factory=dict)
    mapping: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    agents: Mapping[str, PlannedAgent] = field(default_factory=dict)
    forecast: Mapping[tuple[str, int], Foretold] = field(default_factory=dict)
    by_category: bool = False

    def activity_of(self, event_id: str, event_reason: str) -> str | None:
        """The activity an ACD event stands for; None when nobody has mapped it."""
        return self.mapping.get((event_id, event_reason), self.mapping.get((event_id, None)))

    def is_open(self, activity: str) -> bool:
        """Whether an activity is work on contacts; unknown codes and the special ones are not."""
        code = self.codes.get(activity)
        return code is not None and code.is_open


def changed(schedule: Schedule, given: Any) -> Schedule:
    """The schedule with each part replaced that is given: activities, mapping, agents, forecast, method."""
    if not isinstance(given, dict):
        raise BadSchedule("send a JSON object")
    unknown = given.keys() - _READERS.keys() - {"method"}
    if unknown:
        raise BadSchedule(f"unknown {min(unknown)!r}; known are {', '.join(_READERS)} and method")
    if given.get("method", "activity") not in ("activity", "category"):
        raise BadSchedule("method must be activity or category")
    parts: dict[str, Any] = {}
    for name, (target, reader) in _READERS.items():
        if name in given:
            try:
                parts[target] = reader(given[name])
            except (KeyError, TypeError, AttributeError) as error:
                raise BadSchedule(f"{name} lacks something or has a wrong type: {error}") from error
    if "method" in given:
        parts["by_category"] = given["method"] == "category"
    result = replace(schedule, **parts)
    for planned in result.agents.values():
        for stretch in planned.stretches:
            if stretch.activity not in result.codes:
                raise BadSchedule(f"activity {stretch.activity!r} is scheduled but not among the activities")
    return result


def _codes(rows: Iterable[Mapping[str, Any]]) -> dict[str, ActivityCode]:
    codes = [ActivityCode(_text(row["activity"]), row["open"] is True, row.get("category") or "") for row in rows]
    if any(code.name in (LOGIN, LOGOFF) for code in codes):
        raise BadSchedule(f"{LOGIN} and {LOGOFF} exist already and are never scheduled")
    return {code.name: code for code in codes}


def _mapping(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str | None], str]:
    mapping: dict[tuple[str, str | None], str] = {}
    for row in rows:
        reason = row.get("event_reason")
        key = (_text(row["event_id"]), None if reason is None else str(reason))
        if key in mapping:
            raise BadSchedule(f"event {key[0]} with reason {key[1]!r} is mapped twice")
        mapping[key] = _text(row["activity"])
    return mapping


def _agents(rows: Iterable[Mapping[str, Any]]) -> dict[str, PlannedAgent]:
    agents: dict[str, PlannedAgent] = {}
    for row in rows:
        stretches = sorted(
            (Stretch(_instant(one["start_ms"]), _instant(one["end_ms"]), _text(one["activity"])) for one in
             row["activities"]),
            key=lambda stretch: stretch.start_ms,
        )  # fmt: skip
        last_ms = 0
        for stretch in stretches:
            if stretch.start_ms < last_ms or stretch.end_ms <= stretch.start_ms:
                raise BadSchedule(f"the activities of agent {row['agent_id']} overlap or end before they begin")
            last_ms = stretch.end_ms
        agents[_text(row["agent_id"])] = PlannedAgent(str(row.get("name") or row["agent_id"]), tuple(stretches))
    return agents


def _forecast(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], Foretold]:
    return {
        (_text(row["queue_id"]), _instant(row["start_ms"])): Foretold(float(row["volume"]), float(row["aht_s"]))
        for row in rows
    }


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadSchedule(f"{value!r} should be a text that is not empty")
    return value


def _instant(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadSchedule(f"{value!r} should be an instant in epoch milliseconds")
    return value


_READERS: dict[str, tuple[str, Any]] = {
    "activities": ("codes", _codes),
    "mapping": ("mapping", _mapping),
    "agents": ("agents", _agents),
    "forecast": ("forecast", _forecast),
}

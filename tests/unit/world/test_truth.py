"""The truth is a gapless timeline, and an independent reading of the event log arrives at the same one."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

from simulator.world.engine import World
from simulator.world.events import Event


def test_every_timeline_starts_with_the_world_and_only_moves_forward(day: World) -> None:
    """First entry at the world's start without a cause; later ones strictly later and different from the one before."""
    for states in day.truth.states.values():
        assert states[0].start_ms == day.scenario.start_ms
        assert states[0].cause_sid is None
        for before, after in pairwise(states):
            assert before.start_ms < after.start_ms
            assert before.value != after.value


def test_every_state_is_caused_by_an_event_of_that_worker_at_that_moment(day: World) -> None:
    """The cause of a state is in the log, names the worker and carries the state's start as its time."""
    events = {event.sid: event for event in day.log}
    for worker_sid, states in day.truth.states.items():
        for state in states[1:]:
            if state.start_ms <= day.now_ms:
                event = events[state.cause_sid or ""]
                assert (event.worker_sid, event.ms) == (worker_sid, state.start_ms)


def test_channel_direction_and_reason_stand_only_where_they_mean_something(day: World) -> None:
    """Channel and direction belong to contacts, a reason to unavailability."""
    for states in day.truth.states.values():
        for state in states:
            assert bool(state.channel) == bool(state.direction) == (state.state == "CONTACT")
            assert bool(state.reason) == (state.state == "UNAVAILABLE")
            assert state.channel in {"", "voice", "chat", "sms", "web"}
            assert state.direction in {"", "inbound", "outbound", "internal"}


def test_a_day_shows_every_state(day: World) -> None:
    """No state of the vocabulary is missing from a working day."""
    seen = Counter(state.state for states in day.truth.states.values() for state in states)
    assert set(seen) == {
        "AVAILABLE", "UNAVAILABLE", "RESERVED", "DIALLING", "CONTACT", "WRAPUP", "OFFLINE",
    }  # fmt: skip
    directions = {state.direction for states in day.truth.states.values() for state in states}
    assert directions == {"", "inbound", "outbound", "internal"}


class _Reader:
    """Derives an agent's states from events alone; written for this test, shares nothing with the model."""

    def __init__(self, value: tuple[str, str, str, str], activity: tuple[str, bool, bool]) -> None:
        self.activity = activity
        self.open: dict[str, tuple[str, str, str, int]] = {}
        self.values = [value]
        self.starts: list[int] = []

    def read(self, event: Event, activities: dict[str, tuple[str, bool, bool]]) -> None:
        data = event.data()
        kind = event.type
        if kind.startswith("worker."):
            self.activity = activities[data["worker_activity_sid"]]
        elif kind.startswith("reservation."):
            attributes = json.loads(data["task_attributes"])
            words = attributes.get("channelType") or attributes["conversations"].get("communication_channel") or "voice"
            phase = {"created": "p", "accepted": "a", "wrapup": "w"}.get(kind.split(".")[1])
            key = data["reservation_sid"]
            if phase is None:
                self.open.pop(key, None)
            else:
                self.open[key] = (phase, words.lower(), attributes["direction"], event.ms)
        value = self._value()
        if value != self.values[-1]:
            self.values.append(value)
            self.starts.append(event.ms)

    def _value(self) -> tuple[str, str, str, str]:
        accepted = sorted(
            (one for one in self.open.values() if one[0] == "a"), key=lambda one: (one[1] != "voice", one[3])
        )
        if accepted:
            return ("CONTACT", accepted[0][1], accepted[0][2], "")
        phases = {one[0] for one in self.open.values()}
        if "w" in phases:
            return ("WRAPUP", "", "", "")
        if "p" in phases:
            inbound = any(one[0] == "p" and one[2] != "outbound" for one in self.open.values())
            return ("RESERVED" if inbound else "DIALLING", "", "", "")
        name, available, offline = self.activity
        if offline:
            return ("OFFLINE", "", "", "")
        return ("AVAILABLE", "", "", "") if available else ("UNAVAILABLE", "", "", name)


def test_events_alone_lead_to_the_same_states(day: World) -> None:
    """An independent derivation from the event log equals the truth that the model told of itself."""
    offline_sid = day.truth.offline_activity_sid
    activities = {
        activity.sid: (activity.name, activity.available, activity.sid == offline_sid)
        for activity in day.floor.activities.values()
    }
    by_name = {name: (name, available, offline) for name, available, offline in activities.values()}
    readers: dict[str, _Reader] = {}
    for worker_sid, states in day.truth.states.items():
        first = by_name[{"OFFLINE": "Offline", "AVAILABLE": "Available"}.get(states[0].state, states[0].reason)]
        readers[worker_sid] = _Reader(states[0].value, first)
    for event in day.log:
        if event.worker_sid:
            readers[event.worker_sid].read(event, activities)
    for worker_sid, reader in readers.items():
        told = [state for state in day.truth.states[worker_sid] if state.start_ms <= day.now_ms]
        assert reader.values == [state.value for state in told]
        assert reader.starts == [state.start_ms for state in told[1:]]

"""A log moved to another time tells the same story then."""

from __future__ import annotations

import pytest

from simulator.recording.restamp import Restamp, clock_lines
from simulator.world.engine import World

NOW_MS = 1_800_000_000_000


def test_times_and_lengths_fit_the_new_time(strange: World) -> None:
    """Ten times as fast: what was 20 s apart is 2 s apart, in the stamps, the dates and the lengths."""
    events = list(strange.log)
    move = Restamp(events[0].at_ms, NOW_MS, 10.0)
    for event in events:
        moved, data, before = move.event(event), move.event(event).data(), event.data()
        assert moved.ms == NOW_MS + round((event.ms - events[0].at_ms) / 10)
        assert set(data) == set(before)
        for key in ("task_date_created", "task_queue_entered_date"):
            if key in before:
                assert abs(int(data[key]) - (NOW_MS + (int(before[key]) * 1000 - events[0].at_ms) / 10) / 1000) <= 1
        if "worker_time_in_previous_activity_ms" in before:
            length_ms = int(before["worker_time_in_previous_activity_ms"]) / 10
            assert abs(int(data["worker_time_in_previous_activity_ms"]) - length_ms) <= 1
            assert data["worker_time_in_previous_activity"] == str(int(length_ms + 0.5) // 1000)
        if "task_age" in before:
            assert int(data["task_age"]) == moved.ms // 1000 - int(data["task_date_created"])
        unchanged = ("task_sid", "task_version", "task_attributes", "worker_activity_name")
        assert all(data.get(key) == before.get(key) for key in unchanged)


def test_at_its_own_speed_only_the_time_moves(strange: World) -> None:
    """By whole seconds: all data but the dates stay as they are."""
    events = list(strange.log)
    move = Restamp(events[0].at_ms, events[0].at_ms + 86_400_000)
    for event in events:
        data, before = move.event(event).data(), event.data()
        dates = ("task_date_created", "task_queue_entered_date", "task_virtual_start_time", "transfer_started")
        assert {key: value for key, value in data.items() if key not in dates} == {
            key: value for key, value in before.items() if key not in dates
        }
        assert all(int(data[key]) - int(before[key]) == 86_400 for key in dates if key in before)


@pytest.mark.parametrize("value", ["", "soon", "2026-01-05T08:00:00Z"])
def test_a_date_that_is_no_number_is_left_alone(strange: World, value: str) -> None:
    """Nothing is guessed."""
    event = next(one for one in strange.log if one.type == "task.created")
    odd = event._replace(task_base={**event.task_base, "task_virtual_start_time": value})
    assert Restamp(0, 5).event(odd).data()["task_virtual_start_time"] == value


def test_the_clock_of_a_connector_is_told_as_settings() -> None:
    """As a table to paste."""
    assert clock_lines(1, 2, 3).splitlines() == ["[clock]", "start_ms = 1", "anchor_ms = 2", "speed = 3.0"]

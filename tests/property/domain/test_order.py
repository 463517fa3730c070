"""Whatever the order of arrival and however often: the same timeline, without hole, overlap or ghost."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise

from histories import AVAILABLE, BREAK, LUNCH, NAMES, OFFLINE, WORKER, activity, play, reservation, rules, shown, task
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_plugin_backend.domain.agents import AgentTimeline
from flex_plugin_backend.domain.events import TaskRouterEvent

END_MS = 10_000_000
PATHS = (
    ("created", "accepted", "wrapup", "completed"),
    ("created", "accepted", "completed"),
    ("created", "accepted"),
    ("created", "accepted", "wrapup"),
    ("created", "rejected"),
    ("created", "timeout"),
    ("created", "canceled"),
    ("created", "rescinded"),
)


@st.composite
def histories(draw: st.DrawFn) -> list[TaskRouterEvent]:
    """A legal history of one worker: activities that follow one another and reservations that overlap at will."""
    versions = draw(st.booleans())
    events: list[TaskRouterEvent] = []
    times = sorted(draw(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=8, unique=True)))
    sids = [AVAILABLE, BREAK, LUNCH, OFFLINE]
    current: tuple[int, str] | None = None
    for at_ms in times:
        to = draw(st.sampled_from([sid for sid in sids if current is None or sid != current[1]]))
        previous = {}
        if current is not None:
            previous = {
                "previous_activity_sid": current[1],
                "previous_activity_name": NAMES[current[1]],
                "previous_activity_ms": at_ms - current[0],
            }
        events.append(activity(at_ms, to, **previous))
        current = (at_ms, to)
    changes = list(events)
    for number in range(1, draw(st.integers(0, 6)) + 1):
        path = draw(st.sampled_from(PATHS))
        instants = sorted(draw(st.lists(st.integers(1, 3_500_000), min_size=len(path), max_size=len(path))))
        fields = {
            "task_channel": draw(st.sampled_from(["voice", "chat", "sms", "email"])),
            "direction": draw(st.sampled_from(["inbound", "outbound", "internal"])),
        }
        for step, at_ms in zip(path, instants, strict=True):
            block = _block(changes, at_ms)
            events.append(reservation(step, at_ms, number, **fields, **block))
            if draw(st.integers(0, 9)) == 0:
                # The same step told once more, under another sid and with a later time (REST's last update).
                events.append(reservation(step, at_ms + draw(st.integers(0, 90_000)), number, **fields))
        if path[-1] == "completed" and draw(st.booleans()):
            events.append(task("completed", instants[-1], number))
    events.sort(key=lambda one: one.occurred_ms)
    if versions:
        events = [replace(one, worker_version=number) if one.worker_sid else one for number, one in enumerate(events)]
    return events


def _block(changes: list[TaskRouterEvent], at_ms: int) -> dict[str, str | None]:
    """The worker block of a reservation event: the activity in force."""
    before = [one for one in changes if one.occurred_ms < at_ms]
    return {"activity_sid": before[-1].activity_sid, "activity_name": before[-1].activity_name} if before else {}


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_and_repetition_ends_in_the_same_timeline(
    events: list[TaskRouterEvent], chance: random.Random, repeats: int
) -> None:
    """Arrival order leaves no trace."""
    expected = shown(play(events), END_MS)
    mixed = events + [chance.choice(events) for _ in range(repeats * len(events))]
    chance.shuffle(mixed)
    assert shown(play(mixed), END_MS) == expected


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_a_timeline_stored_and_loaded_at_any_moment_goes_on_the_same(
    events: list[TaskRouterEvent], chance: random.Random
) -> None:
    """A restart between any two events changes nothing."""
    using = rules()
    timeline = AgentTimeline(WORKER)
    for one in events:
        if one.worker_sid is not None:
            timeline.apply(one, using)
        elif one.task_sid is not None:
            timeline.end_task(one.task_sid, one.occurred_ms, one.occurred_ms + using.states.task_end_grace_ms)
        if chance.random() < 0.5:
            timeline = AgentTimeline.from_record(json.loads(json.dumps(timeline.to_record())))
    assert shown(timeline, END_MS) == shown(play(events), END_MS)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_no_reservation_is_open_after_its_terminal_event(events: list[TaskRouterEvent]) -> None:
    """Whatever else is known of it."""
    ended = {
        one.reservation_sid
        for one in events
        if one.type.rpartition(".")[2] in ("completed", "rejected", "timeout", "canceled", "rescinded")
        and one.reservation_sid
    }
    still_open = {one.sid for one in play(events).open_reservations(END_MS, rules())}
    assert not ended & still_open


@settings(max_examples=200, deadline=None)
@given(histories(), st.integers(0, 3_600_000))
def test_segments_tile_time_and_agree_with_the_state_at_every_instant(
    events: list[TaskRouterEvent], at_ms: int
) -> None:
    """Each instant lies in exactly one segment, and that segment's state is the state in force."""
    using = rules()
    timeline = play(events)
    segments = timeline.segments(0, END_MS, using)
    starts = [one.start_ms for one in segments]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(one.state != other.state for one, other in pairwise(segments))
    owner = [one for one in segments if one.start_ms <= at_ms][-1]
    assert timeline.effective_at(at_ms, END_MS, using) == owner.state


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_instant_an_event_claims_to_affect_is_not_too_late(
    events: list[TaskRouterEvent], chance: random.Random
) -> None:
    """Before the instant that `apply` returns, nothing has changed."""
    using = rules()
    chance.shuffle(events)
    timeline = AgentTimeline(WORKER)
    for one in events:
        before = shown(timeline, END_MS)
        if one.worker_sid is not None:
            affected_ms = timeline.apply(one, using)
        else:
            affected_ms = timeline.end_task(one.task_sid or "", one.occurred_ms, one.occurred_ms)
        after = shown(timeline, END_MS)
        if affected_ms is None:
            assert after == before
        else:
            assert [s for s in after if s[0] < affected_ms] == [s for s in before if s[0] < affected_ms]

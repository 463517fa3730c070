"""Whatever the order of arrival and however often: the same rows, and figures that add up."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

from histories import AVAILABLE, BREAK, LUNCH, NAMES, OFFLINE, event, rules
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_plugin_backend.domain.agents import AgentTimeline, Segment
from flex_plugin_backend.domain.contacts import Outcome, TaskFacts, TaskStory
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval, intervals, owner, whole_seconds
from flex_plugin_backend.domain.mapping import EffectiveState, State
from flex_plugin_backend.domain.report_rules import REPORTABLE, ReportRules
from flex_plugin_backend.domain.reports import AgentLine, IntervalRows, rows_of, touched_by_task
from flex_plugin_backend.domain.reservations import StateRules
from flex_plugin_backend.domain.segments import activity_segments

DAY_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
LENGTH_MS = 8 * INTERVAL_MS
END_MS = DAY_MS + 12 * INTERVAL_MS
AS_OF_MS = END_MS + 120_000
WORKERS = ("WK1", "WK2", "WK3")
QUEUES = ("WQ1", "WQ2")
USING = rules(states=StateRules(wrap_up_cap_ms=1_200_000))
RULES = ReportRules(states=USING.states, queue_service_level_ms={"WQ2": 60_000})

# What may befall a task; each step is told by one event. An upper-case letter names the agent, a digit the queue.
COURSES = (
    "created entered1 offeredA acceptedA wrapupA completedA task-completed",
    "entered1 created offeredA acceptedA completedA",
    "created entered1 canceled",
    "created entered1 offeredA canceled refusedA",
    "created canceled",
    "created offeredA acceptedA wrapupA completedA",
    "created entered1 left entered2 offeredB acceptedB wrapupB",
    "created entered1 left canceled",
    "created entered1 offeredA offeredB refusedB acceptedA wrapupA task-completed",
    "created entered1 offeredA acceptedA initiatedA entered2 wrapupA completedA offeredB acceptedB wrapupB completedB",
    "created entered1 offeredA acceptedA initiatedA offeredB acceptedB wrapupA completedA wrapupB completedB",
    "created entered1 offeredA acceptedA initiatedA entered2 wrapupA transfer-failed completedA task-completed",
    "created entered1 offeredA acceptedA initiatedA offeredB refusedB transfer-failed wrapupA completedA",
    "created entered1 acceptedA initiatedA entered2 transfer-canceled wrapupA completedA task-completed",
    "created entered1 offeredA refusedA offeredB hold acceptedB hold unhold wrapupB hold completedB task-deleted",
)
KINDS = {
    "created": "task.created",
    "entered": "task-queue.entered",
    "left": "task-queue.moved",
    "canceled": "task.canceled",
    "task-completed": "task.completed",
    "task-deleted": "task.system-deleted",
    "initiated": "task.transfer-initiated",
    "transfer-failed": "task.transfer-failed",
    "transfer-canceled": "task.transfer-canceled",
    "hold": "participant.hold",
    "unhold": "participant.unhold",
    "offered": "reservation.created",
    "accepted": "reservation.accepted",
    "wrapup": "reservation.wrapup",
    "completed": "reservation.completed",
    "refused": "reservation.rejected",
}


@st.composite
def tasks(draw: st.DrawFn, number: int) -> list[TaskRouterEvent]:
    """One task's events: a course at random instants, some of them lost, some told by two routes."""
    steps = draw(st.sampled_from(COURSES)).split()
    # Now and then on a coarse grid, so that several steps fall on one instant and on the boundaries.
    grain_ms = draw(st.sampled_from([1, 1, 500, INTERVAL_MS]))
    places = st.integers(0, LENGTH_MS // grain_ms)
    instants = sorted(grain_ms * one for one in draw(st.lists(places, min_size=len(steps), max_size=len(steps))))
    agents = draw(st.permutations(WORKERS))
    common: dict[str, Any] = {
        "task_sid": f"WT{number}",
        "task_channel": draw(st.sampled_from(["voice", "chat", "sms", "web", "email"])),
        "direction": draw(st.sampled_from(["inbound", "inbound", "inbound", "outbound", "internal"])),
    }
    found: list[TaskRouterEvent] = []
    queue: dict[str, Any] = {}
    for step, offset_ms in zip(steps, instants, strict=True):
        name = step.rstrip("AB12")
        fields = {**common, **queue}
        if step[-1] in "12":
            queue = {"task_queue_sid": QUEUES[int(step[-1]) - 1]}
            fields.update(queue)
            queue["queue_entered_ms"] = (DAY_MS + offset_ms) // 1000 * 1000
        if step[-1] in "AB":
            agent = "AB".index(step[-1])
            sid = f"WR{number}{step[-1]}"
            if name == "initiated":
                fields["transfer_initiating_reservation_sid"] = sid
            else:
                fields.update(reservation_sid=sid, worker_sid=agents[agent])
        if name == "canceled":
            fields["cancel_reason"] = draw(st.sampled_from(["hangup", "Callback requested", None]))
        if draw(st.integers(0, 19)) == 0:
            continue  # lost
        found.append(event(KINDS[name], DAY_MS + offset_ms, **fields))
        if draw(st.integers(0, 9)) == 0:
            found.append(event(KINDS[name], DAY_MS + offset_ms, **fields))
    return found


@st.composite
def days(draw: st.DrawFn) -> list[TaskRouterEvent]:
    """The events of a short day of three agents and up to five tasks, in order of time."""
    found: list[TaskRouterEvent] = []
    for worker in WORKERS:
        changes = sorted(draw(st.lists(st.integers(0, LENGTH_MS), max_size=5, unique=True)))
        for offset_ms in changes:
            to = draw(st.sampled_from([AVAILABLE, BREAK, LUNCH, OFFLINE]))
            found.append(
                event(
                    "worker.activity.update",
                    DAY_MS + offset_ms,
                    worker_sid=worker,
                    activity_sid=to,
                    activity_name=NAMES[to],
                )
            )
    for number in range(1, draw(st.integers(0, 5)) + 1):
        found.extend(draw(tasks(number)))
    return sorted(found, key=lambda one: one.occurred_ms)


def read(events: list[TaskRouterEvent]) -> tuple[list[TaskFacts], list[AgentLine]]:
    """Facts and lines from events in the order given; each event once for each entity that it names."""
    stories: dict[str, TaskStory] = {}
    timelines: dict[str, AgentTimeline] = {}
    for one in events:
        if one.task_sid is not None:
            stories.setdefault(one.task_sid, TaskStory(one.task_sid)).apply(one, USING.mapping)
        if one.worker_sid is not None:
            timelines.setdefault(one.worker_sid, AgentTimeline(one.worker_sid)).apply(one, USING)
    for one in events:
        if one.type in ("task.canceled", "task.completed", "task.system-deleted"):
            for timeline in timelines.values():
                timeline.end_task(one.task_sid or "", one.occurred_ms, one.occurred_ms + 30_000)
    facts = [story.facts(RULES) for story in stories.values()]
    lines = [AgentLine(sid, sid, None, timeline.segments(0, AS_OF_MS, USING)) for sid, timeline in timelines.items()]
    return facts, lines


def build(facts: list[TaskFacts], lines: list[AgentLine], interval: Interval) -> IntervalRows:
    """The rows of one interval."""
    return rows_of(
        interval,
        visits=[visit for fact in facts for visit in fact.visits],
        contacts=[contact for fact in facts for contact in fact.contacts],
        lines=lines,
        rules=RULES,
        mapping=USING.mapping,
        as_of_ms=AS_OF_MS,
    )


def day(facts: list[TaskFacts], lines: list[AgentLine]) -> list[IntervalRows]:
    """Every interval of the day."""
    return [build(facts, lines, interval) for interval in intervals(DAY_MS, END_MS)]


@settings(max_examples=120, deadline=None)
@given(days(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_and_repetition_of_a_days_events_gives_identical_rows(
    events: list[TaskRouterEvent], chance: random.Random, repeats: int
) -> None:
    """Byte for byte, so also in the same order."""
    expected = day(*read(events))
    mixed = events + [chance.choice(events) for _ in range(repeats * len(events))]
    chance.shuffle(mixed)
    assert repr(day(*read(mixed))) == repr(expected)


@settings(max_examples=120, deadline=None)
@given(days(), st.randoms(use_true_random=False))
def test_facts_taken_after_every_event_and_read_anew_in_between_end_the_same(
    events: list[TaskRouterEvent], chance: random.Random
) -> None:
    """Incremental, replayed or read from the log again: the facts are the same."""
    told = [one for one in events if one.task_sid == "WT1"]
    whole = TaskStory("WT1")
    for one in told:
        whole.apply(one, USING.mapping)
    chance.shuffle(told)
    stepwise = TaskStory("WT1")
    for number, one in enumerate(told):
        stepwise.apply(one, USING.mapping)
        stepwise.facts(RULES)
        if chance.random() < 0.3:
            stepwise = TaskStory("WT1")
            for read_again in sorted(told[: number + 1], key=lambda event: event.occurred_ms):
                stepwise.apply(read_again, USING.mapping)
    assert stepwise.facts(RULES) == whole.facts(RULES)


@settings(max_examples=120, deadline=None)
@given(days())
def test_sums_over_the_intervals_are_the_totals_of_the_day(events: list[TaskRouterEvent]) -> None:
    """Each contact counts once; received = handled + abandoned + diverted."""
    facts, lines = read(events)
    built = day(facts, lines)
    queues = [row for one in built for row in one.queues]
    contacts = [one for fact in facts for one in fact.contacts if one.end_ms is not None]
    taken = [one for one in contacts if one.channel in REPORTABLE]
    inbound = [one for one in taken if one.direction == "inbound"]
    outcomes = Counter(v.outcome for fact in facts for v in fact.visits if v.channel in REPORTABLE)
    handle_s = sum(whole_seconds(one.accepted_ms, one.end_ms or 0) for one in inbound)
    assert sum(row.contacts_handled for row in queues) == len(inbound)
    assert sum(row.contacts_abandoned for row in queues) == outcomes[Outcome.ABANDONED]
    assert sum(row.contacts_diverted for row in queues) == outcomes[Outcome.DIVERTED]
    assert sum(row.handle_time_s for row in queues) == handle_s
    for row in queues:
        assert row.contacts_received == row.contacts_handled + row.contacts_abandoned + row.contacts_diverted
        assert row.contacts_abandoned == row.contacts_abandoned_short + row.contacts_abandoned_long
        assert row.handle_time_s == row.talk_time_s + row.hold_time_s + row.work_time_s
        assert min(row.talk_time_s, row.hold_time_s, row.work_time_s, row.queue_delay_s, row.ring_time_s) >= 0
        assert row.backlog == row.backlog_not_expired + row.backlog_expired
    shares = [row for one in built for row in one.agent_queues]
    assert sum(row.handle_time_s for row in shares) == handle_s
    assert sum(row.contacts_handled for row in shares) == len(inbound)
    performance = [row for one in built for row in one.performance]
    assert sum(row.out_calls for row in performance) == sum(one.direction == "outbound" for one in taken)
    assert sum(row.internal_calls for row in performance) == sum(one.direction == "internal" for one in taken)
    assert sum(row.contacts for one in built for row in one.not_reportable) == len(contacts) - len(taken) + sum(
        v.outcome is Outcome.NEVER_QUEUED
        or (v.channel not in REPORTABLE and v.outcome in (Outcome.ABANDONED, Outcome.DIVERTED))
        for fact in facts
        for v in fact.visits
    )


@settings(max_examples=120, deadline=None)
@given(days())
def test_login_is_ready_idle_and_busy_and_adds_up_over_the_day(events: list[TaskRouterEvent]) -> None:
    """Clipping loses no second and invents none, however the intervals cut."""
    facts, lines = read(events)
    built = day(facts, lines)
    for row in (row for one in built for row in one.performance):
        assert row.login_time_s == row.ready_time_s + row.idle_time_s + row.busy_time_s <= 900
    for line in lines:
        total_s = 0
        for index, segment in enumerate(line.segments):
            following = line.segments[index + 1].start_ms if index + 1 < len(line.segments) else END_MS
            if segment.state.state not in (State.OFFLINE, State.UNKNOWN):
                total_s += max(0, whole_seconds(max(segment.start_ms, DAY_MS), min(following, END_MS)))
        logged_s = sum(r.login_time_s for one in built for r in one.performance if r.agent_id == line.agent_id)
        assert logged_s == total_s


@settings(max_examples=80, deadline=None)
@given(days(), st.randoms(use_true_random=False))
def test_an_interval_that_a_late_event_does_not_claim_to_touch_stays_as_it_was(
    events: list[TaskRouterEvent], chance: random.Random
) -> None:
    """What `touched_by_task` leaves out need not be built again."""
    told = [one for one in events if one.task_sid is not None]
    if not told:
        return
    late = chance.choice(told)
    before, _ = read([one for one in events if one is not late])
    after, _ = read(events)
    held = {fact.task_sid: fact for fact in before}
    now = next(fact for fact in after if fact.task_sid == late.task_sid)
    touched = touched_by_task(held.get(now.task_sid), now, AS_OF_MS)
    lines = [AgentLine(worker, worker, None, []) for worker in WORKERS]
    for interval in intervals(DAY_MS, END_MS):
        if interval not in touched:
            assert build(before, lines, interval) == build(after, lines, interval)


STATES = (
    EffectiveState(State.AVAILABLE),
    EffectiveState(State.WRAPUP),
    EffectiveState(State.OFFLINE),
    EffectiveState(State.RESERVED),
)


@st.composite
def lines_of_states(draw: st.DrawFn) -> list[Segment]:
    """A raw line: segments from a millisecond to some seconds, neighbours differ."""
    at_ms, found = DAY_MS, []
    for _ in range(draw(st.integers(1, 12))):
        state = draw(st.sampled_from([one for one in STATES if not found or one != found[-1].state]))
        found.append(Segment(at_ms, state))
        at_ms += draw(st.sampled_from([1, 999, 1500, 2999, 3000, 3001, 9000]))
    return [*found, Segment(at_ms, EffectiveState(State.UNAVAILABLE))]


@settings(max_examples=200, deadline=None)
@given(lines_of_states(), st.integers(0, 20_000))
def test_smoothed_segments_tile_the_time_and_are_long_enough(line: list[Segment], more_ms: int) -> None:
    """No hole, no overlap, no two neighbours alike, none short but the last that still lasts."""
    until_ms = line[-1].start_ms + 5_000 + more_ms
    found = activity_segments(line, until_ms, USING.mapping, 3_000)
    assert found[0].start_ms == line[0].start_ms
    assert found[-1].end_ms is None
    for one, other in pairwise(found):
        assert one.end_ms == other.start_ms
        assert (one.told, one.offline) != (other.told, other.offline)
        assert other.start_ms - one.start_ms >= 3_000


@settings(max_examples=200, deadline=None)
@given(lines_of_states(), st.data())
def test_smoothing_may_begin_at_the_start_of_any_smoothed_segment(line: list[Segment], data: st.DataObject) -> None:
    """So a ledger need not read an agent's whole life."""
    until_ms = line[-1].start_ms + 5_000
    whole = activity_segments(line, until_ms, USING.mapping, 3_000)
    number = data.draw(st.integers(0, len(whole) - 1))
    rest = [one for one in line if one.start_ms >= whole[number].start_ms]
    assert activity_segments(rest, until_ms, USING.mapping, 3_000) == whole[number:]


@settings(max_examples=100, deadline=None)
@given(days())
def test_each_activity_row_is_booked_once_where_it_ends(events: list[TaskRouterEvent]) -> None:
    """Over the day every ended segment that is not logged out is one row, in the interval of its end."""
    _, lines = read(events)
    built = day([], lines)
    for one in built:
        assert all(owner(row.end_ms) == one.interval for row in one.activities)
    booked = sorted((row.agent_id, row.start_ms) for one in built for row in one.activities)
    wanted = sorted(
        (line.agent_id, one.start_ms)
        for line in lines
        for one in activity_segments(line.segments, AS_OF_MS, USING.mapping, RULES.min_state_ms)
        if one.end_ms is not None and one.end_ms < END_MS and not one.offline
        if whole_seconds(one.start_ms, one.end_ms)
    )
    assert booked == wanted

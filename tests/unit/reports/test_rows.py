"""What the histories do not show: names, agents the WFM does not know, facts stored, and what a change touches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import CATALOGUE, WORKER, event, reservation, rules, task

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.contacts import Flag, Outcome, TaskStory
from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION_GONE, TaskRouterEvent
from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval, intervals, owner
from flex_plugin_backend.domain.mapping import ActivityOverride, Channel, EffectiveState, State
from flex_plugin_backend.domain.metrics import definitions
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reports import (
    AgentLine,
    IntervalRows,
    rows_of,
    touched_by_states,
    touched_by_task,
)
from flex_plugin_backend.domain.segments import activity_segments

NINE = 1_772_442_000_000  # 2026-03-02T09:00:00Z
RULES = ReportRules()


def story(*events: TaskRouterEvent) -> TaskStory:
    """A story of WT1 that was told these events."""
    found = TaskStory("WT1")
    for one in events:
        found.apply(one, rules().mapping)
    return found


def call(start_ms: int, *, accepted: int = 10, ends: int | None = 300, **fields: Any) -> list[TaskRouterEvent]:
    """One call: entered at `start_ms`, accepted and completed so many seconds later."""
    queue = {"task_queue_sid": "WQ1", "task_queue_name": "Support", "task_channel": "voice", **fields}
    found = [
        event("task-queue.entered", start_ms, task_sid="WT1", **queue),
        reservation("accepted", start_ms + accepted * 1000, **queue),
    ]
    if ends is not None:
        found.append(reservation("completed", start_ms + ends * 1000, **queue))
    return found


def rows(*stories: TaskStory, at_ms: int = NINE, as_of_ms: int | None = None, **given: Any) -> IntervalRows:
    """The rows of one interval."""
    facts = [one.facts(RULES) for one in stories]
    given.setdefault("lines", [AgentLine(WORKER, "ana", None, [])])
    given.setdefault("rules", RULES)
    given.setdefault("mapping", rules().mapping)
    return rows_of(
        Interval(at_ms),
        visits=[visit for fact in facts for visit in fact.visits],
        contacts=[contact for fact in facts for contact in fact.contacts],
        as_of_ms=at_ms + INTERVAL_MS + 120_000 if as_of_ms is None else as_of_ms,
        **given,
    )


def test_an_interval_lies_on_the_grid() -> None:
    """Anything else is refused."""
    assert owner(NINE + 1) == Interval(NINE)
    with pytest.raises(ValueError, match="grid"):
        Interval(NINE + 1)


def test_a_range_yields_every_interval_that_it_touches() -> None:
    """An empty range yields none."""
    assert list(intervals(NINE - 1, NINE + 1)) == [Interval(NINE - INTERVAL_MS), Interval(NINE)]
    assert list(intervals(NINE, NINE + INTERVAL_MS)) == [Interval(NINE)]
    assert list(intervals(NINE, NINE)) == []


def test_what_ends_after_the_facts_are_known_has_not_ended() -> None:
    """The capped end of a wrap-up that is still running is not booked before its time."""
    wrapping = story(*call(NINE, ends=None), reservation("wrapup", NINE + 60_000))
    at_ms = NINE + 4 * INTERVAL_MS
    assert rows(wrapping, at_ms=at_ms, as_of_ms=NINE + 120_000).queues == ()
    (row,) = rows(wrapping, at_ms=at_ms).queues
    assert (row.contacts_handled, row.work_time_s) == (1, 3600)


def test_service_level_is_answered_within_of_received() -> None:
    """In per cent of handled, abandoned and diverted together."""
    abandoned = TaskStory("WT2")
    for one in (
        event("task-queue.entered", NINE, task_sid="WT2", task_channel="voice", task_queue_sid="WQ1"),
        event("task.canceled", NINE + 60_000, task_sid="WT2", cancel_reason="hangup"),
    ):
        abandoned.apply(one, rules().mapping)
    (row,) = rows(story(*call(NINE)), abandoned).queues
    assert (row.contacts_received, row.service_level) == (2, 50.0)


def test_a_renamed_queue_has_the_name_of_the_fact_that_ended_last() -> None:
    """One queue is one row, whatever it was called in between."""
    older = story(*call(NINE, ends=100, task_queue_name="Old"))
    newer = TaskStory("WT2")
    for one in call(NINE, ends=200, task_queue_name="New"):
        newer.apply(replace(one, task_sid="WT2", reservation_sid=one.reservation_sid and "WR2"), rules().mapping)
    (row,) = rows(newer, older).queues
    assert (row.queue_id, row.queue_name, row.contacts_handled) == ("WQ1", "New", 2)


def test_an_agent_without_an_id_still_counts_in_the_queue_and_is_named() -> None:
    """The queue's figure is true; the agent's row is missing and told so."""
    built = rows(story(*call(NINE)), lines=[])
    assert [row.contacts_handled for row in built.queues] == [1]
    assert built.agent_queues == ()
    assert [sid for sid, _ in built.unmapped] == [WORKER]


def test_two_workers_with_one_agent_id_share_their_rows() -> None:
    """A worker that was deleted and created anew keeps the WFM's agent."""
    ready = [Segment(NINE, EffectiveState(State.AVAILABLE)), Segment(NINE + 60_000, EffectiveState(State.OFFLINE))]
    lines = [AgentLine("WK1", "ana", None, ready), AgentLine("WK2", "ana", None, ready)]
    (row,) = rows(lines=lines).performance
    assert (row.agent_id, row.login_time_s) == ("ana", 120)


def test_a_mixed_queue_is_named() -> None:
    """So that mapping and doctor can warn."""
    chat = TaskStory("WT2")
    for one in call(NINE, task_channel="chat"):
        chat.apply(replace(one, task_sid="WT2", reservation_sid=one.reservation_sid and "WR2"), rules().mapping)
    built = rows(chat, story(*call(NINE)))
    assert [(row.queue_id, row.channel) for row in built.queues] == [("WQ1", "chat"), ("WQ1", "voice")]
    assert built.mixed_queues == ("Support",)


def test_a_state_that_cannot_be_named_is_told_and_makes_no_row() -> None:
    """An activity that is not in the catalogue waits for somebody to map it."""
    unknown = EffectiveState(State.UNKNOWN, activity_sid="WA9")
    line = [Segment(NINE, unknown), Segment(NINE + 60_000, EffectiveState(State.AVAILABLE))]
    built = rows(lines=[AgentLine(WORKER, "ana", None, line)])
    assert built.activities == ()
    assert "WA9" in built.unmapped[0][1]


def test_neighbours_that_mean_the_same_to_the_wfm_are_one_segment() -> None:
    """Two activities under one reason are one state there."""
    overrides = {"WA3": ActivityOverride(reason="Break")}
    states = [
        EffectiveState(State.UNAVAILABLE, activity_sid=sid, activity_name=CATALOGUE[sid].name) for sid in ("WA2", "WA3")
    ]
    line = [Segment(NINE, states[0]), Segment(NINE + 9_000, states[1]), Segment(NINE + 20_000, states[0])]
    found = activity_segments(line, NINE + 60_000, rules(overrides=overrides).mapping, 3_000)
    assert [(one.start_ms, one.end_ms) for one in found] == [(NINE, None)]


def test_time_of_which_nothing_is_known_absorbs_nothing() -> None:
    """What follows it begins anew: a short segment goes into the one after."""
    line = [
        Segment(NINE, EffectiveState(State.WRAPUP)),
        Segment(NINE + 10_000, EffectiveState(State.UNKNOWN)),
        Segment(NINE + 20_000, EffectiveState(State.RESERVED)),
        Segment(NINE + 21_000, EffectiveState(State.WRAPUP)),
        Segment(NINE + 30_000, EffectiveState(State.OFFLINE)),
    ]
    found = activity_segments(line, NINE + 60_000, rules().mapping, 3_000)
    assert [(one.start_ms, one.end_ms) for one in found] == [
        (NINE, NINE + 10_000),
        (NINE + 20_000, NINE + 30_000),
        (NINE + 30_000, None),
    ]


@pytest.mark.parametrize(
    ("events", "flags"),
    [
        (call(NINE), ()),
        (call(NINE)[1:], (Flag.WAIT_ESTIMATED,)),
        ([*call(NINE, ends=None), task("completed", NINE + 60_000)], (Flag.ENDED_WITH_TASK,)),
        ([*call(NINE, ends=None), reservation("wrapup", NINE + 60_000)], (Flag.WRAP_UP_CAPPED,)),
        ([call(NINE)[0], call(NINE)[2]], (Flag.ACCEPT_ESTIMATED,)),
        (
            [
                *call(NINE, ends=None),
                event(
                    SNAPSHOT_RESERVATION_GONE, NINE + 90_000, task_sid="WT1", reservation_sid="WR1", worker_sid=WORKER
                ),
            ],
            (Flag.FOUND_GONE,),
        ),
    ],
)
def test_what_is_known_only_indirectly_is_flagged(events: list[TaskRouterEvent], flags: tuple[Flag, ...]) -> None:
    """So that a figure can be explained."""
    (contact,) = story(*events).facts(RULES).contacts
    assert contact.flags == flags


def test_a_deleted_worker_ends_the_contact_before_its_cap() -> None:
    """Whatever comes later."""
    wrapping = story(*call(NINE, ends=None), reservation("wrapup", NINE + 60_000))
    (contact,) = wrapping.facts(RULES, {WORKER: NINE + 70_000}).contacts
    assert (contact.end_ms, contact.flags) == (NINE + 70_000, (Flag.ENDED_WITH_WORKER,))
    assert wrapping.workers() == {WORKER}


def test_a_channel_known_by_name_counts_before_an_unknown_one() -> None:
    """A later attribute may tell what the task channel does not."""
    told = story(
        event("task.created", NINE, task_sid="WT1", task_channel="default"),
        event("task.updated", NINE + 500, task_sid="WT1", task_channel="default", channel_type="sms"),
    )
    assert told.channel is Channel.SMS


def test_an_event_that_says_nothing_of_queues_changes_nothing() -> None:
    """And tells so."""
    told = story(*call(NINE))
    assert told.apply(task("updated", NINE + 20_000, task_channel="voice"), rules().mapping) is False
    assert told.apply(call(NINE)[1], rules().mapping) is False  # the same by another route, under another event id
    assert len(told.facts(RULES).contacts) == 1


def test_the_word_of_the_abandoned_attribute_counts_only_where_a_setting_says_so() -> None:
    """By default the cancel reason alone decides."""
    told = story(
        event("task-queue.entered", NINE, task_sid="WT1", task_channel="voice", task_queue_sid="WQ1"),
        event("task.canceled", NINE + 60_000, task_sid="WT1", cancel_reason="hangup", abandoned="follow-up"),
    )
    assert told.facts(RULES).visits[0].outcome is Outcome.ABANDONED
    heeding = ReportRules(diverted_abandoned=frozenset({"follow-up"}))
    assert told.facts(heeding).visits[0].outcome is Outcome.DIVERTED


def test_a_changed_contact_touches_the_interval_of_its_old_and_its_new_end_and_its_waiting() -> None:
    """And no other."""
    open_call = story(*call(NINE + 890_000, ends=None)).facts(RULES)
    ended = story(*call(NINE + 890_000, ends=4_000)).facts(RULES)
    as_of_ms = NINE + 10 * INTERVAL_MS
    end = owner(NINE + 4_890_000)
    assert touched_by_task(open_call, ended, as_of_ms) == {end}
    assert touched_by_task(ended, ended, as_of_ms) == frozenset()
    assert touched_by_task(None, ended, as_of_ms) == {Interval(NINE), Interval(NINE + INTERVAL_MS), end}


def test_a_changed_line_of_states_touches_every_interval_since() -> None:
    """Also the one before, if a segment there may have become short."""
    assert touched_by_states(NINE + 2_000, RULES, NINE + INTERVAL_MS) == {
        Interval(NINE - INTERVAL_MS),
        Interval(NINE),
        Interval(NINE + INTERVAL_MS),
    }


def test_every_metric_says_what_it_is_and_who_says_so() -> None:
    """The definition names a section of a reference or a rule of the docs page."""
    found = definitions()
    assert len(found) >= 25
    for name, text in found.items():
        assert len(text) > 30, name
        assert any(source in text for source in ("(CXone ", "(Twilio ", "(rule ")), name

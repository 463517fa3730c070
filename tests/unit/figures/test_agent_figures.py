"""Activity and system performance rows of histories worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world.figures_rules import FigureRules


def test_login_ready_idle_and_busy_are_cut_at_the_borders(hand: Any) -> None:
    """Ready from 09:05, away at 09:10, back at 09:20 and gone at 09:31."""
    hand.activity(hand.ana, "Available", "09:05:00")
    hand.activity(hand.ana, "Break", "09:10:00")
    hand.activity(hand.ana, "Available", "09:20:00")
    hand.activity(hand.ana, "Offline", "09:31:00")
    # 09:00: 5 min ready, 5 min idle. 09:15: 5 idle, 10 ready. 09:30: 1 ready.
    assert hand.agent("09:00:00", hand.ana) == {"login_time_s": 600, "ready_time_s": 300, "idle_time_s": 300}
    assert hand.agent("09:15:00", hand.ana) == {"login_time_s": 900, "ready_time_s": 600, "idle_time_s": 300}
    assert hand.agent("09:30:00", hand.ana) == {"login_time_s": 60, "ready_time_s": 60}
    assert hand.agent("09:45:00", hand.ana) == {}


def test_ringing_talking_and_wrap_up_are_login_but_neither_ready_nor_idle(hand: Any) -> None:
    """Ready 09:00..09:05, busy until 09:08, ready until the border: 300 + 180 + 420 = 900."""
    hand.activity(hand.ana, "Available", "09:00:00")
    hand.contact(hand.ana, hand.support, "09:04:00", "09:05:00", "09:05:10", "09:07:00", "09:08:00")
    assert hand.agent("09:00:00", hand.ana) == {
        "login_time_s": 900, "ready_time_s": 720, "busy_time_s": 180,
    }  # fmt: skip


def test_who_is_logged_out_but_has_an_open_contact_is_logged_in(hand: Any) -> None:
    """A chat left open over the logout: busy until it ends at 09:10."""
    hand.activity(hand.ana, "Available", "09:00:00")
    chat = hand.ring(hand.task("09:01:00", hand.support, "chat"), hand.ana, "09:01:00")
    hand.answer(chat, "09:02:00")
    hand.activity(hand.ana, "Offline", "09:05:00")
    hand.done(chat, "09:10:00")
    assert hand.agent("09:00:00", hand.ana) == {"login_time_s": 600, "ready_time_s": 60, "busy_time_s": 540}


def test_an_activity_is_booked_whole_where_it_ends(hand: Any) -> None:
    """A break 09:10..09:20 is a row of 600 s in 09:15; logged out is no row, and the open activity none yet."""
    hand.activity(hand.ana, "Available", "09:05:00")
    hand.activity(hand.ana, "Break", "09:10:00")
    hand.activity(hand.ana, "Available", "09:20:00")
    assert hand.activities("09:00:00", hand.ana) == [("AVAILABLE", "09:05:00", "09:10:00", 300)]
    assert hand.activities("09:15:00", hand.ana) == [("UNAVAILABLE Break", "09:10:00", "09:20:00", 600)]
    assert hand.activities("09:30:00", hand.ana) == []


def test_an_activity_that_ends_on_the_border_belongs_to_the_interval_that_starts_there(hand: Any) -> None:
    """Until 09:15:00.000: a row of 09:15."""
    hand.activity(hand.ana, "Available", "09:05:00")
    hand.activity(hand.ana, "Break", "09:15:00")
    assert hand.activities("09:00:00", hand.ana) == []
    assert hand.activities("09:15:00", hand.ana) == [("AVAILABLE", "09:05:00", "09:15:00", 600)]


def test_a_short_state_goes_into_the_one_before_and_like_neighbours_become_one(hand: Any) -> None:
    """Available, a slip of 2.999 s, Available again: one row; the raw times keep the slip."""
    hand.activity(hand.ana, "Available", "09:00:00")
    hand.activity(hand.ana, "Unavailable", "09:05:00")
    hand.activity(hand.ana, "Available", "09:05:02.999")
    hand.activity(hand.ana, "Break", "09:10:00")
    hand.activity(hand.ana, "Unavailable", "09:12:00")
    hand.activity(hand.ana, "Available", "09:12:03")
    assert hand.activities("09:00:00", hand.ana) == [
        ("AVAILABLE", "09:00:00", "09:10:00", 600),
        ("UNAVAILABLE Break", "09:10:00", "09:12:00", 120),
        ("UNAVAILABLE Unavailable", "09:12:00", "09:12:03", 3),  # 3.000 s is not short
    ]
    # idle: 2 (09:05:00..09:05:02) + 120 + 3
    assert hand.agent("09:00:00", hand.ana)["idle_time_s"] == 125


def test_absorbed_first_then_booked(hand: Any) -> None:
    """A break ends at 09:14:59; one second of Available over the border makes it end at 09:15:00.500."""
    hand.activity(hand.ana, "Break", "09:10:00")
    hand.activity(hand.ana, "Available", "09:14:59")
    hand.activity(hand.ana, "Lunch", "09:15:00.500")
    assert hand.activities("09:00:00", hand.ana) == []
    assert hand.activities("09:15:00", hand.ana) == [("UNAVAILABLE Break", "09:10:00", "09:15:00.500", 300)]


def test_short_states_at_the_very_start_go_into_what_follows_one_after_the_other() -> None:
    """1 s, then 1 s, then long: 1 + 1 s are still short, so all three are the third."""
    from simulator.world.figures_timeline import Span, segments_of

    spans = [
        Span(0, 1_000, "AVAILABLE", "", "", ""),
        Span(1_000, 2_000, "RESERVED", "", "", ""),
        Span(2_000, 60_000, "UNAVAILABLE", "", "", "Break"),
        Span(60_000, None, "AVAILABLE", "", "", ""),
    ]
    first, last = segments_of(spans, FigureRules())
    assert (first.start_ms, first.end_ms, first.event_id, first.first) == (0, 60_000, "UNAVAILABLE", True)
    assert (last.start_ms, last.end_ms, last.event_id) == (60_000, None, "AVAILABLE")
    # 1 s and then 2 s are 3 s together: no longer short, so the second one stands
    spans[1:3] = [Span(1_000, 3_000, "RESERVED", "", "", ""), Span(3_000, 60_000, "UNAVAILABLE", "", "", "Break")]
    assert [one.event_id for one in segments_of(spans, FigureRules())] == ["RESERVED", "UNAVAILABLE", "AVAILABLE"]


def test_the_state_of_several_contacts_is_voice_else_the_oldest(hand: Any) -> None:
    """A chat, then a second one by SMS: still chat; the chat ends: SMS; an outbound call: outbound."""
    hand.activity(hand.ana, "Available", "09:00:00")
    chat = hand.ring(hand.task("09:01:00", hand.support, "chat"), hand.ana, "09:01:00")
    hand.answer(chat, "09:01:10")
    text = hand.ring(hand.task("09:02:00", hand.support, "sms"), hand.ana, "09:02:00")
    hand.answer(text, "09:02:10")
    hand.done(chat, "09:04:00")
    call = hand.ring(hand.task("09:05:00", hand.floor.everyone, "voice", "outbound"), hand.ana, "09:05:00")
    hand.answer(call, "09:05:10")
    hand.done(call, "09:06:00")
    hand.done(text, "09:07:00")
    assert hand.activities("09:00:00", hand.ana) == [
        ("AVAILABLE", "09:00:00", "09:01:00", 60),
        ("RESERVED", "09:01:00", "09:01:10", 10),
        ("CONTACT_CHAT", "09:01:10", "09:04:00", 170),
        ("CONTACT_SMS", "09:04:00", "09:05:10", 70),
        ("CONTACT_OUTBOUND", "09:05:10", "09:06:00", 50),
        ("CONTACT_SMS", "09:06:00", "09:07:00", 60),
    ]


def test_a_dialling_agent_is_dialling_and_a_capped_wrap_up_ends_the_state(hand: Any) -> None:
    """Dialling 20 s; wrap-up from 09:02 capped at 60 s leaves Ana available from 09:03 on, whatever comes later."""
    hand.activity(hand.ana, "Available", "09:00:00")
    call = hand.ring(hand.task("09:01:00", hand.floor.everyone, "voice", "outbound"), hand.ana, "09:01:00")
    hand.answer(call, "09:01:20")
    hand.wrap(call, "09:02:00")
    hand.activity(hand.ana, "Break", "09:10:00")
    hand.done(call, "09:20:00")
    assert hand.activities("09:00:00", hand.ana, wrap_up_cap_s=60) == [
        ("AVAILABLE", "09:00:00", "09:01:00", 60),
        ("DIALLING", "09:01:00", "09:01:20", 20),
        ("CONTACT_OUTBOUND", "09:01:20", "09:02:00", 40),
        ("WRAPUP", "09:02:00", "09:03:00", 60),
        ("AVAILABLE", "09:03:00", "09:10:00", 420),
    ]
    assert hand.activities("09:15:00", hand.ana, wrap_up_cap_s=60) == []


def test_states_with_one_event_id_are_one_activity(hand: Any) -> None:
    """A profile that gives ringing the id of available makes one row of both."""
    hand.activity(hand.ana, "Available", "09:00:00")
    hand.contact(hand.ana, hand.support, "09:01:00", "09:01:00", "09:01:10", "", "09:02:00")
    rows = hand.activities("09:00:00", hand.ana, event_ids={"RESERVED": "AVAILABLE"})
    assert rows[0] == ("AVAILABLE", "09:00:00", "09:01:10", 70)


def test_activities_known_in_part_only_are_marked(hand: Any) -> None:
    """What began before the connector, or within the shortest state after it, is opening."""
    hand.activity(hand.ana, "Available", "09:00:00")
    hand.activity(hand.ana, "Break", "09:05:02")
    hand.activity(hand.ana, "Available", "09:06:00")
    hand.activity(hand.ana, "Lunch", "09:07:00")
    rows = hand.interval("09:00:00", known_from="09:05:00")["report_data"]
    assert [row.get("opening", False) for row in rows] == [True, True, False]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"service_level": 3}, "unknown rule service_level"),
        ({"service_level_s": True}, "service_level_s must be a number"),
        ({"min_state_s": -1}, "min_state_s must be a number"),
        ({"diverted_reasons": "voicemail"}, "diverted_reasons must be a list"),
        ({"event_ids": {"WRAPUP": 4}}, "event_ids must be an object of texts"),
        ({"no_queue_id": ""}, "no_queue_id must be a text"),
    ],
)
def test_rules_that_make_no_sense_are_refused(given: dict[str, Any], problem: str) -> None:
    """A misspelt or mistyped rule says so."""
    with pytest.raises(ValueError, match=problem):
        FigureRules.of(given)


def test_a_contact_without_a_queue_has_the_pseudo_queue() -> None:
    """The id is a setting, and the threshold the default one."""
    rules = FigureRules.of({"no_queue_id": "-4", "queue_service_level_s": {"WQ1": 5}})
    assert rules.queue_id("", "", "voice") == "-4"
    assert rules.service_level_ms("", "") == 20_000

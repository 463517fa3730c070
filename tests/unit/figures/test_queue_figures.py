"""Queue and agent queue rows of histories worked out by hand."""

from __future__ import annotations

from typing import Any


def test_a_contact_is_counted_once_and_whole_where_it_ends(hand: Any) -> None:
    """NICE's example: 09:10 to 09:40 gives nothing in 09:00 and 09:15, and volume 1 and 30:00 in 09:30."""
    hand.contact(hand.ana, hand.support, "09:10:00", "09:10:00", "09:10:00", "", "09:40:00")
    assert hand.queue("09:00:00", hand.support) == {}
    assert hand.queue("09:15:00", hand.support) == {}
    # 30 * 60 = 1800 s of talk, no wait, no wrap-up; 1 of 1 in time = 100 %
    assert hand.queue("09:30:00", hand.support) == {
        "contacts_received": 1, "contacts_handled": 1, "contacts_answered_in_sl": 1, "handle_time_s": 1800,
        "service_level": 100.0,
    }  # fmt: skip


def test_wrap_up_is_part_of_handle_time_and_decides_where_a_contact_ends(hand: Any) -> None:
    """Talk ends before the border, wrap-up after it: everything, the wait included, is booked after it."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:20", "09:00:30", "09:14:00", "09:16:00")
    assert hand.queue("09:00:00", hand.support) == {}
    # wait 30 s > 20 s; handle 09:00:30..09:16:00 = 930 s, of which 120 s wrap-up
    assert hand.queue("09:15:00", hand.support) == {
        "contacts_received": 1, "contacts_handled": 1, "handle_time_s": 930, "work_time_s": 120, "queue_delay_s": 30,
    }  # fmt: skip
    (row,) = hand.interval("09:15:00")["agent_queue_report"]
    assert row == {
        "queue_id": hand.support.sid, "agent_id": hand.ana.sid, "contacts_handled": 1, "handle_time_s": 930,
        "work_time_s": 120, "hold_time_s": 0,
    }  # fmt: skip


def test_an_end_on_the_border_belongs_to_the_interval_that_starts_there(hand: Any) -> None:
    """Done at 09:15:00.000 is done in 09:15."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:00.001", "09:00:01", "09:14:59", "09:15:00")
    assert hand.queue("09:00:00", hand.support) == {}
    assert hand.queue("09:15:00", hand.support)["contacts_handled"] == 1


def test_instants_are_truncated_before_they_are_subtracted(hand: Any) -> None:
    """Handle time 09:00:01.900..09:00:03.100 is 3 - 1 = 2 s, although 1.2 s passed; wait 0.9..1.9 is 1 s."""
    hand.contact(hand.ana, hand.support, "09:00:00.900", "09:00:01", "09:00:01.900", "", "09:00:03.100")
    row = hand.queue("09:00:00", hand.support)
    assert (row["queue_delay_s"], row["handle_time_s"]) == (1, 2)


def test_thresholds_are_compared_in_milliseconds(hand: Any) -> None:
    """A wait of exactly 20.000 s is within, 20.001 s is not; whoever leaves at 5.000 s is a long abandon."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:01", "09:00:20", "", "09:01:00")
    hand.contact(hand.ana, hand.support, "09:02:00", "09:02:01", "09:02:20.001", "", "09:03:00")
    hand.model.cancel_task(hand.task("09:04:00", hand.support), "hangup", hand.at("09:04:05"))
    hand.model.cancel_task(hand.task("09:05:00", hand.support), "hangup", hand.at("09:05:04.999"))
    row = hand.queue("09:00:00", hand.support)
    # 1 of 4 received in time = 25 %; talk 40 s + (180 - 140) s; the two who left waited 5 s + (304 - 300) s
    assert row == {
        "contacts_received": 4, "contacts_handled": 2, "contacts_abandoned": 2, "contacts_answered_in_sl": 1,
        "contacts_abandoned_in_sl": 2, "contacts_abandoned_short": 1, "contacts_abandoned_long": 1,
        "handle_time_s": 80, "queue_delay_s": 40, "unserved_delay_s": 9, "service_level": 25.0,
    }  # fmt: skip


def test_each_queue_may_have_its_own_threshold(hand: Any) -> None:
    """30 s of waiting are within 60 s in Support, by name, and not within 20 s in Sales."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:10", "09:00:30", "", "09:01:00")
    hand.contact(hand.ben, hand.sales, "09:00:00", "09:00:10", "09:00:30", "", "09:01:00")
    rules = {"queue_service_level_s": {"Support": 60}}
    assert hand.queue("09:00:00", hand.support, **rules)["contacts_answered_in_sl"] == 1
    assert "contacts_answered_in_sl" not in hand.queue("09:00:00", hand.sales, **rules)


def test_an_abandoned_contact_counts_where_it_was_abandoned(hand: Any) -> None:
    """It came at 09:14:50, rang, and was gone at 09:15:30: 40 s, long, in 09:15; the wait is no queue delay."""
    task = hand.task("09:14:50", hand.support)
    hand.ring(task, hand.ana, "09:15:20")
    hand.model.cancel_task(task, "hangup", hand.at("09:15:30"))
    # At 09:15:00 it waits (10 s, so within its 20 s).
    assert hand.queue("09:00:00", hand.support) == {"backlog": 1, "backlog_not_expired": 1}
    assert hand.queue("09:15:00", hand.support) == {
        "contacts_received": 1, "contacts_abandoned": 1, "contacts_abandoned_long": 1, "unserved_delay_s": 40,
    }  # fmt: skip


def test_a_diverted_contact_is_received_and_neither_handled_nor_abandoned(hand: Any) -> None:
    """A cancel reason on the list, whatever its case and outer blanks; a longer text is not on it."""
    hand.model.cancel_task(hand.task("09:00:00", hand.support), " Callback Requested ", hand.at("09:01:00"))
    assert hand.queue("09:00:00", hand.support) == {
        "contacts_received": 1, "contacts_diverted": 1, "unserved_delay_s": 60,
    }  # fmt: skip
    hand.model.cancel_task(hand.task("09:02:00", hand.sales), "Callback requested twice", hand.at("09:03:00"))
    assert hand.queue("09:00:00", hand.sales)["contacts_abandoned"] == 1


def test_refusals_and_unanswered_rings_do_not_end_a_stay(hand: Any) -> None:
    """Rejected by one, timed out at another, answered by the third: one contact that waited from the beginning."""
    task = hand.task("09:00:00", hand.support)
    hand.model.reject(hand.ring(task, hand.ana, "09:00:05"), hand.at("09:00:08"))
    hand.model.time_out(hand.ring(task, hand.ben, "09:00:09"), hand.at("09:00:34"))
    third = hand.ring(task, hand.eva, "09:00:35")
    hand.answer(third, "09:00:40")
    hand.done(third, "09:01:40")
    row = hand.queue("09:00:00", hand.support)
    assert (row["contacts_received"], row["queue_delay_s"], row["handle_time_s"]) == (1, 40, 60)


def test_the_backlog_is_every_stay_open_at_the_end_instant(hand: Any) -> None:
    """Begun at the end instant: not yet. Ended at it: still. Open for long: expired."""
    hand.task("09:15:00", hand.support)  # waits for ever
    ends_there = hand.task("09:14:00", hand.sales)
    hand.model.cancel_task(ends_there, "hangup", hand.at("09:15:00"))
    assert hand.queue("09:00:00", hand.support) == {}
    assert hand.queue("09:00:00", hand.sales) == {"backlog": 1, "backlog_expired": 1}
    assert hand.queue("09:15:00", hand.support) == {"backlog": 1, "backlog_expired": 1}
    assert hand.queue("09:30:00", hand.support) == {"backlog": 1, "backlog_expired": 1}


def test_a_cold_transfer_gives_each_queue_a_received_and_a_handled_contact(hand: Any) -> None:
    """Ana answers in Support and hands on to Sales at 09:02; Ben answers there 25 s after it entered."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    transfer = hand.model.begin_transfer(first, "COLD", "QUEUE", hand.sales.sid, hand.at("09:02:00"))
    hand.model.move_to_queue(first.task, hand.sales, hand.at("09:02:01"))
    hand.wrap(first, "09:02:02")
    second = hand.ring(first.task, hand.ben, "09:02:20", transfer)
    hand.answer(second, "09:02:26")
    hand.model.end_transfer(first.task, "COMPLETED", hand.at("09:02:26"))
    hand.done(first, "09:02:32")
    hand.done(second, "09:04:26")
    # Support: wait 5, talk 09:00:05..09:02:02 = 117, wrap-up 30, handle 147
    assert hand.queue("09:00:00", hand.support) == {
        "contacts_received": 1, "contacts_handled": 1, "contacts_answered_in_sl": 1, "handle_time_s": 147,
        "work_time_s": 30, "queue_delay_s": 5, "service_level": 100.0,
    }  # fmt: skip
    # Sales: wait 09:02:01..09:02:26 = 25 > 20, talk 120
    assert hand.queue("09:00:00", hand.sales) == {
        "contacts_received": 1, "contacts_handled": 1, "handle_time_s": 120, "queue_delay_s": 25,
    }  # fmt: skip


def test_a_leg_transferred_to_a_colleague_waits_from_the_transfer_in_the_same_queue(hand: Any) -> None:
    """Warm: both talk for a while; two received and handled contacts, the second with 7 s of waiting."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    transfer = hand.model.begin_transfer(first, "WARM", "WORKER", hand.ben.sid, hand.at("09:03:00"))
    second = hand.ring(first.task, hand.ben, "09:03:01", transfer)
    hand.answer(second, "09:03:07")
    hand.model.end_transfer(first.task, "COMPLETED", hand.at("09:03:07"))
    hand.done(first, "09:04:05")
    hand.done(second, "09:06:07")
    # wait 5 + 7, handle 240 + 180
    assert hand.queue("09:00:00", hand.support) == {
        "contacts_received": 2, "contacts_handled": 2, "contacts_answered_in_sl": 2, "handle_time_s": 420,
        "queue_delay_s": 12, "service_level": 100.0,
    }  # fmt: skip


def test_a_transfer_that_a_colleague_refuses_counts_nowhere(hand: Any) -> None:
    """The caller is still with Ana: one contact, whose talk goes on; while it rang at Ben it was backlog."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    transfer = hand.model.begin_transfer(first, "WARM", "WORKER", hand.ben.sid, hand.at("09:14:55"))
    second = hand.ring(first.task, hand.ben, "09:14:56", transfer)
    hand.model.reject(second, hand.at("09:15:05"))
    hand.model.fail_attempt(first.task, transfer, hand.at("09:15:05"))
    hand.model.end_transfer(first.task, "FAILED", hand.at("09:15:06"), "rejected")
    hand.done(first, "09:16:05")
    assert hand.queue("09:00:00", hand.support) == {"backlog": 1, "backlog_not_expired": 1}
    assert hand.queue("09:15:00", hand.support) == {
        "contacts_received": 1, "contacts_handled": 1, "contacts_answered_in_sl": 1, "handle_time_s": 960,
        "queue_delay_s": 5, "service_level": 100.0,
    }  # fmt: skip


def test_a_caller_who_leaves_during_a_cold_transfer_is_abandoned_in_the_second_queue(hand: Any) -> None:
    """Ana has left the conversation; the wait is 09:02:01..09:02:31 = 30 s."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    hand.model.begin_transfer(first, "COLD", "QUEUE", hand.sales.sid, hand.at("09:02:00"))
    hand.model.move_to_queue(first.task, hand.sales, hand.at("09:02:01"))
    hand.wrap(first, "09:02:02")
    hand.model.end_transfer(first.task, "FAILED", hand.at("09:02:31"), "customer hung up")
    hand.done(first, "09:02:40")
    assert hand.queue("09:00:00", hand.support)["contacts_handled"] == 1
    assert hand.queue("09:00:00", hand.sales) == {
        "contacts_received": 1, "contacts_abandoned": 1, "contacts_abandoned_long": 1, "unserved_delay_s": 30,
    }  # fmt: skip


def test_a_transfer_called_back_counts_nowhere(hand: Any) -> None:
    """The initiator takes the caller back: no second contact."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    hand.model.begin_transfer(first, "WARM", "WORKER", hand.ben.sid, hand.at("09:03:00"))
    hand.model.end_transfer(first.task, "CANCELED", hand.at("09:03:05"))
    hand.done(first, "09:04:05")
    assert hand.queue("09:00:00", hand.support)["contacts_received"] == 1


def test_a_stuck_wrap_up_ends_at_its_cap(hand: Any) -> None:
    """Wrap-up from 09:02 on with a cap of 600 s ends at 09:12, although Ana completes at 11:00; or never."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:00", "09:01:00", "09:02:00", "11:00:00")
    row = hand.queue("09:00:00", hand.support, wrap_up_cap_s=600)
    assert (row["handle_time_s"], row["work_time_s"]) == (660, 600)
    assert hand.queue("11:00:00", hand.support, wrap_up_cap_s=600) == {}
    forgotten = hand.ring(hand.task("09:00:00", hand.sales), hand.ben, "09:00:00")
    hand.answer(forgotten, "09:01:00")
    hand.wrap(forgotten, "09:02:00")
    assert hand.queue("09:00:00", hand.sales, wrap_up_cap_s=600)["work_time_s"] == 600


def test_outbound_and_internal_calls_are_in_no_queue_but_in_system_performance(hand: Any) -> None:
    """Handle time and count where they end; nobody counts a call that was not answered."""
    everyone = hand.floor.everyone
    hand.contact(hand.ana, everyone, "09:00:00", "09:00:00", "09:00:10", "09:01:10", "09:01:30", direction="outbound")
    hand.contact(hand.ana, everyone, "09:02:00", "09:02:00", "09:02:01", "", "09:02:31", direction="internal")
    unanswered = hand.task("09:03:00", everyone, direction="outbound")
    hand.ring(unanswered, hand.ana, "09:03:00")
    hand.model.cancel_task(unanswered, "no-answer", hand.at("09:03:20"))
    found = hand.interval("09:00:00")
    assert (found["queue_report"], found["agent_queue_report"]) == ([], [])
    row = hand.agent("09:00:00", hand.ana)
    # outbound 60 + 20 s, internal 30 s
    assert [row[name] for name in ("out_calls", "out_time_s", "internal_calls", "internal_time_s")] == [1, 80, 1, 30]


def test_channels_that_are_not_reported_are_counted_apart(hand: Any) -> None:
    """An e-mail that was handled and one that was dropped: two, in no row."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:00", "09:01:00", "", "09:02:00", medium="email")
    hand.model.cancel_task(hand.task("09:03:00", hand.support, "email"), "hangup", hand.at("09:04:00"))
    found = hand.interval("09:00:00")
    assert (found["queue_report"], found["not_reportable"]) == ([], {"email": 2})


def test_a_mixed_queue_is_split_when_the_id_says_so(hand: Any) -> None:
    """With `{queue}:{channel}` there is a row for voice and one for chat; with `{queue}` one with both."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:00", "09:01:00", "", "09:02:00")
    hand.contact(hand.ben, hand.support, "09:00:00", "09:00:00", "09:01:00", "", "09:02:00", medium="chat")
    (both,) = hand.interval("09:00:00")["queue_report"]
    assert (both["channels"], both["contacts_handled"]) == (["chat", "voice"], 2)
    split = hand.interval("09:00:00", queue_id_format="{queue}:{channel}")["queue_report"]
    assert [row["queue_id"] for row in split] == [f"{hand.support.sid}:chat", f"{hand.support.sid}:voice"]


def test_what_began_before_the_connector_stands_apart_as_opening(hand: Any) -> None:
    """Of two contacts one entered its queue before 09:01; its share is the opening part of the row."""
    hand.contact(hand.ana, hand.support, "09:00:00", "09:00:30", "09:01:10", "", "09:02:10")
    hand.contact(hand.ben, hand.support, "09:01:00", "09:01:01", "09:01:05", "", "09:02:05")
    row = hand.queue("09:00:00", hand.support, known_from="09:01:00")
    assert (row["contacts_handled"], row["handle_time_s"], row["queue_delay_s"]) == (2, 120, 75)
    opening = row["opening"]
    assert (opening["contacts_handled"], opening["handle_time_s"], opening["queue_delay_s"]) == (1, 60, 70)
    assert "contacts_answered_in_sl" not in opening  # 70 s were too long anyway
    # Who cannot tell when it was answered may take 09:00:30..09:01:10 for talk, and 30 s + 40 s for an answer in time.
    assert row["opening_more"] == {"handle_time_s": 40, "contacts_answered_in_sl": 1}


def test_a_transfer_before_the_connector_may_pass_for_waiting_since_the_queue_was_entered(hand: Any) -> None:
    """The second leg waited 7 s from the transfer at 09:03:00; the queue was entered at 09:00:00, 180 s before."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    transfer = hand.model.begin_transfer(first, "WARM", "WORKER", hand.ben.sid, hand.at("09:03:00"))
    second = hand.ring(first.task, hand.ben, "09:03:00.500", transfer)
    hand.answer(second, "09:03:07")
    hand.model.end_transfer(first.task, "COMPLETED", hand.at("09:03:07"))
    hand.done(first, "09:14:00")
    hand.done(second, "09:16:00")
    row = hand.queue("09:15:00", hand.support, known_from="09:10:00")
    assert (row["queue_delay_s"], row["opening"]["queue_delay_s"], row["opening_more"]["queue_delay_s"]) == (7, 7, 180)
    assert "opening_more" not in hand.queue("09:15:00", hand.support)


def test_a_contact_moved_before_the_connector_may_pass_for_one_of_its_present_queue(hand: Any) -> None:
    """Ana wraps up what she answered in Support; since 09:02 the task is in Sales, which is all that can be asked."""
    first = hand.ring(hand.task("09:00:00", hand.support), hand.ana, "09:00:02")
    hand.answer(first, "09:00:05")
    transfer = hand.model.begin_transfer(first, "COLD", "QUEUE", hand.sales.sid, hand.at("09:02:00"))
    hand.model.move_to_queue(first.task, hand.sales, hand.at("09:02:01"))
    hand.wrap(first, "09:02:05")
    second = hand.ring(first.task, hand.ben, "09:02:02", transfer)
    hand.answer(second, "09:02:06")
    hand.model.end_transfer(first.task, "COMPLETED", hand.at("09:02:06"))
    hand.done(first, "09:14:05")
    found = hand.interval("09:00:00", known_from="09:10:00")
    rows = {row["queue_id"]: row for row in found["agent_queue_report"]}
    assert rows[hand.support.sid]["contacts_handled"] == 1
    elsewhere = rows[hand.sales.sid]
    assert (elsewhere["contacts_handled"], elsewhere["handle_time_s"]) == (0, 0)
    # talk 09:00:05..09:02:05 and wrap-up 12 minutes, with the 3 s of ringing: 843 s
    assert elsewhere["opening_more"] == {"contacts_handled": 1, "handle_time_s": 843, "work_time_s": 720}
    assert hand.queue("09:00:00", hand.sales, known_from="09:10:00")["opening_more"]["contacts_received"] == 1
    assert hand.queue("09:00:00", hand.sales) == {}

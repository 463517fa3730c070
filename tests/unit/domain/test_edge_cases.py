"""The edge cases of the Twilio reference, section 5.4: what really arrives, and what must come of it."""

from __future__ import annotations

from histories import AVAILABLE, BREAK, LUNCH, NAMES, OFFLINE, activity, event, play, reservation, rules, shown, task

from flex_plugin_backend.domain.events import Route
from flex_plugin_backend.domain.mapping import Channel, Direction, Unmapped
from flex_plugin_backend.domain.reservations import Reservation

LOGGED_IN = activity(1_000, AVAILABLE)


def test_events_swapped_inside_one_instant_are_put_in_order_by_version() -> None:
    """Time first, then the resource's version."""
    first = activity(2_000, BREAK, worker_version=7)
    second = activity(2_000, LUNCH, worker_version=8)
    assert shown(play([second, first]), 9_000) == shown(play([first, second]), 9_000)
    assert shown(play([second, first]), 9_000)[-1] == (2_000, "UNAVAILABLE", "Lunch")


def test_accepted_before_created_makes_the_reservation() -> None:
    """Created lazily; the later `created` tells when it rang."""
    timeline = play([LOGGED_IN, reservation("accepted", 3_000), reservation("created", 2_000)])
    assert shown(timeline, 9_000)[1:] == [(2_000, "RESERVED", ""), (3_000, "CONTACT_VOICE", "")]


def test_completed_without_wrap_up_has_none() -> None:
    """After-contact work is nothing then."""
    timeline = play([LOGGED_IN, reservation("accepted", 2_000), reservation("completed", 3_000)])
    assert [one[1] for one in shown(timeline, 9_000)] == ["AVAILABLE", "CONTACT_VOICE", "AVAILABLE"]


def test_attributes_that_cannot_be_read_once_are_taken_from_the_next_event() -> None:
    """Direction and channel are the task's own, whichever of its events tells them, and in whatever order they come."""
    broken = reservation("created", 2_000, channel_type=None, direction=None, task_channel="chat")
    whole = reservation("accepted", 3_000, channel_type="web", direction="outbound", task_channel="chat")
    line = [(1_000, "AVAILABLE", ""), (2_000, "DIALLING", ""), (3_000, "CONTACT_OUTBOUND", "")]
    assert shown(play([LOGGED_IN, broken, whole]), 9_000) == line
    assert shown(play([LOGGED_IN, whole, broken]), 9_000) == line
    kept = play([LOGGED_IN, broken, whole]).open_reservations(9_000, rules())[0]
    assert (kept.channel, kept.direction) == (Channel.WEB, Direction.OUTBOUND)


def test_a_reservation_kept_by_an_earlier_release_keeps_what_described_it() -> None:
    """Then one event told channel and direction."""
    old = {"sid": "WR1", "accepted_ms": 2_000, "channel": "web", "direction": "outbound", "described_ms": 2_000}
    kept = Reservation.from_record(old)
    kept.take(reservation("completed", 3_000, channel_type="chat", direction="inbound"), "completed", rules().mapping)
    assert (kept.channel, kept.direction) == (Channel.WEB, Direction.OUTBOUND)


def test_what_a_look_found_gone_gives_way_to_the_events_own_time() -> None:
    """A look is stamped by our clock, which may have been set back before: the true end counts, even if it is later."""
    gone = event(
        "snapshot.reservation-gone",
        4_000,
        worker_sid="WK1",
        task_sid="WT1",
        reservation_sid="WR1",
        route=Route.SNAPSHOT,
    )
    talk = [LOGGED_IN, reservation("accepted", 2_000)]
    wrapup, ended = reservation("wrapup", 6_000), reservation("completed", 8_000)
    assert shown(play([*talk, gone]), 9_000)[-1] == (4_000, "AVAILABLE", "")
    line = [(2_000, "CONTACT_VOICE", ""), (6_000, "WRAPUP", ""), (8_000, "AVAILABLE", "")]
    for order in ([gone, wrapup, ended], [ended, gone, wrapup], [wrapup, ended, gone]):
        assert shown(play([*talk, *order]), 9_000)[1:] == line


def test_whole_seconds_from_rest_give_way_to_an_event_of_the_same_second() -> None:
    """Whichever comes first."""
    look = event(
        "snapshot.reservation", 2_000, worker_sid="WK1", task_sid="WT1", reservation_sid="WR1",
        reservation_status="pending", task_channel="voice", route=Route.SNAPSHOT,
    )  # fmt: skip
    rings = reservation("created", 2_917)
    for order in ([look, rings], [rings, look]):
        assert shown(play([LOGGED_IN, *order]), 9_000)[1:] == [(2_917, "RESERVED", "")]


def test_an_event_for_an_ended_reservation_opens_nothing() -> None:
    """Never an open reservation after its terminal event, however late the others come."""
    ended = [LOGGED_IN, reservation("created", 2_000), reservation("rejected", 3_000)]
    late = [reservation("created", 2_000, sid="EVlate1"), reservation("accepted", 2_900, sid="EVlate2")]
    timeline = play([*ended, *late])
    assert timeline.open_reservations(9_000, rules()) == []
    assert shown(timeline, 9_000)[-1] == (3_000, "AVAILABLE", "")


def test_a_lost_activity_change_heals_from_the_next_ones_previous_activity() -> None:
    """The missing slice is filled, from where Twilio says it began."""
    back = activity(
        9_000, AVAILABLE, previous_activity_sid=BREAK, previous_activity_name="Break", previous_activity_ms=4_000
    )
    timeline = play([LOGGED_IN, back])
    assert shown(timeline, 10_000) == [
        (1_000, "AVAILABLE", ""),
        (5_000, "UNAVAILABLE", "Break"),
        (9_000, "AVAILABLE", ""),
    ]


def test_the_missing_slice_never_covers_what_was_seen() -> None:
    """It goes back to what is known, not over it."""
    seen = activity(6_000, LUNCH)
    back = activity(
        9_000, AVAILABLE, previous_activity_sid=BREAK, previous_activity_name="Break", previous_activity_ms=8_000
    )
    assert shown(play([LOGGED_IN, seen, back]), 10_000)[1:] == [
        (6_000, "UNAVAILABLE", "Break"),
        (9_000, "AVAILABLE", ""),
    ]


def test_at_first_sight_of_a_worker_nothing_is_invented() -> None:
    """The previous activity of the very first event is not claimed."""
    first = activity(9_000, AVAILABLE, previous_activity_sid=BREAK, previous_activity_ms=8_000)
    assert shown(play([first]), 10_000) == [(9_000, "AVAILABLE", "")]


def test_a_lost_activity_change_heals_from_a_reservations_worker_block() -> None:
    """Reservation events carry the present activity; a higher worker version proves it is newer."""
    known = activity(1_000, BREAK, worker_version=4)
    block = {"activity_sid": AVAILABLE, "activity_name": "Available", "worker_version": 6}
    timeline = play([known, reservation("created", 5_000, **block), reservation("rejected", 6_000, **block)])
    assert shown(timeline, 9_000) == [
        (1_000, "UNAVAILABLE", "Break"),
        (5_000, "RESERVED", ""),
        (6_000, "AVAILABLE", ""),
    ]


def test_a_worker_block_that_lags_behind_changes_nothing() -> None:
    """A block may still show the old activity: by its version, or without one by how short ago the change was."""
    for versions in ((4, 5), (None, None)):
        old, new = versions
        change = activity(5_000, BREAK, worker_version=new)
        lagging = reservation("rejected", 5_288, activity_sid=AVAILABLE, activity_name="Available", worker_version=old)
        assert shown(play([LOGGED_IN, change, lagging]), 9_000)[-1] == (5_000, "UNAVAILABLE", "Break")


def test_previous_activity_on_a_reservation_event_is_not_a_change() -> None:
    """Streams repeat the current activity there with time 0."""
    accepted = reservation(
        "accepted",
        2_000,
        activity_sid=AVAILABLE,
        previous_activity_sid=AVAILABLE,
        previous_activity_ms=0,
    )
    assert [one[1] for one in shown(play([LOGGED_IN, accepted]), 9_000)] == ["AVAILABLE", "CONTACT_VOICE"]


def test_an_activity_change_during_a_contact_is_remembered_for_after() -> None:
    """Activity and contact are independent."""
    events = [LOGGED_IN, reservation("accepted", 2_000), activity(3_000, BREAK), reservation("completed", 4_000)]
    assert shown(play(events), 9_000)[1:] == [(2_000, "CONTACT_VOICE", ""), (4_000, "UNAVAILABLE", "Break")]


def test_rejecting_by_going_unavailable_is_the_same_in_either_order() -> None:
    """Both are applied, whichever arrives first."""
    ring = [LOGGED_IN, reservation("created", 2_000)]
    reject, pause = reservation("rejected", 3_010), activity(3_000, BREAK)
    assert shown(play([*ring, reject, pause]), 9_000) == shown(play([*ring, pause, reject]), 9_000)
    assert shown(play([*ring, reject, pause]), 9_000)[-1] == (3_010, "UNAVAILABLE", "Break")


def test_a_reservation_timeout_shows_what_was_until_the_timeout_activity_follows() -> None:
    """The moment of AVAILABLE in between is shown as it was; smoothing is the report's business."""
    events = [LOGGED_IN, reservation("created", 2_000), reservation("timeout", 3_000), activity(3_400, OFFLINE)]
    assert shown(play(events), 9_000)[2:] == [(3_000, "AVAILABLE", ""), (3_400, "LOGOFF", "")]


def test_of_several_reserved_workers_only_the_one_who_accepts_is_on_a_contact() -> None:
    """Each worker has an entry of its own; the others are rescinded."""
    other = "WK2"
    events = [
        LOGGED_IN,
        activity(1_000, AVAILABLE, worker=other),
        reservation("created", 2_000, 1, task_sid="WT1"),
        reservation("created", 2_000, 2, task_sid="WT1", worker=other),
        reservation("accepted", 3_000, 1, task_sid="WT1"),
        reservation("rescinded", 3_005, 2, task_sid="WT1", worker=other),
    ]
    assert shown(play(events), 9_000)[-1] == (3_000, "CONTACT_VOICE", "")
    assert shown(play(events, worker=other), 9_000)[-1] == (3_005, "AVAILABLE", "")


def test_the_first_of_several_chats_to_end_does_not_end_the_state() -> None:
    """On contact since the first began, continuing."""
    one = [reservation(step, at, 1, task_channel="chat") for step, at in (("accepted", 2_000), ("completed", 5_000))]
    two = [reservation("accepted", 3_000, 2, task_channel="chat")]
    assert shown(play([LOGGED_IN, *one, *two]), 9_000)[-1] == (2_000, "CONTACT_CHAT", "")


def test_in_a_warm_transfer_each_worker_wraps_up_alone() -> None:
    """Two accepted reservations on one task; the initiator's end leaves the target's contact open."""
    events = [
        LOGGED_IN,
        activity(1_000, AVAILABLE, worker="WK2"),
        reservation("accepted", 2_000, 1, task_sid="WT1"),
        task("transfer-initiated", 3_000),
        reservation("accepted", 4_000, 2, task_sid="WT1", worker="WK2"),
        reservation("wrapup", 5_000, 1, task_sid="WT1"),
        reservation("completed", 6_000, 1, task_sid="WT1"),
    ]
    events = [one for one in events if not one.type.startswith("task.transfer")]
    assert shown(play(events), 9_000)[-2:] == [(5_000, "WRAPUP", ""), (6_000, "AVAILABLE", "")]
    assert shown(play(events, worker="WK2"), 9_000)[-1] == (4_000, "CONTACT_VOICE", "")


def test_a_transfer_the_target_rejects_changes_nothing_for_the_initiator() -> None:
    """The initiator is still on the contact."""
    events = [
        LOGGED_IN,
        reservation("accepted", 2_000, 1, task_sid="WT1"),
        reservation("created", 3_000, 2, task_sid="WT1", worker="WK2"),
        reservation("rejected", 4_000, 2, task_sid="WT1", worker="WK2"),
    ]
    assert shown(play(events), 9_000)[-1] == (2_000, "CONTACT_VOICE", "")


def test_an_unanswered_outbound_call_is_no_contact() -> None:
    """Dialling, then as before."""
    call = {"direction": "outbound"}
    events = [LOGGED_IN, reservation("created", 2_000, **call), reservation("canceled", 3_000, **call)]
    assert [one[1] for one in shown(play(events), 9_000)] == ["AVAILABLE", "DIALLING", "AVAILABLE"]


def test_a_page_refresh_during_a_call_is_an_ordinary_wrap_up() -> None:
    """Accepted, then wrapping."""
    events = [LOGGED_IN, reservation("accepted", 2_000), reservation("wrapup", 2_500)]
    assert shown(play(events), 9_000)[-1] == (2_500, "WRAPUP", "")


def test_the_same_event_twice_changes_nothing() -> None:
    """By any route, in any number."""
    events = [LOGGED_IN, reservation("created", 2_000), reservation("accepted", 3_000)]
    assert play(events).to_record() == play([one for one in events for _ in range(3)]).to_record()


def test_a_renamed_worker_stays_the_same_agent() -> None:
    """The sid is the key; the newest name counts, whatever the order of arrival."""
    old = activity(1_000, AVAILABLE, worker_name="ana@old.example")
    new = event("worker.attributes.update", 2_000, worker_sid="WK1", worker_name="ana@new.example")
    assert play([old, new]).worker_name == play([new, old]).worker_name == "ana@new.example"


def test_the_agent_id_comes_from_sid_name_or_attribute() -> None:
    """And is unmapped, with a reason, where the chosen one is missing."""
    assert rules().mapping.agent_for("WK1", None, None) == "WK1"
    assert rules(agent_id="friendly_name").mapping.agent_for("WK1", "ana", None) == "ana"
    assert rules(agent_id="attribute").mapping.agent_for("WK1", "ana", "4711") == "4711"
    assert isinstance(rules(agent_id="attribute").mapping.agent_for("WK1", "ana", None), Unmapped)
    assert isinstance(rules(agent_id="friendly_name").mapping.agent_for("WK1", None, None), Unmapped)


def test_an_agent_flapping_every_three_seconds_for_an_hour_keeps_its_whole_line() -> None:
    """The known fault of a widespread plug-in; nothing is dropped in derivation."""
    events = [activity(at, AVAILABLE if at // 3_000 % 2 else BREAK) for at in range(3_000, 3_600_000, 3_000)]
    timeline = play(events)
    assert len(shown(timeline, 3_600_000)) == len(events)


def test_an_agent_who_left_a_chat_open_overnight_is_on_a_contact() -> None:
    """ "Offline and an accepted chat for 14 hours" is a normal input."""
    hours = 3_600_000
    events = [LOGGED_IN, reservation("accepted", 2_000, task_channel="chat"), activity(3_000, OFFLINE)]
    assert shown(play(events), 14 * hours)[-1] == (2_000, "CONTACT_CHAT", "")


def test_channels_follow_the_order_of_resolution() -> None:
    """channelType if known, else Flex Insights' channel, else the task channel; the first known name counts."""
    cases = [
        ({"channel_type": "sms", "communication_channel": "chat", "task_channel": "chat"}, "CONTACT_SMS"),
        ({"channel_type": "custom-x", "communication_channel": "Chat", "task_channel": "sms"}, "CONTACT_CHAT"),
        ({"task_channel": "chat", "channel_type": "web"}, "CONTACT_WEB"),
        ({"task_channel": "chat"}, "CONTACT_CHAT"),
        ({"task_channel": "default", "channel_type": "modica"}, "CONTACT_OTHER"),
        ({"task_channel": "chat", "channel_type": "whatsapp"}, "CONTACT_CHAT"),
    ]
    for fields, expected in cases:
        timeline = play([LOGGED_IN, reservation("accepted", 2_000, **fields)])
        assert shown(timeline, 9_000)[-1][1] == expected, fields


def test_pruning_keeps_what_can_still_change() -> None:
    """What ended is let go; the activity in force, open reservations and the line from there on stay."""
    events = [
        LOGGED_IN,
        reservation("accepted", 2_000, 1),
        reservation("completed", 3_000, 1),
        reservation("accepted", 4_000, 2),
        activity(5_000, LUNCH),
    ]
    timeline = play(events)
    before = shown(timeline, 9_000)
    timeline.prune(4_500, 9_000, rules())
    assert set(timeline.reservations) == {"WR2"}
    assert timeline.too_old(4_499)
    assert not timeline.too_old(4_500)
    assert shown(timeline, 9_000)[-1] == before[-1]
    timeline.apply(reservation("completed", 10_000, 2), rules())
    assert shown(timeline, 11_000)[-1] == (10_000, "UNAVAILABLE", NAMES[LUNCH])


def test_an_event_from_after_a_snapshot_brings_back_what_the_snapshot_seemed_to_have_ended() -> None:
    """From the reservation's start on, not from the event on: a clock that ran ahead dates a snapshot too late."""
    timeline = play([LOGGED_IN])
    accepted, wrapup = reservation("accepted", 2_000), reservation("wrapup", 8_000)
    assert timeline.expect_unseen_end(accepted, 5_000, frozenset()) is None
    timeline.apply(accepted, rules())
    assert shown(timeline, 9_000)[-1] == (1_000, "AVAILABLE", "")
    assert timeline.expect_unseen_end(wrapup, 5_000, frozenset()) == 2_000
    timeline.apply(wrapup, rules())
    assert shown(timeline, 9_000)[1:] == [(2_000, "CONTACT_VOICE", ""), (8_000, "WRAPUP", "")]

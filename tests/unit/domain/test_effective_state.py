"""The effective state: one value, the highest match wins."""

from __future__ import annotations

import pytest
from histories import (
    AVAILABLE,
    BREAK,
    OFFLINE,
    activity,
    event,
    play,
    reservation,
    rules,
    shown,
    state_at,
    task,
)

from flex_plugin_backend.domain.agents import AgentTimeline
from flex_plugin_backend.domain.mapping import (
    ActivityOverride,
    Channel,
    Direction,
    EffectiveState,
    State,
    Unmapped,
    WfmState,
)
from flex_plugin_backend.domain.reservations import StateRules

LOGGED_IN = activity(1_000, AVAILABLE)


@pytest.mark.parametrize(("to", "expected"), [(OFFLINE, "LOGOFF"), (AVAILABLE, "AVAILABLE"), (BREAK, "UNAVAILABLE")])
def test_without_contacts_the_activity_decides(to: str, expected: str) -> None:
    """Offline by its sid whatever its name, available by the catalogue's flag, the rest unavailable."""
    assert shown(play([activity(5, to)]), 10)[0][1] == expected


def test_an_unavailable_agent_has_the_activity_name_as_reason() -> None:
    """Activities are Flex's reason codes."""
    assert shown(play([activity(5, BREAK)]), 10) == [(5, "UNAVAILABLE", "Break")]


def test_the_name_offline_means_nothing() -> None:
    """An activity called Offline that is not the configured logged-out one is an ordinary unavailable activity."""
    using = rules(offline_activity_sid=BREAK)
    assert shown(play([activity(5, OFFLINE)], using), 10, using) == [(5, "UNAVAILABLE", "Abgemeldet")]
    assert shown(play([activity(5, BREAK)], using), 10, using) == [(5, "LOGOFF", "")]


@pytest.mark.parametrize(
    ("step", "expected"),
    [("created", "RESERVED"), ("accepted", "CONTACT_VOICE"), ("wrapup", "WRAPUP"), ("completed", "AVAILABLE")],
)
def test_each_step_of_a_reservation_has_its_state(step: str, expected: str) -> None:
    """Ringing, contact, wrap-up, and back to the activity."""
    steps = ["created", "accepted", "wrapup", "completed"]
    events = [LOGGED_IN, *(reservation(one, 2_000 + n) for n, one in enumerate(steps[: steps.index(step) + 1]))]
    assert shown(play(events), 9_000)[-1][1] == expected


@pytest.mark.parametrize("ending", ["rejected", "timeout", "canceled", "rescinded"])
def test_a_pending_reservation_that_ends_leaves_no_contact(ending: str) -> None:
    """Pending is removed, and the agent is as before."""
    timeline = play([LOGGED_IN, reservation("created", 2_000), reservation(ending, 3_000)])
    assert shown(timeline, 9_000) == [(1_000, "AVAILABLE", ""), (2_000, "RESERVED", ""), (3_000, "AVAILABLE", "")]


def test_a_failed_reservation_without_a_worker_touches_nobody() -> None:
    """`reservation.failed` has no worker block and is ignored for agent state."""
    assert shown(play([LOGGED_IN, event("reservation.failed", 2_000, reservation_sid="WR1")]), 9_000) == [
        (1_000, "AVAILABLE", "")
    ]


def test_a_pending_outbound_reservation_is_dialling() -> None:
    """The customer's phone rings, not the agent's."""
    timeline = play([LOGGED_IN, reservation("created", 2_000, direction="outbound")])
    assert shown(timeline, 9_000)[-1] == (2_000, "DIALLING", "")


def test_ringing_beats_dialling() -> None:
    """With both pending the inbound one is shown."""
    timeline = play([LOGGED_IN, reservation("created", 2_000, direction="outbound"), reservation("created", 3_000, 2)])
    assert [one[1] for one in shown(timeline, 9_000)] == ["AVAILABLE", "DIALLING", "RESERVED"]


@pytest.mark.parametrize(
    ("channel", "direction", "expected"),
    [
        ("voice", "inbound", "CONTACT_VOICE"),
        ("sms", "inbound", "CONTACT_SMS"),
        ("voice", "outbound", "CONTACT_OUTBOUND"),
        ("chat", "outbound", "CONTACT_OUTBOUND"),
        ("voice", "internal", "CONTACT_INTERNAL"),
        ("email", "inbound", "CONTACT_OTHER"),
        ("salesforce-case", "inbound", "CONTACT_OTHER"),
        ("voice", "", "CONTACT_VOICE"),
    ],
)
def test_a_contact_carries_its_channel_unless_the_direction_says_more(
    channel: str, direction: str, expected: str
) -> None:
    """Direction comes before channel; what is unknown is a contact all the same."""
    fields = {"task_channel": channel, "direction": direction or None}
    timeline = play([LOGGED_IN, reservation("accepted", 2_000, **fields)])
    assert shown(timeline, 9_000)[-1][1] == expected


def test_voice_comes_before_messaging_and_among_equals_the_oldest() -> None:
    """The main contact of several concurrent ones."""
    chat = reservation("accepted", 2_000, 1, task_channel="chat")
    sms = reservation("accepted", 3_000, 2, task_channel="sms")
    call = reservation("accepted", 4_000, 3)
    timeline = play(
        [LOGGED_IN, chat, sms, call, reservation("completed", 5_000, 3), reservation("completed", 6_000, 1)]
    )
    assert shown(timeline, 9_000)[1:] == [
        (2_000, "CONTACT_CHAT", ""),
        (4_000, "CONTACT_VOICE", ""),
        (5_000, "CONTACT_CHAT", ""),
        (6_000, "CONTACT_SMS", ""),
    ]


def test_contact_beats_wrap_up_beats_ringing_beats_the_activity() -> None:
    """The order of precedence, with all four at once."""
    events = [
        activity(1_000, BREAK),
        reservation("created", 2_000, 1),
        reservation("wrapup", 3_000, 2),
        reservation("accepted", 4_000, 3),
    ]
    timeline = play(events)
    assert [one[1] for one in shown(timeline, 9_000)] == ["UNAVAILABLE", "RESERVED", "WRAPUP", "CONTACT_VOICE"]


def test_an_activity_that_is_not_in_the_catalogue_cannot_be_judged() -> None:
    """Whether it is available is unknown, so it is held instead of guessed."""
    timeline = play([activity(5, "WA9")])
    assert state_at(timeline, 9).state is State.UNKNOWN
    assert isinstance(rules().mapping.wfm_state(state_at(timeline, 9)), Unmapped)


def test_an_override_gives_an_activity_another_meaning() -> None:
    """By name in any case, or by sid: state, event id and reason, each alone."""
    using = rules(overrides={"break": ActivityOverride(event_id="PAUSE", reason="B1")})
    assert shown(play([activity(5, BREAK)], using), 10, using) == [(5, "PAUSE", "B1")]
    using = rules(overrides={BREAK: ActivityOverride(state=State.OFFLINE)})
    assert shown(play([activity(5, BREAK)], using), 10, using) == [(5, "LOGOFF", "")]


def test_a_pseudo_activity_keeps_the_activity_before_it() -> None:
    """ "On a Task" only mirrors reservations: it is neither a state nor a reason."""
    using = rules(pseudo_activities=frozenset({BREAK}))
    events = [LOGGED_IN, reservation("accepted", 2_000), activity(2_010, BREAK), reservation("completed", 3_000)]
    assert shown(play(events, using), 9_000, using) == [
        (1_000, "AVAILABLE", ""),
        (2_000, "CONTACT_VOICE", ""),
        (3_000, "AVAILABLE", ""),
    ]


class TestParkedMessaging:
    """A messaging contact left open while the activity takes no work."""

    events = (
        LOGGED_IN,
        reservation("accepted", 2_000, task_channel="chat"),
        activity(3_000, OFFLINE),
    )

    def line(self, policy: str, limit_ms: int = 0) -> list[tuple[int, str, str]]:
        using = rules(states=StateRules(parked_messaging=policy, parked_limit_ms=limit_ms))
        return shown(play(list(self.events), using), 99_000, using)[1:]

    def test_by_default_the_contact_wins(self) -> None:
        """An agent whose activity is the logged-out one but who has an open contact is at work."""
        assert self.line("contact") == [(2_000, "CONTACT_CHAT", "")]

    def test_the_activity_can_win(self) -> None:
        """A setting."""
        assert self.line("activity") == [(2_000, "CONTACT_CHAT", ""), (3_000, "LOGOFF", "")]

    def test_the_contact_can_win_for_a_time(self) -> None:
        """The limit counts from when both hold."""
        assert self.line("limited", 10_000) == [(2_000, "CONTACT_CHAT", ""), (13_000, "LOGOFF", "")]

    def test_voice_always_wins(self) -> None:
        """Nobody parks a call."""
        using = rules(states=StateRules(parked_messaging="activity"))
        timeline = play([LOGGED_IN, reservation("accepted", 2_000), activity(3_000, OFFLINE)], using)
        assert shown(timeline, 9_000, using)[-1] == (2_000, "CONTACT_VOICE", "")


class TestTime:
    """What time alone changes."""

    def test_wrap_up_ends_at_its_cap_whatever_comes_later(self) -> None:
        """A wrap-up that nobody completes does not last for ever."""
        using = rules(states=StateRules(wrap_up_cap_ms=10_000))
        events = [LOGGED_IN, reservation("wrapup", 2_000), reservation("completed", 50_000)]
        assert shown(play(events, using), 99_000, using)[1:] == [(2_000, "WRAPUP", ""), (12_000, "AVAILABLE", "")]

    def test_a_task_end_closes_its_reservation_after_the_grace(self) -> None:
        """The safety net for a lost end event, at the task's own end."""
        timeline = play([LOGGED_IN, reservation("accepted", 2_000), task("completed", 5_000)])
        assert state_at(timeline, 34_999).state is State.CONTACT
        assert shown(timeline, 35_000)[-1] == (5_000, "AVAILABLE", "")

    def test_within_the_grace_the_reservations_own_end_counts(self) -> None:
        """`task.completed` may come first; then nothing is closed early."""
        timeline = play(
            [LOGGED_IN, reservation("accepted", 2_000), task("completed", 5_000), reservation("completed", 5_400)]
        )
        assert shown(timeline, 99_000)[-1] == (5_400, "AVAILABLE", "")

    def test_the_next_due_instant_is_known(self) -> None:
        """So that somebody can look again when it comes; 30 s after the cap, for what is on its way by then."""
        timeline = play([LOGGED_IN, reservation("wrapup", 2_000)])
        assert timeline.next_due(3_000, rules()) == (3_632_000, 3_602_000)
        timeline.end_task("WT1", 3_000, 33_000)
        assert timeline.next_due(3_000, rules()) == (33_000, 3_000)
        timeline.apply(reservation("completed", 3_500), rules())
        assert timeline.next_due(3_500, rules()) is None


class TestDeletedWorkers:
    """`worker.deleted` carries the worker's creation time."""

    def test_the_agent_leaves_at_the_newest_time_of_any_of_its_events(self) -> None:
        """Not at the stamp of the deletion, which lies in the past."""
        deleted = event("worker.deleted", 500, worker_sid="WK1")
        line = [(1_000, "AVAILABLE", ""), (2_000, "CONTACT_VOICE", ""), (3_000, "LOGOFF", "")]
        talk = [LOGGED_IN, reservation("accepted", 2_000), event("worker.attributes.update", 3_000, worker_sid="WK1")]
        assert shown(play([*talk, deleted]), 9_000) == line
        assert shown(play([deleted, *talk]), 9_000) == line

    def test_changes_of_capacity_do_not_count_as_one_of_them(self) -> None:
        """Whether they are sent at all depends on the workspace's events filter."""
        deleted = event("worker.deleted", 500, worker_sid="WK1")
        kinds = ("worker.capacity.update", "worker.channel.availability.update")
        later = [event(kind, 8_000, worker_sid="WK1") for kind in kinds]
        line = [(1_000, "AVAILABLE", ""), (2_000, "LOGOFF", "")]
        talk = [LOGGED_IN, reservation("accepted", 2_000)]
        assert shown(play([*talk, *later, deleted]), 9_000) == line
        assert shown(play([deleted, *talk, *later]), 9_000) == line


def test_an_agent_nobody_has_seen_is_not_invented() -> None:
    """Before the first event there is no state to show."""
    assert shown(AgentTimeline("WK1"), 10_000) == []


def test_the_pair_of_a_state_the_profile_does_not_know_is_unmapped() -> None:
    """The profile's table decides; a missing line is a dead letter, not an exception."""
    using = rules(event_table=lambda _state, _channel, _direction: None)
    state = EffectiveState(State.CONTACT, Channel.VOICE, Direction.INBOUND)
    assert isinstance(using.mapping.wfm_state(state), Unmapped)
    assert rules().mapping.wfm_state(state) == WfmState("CONTACT_VOICE", "")

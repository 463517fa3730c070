"""The projector: exactly once whatever breaks, history rewritten rightly, timers, and names that come late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flow_bench import FULL, T0, Bench, Peer, only
from histories import AVAILABLE, BREAK, LUNCH, OFFLINE, activity, event, reservation, task

from flex_plugin_backend.domain.events import SNAPSHOT_RESERVATION, SNAPSHOT_WORKER, Route
from flex_plugin_backend.flow.rules import StoredCatalogue
from flex_plugin_backend.ledger.outbox import Delivery, Kind

S = 1_000


def history() -> list[Any]:
    """A shift with a call, a chat that only its task ends, a lost step told late, and a break."""
    return [
        activity(T0, AVAILABLE),
        reservation("created", T0 + 10 * S, 1),
        reservation("accepted", T0 + 12 * S, 1),
        reservation("completed", T0 + 90 * S, 1),
        reservation("wrapup", T0 + 70 * S, 1),
        activity(T0 + 100 * S, BREAK),
        activity(T0 + 95 * S, LUNCH),
        reservation("created", T0 + 110 * S, 2, task_channel="chat"),
        reservation("accepted", T0 + 111 * S, 2, task_channel="chat"),
        task("completed", T0 + 130 * S, 2),
        activity(T0 + 200 * S, OFFLINE),
    ]


LINE = [
    (0, "AVAILABLE", ""),
    (10, "RESERVED", ""),
    (12, "CONTACT_VOICE", ""),
    (70, "WRAPUP", ""),
    (90, "AVAILABLE", ""),
    (95, "UNAVAILABLE", "Lunch"),
    (100, "UNAVAILABLE", "Break"),
    (110, "RESERVED", ""),
    (111, "CONTACT_CHAT", ""),
    (130, "UNAVAILABLE", "Break"),
    (200, "LOGOFF", ""),
]


def in_seconds(line: list[tuple[int, str | None, str]]) -> list[tuple[float, str | None, str]]:
    return [((start_ms - T0) / S, event_id, reason) for start_ms, event_id, reason in line]


@pytest.mark.parametrize("crash_at", range(11))
def test_a_restart_after_any_event_leaves_no_trace(bench: Bench, crash_at: int) -> None:
    """The process dies after the n-th event, told one by one: the line is the same, no row is there twice."""
    for number, one in enumerate(history()):
        bench.clock.set_ms(one.occurred_ms)
        bench.tell(one)
        if number == crash_at:
            bench.restart()
    bench.clock.advance(60)
    bench.project()
    assert in_seconds(bench.line("WK1")) == LINE
    live = [row for row in bench.rows() if row.kind == Kind.CHANGE and row.status != Delivery.REPLACED]
    assert len({(row.start_ms, row.event_id, row.reason) for row in live}) == len(live)


@pytest.mark.parametrize("step", ["record", "save", "set_cursor", "commit"])
@pytest.mark.parametrize("fail_at", [0, 4, 6, 9])
def test_a_write_that_fails_at_any_point_is_repeated_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str, fail_at: int
) -> None:
    """Changes, timelines and cursor are one transaction: after a fault at any of them the same events apply once."""
    for number, one in enumerate(history()):
        bench.clock.set_ms(one.occurred_ms)
        bench.store([one])
        if number == fail_at:
            with monkeypatch.context() as patch:
                break_once(patch, bench, step)
                with pytest.raises(OSError, match="disk"):
                    bench.projector.step()
        bench.project()
    bench.clock.advance(60)
    bench.project()
    assert in_seconds(bench.line("WK1")) == LINE


def break_once(patch: pytest.MonkeyPatch, bench: Bench, step: str) -> None:
    """Let one part of the projector's write transaction fail."""

    def fails(*_args: object, **_more: object) -> None:
        raise OSError("disk full")

    if step == "commit":
        write = bench.ledger.write

        @contextmanager
        def torn() -> Iterator[Any]:
            with write() as connection:
                yield connection
                raise OSError("disk full")

        patch.setattr(bench.ledger, "write", torn)
        return
    module = {"record": "outbox", "save": "agents", "set_cursor": "eventlog"}[step]
    patch.setattr(f"flex_plugin_backend.ledger.{module}.{step}", fails)


def test_nothing_is_derived_from_memory_after_a_failure_that_could_not_be_repaired(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write fails, and the ledger cannot be read either: the next step reads it before it derives anything."""
    bench.tell(activity(T0, AVAILABLE))
    bench.store([activity(T0 + 10 * S, BREAK)])
    with monkeypatch.context() as patch:
        break_once(patch, bench, "commit")
        with pytest.raises(OSError, match="disk"):
            bench.projector.step()
        patch.setattr("flex_plugin_backend.ledger.agents.load", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.projector.step()
    bench.tell(activity(T0 + 20 * S, LUNCH))
    assert [(at, reason) for at, _, reason in in_seconds(bench.line("WK1"))] == [(0, ""), (10, "Break"), (20, "Lunch")]


# -- history rewritten ----------------------------------------------------------------------------------------------


def test_what_was_not_sent_is_replaced(bench: Bench, peer: Peer) -> None:
    """A late event corrects what waits: the wrong row is replaced, the right ones go out in order."""
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 60 * S, BREAK))
    bench.tell(activity(T0 + 30 * S, LUNCH))
    assert bench.told() == [
        ("change", "AVAILABLE", "pending"),
        ("change", "UNAVAILABLE", "replaced"),
        ("change", "UNAVAILABLE", "pending"),
        ("change", "UNAVAILABLE", "pending"),
    ]
    bench.drain()
    assert [reason for _, _, reason in peer.taken] == ["", "Lunch", "Break"]


def test_a_state_before_one_that_was_sent_is_kept_as_late(bench: Bench, peer: Peer) -> None:
    """What the WFM has passed already is not sent any more, but stays in the line."""
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 60 * S, BREAK))
    bench.drain()
    bench.tell(activity(T0 + 30 * S, LUNCH))
    bench.drain()
    assert [reason for _, _, reason in peer.taken] == ["", "Break"]
    late = bench.rows()[-1]
    assert (late.status, late.start_ms, "after a later state" in late.note) == (Delivery.LATE, T0 + 30 * S, True)
    assert [reason for _, _, reason in bench.line("WK1")] == ["", "Lunch", "Break"]


def test_a_sent_state_that_never_was_is_withdrawn_and_the_right_one_told_again(bench: Bench, peer: Peer) -> None:
    """A ringing that had ended before it began: the WFM holds RESERVED, so the present is told once more."""
    bench.tell(activity(T0, AVAILABLE))
    bench.drain()
    bench.tell(reservation("created", T0 + 30 * S))
    bench.drain()
    bench.tell(reservation("canceled", T0 + 30 * S))
    bench.drain()
    assert [event_id for _, event_id, _ in peer.taken] == ["AVAILABLE", "RESERVED", "AVAILABLE"]
    assert [event_id for _, event_id, _ in bench.line("WK1")] == ["AVAILABLE"]


def test_a_state_that_began_earlier_than_told_survives_a_restart(bench: Bench, peer: Peer) -> None:
    """The correction is not sent, for the WFM shows that state; the next change back must not be taken for none."""
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + 60 * S))
    bench.drain()
    bench.tell(reservation("accepted", T0 + 30 * S, sid="EVearlier"))
    bench.drain()
    assert in_seconds(bench.line("WK1"))[1:] == [(30, "CONTACT_VOICE", "")]
    bench.restart()
    bench.tell(reservation("completed", T0 + 90 * S))
    bench.drain()
    assert [event_id for _, event_id, _ in peer.taken] == ["AVAILABLE", "CONTACT_VOICE", "AVAILABLE"]


def test_an_event_older_than_what_is_kept_is_placed_by_replaying_the_ledger(bench: Bench) -> None:
    """Hours late, a lost break still takes its place, and contacts that memory has let go of stay in the line."""
    hour = 3_600 * S
    shift = [activity(T0, AVAILABLE)]
    for number in range(1, 7):
        shift.append(reservation("accepted", T0 + number * hour, number))
        shift.append(reservation("completed", T0 + number * hour + 60 * S, number))
    for one in shift:
        bench.clock.set_ms(one.occurred_ms)
        bench.tell(one)
    before = bench.line("WK1")
    bench.tell(activity(T0 + hour + 100 * S, BREAK), activity(T0 + hour + 200 * S, AVAILABLE))
    added = [(T0 + hour + 100 * S, "UNAVAILABLE", "Break"), (T0 + hour + 200 * S, "AVAILABLE", "")]
    assert bench.line("WK1") == sorted([*before, *added])


def test_a_lost_slice_from_before_what_is_kept_does_not_wipe_out_contacts(bench: Bench) -> None:
    """An update says the worker had been in a break for hours: the contacts within stay where they were."""
    hour = 3_600 * S
    for one in (
        activity(T0, AVAILABLE),
        reservation("accepted", T0 + 2 * hour),
        reservation("completed", T0 + 2 * hour + 60 * S),
        event("worker.attributes.update", T0 + 4 * hour, worker_sid="WK1"),
        activity(T0 + 5 * hour, LUNCH, previous_activity_sid=BREAK, previous_activity_ms=4 * hour),
    ):
        bench.clock.set_ms(one.occurred_ms)
        bench.tell(one)
    told = [(at / 3_600, event_id) for at, event_id, _ in in_seconds(bench.line("WK1"))]
    assert [(at, name) for at, name in told if name != "AVAILABLE"] == [
        (1, "UNAVAILABLE"),
        (2, "CONTACT_VOICE"),
        (2 + 1 / 60, "UNAVAILABLE"),
        (5, "UNAVAILABLE"),
    ]


def test_an_end_from_before_what_is_kept_opens_what_a_snapshot_did_not_show(bench: Bench) -> None:
    """Told in two portions: until its end is known it counts as never open, and then from its start on."""
    bench.tell(activity(T0, AVAILABLE))
    bench.clock.set_ms(T0 + 7_200 * S)
    bench.tell(activity(T0 + 7_200 * S, BREAK))
    bench.projector.note_snapshot(T0 + 7_200 * S, frozenset())
    older = activity(T0 + 300 * S, LUNCH)
    bench.tell(older, reservation("accepted", T0 + 600 * S, 1), reservation("wrapup", T0 + 900 * S, 1))
    bench.tell(reservation("completed", T0 + 910 * S, 1))
    assert in_seconds(bench.line("WK1")) == [
        (0, "AVAILABLE", ""),
        (300, "UNAVAILABLE", "Lunch"),
        (600, "CONTACT_VOICE", ""),
        (900, "WRAPUP", ""),
        (910, "UNAVAILABLE", "Lunch"),
        (7_200, "UNAVAILABLE", "Break"),
    ]


def test_what_only_the_start_saw_is_still_known_after_a_replay(bench: Bench) -> None:
    """When a call and an activity began, REST told at the start; events tell their end, and the same activity again."""
    call = {"reservation_sid": "WR1", "task_sid": "WT1", "task_channel": "voice", "direction": "inbound"}
    seen = {"worker_sid": "WK1", "route": Route.SNAPSHOT}
    began = event(SNAPSHOT_RESERVATION, T0 - 400 * S, sid="SN1", reservation_status="accepted", **call, **seen)
    bench.tell(event(SNAPSHOT_WORKER, T0 - 900 * S, sid="SN2", activity_sid=AVAILABLE, **seen), began)
    told = [
        reservation("completed", T0 + 60 * S, 1),
        activity(T0 + 300 * S, BREAK),
        activity(T0 + 400 * S, AVAILABLE),
        activity(T0 + 7_200 * S, BREAK),
    ]
    for one in told:
        bench.clock.set_ms(one.occurred_ms)
        bench.tell(one)
    line = in_seconds(bench.line("WK1"))
    for step, at_s in (("created", 10), ("accepted", 20), ("completed", 30)):
        bench.tell(reservation(step, T0 + at_s * S, 2, task_channel="chat"))  # beside the call, told hours late
    assert in_seconds(bench.line("WK1")) == line
    assert line[:3] == [(-900, "AVAILABLE", ""), (-400, "CONTACT_VOICE", ""), (60, "AVAILABLE", "")]


def test_a_deleted_worker_stays_deleted_when_its_history_is_replayed(bench: Bench) -> None:
    """A deletion bears the stamp of the worker's creation; a late old event must not bring the agent back."""
    day = 86_400 * S
    bench.tell(event("worker.created", T0 - 30 * day, worker_sid="WK1", activity_sid=OFFLINE))
    bench.tell(activity(T0, AVAILABLE), event("worker.deleted", T0 - 30 * day, worker_sid="WK1"))
    assert bench.line("WK1")[-1][1] == "LOGOFF"
    bench.clock.advance(7_200)
    bench.tell(activity(T0 - 3_600 * S, BREAK))
    assert bench.line("WK1")[-1][1] == "LOGOFF"


def test_what_lies_before_the_first_sight_of_a_worker_is_no_state(bench: Bench) -> None:
    """A deletion with the stamp of the creation reaches back to a time of which nothing is known."""
    bench.tell(activity(T0, AVAILABLE))
    bench.clock.advance(7_200)
    bench.tell(activity(T0 + 7_000 * S, BREAK), event("worker.deleted", T0 - 86_400 * 30 * S, worker_sid="WK1"))
    assert [one.status for one in bench.rows("WK1") if one.status == "unmapped"] == []
    assert in_seconds(bench.line("WK1")) == [(0, "AVAILABLE", ""), (7_000, "LOGOFF", "")]


def test_a_first_sight_by_rest_outlasts_the_replay_of_a_history(bench: Bench) -> None:
    """Logged out by a snapshot, in and out again: that the last state is the first says nothing about an hour ago."""
    first = event("snapshot.worker", T0 - 3_600 * S, sid="SN1", worker_sid="WK1", activity_sid=OFFLINE)
    bench.tell(first, activity(T0, AVAILABLE))
    bench.clock.advance(7_200)
    bench.tell(activity(T0 + 7_000 * S, OFFLINE), event("worker.deleted", T0 - 86_400 * 30 * S, worker_sid="WK1"))
    assert in_seconds(bench.line("WK1")) == [(-3_600, "LOGOFF", ""), (0, "AVAILABLE", ""), (7_000, "LOGOFF", "")]


# -- time alone -----------------------------------------------------------------------------------------------------


def test_a_tasks_end_closes_its_reservation_after_the_grace(bench: Bench) -> None:
    """The reservation's own end is lost: after 30 s the task's end counts, from when it happened."""
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + 10 * S))
    bench.clock.advance(60)
    bench.tell(task("canceled", T0 + 60 * S))
    assert bench.projector.next_timer_ms() == T0 + 90 * S
    assert bench.line("WK1")[-1][1] == "CONTACT_VOICE"
    bench.clock.advance(29.999)
    bench.project()
    assert bench.line("WK1")[-1][1] == "CONTACT_VOICE"
    bench.clock.advance(0.001)
    bench.project()
    assert in_seconds(bench.line("WK1"))[-1] == (60, "AVAILABLE", "")


def test_wrap_up_ends_at_its_cap_also_over_a_restart(bench: Bench) -> None:
    """A wrap-up nobody completes ends after an hour; the clock goes on while the process is down."""
    bench.tell(activity(T0, AVAILABLE), reservation("wrapup", T0 + 10 * S))
    bench.clock.advance(7_200)
    bench.restart()
    bench.project()
    assert in_seconds(bench.line("WK1"))[-1] == (3_610, "AVAILABLE", "")


def test_a_contact_whose_events_are_on_their_way_at_the_cap_is_not_passed_over(bench: Bench) -> None:
    """Accepted ten seconds before the cap and told five after it: the agent was never available in between."""
    bench.tell(activity(T0, AVAILABLE), reservation("wrapup", T0))
    bench.clock.advance(3_604)
    bench.project()
    assert bench.line("WK1")[-1][1] == "WRAPUP"
    bench.clock.advance(1)
    bench.tell(reservation("accepted", T0 + 3_590 * S, 2))
    bench.clock.advance(60)
    bench.project()
    assert in_seconds(bench.line("WK1"))[-2:] == [(0, "WRAPUP", ""), (3_590, "CONTACT_VOICE", "")]


def test_a_cap_is_looked_at_half_a_minute_later_and_counts_from_its_own_time(bench: Bench) -> None:
    """Nothing else comes: available since the cap."""
    bench.tell(activity(T0, AVAILABLE), reservation("wrapup", T0))
    bench.clock.advance(3_629.999)
    bench.project()
    assert bench.line("WK1")[-1][1] == "WRAPUP"
    bench.clock.advance(0.001)
    bench.project()
    assert in_seconds(bench.line("WK1"))[-1] == (3_600, "AVAILABLE", "")


# -- names ----------------------------------------------------------------------------------------------------------


def test_states_without_a_name_are_held_until_the_catalogue_comes(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """Twilio's REST API is down at the first start: activities cannot be named, are held, counted, and go out later."""
    bench = make_bench(peer.url, catalogue=None)
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + 10 * S), reservation("completed", T0 + 50 * S))
    bench.drain()
    assert [event_id for _, event_id, _ in peer.taken] == ["CONTACT_VOICE"]
    assert bench.tenant.health()["unmapped"].keys() == {"WK1"}
    bench.projector.set_catalogue(FULL)
    bench.drain()
    assert peer.taken[1:] == [("WK1", "AVAILABLE", "")]
    assert [event_id for _, event_id, _ in bench.line("WK1")] == ["AVAILABLE", "CONTACT_VOICE", "AVAILABLE"]
    assert bench.tenant.health()["unmapped"] == {}


def test_a_catalogue_that_comes_hours_late_keeps_the_contacts_of_those_hours(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """Naming what was held from before what memory keeps rewrites the line from the ledger, not from what is left."""
    bench = make_bench(peer.url, catalogue=None)
    for number in range(1, 5):
        for one in (
            activity(T0 + number * 3_600 * S, BREAK if number % 2 else AVAILABLE),
            reservation("accepted", T0 + number * 3_600 * S + 100 * S, number),
            reservation("completed", T0 + number * 3_600 * S + 200 * S, number),
        ):
            bench.clock.set_ms(one.occurred_ms)
            bench.tell(one)
    bench.projector.set_catalogue(FULL)
    resting = ["UNAVAILABLE", "AVAILABLE"] * 2
    expected = [name for rest in resting for name in (rest, "CONTACT_VOICE", rest)]
    assert [event_id for _, event_id, _ in bench.line("WK1")] == expected


def test_a_catalogue_that_could_not_be_kept_is_taken_the_next_time(
    make_bench: Callable[..., Bench], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full while the catalogue is stored: the repetition must not believe that it is known."""
    bench = make_bench(peer.url, catalogue=None)
    bench.tell(activity(T0, AVAILABLE))
    with monkeypatch.context() as patch:
        break_once(patch, bench, "save")
        with pytest.raises(OSError, match="disk"):
            bench.projector.set_catalogue(FULL)
    bench.projector.set_catalogue(FULL)
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", "")]
    bench.restart()
    assert bench.projector.catalogue == FULL


def test_activity_events_name_states_without_rest_and_outlive_a_restart(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """`activity.created` and `activity.updated` change the catalogue for good; a renamed reason is told at once."""
    bench = make_bench(peer.url, catalogue=only(AVAILABLE))
    bench.tell(activity(T0, LUNCH))
    assert bench.forwarder.step() is None
    bench.tell(event("activity.created", T0 + 1, activity_sid=LUNCH, activity_name="Meal", activity_available=False))
    bench.drain()
    assert peer.taken == [("WK1", "UNAVAILABLE", "Meal")]
    bench.restart()
    bench.tell(event("activity.updated", T0 + 2, activity_sid=LUNCH, activity_name="Dinner"))
    bench.drain()
    assert peer.taken[1:] == [("WK1", "UNAVAILABLE", "Dinner")]


def test_a_setting_that_names_a_held_state_sends_it_after_the_restart(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """The operator says what an unknown activity means and restarts: what was held goes out without a new event."""
    bench = make_bench(peer.url, catalogue=StoredCatalogue())
    bench.tell(activity(T0, LUNCH))
    assert bench.forwarder.step() is None
    bench.restart(mapping={"activities": {LUNCH: {"state": "UNAVAILABLE", "reason": "Mittag"}}})
    bench.drain()
    assert peer.taken == [("WK1", "UNAVAILABLE", "Mittag")]


def test_an_unmapped_agent_is_held_counted_and_sent_once_it_is_mapped(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """Without the attribute all states of the agent wait; the attribute arrives with an update, and all go out."""
    bench = make_bench(peer.url, mapping={"agent_id": "attribute:wfm.id"})
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 10 * S, BREAK))
    assert bench.forwarder.step() is None
    health = bench.tenant.health()
    assert (health["dead_letters"], health["pending"]) == (2, 0)
    assert "attributes" in health["unmapped"]["WK1"]
    assert bench.tenant.unmapped()["WK1"][0] == 2
    bench.tell(event("worker.attributes.update", T0 + 20 * S, worker_sid="WK1", agent_key="4711"))
    bench.drain()
    assert peer.taken == [("4711", "AVAILABLE", ""), ("4711", "UNAVAILABLE", "Break")]
    assert bench.tenant.health()["unmapped"] == {}


def test_an_unmapped_agent_is_sent_after_a_restart_with_another_mapping(
    make_bench: Callable[..., Bench], peer: Peer
) -> None:
    """The mapping is changed in the settings: what was held goes out without a new event."""
    bench = make_bench(peer.url, mapping={"agent_id": "attribute:wfm.id"})
    bench.tell(activity(T0, AVAILABLE))
    bench.restart(mapping={"agent_id": "worker_sid"})
    bench.drain()
    assert peer.taken == [("WK1", "AVAILABLE", "")]


def test_one_unmapped_agent_holds_up_nobody_else(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """The others' states flow, and the feed is in order."""
    bench = make_bench(peer.url, mapping={"agent_id": "friendly_name"})
    bench.tell(activity(T0, AVAILABLE), activity(T0, BREAK, worker="WK2", worker_name="bea"))
    bench.drain()
    assert peer.taken == [("bea", "UNAVAILABLE", "Break")]

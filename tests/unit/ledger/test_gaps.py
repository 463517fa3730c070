"""The records of holes: suspicions grow together, found holes follow their events, totals that differ are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from histories import AVAILABLE, activity, event

from flex_plugin_backend.ledger import crosschecks, eventlog, gaps, receipts
from flex_plugin_backend.ledger.crosschecks import Difference
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.gaps import Cause, Gap, GapState
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.ledger.store import Ledger

TENANT = "acme"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A fresh ledger."""
    found = Ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}")
    yield found
    found.close()


def test_suspicions_of_one_cause_that_touch_are_one(ledger: Ledger) -> None:
    """A refusal every second is one hole; another cause, another tenant or another time is another."""
    with ledger.write() as connection:
        first = gaps.suspect(connection, TENANT, Cause.REFUSED, 10, 20, 100)
        assert gaps.suspect(connection, TENANT, Cause.REFUSED, 20, 30, 101) == first
        assert gaps.suspect(connection, TENANT, Cause.REFUSED, 5, 6, 102) != first
        assert gaps.suspect(connection, TENANT, Cause.RESTART, 10, 20, 103) != first
        assert gaps.suspect(connection, "other", Cause.REFUSED, 10, 20, 104) != first
        found = gaps.in_state(connection, TENANT, GapState.OPEN)
    assert [(one.cause, one.from_ms, one.to_ms, one.found_ms) for one in found] == [
        (Cause.REFUSED, 5, 6, 102), (Cause.REFUSED, 10, 30, 100), (Cause.RESTART, 10, 20, 103)
    ]  # fmt: skip


def test_a_settled_hole_is_not_widened(ledger: Ledger) -> None:
    """What was read to its end is over; a new suspicion of the same time is a new record."""
    with ledger.write() as connection:
        first = gaps.suspect(connection, TENANT, Cause.REFUSED, 10, 20, 100)
        gaps.settle(connection, first, GapState.CLEAR, filled_ms=150)
        assert gaps.suspect(connection, TENANT, Cause.REFUSED, 15, 25, 200) != first
        [clear] = gaps.in_state(connection, TENANT, GapState.CLEAR)
    assert (clear.to_ms, clear.filled_ms) == (20, 150)


def test_a_found_hole_follows_its_events_and_a_suspicion_stays(ledger: Ledger) -> None:
    """Both count what was recovered, by type, and remember the arrival after which all of it is stored."""
    with ledger.write() as connection:
        open_id = gaps.suspect(connection, TENANT, Cause.RESTART, 100, 200, 300)
        found = Gap(cause=Cause.UNKNOWN, state=GapState.FILLED, from_ms=150, to_ms=150, found_ms=300)
        found_id = gaps.add(connection, TENANT, found)
        for gap_id in (open_id, found_id):
            gaps.recovered(connection, gap_id, ["task.created", "task.created"], 140, 160, 7, 310)
            gaps.recovered(connection, gap_id, ["worker.deleted"], 155, 170, 5, 320)
        by_id = {one.id: one for one in gaps.listed(connection, TENANT, 10)}
    assert (by_id[open_id].from_ms, by_id[open_id].to_ms) == (100, 200)
    assert by_id[open_id].filled_ms is None
    assert (by_id[found_id].from_ms, by_id[found_id].to_ms, by_id[found_id].filled_ms) == (140, 170, 320)
    for one in by_id.values():
        assert (one.events, one.until_seq) == (3, 7)
        assert one.types == {"task.created": 2, "worker.deleted": 1}


def test_events_are_known_by_their_sids(ledger: Ledger) -> None:
    """However many are asked for at once, and only the tenant's own."""
    with ledger.write() as connection:
        arrivals = [Arrival(TENANT, activity(at, AVAILABLE, sid=f"EV{at}"), 50 + at) for at in range(1, 1_201)]
        eventlog.append(connection, arrivals)
        asked = [f"EV{at}" for at in range(0, 2_400, 2)]
        assert eventlog.known(connection, TENANT, asked) == {f"EV{at}" for at in range(2, 1_201, 2)}
        assert eventlog.known(connection, "other", asked) == set()
        assert eventlog.last_received_ms(connection, TENANT) == 1_250
        assert eventlog.last_received_ms(connection, "other") is None


def test_reports_sent_again_are_those_with_another_revision_since(ledger: Ledger) -> None:
    """A first report, an older correction and a later interval are no correction of what was found."""
    usual = Receipt(kind="queue", start_ms=0, revision=2, hash="x", status=ReceiptStatus.ACCEPTED, sent_ms=1_000)
    with ledger.write() as connection:
        for one in (
            usual,
            replace(usual, start_ms=900, revision=1),
            replace(usual, start_ms=1_800, sent_ms=999),
            replace(usual, kind="activity", start_ms=2_700),
            replace(usual, start_ms=5_400),
        ):
            receipts.save(connection, TENANT, one)
        assert sorted(receipts.sent_again(connection, TENANT, 1_000, 5_400)) == [("activity", 2_700), ("queue", 0)]


def test_events_are_counted_by_queue_and_type(ledger: Ledger) -> None:
    """Half-open in time; events that name no queue count for none."""
    told = [
        event("task-queue.entered", 10, task_sid="WT1", task_queue_sid="WQ1"),
        event("task-queue.entered", 20, task_sid="WT2", task_queue_sid="WQ2"),
        event("task-queue.entered", 30, task_sid="WT3", task_queue_sid="WQ1"),
        event("task.canceled", 15, task_sid="WT1", task_queue_sid="WQ1"),
        event("task.created", 12, task_sid="WT4"),
    ]
    with ledger.write() as connection:
        eventlog.append(connection, [Arrival(TENANT, one, 0) for one in told])
        found = crosschecks.counts(connection, TENANT, 10, 30, ["task-queue.entered", "task.canceled", "task.created"])
    assert found == {("WQ1", "task-queue.entered"): 1, ("WQ2", "task-queue.entered"): 1, ("WQ1", "task.canceled"): 1}


def test_the_differences_of_a_day_are_the_newest(ledger: Ledger) -> None:
    """A figure that agrees again is gone; other days stay."""
    one = Difference(
        day_ms=0, queue_sid="WQ1", figure="tasks_entered", twilio=5, ours=4, until_ms=900, checked_ms=950
    )  # fmt: skip
    with ledger.write() as connection:
        crosschecks.keep(connection, TENANT, 0, [one, replace(one, figure="tasks_moved")])
        crosschecks.keep(connection, TENANT, 86_400_000, [replace(one, day_ms=86_400_000)])
        crosschecks.keep(connection, TENANT, 0, [replace(one, twilio=6)])
        assert crosschecks.listed(connection, TENANT) == [replace(one, day_ms=86_400_000), replace(one, twilio=6)]

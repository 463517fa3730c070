"""The intake: group commit, duplicates, faults of the ledger, and many threads at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import AVAILABLE, activity
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.disk import DiskGuard
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.store import Ledger

TENANT = "acme"


class Gate:
    """Lets commits through one by one, or not at all, and counts them."""

    def __init__(self, ledger: Ledger) -> None:
        self._write = ledger.write_durably
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Semaphore(0)
        self.commits = 0
        self.fault: Exception | None = None

    @contextmanager
    def write(self) -> Iterator[Any]:
        self.commits += 1
        self.entered.release()
        assert self.open.wait(10)
        if self.fault is not None:
            raise self.fault
        with self._write() as connection:
            yield connection


class Desk:
    """An intake at work on a gated ledger."""

    def __init__(self, path: Path, ack_timeout_s: float) -> None:
        self.ledger = Ledger(f"sqlite:///{path}")
        self.gate = Gate(self.ledger)
        self.ledger.write_durably = self.gate.write  # type: ignore[method-assign]
        self.stored: list[tuple[str, int]] = []
        self.intake = Intake(
            self.ledger,
            ManualClock(1_000),
            ack_timeout_s=ack_timeout_s,
            on_stored=lambda tenant, number: self.stored.append((tenant, number)),
        )
        self.intake.start()

    def held(self) -> list[str]:
        """The sids in the ledger, in order of arrival."""
        with self.ledger.read() as connection:
            return [event.sid for _, event in eventlog.after(connection, TENANT, 0, 100_000)]

    def waiting(self) -> int:
        """How many submissions are in the queue."""
        return self.intake._queue.qsize()


def mark(connection: Connection, new: frozenset[str]) -> None:
    """Writes down how many events are new."""
    eventlog.set_cursor(connection, TENANT, "new", len(new))


def marked(desk: Desk) -> int:
    """What `mark` has written."""
    with desk.ledger.read() as connection:
        return eventlog.cursor(connection, TENANT, "new")


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Builds desks and closes them."""
    made: list[Desk] = []

    def make(ack_timeout_s: float = 10.0) -> Desk:
        made.append(Desk(tmp_path / f"{len(made)}.sqlite3", ack_timeout_s))
        return made[-1]

    yield make
    for one in made:
        one.gate.open.set()
        one.intake.stop()
        one.ledger.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """An intake with the usual patience."""
    return make_desk()


def events(count: int) -> list[TaskRouterEvent]:
    return [activity(1_000 + at, AVAILABLE) for at in range(count)]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fails after ten seconds."""
    tick = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it did not come to that")


def test_an_event_is_in_the_ledger_when_submit_returns(desk: Desk) -> None:
    """`submit` tells how many were new, after they can be read by anybody."""
    first, second = events(2)
    assert desk.intake.submit(TENANT, (first, second)) == 2
    assert desk.held() == [first.sid, second.sid]
    assert desk.stored == [(TENANT, 2)]


def test_a_repeated_event_is_stored_once(desk: Desk) -> None:
    """Twice in one submission, or again later: the first stays, the others count as known."""
    (one,) = events(1)
    assert desk.intake.submit(TENANT, (one, one)) == 1
    assert desk.intake.submit(TENANT, (one,)) == 0
    assert desk.held() == [one.sid]
    assert desk.stored == [(TENANT, 1)]


def test_the_same_sid_of_two_tenants_is_two_events(desk: Desk) -> None:
    """The identity of an event is its tenant's."""
    (one,) = events(1)
    assert desk.intake.submit(TENANT, (one,)) == 1
    assert desk.intake.submit("other", (one,)) == 1


def test_nothing_is_committed_for_nothing(desk: Desk) -> None:
    """An empty submission costs no commit."""
    assert desk.intake.submit(TENANT, ()) == 0
    assert desk.gate.commits == 0


def test_what_gathers_during_a_commit_goes_into_one_commit(desk: Desk) -> None:
    """While the disk is busy with one event, twenty more arrive: they share the next commit."""
    many = events(21)
    desk.gate.open.clear()
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(desk.intake.submit, TENANT, many[:1])
        assert desk.gate.entered.acquire(timeout=10)
        rest = [pool.submit(desk.intake.submit, TENANT, (one,)) for one in many[1:]]
        until(lambda: desk.waiting() == 20)
        assert not first.done()
        desk.gate.open.set()
        assert [one.result(10) for one in (first, *rest)] == [1] * 21
    assert desk.gate.commits == 2


def test_one_event_submitted_twice_at_once_is_new_to_exactly_one(desk: Desk) -> None:
    """Two requests with the same event in one commit: one is told new, the other known."""
    blocker, same = events(2)
    desk.gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(desk.intake.submit, TENANT, (blocker,))
        assert desk.gate.entered.acquire(timeout=10)
        twice = [pool.submit(desk.intake.submit, TENANT, (same,)) for _ in range(2)]
        until(lambda: desk.waiting() == 2)
        desk.gate.open.set()
        assert sorted(one.result(10) for one in twice) == [0, 1]
        assert first.result(10) == 1
    assert desk.held().count(same.sid) == 1


def test_a_fault_of_the_ledger_reaches_everybody_who_waits_and_ends_nothing(desk: Desk) -> None:
    """All of the failed group hear it, none of it is stored, and the next submission works."""
    many = events(6)
    desk.gate.open.clear()
    desk.gate.fault = OSError("no space left")
    with ThreadPoolExecutor(5) as pool:
        # The first alone, so that it is known which are in the commit and which wait behind it.
        waiting = [pool.submit(desk.intake.submit, TENANT, (many[0],))]
        assert desk.gate.entered.acquire(timeout=10)
        waiting += [pool.submit(desk.intake.submit, TENANT, (one,)) for one in many[1:5]]
        until(lambda: desk.waiting() == 4)
        desk.gate.open.set()
        for one in waiting:
            with pytest.raises(IntakeUnavailable):
                one.result(10)
    assert desk.held() == []
    desk.gate.fault = None
    assert desk.intake.submit(TENANT, many[:1]) == 1


def test_a_listener_that_fails_does_not_take_the_intake_down(desk: Desk) -> None:
    """The events are on the disk: those who wait are told so, and the thread lives on."""

    def fails(_tenant: str, _number: int) -> None:
        raise KeyError("nobody listens")

    desk.intake._on_stored = fails
    one, other = events(2)
    assert desk.intake.submit(TENANT, (one,)) == 1
    assert desk.intake.submit(TENANT, (other,)) == 1


def test_a_slow_disk_is_reported_in_time_and_its_event_counts_as_known_later(make_desk: Callable[..., Desk]) -> None:
    """The caller hears of the timeout; the event may be stored all the same, then its repetition is a duplicate."""
    desk = make_desk(ack_timeout_s=0.05)
    (one,) = events(1)
    desk.gate.open.clear()
    with pytest.raises(IntakeUnavailable, match=r"within 0\.05 s"):
        desk.intake.submit(TENANT, (one,))
    desk.gate.open.set()
    until(lambda: desk.stored == [(TENANT, 1)])
    assert desk.intake.submit(TENANT, (one,)) == 0


def test_a_full_queue_is_refused_at_once(desk: Desk) -> None:
    """Beyond the bound nobody is made to wait for a disk that is behind already."""
    desk.intake._most_waiting = 3
    many = events(4)
    desk.gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        taken = [pool.submit(desk.intake.submit, TENANT, many[:1])]
        assert desk.gate.entered.acquire(timeout=10)
        taken += [pool.submit(desk.intake.submit, TENANT, (one,)) for one in many[1:3]]
        until(lambda: desk.waiting() == 2)
        with pytest.raises(IntakeUnavailable, match="wait for the disk"):
            desk.intake.submit(TENANT, many[3:])
        desk.gate.open.set()
        assert [one.result(10) for one in taken] == [1, 1, 1]


def test_stop_commits_what_waits_and_refuses_what_comes_later(desk: Desk) -> None:
    """A clean stop loses nothing that was taken."""
    many = events(3)
    desk.gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        taken = [pool.submit(desk.intake.submit, TENANT, many[:1])]
        assert desk.gate.entered.acquire(timeout=10)
        taken.append(pool.submit(desk.intake.submit, TENANT, many[1:2]))
        until(lambda: desk.waiting() == 1)
        stopping = pool.submit(desk.intake.stop)
        until(lambda: desk.waiting() == 2)
        with pytest.raises(IntakeUnavailable, match="stopping"):
            desk.intake.submit(TENANT, many[2:])
        desk.gate.open.set()
        stopping.result(10)
        assert [one.result(10) for one in taken] == [1, 1]
    assert len(desk.held()) == 2


def test_an_intake_that_was_not_started_refuses(tmp_path: Path) -> None:
    """Nothing is taken that nobody would store."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}")
    idle = Intake(ledger, ManualClock(0), ack_timeout_s=1, on_stored=lambda _tenant, _number: None)
    with pytest.raises(IntakeUnavailable):
        idle.submit(TENANT, events(1))
    ledger.close()


def test_thirty_two_threads_lose_nothing_and_duplicate_nothing(desk: Desk) -> None:
    """Each thread submits its own events and repeats some of its neighbour's: every event is new exactly once."""
    many = events(32 * 40)
    shares = [many[at * 40 : at * 40 + 50] for at in range(32)]
    barrier = threading.Barrier(32)

    def deliver(share: list[TaskRouterEvent]) -> int:
        barrier.wait(10)
        return sum(desk.intake.submit(TENANT, share[at : at + 3]) for at in range(0, len(share), 3))

    with ThreadPoolExecutor(32) as pool:
        new = sum(pool.map(deliver, shares))
    held = desk.held()
    assert new == len(many) == len(held)
    assert set(held) == {one.sid for one in many}
    assert sum(number for _, number in desk.stored) == len(many)


def test_an_event_that_cannot_be_stored_does_not_cost_the_others_of_its_group(desk: Desk) -> None:
    """The group is tried again one by one; only the bad one is refused."""
    first, good, bad = events(3)
    bad = replace(bad, worker_sid="WK\ud800")
    desk.gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        leading = pool.submit(desk.intake.submit, TENANT, (first,))
        assert desk.gate.entered.acquire(timeout=10)
        rest = [pool.submit(desk.intake.submit, TENANT, (one,)) for one in (good, bad)]
        until(lambda: desk.waiting() == 2)
        desk.gate.open.set()
        assert leading.result(10) == 1
        assert rest[0].result(10) == 1
        with pytest.raises(IntakeUnavailable):
            rest[1].result(10)
    assert sorted(desk.held()) == sorted([first.sid, good.sid])


def test_what_goes_along_is_in_the_same_transaction_and_knows_what_is_new(make_desk: Callable[..., Desk]) -> None:
    """Of three events one was there already; without any event the rest is written all the same."""
    desk = make_desk()
    events = [activity(at, AVAILABLE) for at in (1, 2, 3)]
    desk.intake.submit(TENANT, events[:1])
    commits = desk.gate.commits
    assert desk.intake.submit(TENANT, events, mark) == 2
    assert (marked(desk), desk.gate.commits) == (2, commits + 1)
    assert desk.intake.submit(TENANT, [], mark) == 0
    assert marked(desk) == 0


def test_what_goes_along_and_fails_takes_its_events_with_it_and_nobody_else(make_desk: Callable[..., Desk]) -> None:
    """Both or neither; those who wait in the same queue are stored."""

    def fail(_connection: Connection, _new: frozenset[str]) -> None:
        raise ValueError("no")

    desk = make_desk()
    desk.gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(desk.intake.submit, TENANT, [activity(1, AVAILABLE, sid="EV1")])
        assert desk.gate.entered.acquire(timeout=10)
        bad = pool.submit(desk.intake.submit, TENANT, [activity(2, AVAILABLE, sid="EV2")], fail)
        good = pool.submit(desk.intake.submit, TENANT, [activity(3, AVAILABLE, sid="EV3")])
        desk.gate.open.set()
        assert (first.result(), good.result()) == (1, 1)
        with pytest.raises(IntakeUnavailable):
            bad.result()
    assert desk.held() == ["EV1", "EV3"]


def test_a_nearly_full_disk_closes_the_door_before_anything_is_written(desk: Desk) -> None:
    """The refusal says that it is the disk, and when to come again; with room, events are taken by themselves."""
    room = [0]
    guard = DiskGuard(Path("/"), desk.intake._clock, least_bytes=100, probe=lambda _folder: room[0])
    desk.intake._guard = guard
    with pytest.raises(IntakeUnavailable, match="nearly full") as refused:
        desk.intake.submit(TENANT, events(1))
    assert (refused.value.facts["disk"], refused.value.facts["retry_after_s"]) == (True, 30)
    assert desk.intake.probe() is not None
    assert (desk.gate.commits, desk.held()) == (0, [])
    room[0] = 1_000
    assert isinstance(desk.intake._clock, ManualClock)
    desk.intake._clock.advance(1)
    assert desk.intake.submit(TENANT, events(1)) == 1
    assert desk.intake.probe() is None


def test_only_so_many_events_wait_for_the_disk(desk: Desk) -> None:
    """Counted in events, not in requests, until they are stored; one batch that is larger by itself is taken."""
    desk.intake._most_waiting = 10
    desk.gate.open.clear()
    with ThreadPoolExecutor() as senders:
        first = senders.submit(desk.intake.submit, TENANT, events(25))
        assert desk.gate.entered.acquire(timeout=10)
        with pytest.raises(IntakeUnavailable, match="25 events wait"):
            desk.intake.submit(TENANT, events(1))
        desk.gate.open.set()
        assert first.result(10) == 25
    assert desk.intake.waiting == 0
    assert desk.intake.submit(TENANT, [activity(9_000, AVAILABLE)]) == 1


def test_a_refusal_of_the_disk_is_known_as_one(desk: Desk) -> None:
    """Whoever repairs writes the hole down under its cause."""
    desk.gate.fault = OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
    with pytest.raises(IntakeUnavailable) as refused:
        desk.intake.submit(TENANT, events(1))
    assert refused.value.facts["disk"] is True
    assert desk.intake.disk_to_blame
    assert desk.intake.waiting == 0

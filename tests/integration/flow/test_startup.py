"""The start: a look at Twilio before the first state is sent, patience while it fails, and what ended unseen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from flow_bench import FULL, T0, Bench, found, shown, twilio_down
from histories import AVAILABLE, BREAK, activity, reservation

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.startup import Startup, StartupRules
from flex_plugin_backend.ledger import eventlog

S = 1_000
HOUR = 3_600 * S


class EagerClock(ManualClock):
    """Waiting takes no time: the clock jumps there, and what the test planned happens meanwhile."""

    def __init__(self, start_ms: int) -> None:
        super().__init__(start_ms)
        self.meanwhile: deque[Callable[[], None]] = deque()
        self.waits: list[float | None] = []

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        self.waits.append(timeout_s)
        self.advance(timeout_s or 0)
        if self.meanwhile:
            self.meanwhile.popleft()()
        return event.is_set()


class Start:
    """A start-up stepped by hand over a bench."""

    def __init__(self, bench: Bench, **rules: Any) -> None:
        self.bench = bench
        self.settled_after: list[int] = []
        self.stopping = threading.Event()
        self.faults: deque[Exception] = deque()
        self.startup = Startup(
            "acme",
            bench.reader,
            bench.projector,
            bench.clock,
            StartupRules(**rules),
            submit=self.submit,
            recover=self.submit,
            settled=lambda: self.settled_after.append(len(bench.reader.reads)),
            last_stored=self.project,
            newest_ms=self.newest_ms,
        )

    def submit(self, events: Any) -> int:
        if self.faults:
            raise self.faults.popleft()
        return self.bench.store(events)

    def project(self) -> int:
        self.bench.project()
        return self.bench.projector.cursor

    def newest_ms(self) -> int | None:
        with self.bench.ledger.read() as connection:
            return eventlog.newest_ms(connection, self.bench.tenant.name)

    def go(self) -> None:
        """The course, until it ends or is stopped."""
        for pause in self.startup.course():
            if self.bench.clock.wait(self.stopping, pause.seconds):
                return

    def run(self) -> None:
        self.startup.prepare()
        self.go()
        self.bench.project()


@pytest.fixture
def eager(make_bench: Callable[..., Bench]) -> Bench:
    """A bench on a clock that does not keep anybody waiting; its catalogue comes from the reader."""
    return make_bench(clock=EagerClock(T0 + HOUR), catalogue=None)


def test_a_first_start_shows_the_floor_as_twilio_does(eager: Bench) -> None:
    """Workers and open work of the snapshot become states, each from when Twilio says."""
    eager.reader.snapshots = deque([shown("WK1", "WK2", events=(found("WK1", AVAILABLE, T0), found("WK2", BREAK, T0)))])
    start = Start(eager)
    start.run()
    assert eager.line("WK1") == [(T0, "AVAILABLE", "")]
    assert eager.line("WK2") == [(T0, "UNAVAILABLE", "Break")]
    assert start.settled_after == [2]
    assert (start.startup.problem, start.startup.done) == (None, True)


def test_a_failing_first_look_lets_states_flow_and_is_repeated(eager: Bench) -> None:
    """Twilio is down at the start: states are released after one attempt, and the look is repeated until it works."""
    eager.reader.catalogues = deque([twilio_down(), twilio_down(), FULL])
    eager.reader.snapshots = deque([shown("WK1", events=(found("WK1", BREAK, T0),))])
    start = Start(eager)
    start.startup.prepare()
    assert "503" in (start.startup.problem or "")
    start.go()
    eager.project()
    assert start.settled_after == [1]
    assert eager.reader.reads == ["catalogue", "catalogue", "catalogue", "snapshot"]
    assert eager.line("WK1") == [(T0, "UNAVAILABLE", "Break")]
    assert start.startup.problem is None
    first_s, second_s = eager.clock.waits[:2]
    assert 1 <= first_s <= 2
    assert 2 <= second_s <= 4


@pytest.mark.parametrize("fault", [twilio_down(), IntakeUnavailable(problem="disk full")])
def test_a_failing_snapshot_is_repeated_whole(eager: Bench, fault: Exception) -> None:
    """Neither Twilio nor the ledger may lose a part of the floor: the second attempt reads everything again."""
    floor = shown("WK1", events=(found("WK1", BREAK, T0),))
    start = Start(eager)
    if isinstance(fault, IntakeUnavailable):
        eager.reader.snapshots = deque([floor])
        start.faults.append(fault)
    else:
        eager.reader.snapshots = deque([fault, floor])
    start.run()
    assert eager.reader.reads == ["catalogue", "snapshot"] * 2
    assert eager.line("WK1") == [(T0, "UNAVAILABLE", "Break")]
    assert start.startup.problem is None


def test_a_stop_ends_the_attempts(eager: Bench) -> None:
    """A connector that stops does not wait for Twilio."""
    eager.reader.catalogues = deque([twilio_down()])
    start = Start(eager)
    eager.clock.meanwhile.append(start.stopping.set)
    start.run()
    assert len(eager.clock.waits) == 1
    assert not start.startup.done


def test_without_the_snapshot_only_the_catalogue_is_read(eager: Bench) -> None:
    """`snapshot_at_start = false` reads no workers and ends nothing."""
    start = Start(eager, snapshot=False)
    start.run()
    assert eager.reader.reads == ["catalogue"]
    assert start.startup.done


def test_a_restart_reads_what_happened_meanwhile_before_any_state_is_told(eager: Bench) -> None:
    """A contact that ended while the process was away ends when it did, and holds up no other state."""
    eager.reader.snapshots = deque([shown("WK1", events=(found("WK1", AVAILABLE, T0),))])
    Start(eager).run()
    eager.store([reservation("created", T0 + 10 * S), reservation("accepted", T0 + 20 * S)])
    eager.project()
    eager.clock.set_ms(T0 + 2 * HOUR)
    meanwhile = (reservation("wrapup", T0 + 50 * S), reservation("completed", T0 + 60 * S))
    eager.reader.histories = deque([meanwhile])
    again = Start(eager)
    again.run()
    assert eager.reader.reads[-2:] == ["history", "snapshot"]
    assert eager.line("WK1") == [
        (T0, "AVAILABLE", ""),
        (T0 + 10 * S, "RESERVED", ""),
        (T0 + 20 * S, "CONTACT_VOICE", ""),
        (T0 + 50 * S, "WRAPUP", ""),
        (T0 + 60 * S, "AVAILABLE", ""),
    ]


def test_history_is_read_from_before_the_newest_event_and_no_longer_than_an_hour(eager: Bench) -> None:
    """The window overlaps what is known by ten minutes; after a long absence it is the last hour."""
    eager.store([activity(T0 + HOUR - 60 * S, AVAILABLE)])
    Start(eager).run()
    assert eager.reader.windows[-1][0] == T0 + HOUR - 660 * S
    eager.clock.set_ms(T0 + 30 * HOUR)
    Start(eager).run()
    assert eager.reader.windows[-1] == (T0 + 29 * HOUR, T0 + 30 * HOUR)


def test_before_the_first_event_there_is_no_history(eager: Bench) -> None:
    """A first start reads no history, and what a snapshot found is no event."""
    eager.reader.snapshots = deque([shown("WK1", events=(found("WK1", AVAILABLE, T0),))])
    Start(eager).run()
    Start(eager).run()
    assert "history" not in eager.reader.reads


def test_a_history_that_cannot_be_read_is_asked_for_again(eager: Bench) -> None:
    """States are released after one attempt; history and snapshot are repeated until both could be read."""
    eager.store([activity(T0, AVAILABLE)])
    eager.reader.snapshots = deque([shown("WK1")])
    eager.reader.histories = deque([twilio_down(), ()])
    start = Start(eager)
    start.run()
    assert eager.reader.reads == ["catalogue", "history", "catalogue", "history", "snapshot"]
    assert (start.startup.problem, start.startup.done) == (None, True)


def test_history_from_before_the_ledger_is_not_read(eager: Bench) -> None:
    """What happened before the first start is known from the first snapshot; old states are not told anew."""
    eager.store([activity(T0 + HOUR - 60 * S, AVAILABLE)])
    start = Start(eager)
    start.startup._since_ms = lambda: T0 + HOUR - 300 * S
    start.run()
    assert eager.reader.windows == [(T0 + HOUR - 300 * S, T0 + HOUR)]


# -- what ended unseen ----------------------------------------------------------------------------------------------


def on_contact(bench: Bench) -> None:
    """Before the connector went down WK1 was on a call, WK2 in a break."""
    bench.projector.set_catalogue(FULL)
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + 10 * S), activity(T0, BREAK, worker="WK2"))


def test_a_reservation_missing_twice_has_ended(eager: Bench) -> None:
    """Neither look shows the call: it ended while nobody watched, at the latest when the first look began."""
    on_contact(eager)
    eager.reader.snapshots = deque([shown("WK1", "WK2")])
    Start(eager, gone_settle_s=120.0).run()
    assert eager.reader.reads == ["catalogue", "history", "snapshot", "snapshot"]
    assert 120.0 in eager.clock.waits
    assert eager.line("WK1")[-1] == (T0 + HOUR, "AVAILABLE", "")


def test_a_reservation_that_the_second_look_shows_goes_on(eager: Bench) -> None:
    """Rows move between pages while a list is read: one look is no proof."""
    on_contact(eager)
    eager.reader.snapshots = deque([shown("WK1", "WK2"), shown("WK1", "WK2", open_sids=("WR1",))])
    Start(eager).run()
    assert eager.line("WK1")[-1][1] == "CONTACT_VOICE"


def test_an_end_that_comes_while_waiting_counts_as_it_happened(eager: Bench) -> None:
    """The event was on its way: the contact ends when it ended, and no second look is needed."""
    on_contact(eager)
    eager.reader.snapshots = deque([shown("WK1", "WK2")])
    eager.clock.meanwhile.append(lambda: eager.tell(reservation("completed", T0 + 60 * S)))
    Start(eager).run()
    assert eager.line("WK1")[-1] == (T0 + 60 * S, "AVAILABLE", "")
    assert eager.reader.reads == ["catalogue", "history", "snapshot"]


def test_a_worker_missing_twice_is_logged_off(eager: Bench) -> None:
    """A worker deleted while nobody watched does not stay in its break for ever."""
    on_contact(eager)
    eager.reader.snapshots = deque([shown("WK1", open_sids=("WR1",))])
    Start(eager).run()
    assert eager.line("WK2")[-1] == (T0 + HOUR, "LOGOFF", "")
    assert eager.line("WK1")[-1][1] == "CONTACT_VOICE"


def test_a_worker_that_the_second_look_shows_stays(eager: Bench) -> None:
    """One look is no proof of a deletion either."""
    on_contact(eager)
    eager.reader.snapshots = deque(
        [shown("WK1", open_sids=("WR1",)), shown("WK1", "WK2", open_sids=("WR1",))],
    )
    Start(eager).run()
    assert eager.line("WK2")[-1][1] == "UNAVAILABLE"


def test_what_changed_just_before_the_look_is_not_suspected(eager: Bench) -> None:
    """A call that began seconds before the snapshot may be missing from its pages."""
    eager.projector.set_catalogue(FULL)
    now_ms = eager.clock.now_ms()
    eager.tell(activity(T0, AVAILABLE), reservation("accepted", now_ms - 5 * S))
    eager.reader.snapshots = deque([shown("WK1")])
    Start(eager).run()
    assert eager.line("WK1")[-1][1] == "CONTACT_VOICE"


def test_a_second_look_that_fails_is_repeated(eager: Bench) -> None:
    """Twilio does not answer the second look: what ended unseen is ended as soon as it does, and health is clean."""
    on_contact(eager)
    eager.reader.snapshots = deque([shown("WK1", "WK2"), twilio_down(), shown("WK1", "WK2")])
    start = Start(eager)
    start.run()
    assert eager.line("WK1")[-1] == (T0 + HOUR, "AVAILABLE", "")
    assert start.startup.problem is None

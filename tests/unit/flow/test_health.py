"""Quiet, dead or out of sight: what the watch over the feed makes of a silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from flow_bench import T0, TENANT
from histories import BREAK, activity

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Standing, Trouble, Witness
from flex_plugin_backend.flow.health import NOT_LISTENING_MS, FeedRules, FeedWatch
from flex_plugin_backend.flow.looking import Look
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.gaps import Cause
from flex_plugin_backend.ledger.store import Ledger

MINUTE = 60_000


class Repair:
    """The second witness, as a script."""

    def __init__(self) -> None:
        self.unreachable: str | None = None
        self.unverified_since_ms: int | None = None
        self.suspected: list[tuple[Cause, int, int]] = []
        self.looks = 0

    def suspect(self, cause: Cause, from_ms: int, to_ms: int) -> None:
        self.suspected.append((cause, from_ms, to_ms))

    def look_soon(self) -> None:
        self.looks += 1


class Bench:
    """A watch that has been at work for a minute, and is judged minute by minute."""

    def __init__(self, folder: Path, *, repair: bool = True, agents: int = 4, **rules: float) -> None:
        self.clock = ManualClock(T0)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.board = ConditionBoard(TENANT, T0)
        self.board.show(Condition.OK, T0)
        self.repair = Repair() if repair else None
        self.agents = agents
        self.problem: str | None = None
        self.rules = FeedRules(**rules)  # type: ignore[arg-type]
        self.watch = self.make()
        self.wait(1)

    def make(self) -> FeedWatch:
        return FeedWatch(
            TENANT,
            self.ledger,
            self.clock,
            self.board,
            self.rules,
            witness=self.repair,
            logged_in=lambda: self.agents,
            start_problem=lambda: self.problem,
        )

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    def wait(self, minutes: float) -> None:
        """Let time pass, with a step of the watch each quarter of a minute; hours in steps of a few minutes."""
        step_s = 15 if minutes < 60 else 225
        for _ in range(round(minutes * 60 / step_s)):
            self.clock.advance(step_s)
            self.watch.step()

    def look(self, *times: int) -> None:
        """Twilio's history shows events of these times that have not come."""
        missing = {f"EV{at_ms}": activity(at_ms, BREAK, sid=f"EV{at_ms}") for at_ms in times}
        self.watch.seen(Look(Span(0, self.now_ms), missing=missing))
        self.watch.step()

    def shown(self) -> tuple[Condition, Trouble | None]:
        return self.board.standing.condition, self.board.standing.trouble


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Four agents, and repair."""
    bench = Bench(tmp_path)
    yield bench
    bench.ledger.close()


def lost(from_ms: int, number: int = 5, apart_ms: int = 15_000) -> list[int]:
    return [from_ms + at * apart_ms for at in range(number)]


def test_a_night_in_which_nobody_moves_is_quiet(bench: Bench) -> None:
    """Eight hours of silence with agents logged in, and a history that shows nothing: no alarm, one early look."""
    bench.wait(8 * 60)
    bench.look()
    assert bench.shown() == (Condition.OK, None)
    assert bench.repair is not None
    assert (bench.repair.looks, bench.repair.suspected) == (1, [])


def test_silence_while_twilio_lists_events_that_did_not_come_is_blind(bench: Bench) -> None:
    """With since-when, the last sign of life, how much is known to be lost, and the hole suspected from there on."""
    bench.watch.heard(bench.now_ms)
    heard_ms = bench.now_ms
    bench.wait(5)
    bench.look(*lost(heard_ms + 1_000))
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)
    assert bench.board.standing.since_ms == bench.now_ms
    assert "Twilio lists 5 events" in bench.board.standing.detail
    assert bench.repair is not None
    assert {cause for cause, _, _ in bench.repair.suspected} == {Cause.BLIND}
    assert min(from_ms for _, from_ms, _ in bench.repair.suspected) <= heard_ms + 1_000


def test_it_is_blind_until_something_comes_and_the_hole_is_suspected_to_its_end(bench: Bench) -> None:
    """Each further piece is suspected once; the history showing nothing more does not end it."""
    bench.wait(5)
    bench.look(*lost(bench.now_ms - 3 * MINUTE))
    for _ in range(5):
        bench.wait(5)
        bench.look()
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)
    bench.watch.heard(bench.now_ms)
    bench.watch.step()
    assert bench.shown() == (Condition.OK, None)
    assert bench.repair is not None
    spans = [(from_ms, to_ms) for _, from_ms, to_ms in bench.repair.suspected]
    assert (len(spans), spans[-1][1]) == (7, bench.now_ms)
    assert all(later[0] == before[1] for before, later in pairwise(spans))


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (lost(T0 + 2 * MINUTE, number=4, apart_ms=30_000), "too few"),
        (lost(T0 + 2 * MINUTE, number=40, apart_ms=100), "all in one moment: a proxy that was restarted"),
    ],
)
def test_a_few_lost_events_on_a_quiet_floor_are_no_dead_feed(bench: Bench, times: list[int], why: str) -> None:
    """They are holes, and repair fills them; but the watch looks again soon."""
    bench.wait(10)
    bench.look(*times)
    bench.wait(2)
    assert bench.shown() == (Condition.OK, None), why
    assert bench.repair is not None
    assert bench.repair.looks == 2


def test_losses_between_events_that_come_are_no_dead_feed(bench: Bench) -> None:
    """The feed is leaky; it speaks."""
    for _ in range(20):
        bench.wait(1)
        bench.watch.heard(bench.now_ms)
        bench.look(*lost(bench.now_ms - 50_000, number=3))
        assert bench.shown() == (Condition.OK, None)


def test_a_feed_that_is_late_is_no_dead_feed(bench: Bench) -> None:
    """Every event was read by REST before it came; it comes all the same."""
    for _ in range(10):
        bench.look(*lost(bench.now_ms - MINUTE))
        bench.wait(0.5)
        bench.watch.heard(bench.now_ms - 6 * MINUTE)
        bench.wait(0.5)
        assert bench.shown() == (Condition.OK, None)


def test_what_was_lost_before_this_process_listened_is_no_evidence(bench: Bench) -> None:
    """The connector was away; the feed was not."""
    bench.wait(5)
    bench.look(*lost(T0 - 10 * MINUTE, number=40))
    assert bench.shown() == (Condition.OK, None)


def test_what_we_refused_ourselves_is_no_evidence(bench: Bench) -> None:
    """The disk was full: events came, and we did not take them."""
    bench.wait(5)
    refused_ms = bench.now_ms
    bench.watch.missed()
    bench.wait(3)
    bench.look(*lost(refused_ms - 2 * MINUTE, number=8))
    assert bench.shown() == (Condition.OK, None)
    bench.look(*lost(refused_ms + NOT_LISTENING_MS + 1))
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)


def test_events_that_another_process_took_were_heard(bench: Bench) -> None:
    """The ledger tells; what repair has read into it by REST is no sign of life."""
    bench.wait(5)
    times = lost(bench.now_ms - 3 * MINUTE)

    def store(*events: TaskRouterEvent) -> None:
        with bench.ledger.write_durably() as connection:
            eventlog.append(connection, [Arrival(TENANT, one, bench.now_ms) for one in events])

    bench.look(*times)
    store(*(activity(at_ms, BREAK, sid=f"EV{at_ms}", route=Route.REST) for at_ms in times))
    bench.wait(1)
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)
    store(activity(bench.now_ms, BREAK, sid="EVown", route=Route.STREAM))
    bench.wait(1)
    assert bench.shown() == (Condition.OK, None)


def test_twilio_that_does_not_answer_for_a_minute_is_blind_and_for_a_moment_is_not(bench: Bench) -> None:
    """One failed request is no alarm; its end needs an answer."""
    assert bench.repair is not None
    bench.repair.unreachable = "HTTP 503"
    bench.wait(0.75)
    assert bench.shown() == (Condition.OK, None)
    bench.repair.unreachable = None
    bench.wait(0.25)
    bench.repair.unreachable = "HTTP 503"
    bench.wait(1.25)
    assert bench.shown() == (Condition.BLIND, Trouble.TWILIO_UNREACHABLE)
    bench.repair.unreachable = None
    bench.wait(0.25)
    assert bench.shown() == (Condition.OK, None)


def test_history_that_is_still_to_be_read_is_catching_up(bench: Bench) -> None:
    """After an absence, until everything was compared."""
    assert bench.repair is not None
    bench.repair.unverified_since_ms = T0
    bench.wait(1)
    assert bench.shown() == (Condition.CATCHING_UP, Trouble.HISTORY)


@pytest.mark.parametrize(("agents", "after_minutes"), [(4, 60), (48, 5), (1, 240), (1000, 5)])
def test_without_repair_the_agents_logged_in_say_how_long_a_silence_can_be(
    tmp_path: Path, agents: int, after_minutes: int
) -> None:
    """Four agent-hours without an event, and at least five minutes."""
    bench = Bench(tmp_path, repair=False, agents=agents)
    bench.watch.heard(bench.now_ms)
    bench.clock.advance(after_minutes * 60 - 15)
    bench.watch.step()
    assert bench.shown() == (Condition.OK, None)
    bench.wait(0.25)
    assert bench.shown() == (Condition.BLIND, Trouble.NO_EVENTS)
    assert f"{agents} agents" in bench.board.standing.detail
    bench.ledger.close()


@pytest.mark.parametrize(("agents", "limit"), [(0, 14_400.0), (50, 0.0)])
def test_without_repair_an_empty_floor_and_a_limit_of_nought_never_alarm(
    tmp_path: Path, agents: int, limit: float
) -> None:
    """Nobody is logged in, or nobody wants to know."""
    bench = Bench(tmp_path, repair=False, agents=agents, silent_agent_s=limit)
    bench.wait(12 * 60)
    assert bench.shown() == (Condition.OK, None)
    bench.ledger.close()


def test_a_floor_that_could_not_be_read_at_the_start_is_blind_at_once(bench: Bench) -> None:
    """What the states are derived from is not known."""
    bench.problem = "HTTP 401"
    bench.watch.step()
    assert bench.shown() == (Condition.BLIND, Trouble.TWILIO_UNREACHABLE)
    assert "HTTP 401" in bench.board.standing.detail


def test_a_feed_that_was_dead_before_a_restart_is_dead_until_something_comes(bench: Bench) -> None:
    """A restart is no sign of life."""
    alarm = Standing(Condition.BLIND, T0 - 60 * MINUTE, "", Trouble.FEED_SILENT, Witness.FEED)
    bench.board = ConditionBoard(TENANT, bench.now_ms)
    bench.board.show(Condition.OK, bench.now_ms)
    bench.board.recall([alarm])
    bench.watch = bench.make()
    bench.watch.begin()
    bench.wait(10)
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)
    assert bench.board.standing.since_ms == alarm.since_ms
    bench.watch.heard(bench.now_ms)
    bench.wait(0.25)
    assert bench.shown() == (Condition.OK, None)


def test_an_early_look_is_asked_for_once_in_each_silence_and_only_while_somebody_is_logged_in(bench: Bench) -> None:
    """Two and a half minutes, so that a dead feed would show itself."""
    assert bench.repair is not None
    looks: Sequence[int] = []
    for minutes in (2, 1, 10):
        bench.wait(minutes)
        looks = [*looks, bench.repair.looks]
    assert looks == [1, 1, 1]
    bench.watch.heard(bench.now_ms)
    bench.agents = 0
    bench.wait(30)
    assert bench.repair.looks == 1


def test_without_repair_a_silence_from_before_a_restart_goes_on_after_it(tmp_path: Path) -> None:
    """Counted from what came last, as the ledger has it."""
    bench = Bench(tmp_path, repair=False, agents=4)
    with bench.ledger.write_durably() as connection:
        eventlog.append(connection, [Arrival(TENANT, activity(T0, BREAK, route=Route.CALLBACK), T0)])
    bench.clock.advance(2 * 3600)
    bench.board = ConditionBoard(TENANT, bench.now_ms)
    bench.board.show(Condition.OK, bench.now_ms)
    bench.board.recall([Standing(Condition.BLIND, T0 + 60 * MINUTE, "", Trouble.NO_EVENTS, Witness.FEED)])
    bench.watch = bench.make()
    bench.watch.begin()
    bench.wait(5)
    assert bench.shown() == (Condition.BLIND, Trouble.NO_EVENTS)
    assert bench.board.standing.since_ms == T0 + 60 * MINUTE
    bench.watch.heard(bench.now_ms)
    bench.wait(0.25)
    assert bench.shown() == (Condition.OK, None)
    bench.ledger.close()


def test_a_clock_that_was_set_back_hides_no_dead_feed(bench: Bench) -> None:
    """By five hours: what it showed before is not waited for."""
    bench.watch.heard(bench.now_ms - 300 * MINUTE)
    bench.watch.missed()
    bench.clock.set_ms(bench.now_ms - 300 * MINUTE)
    bench.wait(5)
    bench.look(*lost(bench.now_ms - 3 * MINUTE))
    assert bench.shown() == (Condition.BLIND, Trouble.FEED_SILENT)

"""The book of tasks: what is in memory, what is read from the log, and what another process or a fault leaves of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flow_bench import TENANT, Bench, tenant_settings

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.contacts import TaskFacts
from flex_plugin_backend.domain.events import Route, TaskRouterEvent
from flex_plugin_backend.domain.intervals import INTERVAL_MS
from flex_plugin_backend.flow.rules import derive_report_rules, derive_state_rules
from flex_plugin_backend.flow.taskbook import KEPT_MS, TaskBook
from flex_plugin_backend.ledger import receipts, tasks
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.taskrouter.callbacks import build_event
from simulator.world.engine import World
from simulator.world.events import callback_parameters
from simulator.world.scenario import Scenario

HOURS = 3
WRAP_UP_CAP_MS = 3_600_000


@pytest.fixture(scope="module")
def events() -> list[TaskRouterEvent]:
    """Three hours of a small floor, as the connector reads them."""
    world = World(Scenario(agents=12, seed=8))
    world.advance_to(world.scenario.start_ms + HOURS * 3_600_000)
    told = (callback_parameters(one, account_sid="AC1", workspace_sid="WS1", workspace_name="") for one in world.log)
    return [build_event(one.get, Route.CALLBACK) for one in told]


@pytest.fixture
def bench(tmp_path: Path, events: list[TaskRouterEvent]) -> Iterator[Bench]:
    bench = Bench(tmp_path, clock=ManualClock(events[0].occurred_ms))
    yield bench
    bench.close()


def book(bench: Bench) -> TaskBook:
    """Another book on the same ledger, with nothing in memory."""
    settings = tenant_settings()
    rules = derive_report_rules(settings, derive_state_rules(settings))
    projector = bench.projector
    return TaskBook(
        TENANT, bench.ledger, mapping=lambda: projector.mapping, rules=rules, gone=projector.deleted_workers
    )


def starts(events: list[TaskRouterEvent]) -> range:
    """The intervals that the events lie in."""
    first_ms = events[0].occurred_ms // INTERVAL_MS * INTERVAL_MS
    return range(first_ms, events[-1].occurred_ms, INTERVAL_MS)


def facts(of: TaskBook, start_ms: int) -> dict[str, TaskFacts]:
    return {one.task_sid: one for one in of.facts_between(start_ms, start_ms + INTERVAL_MS)}


def feed(bench: Bench, events: list[TaskRouterEvent], until_ms: int) -> None:
    """What happened by then arrives."""
    bench.store([one for one in events if bench.clock.now_ms() <= one.occurred_ms < until_ms])
    bench.clock.set_ms(until_ms)


def test_memory_and_log_say_the_same_of_every_interval(bench: Bench, events: list[TaskRouterEvent]) -> None:
    """While time passes, and at the end of everything that is past, the log alone gives what memory gives."""
    lasting = book(bench)
    for start_ms in starts(events):
        feed(bench, events, start_ms + INTERVAL_MS)
        lasting.catch_up(bench.clock.now_ms())
        assert facts(lasting, start_ms) == facts(book(bench), start_ms)
    assert len(lasting._stories) < len({one.task_sid for one in events}) / 2
    fresh = book(bench)
    for start_ms in starts(events):
        assert facts(lasting, start_ms) == facts(fresh, start_ms)
        assert len(facts(lasting, start_ms)) > 0


def test_what_another_process_has_read_is_not_missed(bench: Bench, events: list[TaskRouterEvent]) -> None:
    """Two books read on in turns, as a connector and `flex-wfm report` beside it do; both know everything."""
    books = [book(bench), book(bench)]
    for number, start_ms in enumerate(starts(events)):
        feed(bench, events, start_ms + INTERVAL_MS)
        books[number % 2].catch_up(bench.clock.now_ms())
    for one in books:
        one.catch_up(bench.clock.now_ms())
    for start_ms in starts(events):
        assert facts(books[0], start_ms) == facts(books[1], start_ms) == facts(book(bench), start_ms)


def test_a_ledger_that_fails_costs_nothing(
    bench: Bench, events: list[TaskRouterEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that could not be written is taken again, from what the ledger holds."""
    lasting = book(bench)
    write, failures = bench.ledger.write, [OSError("disk full")] * 2

    @contextmanager
    def full() -> Iterator[Any]:
        if failures:
            raise failures.pop()
        with write() as connection:
            yield connection

    for start_ms in starts(events):
        feed(bench, events, start_ms + INTERVAL_MS)
        if start_ms == starts(events)[4]:
            monkeypatch.setattr(bench.ledger, "write", full)
            for _ in range(2):
                with pytest.raises(OSError, match="disk full"):
                    lasting.catch_up(bench.clock.now_ms())
        lasting.catch_up(bench.clock.now_ms())
    assert failures == []
    for start_ms in starts(events):
        assert facts(lasting, start_ms) == facts(book(bench), start_ms)


def test_only_intervals_that_change_are_marked(bench: Bench, events: list[TaskRouterEvent]) -> None:
    """In order nothing that was reported is touched; a call whose events come an hour late touches where it ended."""
    lasting = book(bench)
    late_task = next(one.task_sid or "" for one in events if one.type == "task.completed")
    late = [one for one in events if one.task_sid == late_task]
    rest = [one for one in events if one.task_sid != late_task]
    for start_ms in starts(events)[:8]:
        feed(bench, rest, start_ms + INTERVAL_MS)
        lasting.catch_up(bench.clock.now_ms())
        report(bench, start_ms)
    assert dirty(bench) == set()
    bench.store(late)
    lasting.catch_up(bench.clock.now_ms())
    contact = facts(book(bench), late[0].occurred_ms)[late_task].contacts[0]
    assert contact.end_ms is not None
    assert contact.end_ms // INTERVAL_MS * INTERVAL_MS in dirty(bench)
    assert len(dirty(bench)) <= 2


def report(bench: Bench, start_ms: int) -> None:
    """The interval was sent."""
    receipt = Receipt(kind=receipts.QUEUE, start_ms=start_ms, revision=1, hash="x", status=ReceiptStatus.ACCEPTED)
    with bench.ledger.write() as connection:
        receipts.save(connection, TENANT, receipt)


def dirty(bench: Bench) -> set[int]:
    """The intervals that are marked."""
    with bench.ledger.read() as connection:
        return {start_ms for _, start_ms in receipts.dirty(connection, TENANT, 0)}


def test_what_ended_long_ago_is_forgotten_and_found_again(bench: Bench, events: list[TaskRouterEvent]) -> None:
    """Memory holds what is open or ended lately; the rest is read when it is asked for."""
    lasting = book(bench)
    bench.store(events)
    now_ms = events[-1].occurred_ms + KEPT_MS + WRAP_UP_CAP_MS + 1
    bench.clock.set_ms(now_ms)
    lasting.catch_up(now_ms)
    with bench.ledger.read() as connection:
        open_ones = set(tasks.open_ones(connection, TENANT))
    assert lasting._stories.keys() == open_ones
    assert facts(lasting, starts(events)[0]) == facts(book(bench), starts(events)[0])

"""The hot queries go by an index, and the life of a state change is what its words say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import AVAILABLE, activity, reservation, task
from sqlalchemy import Connection, event

from flex_plugin_backend.ledger import agents, eventlog, outbox, receipts, segments
from flex_plugin_backend.ledger import tasks as task_rows
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.outbox import Delivery, Kind, StateChange
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tasks import TaskRow

TENANT = "acme"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A fresh ledger."""
    found = Ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}")
    yield found
    found.close()


def change(start_ms: int, event_id: str | None = "AVAILABLE", **fields: Any) -> StateChange:
    """A state change of WK1 unless said otherwise."""
    usual: dict[str, Any] = {
        "worker_sid": "WK1",
        "agent_id": "WK1",
        "reason": "",
        "state": event_id or "UNKNOWN",
        "recorded_ms": 0,
    }
    return StateChange(start_ms=start_ms, event_id=event_id, **{**usual, **fields})


def plans(ledger: Ledger, query: Callable[[Connection], object]) -> list[str]:
    """How SQLite goes about each statement of a query."""
    found: list[str] = []
    with ledger.write() as connection:
        statements: list[tuple[str, Any]] = []

        def keep(_c: object, _cursor: object, statement: str, parameters: Any, _ctx: object, many: bool) -> None:
            statements.append((statement, parameters[0] if many else parameters))

        event.listen(connection, "before_cursor_execute", keep)
        query(connection)
        event.remove(connection, "before_cursor_execute", keep)
        for statement, parameters in statements:
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                found.append(row[-1])
    return found


HOT: dict[str, Callable[[Connection], object]] = {
    "pending": lambda c: outbox.pending(c, TENANT, 100),
    "last_of_worker": lambda c: outbox.last_of_worker(c, TENANT, "WK1"),
    "last_sent": lambda c: outbox.last_sent(c, TENANT, "WK1"),
    "last_told": lambda c: outbox.last_told(c, TENANT, "WK1"),
    "line_from": lambda c: outbox.line_from(c, TENANT, "WK1", 5),
    "number": lambda c: outbox.number(c, TENANT, [Delivery.PENDING]),
    "release_unfinished": lambda c: outbox.release_unfinished(c, TENANT),
    "skip_superseded_before": lambda c: outbox.skip_superseded_before(c, TENANT, 5, "old"),
    "map_worker": lambda c: outbox.map_worker(c, TENANT, "WK1", "7"),
    "unmapped_workers": lambda c: outbox.unmapped_workers(c, TENANT),
    "first_unnamed": lambda c: outbox.first_unnamed(c, TENANT),
    "last_of_all": lambda c: outbox.last_of_all(c, TENANT),
    "after": lambda c: eventlog.after(c, TENANT, 5, 100),
    "of_worker": lambda c: eventlog.of_worker(c, TENANT, "WK1", 0, 100),
    "task_ends": lambda c: eventlog.task_ends(c, TENANT, ["WT1", "WT2"], 99),
    "first_received_ms": lambda c: eventlog.first_received_ms(c, TENANT),
    "newest_ms": lambda c: eventlog.newest_ms(c, TENANT),
    "recent_task_ends": lambda c: eventlog.recent_task_ends(c, TENANT, 5, 99),
    "last_seq": lambda c: eventlog.last_seq(c, TENANT),
    "number_after": lambda c: eventlog.number_after(c, TENANT, 5),
    "cursor": lambda c: eventlog.cursor(c, TENANT, "states"),
    "agents.load": lambda c: list(agents.load(c, TENANT)),
    "agents.names": lambda c: agents.names(c, TENANT),
    "any_pending": lambda c: outbox.any_pending(c, TENANT),
    "of_tasks": lambda c: eventlog.of_tasks(c, TENANT, ["WT1", "WT2"], 99),
    "tasks.between": lambda c: task_rows.between(c, TENANT, 5, 9),
    "tasks.open_ones": lambda c: task_rows.open_ones(c, TENANT),
    "segments.lines": lambda c: segments.lines(c, TENANT, 5, 9, 4),
    "receipts.dirty": lambda c: receipts.dirty(c, TENANT, 0),
    "receipts.last_start_ms": lambda c: receipts.last_start_ms(c, TENANT, receipts.QUEUE),
}
# The one row of the newest is taken from the index as it lies, whatever the length of the history.
NEVER_SORTED = ("pending", "last_of_worker", "last_sent", "last_told", "after", "last_seq")


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_never_scans_a_table(ledger: Ledger, name: str) -> None:
    """Each hot query searches by an index, in a ledger of two tenants."""
    fill(ledger)
    told = plans(ledger, HOT[name])
    assert told
    assert [step for step in told if step.startswith("SCAN")] == []


@pytest.mark.parametrize("name", NEVER_SORTED)
def test_what_reads_on_or_the_newest_does_not_sort_the_history(ledger: Ledger, name: str) -> None:
    """No temporary sorting: the cost does not grow with what has piled up."""
    fill(ledger)
    assert [step for step in plans(ledger, HOT[name]) if "TEMP B-TREE" in step] == []


def fill(ledger: Ledger) -> None:
    """Some history of two tenants."""
    with ledger.write() as connection:
        for tenant in (TENANT, "other"):
            arrivals = [Arrival(tenant, activity(at, AVAILABLE), at) for at in range(50)]
            eventlog.append(connection, arrivals)
            outbox.record(connection, tenant, [change(at) for at in range(50)])
            agents.save(connection, tenant, [("WK1", "WK1", {})], 1)


def test_last_of_all_is_the_newest_by_time_not_by_number(ledger: Ledger) -> None:
    """A correction stored later about an earlier time does not count as the newest; a late one may be it."""
    with ledger.write() as connection:
        agents.save(connection, TENANT, [("WK1", "WK1", {}), ("WK2", "WK2", {})], 1)
        outbox.record(
            connection,
            TENANT,
            [
                change(30, "X", status=Delivery.DEAD),
                change(20, "B"),
                change(10, "A", worker_sid="WK2", status=Delivery.DELIVERED),
                change(20, "B", worker_sid="WK2", status=Delivery.LATE),
                change(99, "R", worker_sid="WK2", status=Delivery.REPLACED),
                change(99, "S", worker_sid="WK2", kind=Kind.SNAPSHOT),
                change(99, "W", worker_sid="WK2", kind=Kind.WITHDRAWN, status=Delivery.DELIVERED),
            ],
        )
        found = outbox.last_of_all(connection, TENANT)
        assert {sid: one.event_id for sid, one in found.items()} == {"WK1": "X", "WK2": "B"}
        assert {sid: outbox.last_of_worker(connection, TENANT, sid) for sid in found} == found


@pytest.mark.parametrize(
    ("status", "repeated"),
    [
        (Delivery.DELIVERED, 1),
        (Delivery.LATE, 1),
        (Delivery.SKIPPED, 1),
        (Delivery.PENDING, 0),
        (Delivery.SENDING, 0),
        (Delivery.UNMAPPED, 0),
        (Delivery.DEAD, 1),
    ],
)
def test_the_present_is_repeated_unless_it_waits_or_has_no_name(
    ledger: Ledger, status: Delivery, repeated: int
) -> None:
    """Whatever does not go out by itself any more is told again; what was refused may be taken now."""
    with ledger.write() as connection:
        agents.save(connection, TENANT, [("WK1", "WK1", {})], 1)
        outbox.record(connection, TENANT, [change(10, status=status)])
        assert outbox.repeat_present_states(connection, TENANT, 99, {"WK1": "WK1"}) == repeated


def test_an_event_is_stored_once_and_read_in_order_of_arrival(ledger: Ledger) -> None:
    """`append` tells what was new; `after` gives events back as they were, from any number on."""
    first, second, third = activity(30, AVAILABLE), reservation("created", 10), task("completed", 20)
    with ledger.write() as connection:
        assert eventlog.append(connection, [Arrival(TENANT, one, 1) for one in (first, second)]) == {
            (TENANT, first.sid),
            (TENANT, second.sid),
        }
        assert eventlog.append(connection, [Arrival(TENANT, one, 1) for one in (second, third)]) == {
            (TENANT, third.sid)
        }
        found = eventlog.after(connection, TENANT, 0, 10)
        assert [one for _, one in found] == [first, second, third]
        assert [one for _, one in eventlog.after(connection, TENANT, found[0][0], 1)] == [second]
        newest = eventlog.last_seq(connection, TENANT)
        assert eventlog.task_ends(connection, TENANT, ["WT1", "WT9"], newest) == {"WT1": 20}
        assert eventlog.task_ends(connection, TENANT, ["WT1", "WT9"], 0) == {}
        assert eventlog.of_worker(connection, TENANT, "WK1", 0, 99) == [second, first]
        assert eventlog.of_worker(connection, TENANT, "WK1", 0, found[0][0]) == [first]


def test_many_ids_are_marked_in_one_go(ledger: Ledger) -> None:
    """More rows than a statement may name at once are all marked."""
    with ledger.write() as connection:
        outbox.record(connection, TENANT, [change(at) for at in range(1_201)])
        ids = [one.id for one in outbox.pending(connection, TENANT, 5_000)]
        outbox.mark(connection, ids, Delivery.SENDING)
        assert outbox.number(connection, TENANT, [Delivery.SENDING]) == 1_201
        outbox.release(connection, ids)
        assert outbox.number(connection, TENANT, [Delivery.PENDING]) == 1_201


def test_tasks_are_found_by_the_interval_they_touch(ledger: Ledger) -> None:
    """Whatever they lasted: seconds, months, or still; half-open, and none besides."""
    day_ms = 86_400_000
    spans = {
        "before": (0, 999), "ends": (0, 1_000), "within": (1_200, 1_300), "begins": (1_999, 5_000), "after": (2_000, 9),
        "open": (500, None), "open later": (2_000, None), "long": (0, 40 * day_ms), "very long": (0, 4_000 * day_ms),
        "an hour": (0, 3_600_000), "a day": (1_500, day_ms),
    }  # fmt: skip
    with ledger.write() as connection:
        task_rows.save(connection, "acme", [TaskRow(name, *span) for name, span in spans.items()])
        task_rows.save(connection, "other", [TaskRow("theirs", 0, None)])
        found = task_rows.between(connection, "acme", 1_000, 2_000)
        assert set(task_rows.open_ones(connection, "acme")) >= {"open", "open later"}
    expected = {
        name for name, (opened, closed) in spans.items() if opened < 2_000 and (closed is None or closed >= 1_000)
    }
    assert set(found) == expected
    assert len(found) == len(expected)

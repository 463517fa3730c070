"""The tasks of an interval, however long they were open, are those that a plain comparison finds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from flex_plugin_backend.ledger import tasks
from flex_plugin_backend.ledger.store import Ledger

MINUTE = 60_000
EDGES = [0, 1, 15 * MINUTE, 60 * MINUTE, 4 * 60 * MINUTE, 16 * 60 * MINUTE, 64 * 60 * MINUTE, 256 * 60 * MINUTE]
NOW = 10**12

lengths = st.one_of(
    st.none(),
    st.builds(lambda edge, more: max(0, edge + more), st.sampled_from(EDGES), st.integers(-2, 2)),
    st.integers(0, 10**10),
)
spans = st.lists(st.tuples(st.integers(-(10**10), 10**8), lengths), max_size=12)


def rows_of(found: list[tuple[int, int | None]]) -> list[tasks.TaskRow]:
    """Tasks that opened so long from now, and were open for so long."""
    return [
        tasks.TaskRow(f"WT{number}", {"number": number}, NOW + begin, None if length is None else NOW + begin + length)
        for number, (begin, length) in enumerate(found)
    ]


def found_in(ledger: Ledger, from_ms: int, to_ms: int) -> set[int]:
    """The numbers of those that `between` gives."""
    with ledger.read() as connection:
        return {int(one["number"]) for one in tasks.between(connection, "acme", from_ms, to_ms)}


@given(spans, st.integers(-(10**10), 10**8), st.integers(1, 10**8))
def test_what_overlaps_is_found_and_nothing_else(found: list[tuple[int, int | None]], begin: int, length: int) -> None:
    """Open before the end, and not closed before the start."""
    rows = rows_of(found)
    from_ms, to_ms = NOW + begin, NOW + begin + length
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'l.sqlite3'}")
        with ledger.write() as connection:
            tasks.save(connection, "acme", rows)
            tasks.save(connection, "other", rows)
        expected = {
            int(one.story["number"])
            for one in rows
            if one.opened_ms < to_ms and (one.closed_ms is None or one.closed_ms >= from_ms)
        }
        assert found_in(ledger, from_ms, to_ms) == expected
        ledger.close()


def test_the_migration_files_them_as_they_are_stored(tmp_path: Path) -> None:
    """What was stored without a level gets the one that it would have got."""
    url = f"sqlite:///{tmp_path / 'l.sqlite3'}"
    ledger = Ledger(url)
    with ledger.write() as connection:
        tasks.save(connection, "acme", rows_of([(0, None), *((0, edge + more) for edge in EDGES for more in (0, 1))]))
        rows = "SELECT task_sid, span_level FROM tasks ORDER BY task_sid"
        stored = connection.execute(text(rows)).all()
    ledger.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_tasks_span"))
        connection.execute(text("ALTER TABLE tasks DROP COLUMN span_level"))
        connection.execute(text("CREATE INDEX ix_tasks_time ON tasks (tenant, closed_ms, opened_ms)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    Ledger(url).close()
    with engine.begin() as connection:
        assert connection.execute(text(rows)).all() == stored
    engine.dispose()
    assert {level for _, level in stored} == {None, 0, 1, 2, 3, 4, 5, 6}

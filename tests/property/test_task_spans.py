"""The tasks of an interval, however long they were open, are those that a plain comparison finds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

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
        tasks.TaskRow(f"WT{number}", NOW + begin, None if length is None else NOW + begin + length)
        for number, (begin, length) in enumerate(found)
    ]


def found_in(ledger: Ledger, from_ms: int, to_ms: int) -> list[str]:
    """The sids that `between` gives, each once."""
    with ledger.read() as connection:
        return tasks.between(connection, "acme", from_ms, to_ms)


@settings(deadline=None)
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
        expected = sorted(
            one.task_sid
            for one in rows
            if one.opened_ms < to_ms and (one.closed_ms is None or one.closed_ms >= from_ms)
        )
        assert found_in(ledger, from_ms, to_ms) == expected
        ledger.close()

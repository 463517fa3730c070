"""Whatever happened: without what is old, everything younger is told as with it, and can be derived again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import Phase, given, settings
from long_life import BEGIN_MS, DAY_MS, LONGEST_CONTACT_MS, Life, busy_intervals, weeks

from flex_plugin_backend.domain.intervals import INTERVAL_MS, owner
from flex_plugin_backend.ledger import prune

KEEP_DAYS = 8
DAYS = 18
MOST_INTERVALS = 25


@settings(max_examples=4, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 10_000))
def test_pruning_changes_nothing_that_is_younger_and_what_is_left_suffices(seed: int) -> None:
    """A ledger that is pruned each night is told apart from one that keeps all by nothing after the horizon.

    The same holds for two ledgers that are derived again from the events of both.
    """
    told = weeks(DAYS, seed)
    until_ms = BEGIN_MS + (DAYS + 1) * DAY_MS
    with tempfile.TemporaryDirectory() as name:
        whole, pruned = Life(Path(name) / "a"), Life(Path(name) / "b", keep_days=KEEP_DAYS)
        whole.live(told, until_ms)
        pruned.live(told, until_ms)
        again, rebuilt = Life(Path(name) / "c"), Life(Path(name) / "d")
        again.derive(whole)
        rebuilt.derive(pruned)
        with pruned.ledger.read() as connection:
            before_ms = prune.before_ms(connection, "acme")
        assert before_ms > BEGIN_MS
        assert len(pruned.events()) < len(whole.events())

        kept = pruned.present()
        for sid, state in whole.present().items():
            if sid in kept:
                assert kept[sid] == state
            else:  # who left before is forgotten
                assert len(whole.line(sid, before_ms)) == 1
        for sid in kept:
            assert pruned.line(sid, before_ms) == whole.line(sid, before_ms)
            assert rebuilt.line(sid, before_ms) == again.line(sid, before_ms)
        first_ms = owner(before_ms + 2 * INTERVAL_MS).start_ms
        for interval in busy_intervals(told, first_ms, until_ms - LONGEST_CONTACT_MS)[:MOST_INTERVALS]:
            assert pruned.rows(interval) == whole.rows(interval), interval
            assert rebuilt.rows(interval) == again.rows(interval), interval
        pruned.restart()
        assert pruned.present() == kept
        for one in (whole, pruned, again, rebuilt):
            one.close()

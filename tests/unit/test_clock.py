"""The scaled clock: it stands until its anchor, then runs."""

from __future__ import annotations

import time

from flex_plugin_backend.clock import ScaledClock


def test_before_its_anchor_the_clock_stands_at_its_start() -> None:
    """Nothing that happens before the anchor seems to lie before the virtual start."""
    ahead = ScaledClock(start_ms=1_000_000, anchor_ms=time.time_ns() // 1_000_000 + 60_000, speed=100)
    assert ahead.now_ms() == 1_000_000


def test_from_its_anchor_on_it_runs_as_fast_as_it_says() -> None:
    """A minute after the anchor a clock of speed 100 shows at least 100 minutes more."""
    behind = ScaledClock(start_ms=1_000_000, anchor_ms=time.time_ns() // 1_000_000 - 60_000, speed=100)
    assert behind.now_ms() >= 1_000_000 + 6_000_000

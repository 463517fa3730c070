"""Backfill: everything that the history has and the ledger lacks, once, however often the run is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_history import FakeHistory, failed, run_course
from flow_bench import T0, TENANT
from histories import AVAILABLE, activity

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.backfill import Backfill
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.reconciler import BEGIN, READABLE_MS
from flex_plugin_backend.ledger import eventlog, gaps
from flex_plugin_backend.ledger import spans as span_rows
from flex_plugin_backend.ledger.gaps import Cause, Gap
from flex_plugin_backend.ledger.store import Ledger

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Site:
    """A ledger beside a history of ten hours, an event every minute, of which it has every third."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(f"sqlite:///{path}")
        self.clock = ManualClock(T0 + 10 * HOUR)
        self.intake = Intake(self.ledger, self.clock, ack_timeout_s=1.0, on_stored=lambda *_: None, by_hand=True)
        self.intake.start()
        events = [activity(T0 + at * MINUTE, AVAILABLE) for at in range(600)]
        self.history = FakeHistory(events, page_size=50)
        self.intake.submit(TENANT, events[::3])
        self.lost = {one.sid for at, one in enumerate(events) if at % 3}
        with self.ledger.write() as connection:
            eventlog.set_cursor(connection, TENANT, BEGIN, T0)

    def backfill(self, span: Span | None = None, **more: Any) -> Backfill:
        return Backfill(
            TENANT,
            self.ledger,
            self.clock,
            self.history,
            span or Span(T0, T0 + 10 * HOUR),
            submit=lambda events, along=None: self.intake.submit(TENANT, events, along),
            **{"requests_per_minute": 6_000.0, "running": lambda: False, **more},
        )

    def stored(self) -> set[str]:
        with self.ledger.read() as connection:
            return {one.sid for _, one in eventlog.after(connection, TENANT, 0, 100_000)}

    def holes(self) -> list[Gap]:
        with self.ledger.read() as connection:
            return gaps.listed(connection, TENANT, 100)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site."""
    found = Site(tmp_path / "l.sqlite3")
    yield found
    found.ledger.close()


def test_what_is_missing_is_stored_and_counted_by_interval(site: Site) -> None:
    """Whatever was verified before; nothing of the run is left behind."""
    with site.ledger.write() as connection:
        span_rows.cover(connection, TENANT, [Span(T0, T0 + 10 * HOUR)])
    run = site.backfill()
    run_course(run.course())
    assert site.lost <= site.stored()
    progress = run.progress
    assert (progress.read_ms, progress.rows) == (progress.whole_ms, 600)
    assert progress.recovered.total() == len(site.lost) == sum(one.events for one in site.holes())
    assert set(progress.recovered.values()) <= set(range(3, 11))
    with site.ledger.read() as connection:
        assert span_rows.covered(connection, TENANT, f"backfill {T0} {T0 + 10 * HOUR}") == []


def test_a_second_run_finds_nothing(site: Site) -> None:
    """It reads all of it again, as it was told to."""
    run_course(site.backfill().course())
    asked = len(site.history.asked)
    again = site.backfill()
    run_course(again.course())
    assert again.progress.recovered.total() == 0
    assert len(site.history.asked) > asked
    assert again.progress.resumed_ms == 0


@pytest.mark.parametrize("steps", range(1, 40, 3))
def test_a_run_that_was_ended_goes_on_where_it_stopped(site: Site, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any point: what has been stored is not read again, and each event is counted once."""
    monkeypatch.setattr("flex_plugin_backend.flow.backfill.MOST_HELD", 30)
    course = site.backfill().course()
    for _ in range(steps):
        if next(course, None) is None:
            break
    course.close()
    with site.ledger.read() as connection:
        read = span_rows.covered(connection, TENANT, f"backfill {T0} {T0 + 10 * HOUR}")
    site.history.asked.clear()
    rest = site.backfill()
    assert rest.progress.resumed_ms == sum(one.length_ms for one in read)
    run_course(rest.course())
    assert site.lost <= site.stored()
    assert sum(one.events for one in site.holes()) == len(site.lost)
    for from_ms, to_ms in site.history.spans():
        assert all(one.within(Span(from_ms, to_ms)) is None for one in read)


def test_another_span_is_another_run(site: Site) -> None:
    """What one run has read does not count for another."""
    course = site.backfill().course()
    for _ in range(12):
        next(course)
    course.close()
    other = site.backfill(Span(T0, T0 + 5 * HOUR))
    assert other.progress.resumed_ms == 0


def test_what_happened_before_the_first_start_is_no_hole_of_the_feed(site: Site) -> None:
    """It has a cause of its own."""
    with site.ledger.write() as connection:
        eventlog.set_cursor(connection, TENANT, BEGIN, T0 + 5 * HOUR)
    run_course(site.backfill().course())
    assert {one.cause for one in site.holes() if one.to_ms < T0 + 5 * HOUR} == {Cause.BEFORE}
    assert Cause.BEFORE not in {one.cause for one in site.holes() if one.from_ms >= T0 + 5 * HOUR}


def test_failures_that_pass_are_waited_out(site: Site) -> None:
    """Twilio's limits and bad moments; the problem can be shown meanwhile."""
    site.history.failures.extend([failed(429, retry_after_s=7.0), failed(500), None, failed(None)])
    run = site.backfill()
    shown: list[str | None] = []
    pauses, _ = run_course(run.course(), lambda _pause: shown.append(run.asker.problem))
    assert site.lost <= site.stored()
    assert max(pauses) >= 7.0
    assert any("429" in (problem or "") for problem in shown)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_ends_the_run(site: Site, status: int) -> None:
    """Waiting would not help; what has been read until then is kept."""
    site.history.failures.extend([None, None, None, *[failed(status)] * 10])
    with pytest.raises(TwilioUnavailable, match=str(status)):
        run_course(site.backfill().course())


def test_a_running_connector_is_waited_for_between_portions(site: Site) -> None:
    """Its states take up one portion before the next one is stored."""
    site.history.page_size = 1_000
    waited: list[int] = []

    def on_pause(pause: Any) -> None:
        with site.ledger.read() as connection:
            last, seen = eventlog.last_seq(connection, TENANT), eventlog.cursor(connection, TENANT, "states")
        if seen < last:
            waited.append(last - seen)
            with site.ledger.write() as connection:
                eventlog.set_cursor(connection, TENANT, "states", last)

    with site.ledger.write() as connection:
        eventlog.set_cursor(connection, TENANT, "states", eventlog.last_seq(connection, TENANT))
    run_course(site.backfill(running=lambda: True).course(), on_pause)
    assert sum(waited) == len(site.lost)
    assert max(waited) <= 200


def test_a_run_so_long_that_its_beginning_falls_out_of_the_history_goes_on(site: Site) -> None:
    """Twilio would refuse the whole question otherwise."""
    site.clock.set_ms(T0 + READABLE_MS + 2 * HOUR + 30 * MINUTE)
    run_course(site.backfill().course())
    assert min(from_ms for from_ms, _ in site.history.spans()) >= T0 + 2 * HOUR + 30 * MINUTE

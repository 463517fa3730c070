"""The grid of intervals neither skips nor repeats, whatever calendars and clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flex_plugin_backend.domain.intervals import INTERVAL_MS, first_whole, intervals, owner, whole_seconds

ZONES = sorted(available_timezones())
instants = st.integers(-2_208_988_800_000, 4_102_444_800_000)  # 1900 to 2100


def midnight_ms(day: date, zone: str) -> int:
    """When a local day begins, in UTC milliseconds."""
    local = datetime.combine(day, time(), ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp() * 1000)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(1975, 1, 1), date(2037, 12, 31)))
@example("Europe/Berlin", date(2026, 3, 29))  # 23 hours
@example("Europe/Berlin", date(2026, 10, 25))  # 25 hours
@example("Australia/Lord_Howe", date(2026, 4, 5))  # half an hour more
@example("Pacific/Apia", date(2011, 12, 29))  # a day that is missing follows
@example("Asia/Kathmandu", date(2028, 2, 29))
@example("America/New_York", date(2026, 12, 31))
def test_a_local_day_is_covered_without_gap_or_repetition(zone: str, day: date) -> None:
    """Also where it has 23, 25 or 24 and a half hours, over month ends and leap days."""
    start_ms, end_ms = midnight_ms(day, zone), midnight_ms(day + timedelta(days=1), zone)
    found = list(intervals(start_ms, end_ms))
    assert found[0].start_ms <= start_ms < found[0].end_ms
    assert found[-1].start_ms < end_ms <= found[-1].end_ms
    assert all(one.end_ms == other.start_ms for one, other in pairwise(found))
    assert len(found) == -(-end_ms // INTERVAL_MS) - start_ms // INTERVAL_MS


@settings(max_examples=300, deadline=None)
@given(instants)
@example(0)
@example(-1)
def test_every_instant_has_one_owner_and_is_in_it(at_ms: int) -> None:
    """A boundary belongs to the interval that starts there."""
    one = owner(at_ms)
    assert one.start_ms <= at_ms < one.end_ms
    assert one.owns(at_ms)
    assert not one.next.owns(at_ms)
    assert owner(one.end_ms) == one.next
    assert datetime.fromtimestamp(one.start_ms / 1000, UTC).minute in (0, 15, 30, 45)


@settings(max_examples=300, deadline=None)
@given(instants, st.integers(0, 5 * INTERVAL_MS))
def test_clipped_parts_of_a_span_add_up_to_the_span(start_ms: int, length_ms: int) -> None:
    """In whole seconds, wherever the grid cuts it."""
    end_ms = start_ms + length_ms
    parts = [one.clip_s(start_ms, end_ms) for one in intervals(start_ms, end_ms)]
    assert sum(parts) == whole_seconds(start_ms, end_ms)
    assert owner(end_ms).next.clip_s(start_ms, end_ms) == 0


@settings(max_examples=200, deadline=None)
@given(instants, st.integers(1, 5 * INTERVAL_MS))
def test_what_is_open_at_an_end_instant_began_before_it_and_ended_not_before(start_ms: int, length_ms: int) -> None:
    """As many backlogs as end instants in the span."""
    end_ms = start_ms + length_ms
    held = [one for one in intervals(start_ms - INTERVAL_MS, end_ms + 1) if one.holds_at_end(start_ms, end_ms)]
    assert [one.end_ms for one in held] == [
        one.end_ms for one in intervals(start_ms - INTERVAL_MS, end_ms + 1) if start_ms < one.end_ms <= end_ms
    ]


@given(at_ms=st.integers(1, 4_102_444_800_000))
def test_the_first_whole_interval_begins_at_or_after_an_instant(at_ms: int) -> None:
    """It is less than an interval away, and an instant on the grid begins one itself."""
    first = first_whole(at_ms)
    assert 0 <= first.start_ms - at_ms < INTERVAL_MS
    assert first_whole(first.start_ms) == first

"""Events on their way: in order without faults, and what each fault makes of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from simulator.faults.delay import Delay
from simulator.faults.duplicate import Duplicate
from simulator.faults.letter import Letter
from simulator.harness.mail import Mail
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.scenario import Scenario


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """An hour of ten agents."""
    scenario = Scenario(agents=10, seed=5)
    return World(scenario).advance_to(scenario.start_ms + 3_600_000)


def arrivals(mail: Mail) -> list[tuple[int, Event]]:
    """Everything, with when it arrives."""
    found: list[tuple[int, Event]] = []
    while (at_ms := mail.next_ms()) is not None:
        found.extend((at_ms, event) for event in mail.due(at_ms))
    return found


def test_without_faults_events_arrive_as_they_happen(events: list[Event]) -> None:
    """Each once, at its time, in the order of the log."""
    mail = Mail((), (), 1)
    mail.post(events)
    assert arrivals(mail) == [(event.ms, event) for event in events]
    assert len(mail) == 0


def test_only_wanted_types_are_sent(events: list[Event]) -> None:
    """The workspace's filter holds."""
    mail = Mail({"reservation.created"}, (), 1)
    mail.post(events)
    assert {event.type for _, event in arrivals(mail)} == {"reservation.created"}


def test_the_same_seed_sends_the_same(events: list[Event]) -> None:
    """Faults are drawn from the seed, whatever the size of the portions in which events are posted."""
    one, other = (Mail((), (Duplicate(0.2), Delay(0.2, 600)), 7) for _ in range(2))
    one.post(events)
    for event in events:
        other.post([event])
    assert sorted(at_ms for at_ms, _ in arrivals(one)) == sorted(at_ms for at_ms, _ in arrivals(other))


def test_duplicates_come_again_later(events: list[Event]) -> None:
    """About the share comes twice, within the time; nothing is lost."""
    letters = [Letter(event.ms, event) for event in events]
    arriving = Duplicate(0.1, within_s=60.0).apply(letters, random.Random(1))
    counts = Counter(letter.event.sid for letter in arriving)
    assert counts.keys() == {event.sid for event in events}
    assert sum(number == 2 for number in counts.values()) == pytest.approx(len(events) / 10, rel=0.3)
    assert all(0 <= letter.at_ms - letter.event.ms <= 60_000 for letter in arriving)


def test_delays_are_within_their_bounds(events: list[Event]) -> None:
    """About the share is late, by a time within the bounds; the rest is on time."""
    letters = [Letter(event.ms, event) for event in events]
    arriving = Delay(0.1, most_s=600.0, least_s=60.0).apply(letters, random.Random(1))
    late_ms = [letter.at_ms - letter.event.ms for letter in arriving if letter.at_ms != letter.event.ms]
    assert len(arriving) == len(events)
    assert len(late_ms) == pytest.approx(len(events) / 10, rel=0.3)
    assert all(60_000 <= one <= 600_000 for one in late_ms)

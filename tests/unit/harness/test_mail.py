"""Events on their way: in order without faults, and what each fault makes of them."""

from __future__ import annotations

import pytest

from simulator.faults.board import Board
from simulator.faults.mail import Mail
from simulator.faults.twilio.delay import Delay
from simulator.faults.twilio.duplicate import Duplicate
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
        found.extend((at_ms, letter.event) for letter in mail.due(at_ms))
    return found


def test_without_faults_events_arrive_as_they_happen(events: list[Event]) -> None:
    """Each once, at its time, in the order of the log."""
    mail = Mail((), Board().letters)
    mail.post(events)
    assert arrivals(mail) == [(event.ms, event) for event in events]
    assert len(mail) == 0


def test_only_wanted_types_are_sent(events: list[Event]) -> None:
    """The workspace's filter holds."""
    mail = Mail({"reservation.created"}, Board().letters)
    mail.post(events)
    assert {event.type for _, event in arrivals(mail)} == {"reservation.created"}


def test_the_same_seed_sends_the_same(events: list[Event]) -> None:
    """Faults are drawn from the seed, whatever the size of the portions in which events are posted."""
    boards = [Board(7), Board(7)]
    for board in boards:
        board.set((Duplicate(share=0.2), Delay(share=0.2, most_s=600.0)), events[0].ms)
    one, other = (Mail((), board.letters) for board in boards)
    one.post(events)
    for event in events:
        other.post([event])
    assert sorted(at_ms for at_ms, _ in arrivals(one)) == sorted(at_ms for at_ms, _ in arrivals(other))

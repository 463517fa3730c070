"""What happens when."""

from __future__ import annotations

import math

from simulator.world.agenda import Agenda


def test_actions_run_in_order_of_time_and_then_of_planning() -> None:
    """Earlier ones first; those of one millisecond as they were planned; what is past runs now."""
    agenda, ran = Agenda(1_000), list[tuple[str, int]]()

    def note(name: str) -> None:
        ran.append((name, agenda.now_ms))
        if name == "b":
            agenda.at(0, note, "past")

    for ms, name in ((1_500, "c"), (1_200, "a"), (1_200, "b"), (1_501, "later")):
        agenda.at(ms, note, name)
    agenda.run_until(1_500)
    assert ran == [("a", 1_200), ("b", 1_200), ("past", 1_200), ("c", 1_500)]
    assert (agenda.now_ms, agenda.next_ms()) == (1_500, 1_501)


def test_an_endless_gap_plans_nothing() -> None:
    """The gap of a vanishing rate is infinite; nothing comes of it."""
    agenda = Agenda(0)
    agenda.after(math.inf, lambda: None)
    agenda.after(1e30, lambda: None)
    assert agenda.next_ms() is None

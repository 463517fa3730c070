"""Asking Twilio: within the budget, patient with what passes, obedient to Retry-After, and done with what is final."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest
from fake_history import failed, run_course

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.asking import LONGEST_WAIT_S, MOST_OPTIONAL, Asker
from flex_plugin_backend.flow.backoff import Backoff

T0 = 1_750_000_000_000


class Desk:
    """An asker on a clock that moves with its pauses."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(T0)
        self.results: list[bool] = []
        self.asker = Asker(
            "acme",
            self.clock,
            backoff=Backoff(first_s=2.0, cap_s=120.0),
            chance=random.Random(1),
            on_request=self.results.append,
            **{"requests_per_minute": 60.0, **settings},
        )

    def ask(self, *answers: Any) -> tuple[list[float], Any]:
        script = deque(answers)

        def read() -> Any:
            answer = script.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer

        return run_course(self.asker.ask(read), lambda pause: self.clock.advance(pause.seconds))


def test_requests_keep_to_the_budget() -> None:
    """The first goes at once, each further one waits its turn; who has waited otherwise waits no more."""
    desk = Desk(requests_per_minute=30.0)
    assert desk.ask("a") == ([], "a")
    assert desk.ask("b") == ([2.0], "b")
    desk.clock.advance(10)
    assert desk.ask("c") == ([], "c")
    assert desk.asker.requests == 3


def test_a_clock_that_is_set_back_costs_one_turn_only() -> None:
    """An hour back is no hour of waiting."""
    desk = Desk()
    desk.ask("a")
    desk.clock.set_ms(T0 - 3_600_000)
    assert desk.ask("b") == ([1.0], "b")


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504])
def test_what_passes_is_waited_out_for_ever(status: int | None) -> None:
    """Twenty failures in a row: growing pauses with jitter up to the longest, then the answer; the problem is shown."""
    desk = Desk(requests_per_minute=6_000.0)
    shown: list[str | None] = []
    script = deque([failed(status)] * 20)

    def read() -> str:
        shown.append(desk.asker.problem)
        if script:
            raise script.popleft()
        return "at last"

    pauses, answer = run_course(desk.asker.ask(read), lambda pause: desk.clock.advance(pause.seconds))
    assert answer == "at last"
    assert shown[0] is None
    assert all(f"HTTP {status}" in (problem or "") for problem in shown[1:])
    assert all(pause <= 120.0 for pause in pauses)
    assert 1.0 <= pauses[0] <= 2.0
    assert all(pause >= 60.0 for pause in pauses[-3:])
    assert (desk.asker.problem, desk.asker.last_read_ms) == (None, desk.clock.now_ms())
    assert desk.results == [False] * 20 + [True]


@pytest.mark.parametrize(("wish_s", "least_s", "most_s"), [(30.0, 30.0, 30.0), (0.5, 1.0, 2.0), (None, 1.0, 2.0)])
def test_retry_after_is_obeyed(wish_s: float | None, least_s: float, most_s: float) -> None:
    """Never sooner than Twilio asks for, and never sooner than our own pause."""
    [pause], _ = Desk().ask(failed(429, retry_after_s=wish_s), "answer")
    assert least_s <= pause <= most_s


def test_a_wish_for_days_is_looked_at_again_after_an_hour() -> None:
    """A broken header does not end repair."""
    [pause], _ = Desk().ask(failed(429, retry_after_s=1e9), "answer")
    assert pause == LONGEST_WAIT_S


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_tried_again_slowly(status: int) -> None:
    """A human has to mend that."""
    [pause], _ = Desk(held_retry_s=300.0).ask(failed(status), "answer")
    assert pause == 300.0


@pytest.mark.parametrize("status", [401, 403])
def test_who_asks_by_hand_is_told_of_a_refusal_at_once(status: int) -> None:
    """Nobody waits before a terminal for a human who has to mend it."""
    with pytest.raises(TwilioUnavailable):
        Desk(refusals_end=True).ask(failed(status))


@pytest.mark.parametrize("status", [400, 404, 410])
def test_an_answer_about_the_question_is_the_caller_s(status: int) -> None:
    """Asking the same again would get the same; Twilio was reached all the same."""
    desk = Desk()
    with pytest.raises(TwilioUnavailable):
        desk.ask(failed(status))
    assert (desk.asker.problem, desk.asker.last_read_ms) == (None, T0)


@pytest.mark.parametrize("status", [401, 403])
def test_where_an_answer_is_optional_a_refusal_is_one(status: int) -> None:
    """Without the right to read it, repair does without it."""
    desk = Desk()
    reading = desk.asker.ask(lambda: (_ for _ in ()).throw(failed(status)), optional=True)
    with pytest.raises(TwilioUnavailable):
        run_course(reading)


def test_what_is_optional_is_given_up_after_a_few_tries() -> None:
    """One list that Twilio never gives does not hold up everything else."""
    desk = Desk()
    with pytest.raises(TwilioUnavailable):
        run_course(desk.asker.ask(lambda: (_ for _ in ()).throw(failed(500)), optional=True))
    assert desk.asker.requests == MOST_OPTIONAL

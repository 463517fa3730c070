"""Asks Twilio one question after the other: within a budget of requests, with back-off, patient with what passes."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import TypeVar

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.duty import Pause

T = TypeVar("T")

# The question itself is wrong, or what it asks about is gone: asking again would not help.
_ANSWERS = frozenset((400, 404, 410))
_REFUSED = frozenset((401, 403))
MOST_OPTIONAL = 5
# However long Twilio asks us to wait, after so long we look whether it still does.
LONGEST_WAIT_S = 3600.0

_log = structlog.get_logger(__name__)


class Asker:
    """One tenant's reads for repair; they never run side by side, so that real time has Twilio's limits to itself.

    Attributes:
        problem: why the last question has no answer; None where it has one.
        last_read_ms: when Twilio last answered, epoch milliseconds.
        requests: how many requests were made.
    """

    def __init__(
        self,
        tenant: str,
        clock: Clock,
        *,
        requests_per_minute: float,
        held_retry_s: float = 300.0,
        refusals_end: bool = False,
        backoff: Backoff | None = None,
        chance: random.Random | None = None,
        on_request: Callable[[bool], None] = lambda _ok: None,
    ) -> None:
        """Set up.

        Args:
            held_retry_s: the pause where Twilio refuses us (401, 403).
            refusals_end: that is an answer, and nothing to wait for.
            on_request: told of each request whether it was answered.
        """
        self._tenant = tenant
        self._clock = clock
        self._gap_ms = round(60_000 / requests_per_minute)
        self._held_retry_s = held_retry_s
        self._refusals_end = refusals_end
        self._backoff = backoff or Backoff(first_s=2.0, cap_s=120.0)
        self._chance = chance or random.Random()
        self._on_request = on_request
        self._free_ms = 0
        self.problem: str | None = None
        self.last_read_ms: int | None = None
        self.requests = 0

    def ask(self, read: Callable[[], T], *, optional: bool = False) -> Generator[Pause, None, T]:
        """One request, tried again for ever while the failure may pass; yields its pauses, returns the answer.

        Args:
            optional: repair goes on without an answer; it is given up after a few tries, and where the key has not the
                right (401, 403).

        Raises:
            TwilioUnavailable: Twilio says that the question is wrong or its subject gone (400, 404, 410), or what is
                optional is given up.
        """
        failures = 0
        while True:
            yield from self._room()
            try:
                answer = read()
            except TwilioUnavailable as error:
                self._on_request(False)
                if error.facts.get("status") in self._final(optional):
                    self._answered()
                    raise
                failures += 1
                if optional and failures == MOST_OPTIONAL:
                    raise
                if self.problem is None:
                    _log.warning("repair.twilio_unavailable", tenant=self._tenant, problem=str(error))
                self.problem = str(error)
                yield Pause(self._pause_s(error, failures), firm=True)
            else:
                self._on_request(True)
                self._answered()
                return answer

    def _final(self, optional: bool) -> frozenset[int]:
        return _ANSWERS | _REFUSED if optional or self._refusals_end else _ANSWERS

    def _answered(self) -> None:
        self.problem = None
        self.last_read_ms = self._clock.now_ms()

    def _room(self) -> Generator[Pause, None, None]:
        """Wait until the budget has room for one more request."""
        # Where the clock was set back, the wait is no longer than usual.
        wait_ms = min(self._gap_ms, self._free_ms - self._clock.now_ms())
        if wait_ms > 0:
            yield Pause(wait_ms / 1000, firm=True)
        self._free_ms = self._clock.now_ms() + self._gap_ms
        self.requests += 1

    def _pause_s(self, error: TwilioUnavailable, failures: int) -> float:
        if error.facts.get("status") in _REFUSED:
            return self._held_retry_s
        wish_s = error.facts.get("retry_after_s")
        wish_s = min(wish_s, LONGEST_WAIT_S) if isinstance(wish_s, float) else None
        return self._backoff.delay_s(failures, self._chance, wish_s)

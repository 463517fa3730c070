"""ManualDrive: the connector without threads, sleeps and sockets, on a clock that moves only when told to."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.disk import free_bytes
from flex_plugin_backend.flow.duty import Duty, Pause


@dataclass(slots=True)
class _Turn:
    """When a duty's next step is due (epoch ms; None: when it is woken); `firm`: being woken makes no difference."""

    due_ms: int | None
    firm: bool = False


class ManualDrive:
    """Carries out what connectors do in the background, in the caller's thread and at the caller's time.

    For tests and simulations. `create_app(settings, drive=drive)` and `FlexPlugin(app, drive=drive)` build a connector
    on it; several connectors may share one. An event that is posted to the application is on the disk when the answer
    comes; what follows from it happens in the next `step_to`. The code is the one that threads run otherwise.

    Pauses between the attempts of one read by REST take no time.
    """

    by_hand = True

    def __init__(
        self,
        start_ms: int,
        *,
        twilio: httpx.BaseTransport | None = None,
        wfm: httpx.BaseTransport | None = None,
        alerts: httpx.BaseTransport | None = None,
        ledger_connection: type[sqlite3.Connection] = sqlite3.Connection,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Set up.

        Args:
            start_ms: what the clock shows, UTC epoch milliseconds.
            twilio, wfm, alerts: carry the requests to Twilio's REST API, to CXone WFM and to the alert webhook, for
                example `httpx.WSGITransport(app)`; None: the network.
            ledger_connection: what an embedded ledger's connections are, so that a test can let the disk fail.
            free_bytes: measures the room on the ledger's disk, so that a test can let it fill up.
        """
        self.clock = ManualClock(start_ms)
        self.twilio = twilio
        self.wfm = wfm
        self.alerts = alerts
        self.ledger_connection = ledger_connection
        self.free_bytes = free_bytes
        self._turns: dict[Duty, _Turn] = {}

    @property
    def now_ms(self) -> int:
        """What the clock shows."""
        return self.clock.now_ms()

    def next_ms(self) -> int | None:
        """When something is to be done next of its own accord; None: not before something comes in."""
        now_ms = self.now_ms
        dues = [due_ms for duty, turn in self._turns.items() if (due_ms := _due(duty, turn, now_ms)) is not None]
        return min(dues, default=None)

    def step_to(self, until_ms: int) -> None:
        """Do everything that is due up to and including `until_ms`, each at its time; then the clock shows that.

        Raises:
            ValueError: `until_ms` is past.
        """
        if until_ms < self.now_ms:
            raise ValueError(f"the clock shows {self.now_ms} already and is not turned back to {until_ms}")
        while True:
            now_ms = self.now_ms
            first: Duty | None = None
            first_ms = until_ms + 1
            for duty, turn in self._turns.items():
                due_ms = _due(duty, turn, now_ms)
                if due_ms is not None and due_ms < first_ms:
                    first, first_ms = duty, due_ms
            if first is None:
                break
            if first_ms > now_ms:
                self.clock.set_ms(first_ms)
            self._step(first)
        if until_ms > self.now_ms:
            self.clock.set_ms(until_ms)

    def set_clock(self, by_ms: int) -> None:
        """The machine's clock is set on, or back where negative. Pauses that are under way last as long as they would
        have; who waits to be woken looks again, as a thread does before long.
        """
        now_ms = self.now_ms + by_ms
        for turn in self._turns.values():
            if turn.due_ms is not None:
                turn.due_ms = turn.due_ms + by_ms if turn.firm else now_ms
        self.clock.set_ms(now_ms)

    def look(self) -> None:
        """Let every duty look again, as a thread does before long: another process may have stored something."""
        for duty in self._turns:
            duty.wake()

    def start(self, duty: Duty) -> None:
        """Carry it out from now on."""
        self._turns[duty] = _Turn(self.now_ms)

    def end(self, duties: Iterable[Duty]) -> None:
        """End these."""
        for duty in duties:
            duty.end()
            self._turns.pop(duty, None)

    def abandon(self) -> None:
        """Take no further step of anything, as if the process had been killed; start a new connector afterwards."""
        self._turns.clear()

    def _step(self, duty: Duty) -> None:
        pause = duty.step()
        turn = self._turns.get(duty)
        if turn is None:
            return  # the step has ended it
        if duty.over.is_set():
            del self._turns[duty]
            return
        turn.due_ms, turn.firm = _after(self.now_ms, pause), pause.firm


def _after(now_ms: int, pause: Pause) -> int | None:
    return None if pause.seconds is None else now_ms + math.ceil(pause.seconds * 1000)


def _due(duty: Duty, turn: _Turn, now_ms: int) -> int | None:
    if duty.woken and not turn.firm:
        return now_ms
    return None if turn.due_ms is None else max(now_ms, turn.due_ms)

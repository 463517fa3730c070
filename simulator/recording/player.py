"""Plays an event log to a callback endpoint: each event at its time, however slow the receiver is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.clock import VirtualClock
from simulator.faults.board import Board
from simulator.faults.fault import LetterFault
from simulator.twilio.emitter import CallbackEmitter, EmitterSettings
from simulator.world.events import Event

_AHEAD_S = 2.0  # so far ahead of their time events are read
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a log.

    Attributes:
        events: events of the log that were due; `sent` counts the callbacks, repeated ones included.
        taken: callbacks that were answered with a 2xx.
        late_p50_ms, late_p99_ms, late_max_ms: how much later than planned callbacks were sent, nearest rank. Where
            this is large the player, or the receiver by its slowness, did not keep up.
        wall_s: seconds from the first callback's time to the last one's answer.
    """

    events: int
    sent: int
    taken: int
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float
    wall_s: float


class Player:
    """Plays one log once.

    Args:
        events: in the order in which they were told; an earlier one that comes later is due at once.
        clock: by which they are due.
        faults: what goes wrong on the way, in the time of the log.
    """

    def __init__(
        self,
        events: Iterator[Event],
        settings: EmitterSettings,
        clock: VirtualClock,
        *,
        faults: Sequence[LetterFault] = (),
        seed: int = 1,
    ) -> None:
        self._events = events
        self._clock = clock
        board = Board(seed)
        board.set(faults, clock.start_ms)
        self._emitter = CallbackEmitter(settings, clock, board)
        self._read = 0
        self._stop = threading.Event()

    def stop(self) -> None:
        """End early; what was not sent stays unsent."""
        self._stop.set()

    def play(self) -> Played:
        """Play to the end, and wait until every callback was taken or given up."""
        began_s = time.time()
        emitter = self._emitter
        emitter.start()
        try:
            following = next(self._events, None)
            while not self._stop.is_set() and following is not None:
                horizon_ms = self._clock.now_ms() + round(_AHEAD_S * 1000 * self._clock.speed)
                due = []
                while following is not None and following.at_ms <= horizon_ms:
                    due.append(following)
                    following = next(self._events, None)
                self._read += len(due)
                emitter.take(due)
                if following is not None:
                    self._stop.wait(_LOOK_S)
            while not self._stop.is_set() and not emitter.is_idle():
                self._stop.wait(_LOOK_S)
        finally:
            emitter.stop()
        return self._played(time.time() - began_s)

    def _played(self, wall_s: float) -> Played:
        emissions = self._emitter.emissions
        late = sorted((one.sent_s - one.planned_s) * 1000 for one in emissions if one.sent_s is not None)
        taken, _ = self._emitter.counts()

        def rank(share: float) -> float:
            return round(max(0.0, late[min(len(late) - 1, int(share * len(late)))]), 1) if late else 0.0

        return Played(
            events=self._read,
            sent=len(emissions),
            taken=taken,
            late_p50_ms=rank(0.5),
            late_p99_ms=rank(0.99),
            late_max_ms=rank(1.0),
            wall_s=wall_s,
        )

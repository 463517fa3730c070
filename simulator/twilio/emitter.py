"""Sends each event of the world as a signed callback at its time, with Twilio's delivery habits."""

from __future__ import annotations

import heapq
import queue
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.clock import VirtualClock
from simulator.faults.board import Board
from simulator.faults.letter import Letter
from simulator.twilio.delivery import CallbackConnection, Outcome
from simulator.twilio.form import CallbackForm
from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event

DeliveryMode = Literal["twilio", "until-acked"]
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5


@dataclass(slots=True)
class Emission:
    """What became of one event's callback; times are epoch seconds of the machine."""

    sid: str
    type: str
    occurred_ms: int
    planned_s: float
    sent_s: float | None = None
    acked_s: float | None = None
    status: int | None = None
    attempts: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitterSettings:
    """Who sends what to whom.

    Attributes:
        events_filter: comma-separated event types; empty means all (assumed, reference 11).
        delivery: `twilio` loses what Twilio would lose; `until-acked` repeats an event, and holds back its lane's next
            ones, until it is taken or `deadline_s` has passed.
    """

    callback_url: str
    account_sid: str
    workspace_sid: str
    workspace_name: str
    key: SigningKey
    events_filter: str = ""
    lanes: int = 8
    delivery: DeliveryMode = "twilio"
    deadline_s: float = 300.0


class CallbackEmitter:
    """Emits events open loop: an event is due at its own time, however slow the receiver is.

    The events of one worker, and those of one task that concern no worker, share a lane and stay in order; what a fault
    of `board` holds back enters its lane when it is due.
    """

    def __init__(self, settings: EmitterSettings, clock: VirtualClock, board: Board | None = None) -> None:
        self._settings = settings
        self._target = CallbackTarget.parse(settings.callback_url)
        self.form = CallbackForm(self._target, settings)
        self._clock = clock
        self._stop = threading.Event()
        self._wanted = frozenset(kind.strip() for kind in settings.events_filter.split(",") if kind.strip())
        self._board = board or Board()
        self._late: list[tuple[int, int, Letter, Emission]] = []
        self._moved = threading.Condition()
        self._clerk = threading.Thread(target=self._hand_out_late, name="late-letters", daemon=True)
        self._lanes = [_Lane(self, number) for number in range(settings.lanes)]
        self.emissions: list[Emission] = []

    def start(self) -> None:
        """Open the lanes."""
        for lane in self._lanes:
            lane.thread.start()
        self._clerk.start()

    def stop(self) -> None:
        """Close the lanes; what has not been sent stays unsent."""
        self._stop.set()
        with self._moved:
            self._moved.notify_all()
        self._clerk.join(timeout=20)
        for lane in self._lanes:
            lane.queue.put(None)
        for lane in self._lanes:
            lane.thread.join(timeout=20)

    def take(self, events: Sequence[Event]) -> None:
        """Plan the callbacks of new events; called in the order of the log."""
        with self._moved:
            for event in events:
                if self._wanted and event.type not in self._wanted:
                    continue
                # What is on time goes on in the order of the log, whatever waits for later.
                for letter in self._board.letters(Letter(event.at_ms, event)):
                    emission = Emission(event.sid, event.type, event.ms, self._clock.wall_s_of(letter.at_ms))
                    self.emissions.append(emission)
                    if letter.at_ms <= event.at_ms:
                        self._to_lane(letter, emission)
                    else:
                        heapq.heappush(self._late, (letter.at_ms, len(self.emissions), letter, emission))
            self._moved.notify_all()

    def _to_lane(self, letter: Letter, emission: Emission) -> None:
        event = letter.event
        key = event.worker_sid or event.task_sid or event.resource_sid
        self._lanes[zlib.crc32(key.encode()) % len(self._lanes)].queue.put((letter, emission))

    def _hand_out_late(self) -> None:
        """Give each late letter to its lane when it is due."""
        with self._moved:
            while not self._stop.is_set():
                due_s = self._clock.wall_s_of(self._late[0][0]) - time.time() if self._late else None
                if due_s is None or due_s > 0:
                    self._moved.wait(due_s)
                else:
                    self._to_lane(*heapq.heappop(self._late)[2:])

    def is_idle(self) -> bool:
        """Whether every callback was taken or given up."""
        return all(emission.done for emission in self.emissions[:])

    def counts(self) -> tuple[int, int]:
        """Callbacks that were taken, and those given up."""
        emissions = self.emissions[:]
        taken = sum(1 for emission in emissions if emission.acked_s is not None)
        return taken, sum(1 for emission in emissions if emission.done) - taken

    def deliver(self, letter: Letter, emission: Emission, connection: CallbackConnection) -> None:
        """Wait for the letter's time and send it."""
        if not self._clock.wait_until(letter.at_ms, self._stop):
            return
        body, headers = self.form.render_letter(letter)
        if self._settings.delivery == "until-acked":
            self._send_until_acked(body, headers, emission, connection)
        else:
            self._send_like_twilio(body, headers, emission, connection)
        emission.done = True

    def _send_like_twilio(
        self, body: bytes, headers: dict[str, str], emission: Emission, connection: CallbackConnection
    ) -> None:
        overrides = self._target.overrides
        deadline_s = time.monotonic() + overrides.total_ms / 1000
        for _ in range(1 + overrides.retries):
            budget_s = deadline_s - time.monotonic()
            if budget_s <= 0 or self._stop.is_set():
                return
            outcome = self._attempt(body, headers, emission, connection, budget_s)
            if not outcome.failure or not overrides.retries_after(outcome.failure):
                return

    def _send_until_acked(
        self, body: bytes, headers: dict[str, str], emission: Emission, connection: CallbackConnection
    ) -> None:
        deadline_s = time.monotonic() + self._settings.deadline_s
        pause_s = _FIRST_PAUSE_S
        while time.monotonic() < deadline_s:
            budget_s = self._target.overrides.total_ms / 1000
            if not self._attempt(body, headers, emission, connection, budget_s).failure:
                return
            if self._stop.wait(pause_s):
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _attempt(
        self,
        body: bytes,
        headers: dict[str, str],
        emission: Emission,
        connection: CallbackConnection,
        budget_s: float,
    ) -> Outcome:
        if emission.sent_s is None:
            emission.sent_s = time.time()
        emission.attempts += 1
        outcome = connection.post(body, headers, budget_s)
        emission.status = outcome.status
        if not outcome.failure:
            emission.acked_s = outcome.answered_s
        return outcome

    @property
    def target(self) -> CallbackTarget:
        """Where the callbacks go."""
        return self._target


class _Lane:
    """A thread with a connection of its own; what enters it leaves it in the same order."""

    def __init__(self, emitter: CallbackEmitter, number: int) -> None:
        self._emitter = emitter
        self.queue: queue.SimpleQueue[tuple[Letter, Emission] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name=f"lane-{number}", daemon=True)

    def _run(self) -> None:
        connection = CallbackConnection(self._emitter.target)
        while (item := self.queue.get()) is not None:
            self._emitter.deliver(*item, connection)
        connection.close()

"""Sends letters open loop: each at its planned time, however slow the receiver is, and notes what became of it."""

from __future__ import annotations

import asyncio
import gc
import selectors
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from simulator.load.letters import Letter
from simulator.load.records import Failure, Records
from simulator.load.wire import Wire, connect, trust_of
from simulator.twilio.target import CallbackTarget

_AHEAD = 20_000  # letters that lie ready at most: some 50 MB
_MAKING_S = 0.002  # the next letter is made only if nothing is due for so long
_BATCH = 16  # letters that are written before answers are read, when several are due
_BEAT_S = 0.02
_T = TypeVar("_T")


@dataclass(slots=True)
class Pulse:
    """How the generator itself fared.

    Attributes:
        late: seconds by which a regular wake-up of its event loop came late, one each 20 ms.
        cpu_s, wall_s: processor and elapsed time from the first due letter to the last answer.
        starved: letters that were not made yet when they were due.
    """

    late: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    starved: int = 0


class Sender:
    """One run over a pool of connections.

    Letters of one lane go in order, each after the answer to the one before, as the callbacks of one worker have to. A
    letter that waits for that, or for a free connection, waits because the receiver is slow; its latency counts from
    its planned time all the same.
    """

    def __init__(
        self, target: CallbackTarget, letters: Iterator[Letter], *, connections: int, drain_s: float = 60.0
    ) -> None:
        """Set up.

        Args:
            connections: how many requests are under way at most.
            drain_s: so long after the last letter's time answers are waited for; what has none by then never gets one.
        """
        self._target = target
        self._letters = letters
        self._connections = connections
        self._drain_s = drain_s
        self._ready: deque[Letter] = deque()
        self._made_all = False
        self._begin = 0.0
        self._stopped = self._over = False
        self._trust: ssl.SSLContext | None = None
        self._free: list[Wire] = []
        self._wires: set[Wire] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, deque[Letter]] = {}
        self._waiting: deque[Letter] = deque()
        self._open = 0
        self._tries: dict[int, int] = {}
        self.records = Records()
        self.pulse = Pulse()

    def stop(self) -> None:
        """End early: nothing more is sent, and what is under way is waited for."""
        self._stopped = True

    async def run(self, begin: float, tell: Callable[[int, int], None]) -> None:
        """Send everything, each at its time, and wait for the answers.

        Args:
            begin: when the run begins, in the time of `time.monotonic`; until then connections are opened and letters
                made.
            tell: told twice a second how many letters were due so far, and how many of them have no answer.

        Raises:
            OSError: the target cannot be reached at the beginning.
        """
        loop = asyncio.get_running_loop()
        self._begin = begin
        # A look for garbage among all that a floor is made of would hold up the letters.
        gc.disable()
        try:
            await self._warm(loop)
            cpu = time.process_time()
            beat = loop.create_task(self._beat(tell))
            try:
                await self._send_all(loop)
                deadline = loop.time() + self._drain_s
                while self._open and loop.time() < deadline:
                    await asyncio.sleep(_BEAT_S)
            finally:
                self._over = True
                beat.cancel()
                for task in self._opening:
                    task.cancel()
                for wire in list(self._wires):
                    wire.give_up(Failure.UNSENT)
            self.pulse.wall_s = max(0.0, loop.time() - self._begin)
            self.pulse.cpu_s = time.process_time() - cpu
        finally:
            gc.enable()

    async def _warm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._trust = trust_of(self._target)
        opened = await asyncio.gather(
            *(connect(self._target, self, self._trust) for _ in range(self._connections)), return_exceptions=True
        )
        for one in opened:
            if isinstance(one, BaseException):
                raise one
            self._welcome(one)
        while self._has_to_make() and not self._stopped and loop.time() < self._begin - 10 * _MAKING_S:
            self._make()
            await asyncio.sleep(0)

    # -- making and sending

    def _has_to_make(self) -> bool:
        return not self._made_all and len(self._ready) < _AHEAD

    def _make(self) -> None:
        letter = next(self._letters, None)
        if letter is None:
            self._made_all = True
        else:
            self._ready.append(letter)

    async def _send_all(self, loop: asyncio.AbstractEventLoop) -> None:
        at_once = 0
        while not self._stopped:
            if not self._ready:
                if self._made_all:
                    return
                self._make()
                if self._ready and self._begin + self._ready[0].due_s < loop.time():
                    self.pulse.starved += 1
                continue
            due = self._begin + self._ready[0].due_s
            left_s = due - loop.time()
            if left_s <= 0:
                self._dispatch(self._ready.popleft(), due, loop.time())
                at_once += 1
                if at_once % _BATCH == 0:
                    await asyncio.sleep(0)
            elif left_s > _MAKING_S and self._has_to_make():
                self._make()
                await asyncio.sleep(0)
            else:
                # Long waits in slices, so that an end by Ctrl-C does not wait for the next letter.
                await asyncio.sleep(min(left_s, 0.2))

    def _dispatch(self, letter: Letter, due: float, now: float) -> None:
        self.records.open(due, now)
        self._open += 1
        lane = self._lanes.get(letter.lane)
        if lane is None:
            self._lanes[letter.lane] = deque()
            self._start(letter, now)
        else:
            lane.append(letter)

    def _start(self, letter: Letter, now: float) -> None:
        """Write it to a free connection, or wait for one."""
        while self._free:
            wire = self._free.pop()
            if wire.usable:
                self.records.sent[letter.number] = now
                wire.send(letter, now)
                return
        self._waiting.append(letter)
        self._replace()

    def _finish(self, letter: Letter, status: int, now: float) -> None:
        self.records.status[letter.number] = status
        self.records.answered[letter.number] = now
        self._open -= 1
        lane = self._lanes[letter.lane]
        if lane:
            self._start(lane.popleft(), now)
        else:
            del self._lanes[letter.lane]

    # -- connections

    def answered(self, wire: Wire, letter: Letter, status: int) -> None:
        """An answer has come; the wire takes the next letter."""
        if self._over:
            return
        now = asyncio.get_running_loop().time()
        if wire.usable:
            self._release(wire, now)
        self._finish(letter, status, now)

    def broken(self, wire: Wire, letter: Letter | None, failure: Failure, *, untouched: bool) -> None:
        """A wire is gone. A request that met a connection closed in that moment is sent once more, as clients do."""
        if self._over:
            return
        self._wires.discard(wire)
        now = asyncio.get_running_loop().time()
        if self._waiting:
            self._replace()
        if letter is None:
            return
        if untouched and not self._tries.get(letter.number):
            self._tries[letter.number] = 1
            self.records.resent += 1
            self._start(letter, now)
        else:
            self._finish(letter, failure, now)

    def _welcome(self, wire: Wire) -> None:
        self._wires.add(wire)
        self._release(wire, asyncio.get_running_loop().time())

    def _release(self, wire: Wire, now: float) -> None:
        if self._waiting:
            letter = self._waiting.popleft()
            self.records.sent[letter.number] = now
            wire.send(letter, now)
        else:
            self._free.append(wire)

    def _replace(self) -> None:
        """Open another connection if there may be one."""
        if len(self._wires) + len(self._opening) < self._connections:
            self._opening.add(asyncio.get_running_loop().create_task(self._open_one()))

    async def _open_one(self) -> None:
        try:
            wire = await connect(self._target, self, self._trust)
        except OSError:
            self._give_back()
        else:
            self._welcome(wire)
        finally:
            self._opening.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        if self._waiting:
            self._replace()

    def _give_back(self) -> None:
        """No connection: Twilio tries once more, or as often as the URL says, and then gives the callback up."""
        if not self._waiting:
            return
        letter = self._waiting.popleft()
        tries = self._tries[letter.number] = self._tries.get(letter.number, 0) + 1
        if tries > self._target.overrides.retries:
            self._finish(letter, Failure.CONNECT, asyncio.get_running_loop().time())
        else:
            self._waiting.appendleft(letter)

    async def _beat(self, tell: Callable[[int, int], None]) -> None:
        """Every 20 ms: is the loop late, and is an answer overdue?"""
        loop = asyncio.get_running_loop()
        patience_s = self._target.overrides.read_ms / 1000
        beats = 0
        while True:
            due = loop.time() + _BEAT_S
            await asyncio.sleep(_BEAT_S)
            now = loop.time()
            self.pulse.late.append(max(0.0, now - due))
            for wire in [one for one in self._wires if one.letter is not None and now - one.sent > patience_s]:
                wire.give_up(Failure.TIMEOUT)
            beats += 1
            if beats % 25 == 0:
                tell(len(self.records), self._open)


def run_precisely(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on an event loop whose timers are exact to some microseconds.

    The usual loop waits by epoll, which counts whole milliseconds and rounds up: half a millisecond would be added to
    every latency. select() takes fractions; its limit of 1,024 files is far above the pool's size.
    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(main)

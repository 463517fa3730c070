"""One world shared by threads: it is advanced under a lock, read at the present, and paced by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from simulator.clock import VirtualClock
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.hands import Refused

Listener = Callable[[Sequence[Event]], None]


class WorldService:
    """Keeps stepping and reading apart.

    Until `start` the world stands still at the time to which it was advanced by hand; then it follows the clock.
    Listeners hear of every event that happens after the start, in order, once.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._hold_listeners: list[Listener] = []
        self._stop = threading.Event()
        self._awake = threading.Event()
        self._pacer: threading.Thread | None = None
        self.clock: VirtualClock | None = None
        self.end_ms: int | None = None

    @property
    def scenario_start_ms(self) -> int:
        """The birth of the world."""
        return self._world.scenario.start_ms

    def listen(self, listener: Listener) -> None:
        """Have `listener` told of new events from now on."""
        with self._lock:
            self._listeners.append(listener)

    def listen_to_holds(self, listener: Listener) -> None:
        """Have `listener` told when customers are put on hold and taken back, from now on."""
        with self._lock:
            self._hold_listeners.append(listener)

    def now_ms(self) -> int:
        """The present: the clock's time, or where the world stands while there is no clock."""
        clock = self.clock
        return self._world.now_ms if clock is None else max(clock.now_ms(), self._world.now_ms)

    def advance_to(self, until_ms: int) -> None:
        """Let the world come to `until_ms`, but not past its end."""
        with self._lock:
            if self.end_ms is not None:
                until_ms = min(until_ms, self.end_ms)
            if until_ms <= self._world.now_ms:
                return
            before_ms = self._world.now_ms
            events = self._world.advance_to(until_ms)
            if events:
                for listener in self._listeners:
                    listener(events)
            holds = self._world.conferences.between(before_ms + 1, until_ms) if self._hold_listeners else []
            if holds:
                for listener in self._hold_listeners:
                    listener(holds)

    def begin_to_be_heard(self) -> None:
        """Somebody begins to listen now (`World.begin_to_be_heard`)."""
        with self._lock:
            self._world.begin_to_be_heard()

    @contextmanager
    def present(self) -> Iterator[tuple[World, int]]:
        """The world as it is now, and nobody moves it meanwhile."""
        with self._lock:
            now_ms = self.now_ms()
            if self.clock is not None:
                self.advance_to(now_ms)
            yield self._world, now_ms

    @contextmanager
    def in_hand(self) -> Iterator[tuple[World, int]]:
        """The world as it is now, to be changed by its hands.

        While the world stands still, it is moved on by the few milliseconds in which what was done is told. Raises
        Refused once it has come to its end.
        """
        with self.present() as (world, now_ms):
            if self.has_ended():
                raise Refused("The world has come to its end; nothing can be done there any more")
            yield world, now_ms
            if self.clock is None:
                self.advance_to(max(now_ms + 1, world.log.last_ms() or 0))
        self._awake.set()

    def has_ended(self) -> bool:
        """Whether the world has reached its end."""
        with self._lock:
            return self.end_ms is not None and self._world.now_ms >= self.end_ms

    def start(self, clock: VirtualClock, end_ms: int | None = None) -> None:
        """Follow `clock` from now on, up to `end_ms`."""
        with self._lock:
            if self._pacer is not None:
                raise RuntimeError("the world runs already")
            if clock.start_ms < self._world.now_ms:
                raise ValueError("the clock starts before the time that the world has reached")
            self.advance_to(clock.start_ms)
            self.clock, self.end_ms = clock, end_ms
            self._pacer = threading.Thread(target=self._pace, args=(clock,), name="world", daemon=True)
            self._pacer.start()

    def stop(self) -> None:
        """Stop the world where it is."""
        self._stop.set()
        self._awake.set()
        pacer = self._pacer
        if pacer is not None:
            pacer.join(timeout=10)

    def _pace(self, clock: VirtualClock) -> None:
        while not self._stop.is_set() and not self.has_ended():
            with self._lock:
                self._awake.clear()
                due_ms = self._world.next_ms()
                end_ms = self.end_ms
            if self._stop.is_set():
                return
            if due_ms is None or (end_ms is not None and due_ms > end_ms):
                due_ms = end_ms
            if due_ms is None:
                self._awake.wait(1.0)
                continue
            # Who is woken looks again: a hand has changed what comes next, or it is over.
            if not clock.wait_until(due_ms, self._awake):
                continue
            self.advance_to(clock.now_ms())
            # Give readers and lanes the interpreter between two steps of a fast world.
            time.sleep(0)

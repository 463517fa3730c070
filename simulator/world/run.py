"""A world run from its birth to its end, its events written as they happen, with no more in memory than is needed."""

from __future__ import annotations

import gc
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from simulator.world.calendar import HOUR_MS, MINUTE_MS
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.log_file import LineWriter, LogHeader
from simulator.world.scenario import Scenario

_STEP_MS = MINUTE_MS  # what happens in a minute fits into the caches of a processor
_REST_KEEPS_MS = HOUR_MS // 2
_DAY_MS = 24 * HOUR_MS


@dataclass(slots=True)
class RunResult:
    """What a run has come to.

    Attributes:
        sha256: of the whole log, header and line ends included; empty if no log was written.
        wall_s: seconds of the machine, without building the world.
    """

    world: World
    events: int = 0
    contacts: int = 0
    sha256: str = ""
    build_s: float = 0.0
    wall_s: float = 0.0
    by_type: Counter[str] = field(default_factory=Counter)


class Watch(Protocol):
    """Looks at a world while it runs, every `step_ms`."""

    step_ms: int

    def begin(self, world: World) -> None:
        """The world has been built and has not begun to run."""

    def look(self, at_ms: int) -> None:
        """It has come so far."""


def run_world(
    scenario: Scenario,
    *,
    until_ms: int | None = None,
    write: Callable[[str], object] | None = None,
    keeps_truth: bool = False,
    watch: Watch | None = None,
) -> RunResult:
    """Run a scenario.

    Args:
        until_ms: where to end; the scenario says unless given.
        write: takes the log as text, a few lines at a time; None: no log is made.
        keeps_truth: keep the states and books of the whole run, for figures and reports.
        watch: looks at the world on the way.
    """
    began_s = time.perf_counter()
    world = World(scenario)
    end_ms = scenario.end_ms if until_ms is None else until_ms
    result, sink = RunResult(world), None if write is None else _Sink(world, write)
    result.build_s = time.perf_counter() - began_s
    if watch is not None:
        watch.begin(world)
    began_s = time.perf_counter()
    step_ms = _STEP_MS if watch is None else watch.step_ms
    with lean_memory():
        at_ms = scenario.start_ms
        while at_ms < end_ms:
            at_ms = min(end_ms, (at_ms // step_ms + 1) * step_ms)
            events = world.advance_to(at_ms)
            result.events += len(events)
            result.by_type.update([event.type for event in events])
            if sink is not None:
                sink.take(events)
            world.log.forget_before(at_ms)
            if at_ms % HOUR_MS == 0:
                world.conferences.forget_before(at_ms)
                if not keeps_truth:
                    world.forget_before(at_ms - _REST_KEEPS_MS)
            if at_ms % _DAY_MS == 0:
                gc.collect()
            if watch is not None:
                watch.look(at_ms)
    result.contacts = world.contact_count
    result.sha256 = "" if sink is None else sink.digest()
    result.wall_s = time.perf_counter() - began_s
    return result


class _Sink:
    """Where the lines go, and their hash."""

    def __init__(self, world: World, write: Callable[[str], object]) -> None:
        self._write = write
        self._writer = LineWriter()
        self._hash = hashlib.sha256()
        self._put(LogHeader.of(world.scenario, world.floor.offline.sid).line() + "\n")

    def take(self, events: list[Event]) -> None:
        line = self._writer.line
        self._put("".join([line(event) + "\n" for event in events]))

    def _put(self, text: str) -> None:
        self._hash.update(text.encode())
        self._write(text)

    def digest(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def lean_memory() -> Iterator[None]:
    """Look for garbage only when told to: a running world makes many objects, and hardly any die in circles."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()

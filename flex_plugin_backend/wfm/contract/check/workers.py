"""Checks blocks of lines in several processes; the results come back in the order of the lines."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from flex_plugin_backend.wfm.contract.check.checker import Checker, Outcome
from flex_plugin_backend.wfm.contract.loader import load_profile
from flex_plugin_backend.wfm.contract.profile import Profile

if TYPE_CHECKING:
    from concurrent.futures import Future

Block = tuple[int, list[bytes]]
SERIAL_BLOCKS = 40  # with fewer a second process costs more than it brings
_BLOCKS_PER_TASK = 8
_WAITING_PER_WORKER = 2  # tasks; bounds the memory


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a process needs to make a checker.

    Attributes:
        profile: a built-in name, or the path of a file.
        file, stable, kind, now_ms: as `Checker` takes them.
        usual: the kind that is usual in the file.
    """

    profile: str
    file: str
    stable: str
    kind: str | None
    now_ms: int | None
    usual: str | None

    def checker(self, profile: Profile | None = None) -> Checker:
        """The checker; the profile is loaded where none is given."""
        profile = profile or load_profile(self.profile)
        checker = Checker(profile, self.file, self.stable, kind=self.kind, now_ms=self.now_ms)
        checker.usual = checker.kinds.by_name[self.usual] if self.usual is not None else None
        return checker


def check_blocks(recipe: Recipe, checker: Checker, blocks: Iterable[Block], processes: int) -> Iterator[Outcome]:
    """The outcome of each block, in order; the first ones are checked here, the rest in `processes` processes.

    What is found does not depend on the number of processes.
    """
    remaining = iter(blocks)
    for number, lines in islice(remaining, SERIAL_BLOCKS if processes > 1 else None):
        yield _without_units(checker.lines(lines, number))
    following = next(remaining, None)
    if following is not None:
        yield from multiprocess(recipe, chain([following], remaining), processes)


class WorkerLost(OSError):
    """A worker process was killed; memory may have been short."""

    repair = "Was memory short? Try --processes 1."


def multiprocess(recipe: Recipe, blocks: Iterator[Block], processes: int) -> Iterator[Outcome]:
    """The outcome of each block, in order, from `processes` processes; WorkerLost where one of them dies."""
    # Imported here: most runs never get so far, and these modules are slow to load.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # spawn: a forked copy would share the parent's open files and, in a test runner, its threads.
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[list[Outcome]]] = deque()
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(recipe,)) as pool:
        try:
            while task := list(islice(blocks, _BLOCKS_PER_TASK)):
                waiting.append(pool.submit(_work, task))
                if len(waiting) >= processes * _WAITING_PER_WORKER:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerLost(0, "was not checked to its end, as a worker process was killed") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_checker: Checker | None = None  # of a worker process, made once


def _start(recipe: Recipe) -> None:
    global _checker  # noqa: PLW0603  the pool's way to hand something to its tasks
    _checker = recipe.checker()


def _work(task: Sequence[Block]) -> list[Outcome]:
    if _checker is None:
        raise RuntimeError("the worker was not started by the pool")
    return [_without_units(_checker.lines(lines, number)) for number, lines in task]


def _without_units(outcome: Outcome) -> Outcome:
    outcome.units.clear()
    return outcome

"""Lays one agent's delivered rows against its timeline: which row tells which state, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from simulator.audit.timeline import Entry, Key, Pair


class Skip(Enum):
    """Why a state that no row tells was left out."""

    NOT_ASKED = auto()  # before the connector's start or after the window
    SHORT = auto()  # may be left out
    EXCUSED = auto()  # over before the connector could know of it
    ABSORBED = auto()  # the WFM held the same pair all along, only states that may be left out lay between
    MISSING = auto()  # no excuse


@dataclass(frozen=True, slots=True)
class _Path:
    """One explanation of the rows so far: the newest state told, and what the explanation costs.

    `nothing_new` counts the rows that do not tell a newer state than the row before.
    """

    newest: int
    failures: int
    nothing_new: int
    choice: int | None
    before: _Path | None

    @property
    def cost(self) -> tuple[int, int]:
        return self.failures, self.nothing_new


def skipped(timeline: Sequence[Entry], held: int, upto: int) -> Iterator[tuple[int, Skip]]:
    """Judge the states strictly between `held` (the newest one told, -1 for none) and `upto`, none of them told."""
    held_pair: Pair | None = timeline[held].pair if held >= 0 else None
    still_held = held >= 0  # what the WFM holds is true but for interruptions that may be left out
    for index in range(held + 1, upto):
        entry = timeline[index]
        if entry.may_be_left_out:
            left_out = Skip.SHORT if entry.short else Skip.EXCUSED
            yield index, left_out if entry.in_window else Skip.NOT_ASKED
        elif still_held and entry.pair == held_pair:
            yield index, Skip.ABSORBED
        else:
            still_held = False
            yield index, Skip.MISSING if entry.in_window else Skip.NOT_ASKED


def align(timeline: Sequence[Entry], keys: Sequence[Key | None]) -> list[int | None]:
    """For each row, in order of arrival, the index of the state it tells; None where no state has its key.

    Nearly every key belongs to one state. Where a pair comes back within one second, or came before the opening
    state as well, a row may mean either state; then the explanation of all rows with the fewest failures is
    taken, and among equals the one that tells the most states. So a run that can be explained without failure is.
    """
    places: dict[Key, list[int]] = {}
    for index, entry in enumerate(timeline):
        places.setdefault(entry.key, []).append(index)
    frontier = [_Path(newest=-1, failures=0, nothing_new=0, choice=None, before=None)]
    opening = [index for index, entry in enumerate(timeline) if entry.opening_s is not None]
    for key in keys:
        candidates = list(places.get(key, ())) if key is not None else []
        if key is not None:
            candidates += [index for index in opening if index not in candidates and timeline[index].told_by(key)]
            candidates.sort(key=lambda index: not timeline[index].in_window)  # among equals, what was asked for
        frontier = _step(timeline, frontier, candidates or [None])
    finals = [
        _Path(
            len(timeline), path.failures + _missing(timeline, path.newest, len(timeline)), path.nothing_new, None, path
        )
        for path in frontier
    ]
    best = min(finals, key=lambda path: path.cost)
    return _choices(best.before)


def _step(timeline: Sequence[Entry], frontier: list[_Path], candidates: Sequence[int | None]) -> list[_Path]:
    best: dict[int, _Path] = {}
    for path in frontier:
        for candidate in candidates:
            after = _take(timeline, path, candidate)
            rival = best.get(after.newest)
            if rival is None or after.cost < rival.cost:
                best[after.newest] = after
    return list(best.values())


def _take(timeline: Sequence[Entry], path: _Path, candidate: int | None) -> _Path:
    failures, nothing_new, newest = path.failures, path.nothing_new, path.newest
    if candidate is None:
        pass
    elif candidate > newest:
        failures += _missing(timeline, newest, candidate)
        newest = candidate
    elif candidate == newest:
        nothing_new += 1
    else:
        failures += 1
        nothing_new += 1
    return _Path(newest, failures, nothing_new, candidate, path)


def _missing(timeline: Sequence[Entry], held: int, upto: int) -> int:
    return sum(1 for _, skip in skipped(timeline, held, upto) if skip is Skip.MISSING)


def _choices(path: _Path | None) -> list[int | None]:
    choices: list[int | None] = []
    while path is not None and path.before is not None:
        choices.append(path.choice)
        path = path.before
    choices.reverse()
    return choices

"""The board of faults that are set at present; it decides when one strikes, always the same for the same seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.faults.fault import AnswerFault, Fault, HostFault, LetterFault, Side
from simulator.faults.letter import Letter
from simulator.faults.mishap import Mishap


@dataclass(slots=True)
class SetFault:
    """A fault on the board.

    Attributes:
        set_ms: when it was set, virtual epoch milliseconds; its window is counted from then.
        could, struck: how often it could strike, and did.
    """

    id: int
    fault: Fault
    set_ms: int
    chance: random.Random
    could: int = 0
    struck: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.fault.times is not None and self.struck >= self.fault.times

    def tries(self, now_ms: int) -> bool:
        """Whether it strikes now, where it can."""
        fault = self.fault
        if not fault.strikes_at(self.set_ms, now_ms) or self.is_spent:
            return False
        self.could += 1
        if self.could <= fault.skip or self.chance.random() >= fault.share:
            return False
        self.struck += 1
        return True

    def to_dict(self, now_ms: int) -> dict[str, Any]:
        """As JSON types."""
        return {
            "id": self.id,
            **self.fault.to_table(),
            "side": self.fault.side.value,
            "set_ms": self.set_ms,
            "active": self.fault.strikes_at(self.set_ms, now_ms) and not self.is_spent,
            "struck": self.struck,
        }


@dataclass(slots=True)
class Board:
    """Faults that are set, in the order in which they strike; may be used from many threads."""

    seed: int = 1
    _set: list[SetFault] = field(default_factory=list)
    _given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, faults: Iterable[Fault], now_ms: int) -> list[SetFault]:
        """Put these on the board; their windows count from now."""
        with self._lock:
            added = []
            for fault in faults:
                self._given += 1
                chance = random.Random(f"{self.seed}:{self._given}:{fault.name}")
                added.append(SetFault(self._given, fault, now_ms, chance))
            self._set.extend(added)
            return added

    def take(self, number: int) -> bool:
        """Take one off the board; whether it was there."""
        with self._lock:
            before = len(self._set)
            self._set = [one for one in self._set if one.id != number]
            return len(self._set) < before

    def clear(self) -> None:
        """Take all off the board."""
        with self._lock:
            self._set.clear()

    def on(self, side: Side | None = None) -> list[SetFault]:
        """Those that are set, of one side or all."""
        with self._lock:
            return [one for one in self._set if side in (None, one.fault.side)]

    def letters(self, letter: Letter) -> Sequence[Letter]:
        """What arrives instead of this letter, after all faults."""
        with self._lock:
            letters = [letter]
            for one in self._set:
                fault = one.fault
                if isinstance(fault, LetterFault):
                    letters = [
                        arriving
                        for each in letters
                        for arriving in (fault.strike(each, one.chance) if one.tries(letter.at_ms) else (each,))
                    ]
            return letters

    def mishap(self, side: Side, endpoint: str, now_ms: int) -> Mishap | None:
        """What becomes of this request; None: nothing strikes. The first fault that does decides."""
        with self._lock:
            for one in self._set:
                fault = one.fault
                if isinstance(fault, AnswerFault) and fault.side is side and fault.endpoint in ("*", endpoint):
                    before = one.could
                    if one.tries(now_ms):
                        return fault.strike(one.chance)
                    if before < one.could <= fault.skip:
                        return None  # this request is one of those that it leaves to others
            return None

    def host_faults(self) -> list[tuple[SetFault, HostFault]]:
        """The faults of the machine."""
        return [(one, one.fault) for one in self.on(Side.HOST) if isinstance(one.fault, HostFault)]

"""Twilio-like identifiers and random numbers, both drawn from the one seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 128) - 1


def sid_of(prefix: str, *parts: object) -> str:
    """`prefix` and 32 hex digits that depend on `parts` alone."""
    text = ":".join(str(part) for part in parts)
    return prefix + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class SidFactory:
    """Hands out sids: the n-th of a prefix is the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._walks: dict[str, Callable[[], str]] = {}

    def new(self, prefix: str) -> str:
        """The next sid of this prefix."""
        return self.walk(prefix)()

    def walk(self, prefix: str) -> Callable[[], str]:
        """A function that gives the next sid of this prefix."""
        walk = self._walks.get(prefix)
        if walk is None:
            walk = self._walks[prefix] = _walk(prefix, *(_number(self._seed, prefix, word) for word in "ab"))
        return walk


def _walk(prefix: str, at: int, step: int) -> Callable[[], str]:
    """A walk through all 128-bit numbers in steps of an odd number, so that none comes twice."""
    step |= 1

    def following() -> str:
        nonlocal at
        at = (at + step) & _MASK
        return prefix + "%032x" % at  # noqa: UP031  faster than a format, and drawn for every event

    return following


def _number(*parts: object) -> int:
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


class Streams:
    """One stream of random numbers per purpose, so that a change in one does not shift the others.

    Only `random()` of a stream is drawn from, directly or by the functions here: Python promises that its sequence
    stays the same in later versions, and makes no such promise for the rest.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}

    def of(self, *purpose: object) -> random.Random:
        """The stream of this purpose, always the same object."""
        name = ":".join(str(part) for part in purpose)
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = random.Random(f"{self._seed}:{name}")
        return stream


def below(rng: random.Random, count: int) -> int:
    """A whole number from 0 up to, not including, `count`."""
    return int(rng.random() * count)


def between(rng: random.Random, low: int, high: int) -> int:
    """A whole number from `low` up to and including `high`."""
    return low + int(rng.random() * (high - low + 1))


def pick(rng: random.Random, items: list[T] | tuple[T, ...]) -> T:
    """One of the items."""
    return items[int(rng.random() * len(items))]


def some(rng: random.Random, items: list[T] | tuple[T, ...], count: int) -> list[T]:
    """`count` different ones of the items, in the order in which they were drawn."""
    left = list(items)
    return [left.pop(int(rng.random() * len(left))) for _ in range(count)]

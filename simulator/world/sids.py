"""Twilio-like identifiers and random numbers, both drawn from the one seed."""

from __future__ import annotations

import hashlib
import random


def sid_of(prefix: str, *parts: object) -> str:
    """`prefix` and 32 hex digits that depend on `parts` alone."""
    text = ":".join(str(part) for part in parts)
    return prefix + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class SidFactory:
    """Hands out sids: the n-th of a prefix is the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """The next sid of this prefix."""
        number = self._drawn.get(prefix, 0)
        self._drawn[prefix] = number + 1
        return prefix + hashlib.blake2b(f"{self._seed}:{prefix}:{number}".encode(), digest_size=16).hexdigest()


class Streams:
    """One stream of random numbers per purpose, so that a change in one does not shift the others."""

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

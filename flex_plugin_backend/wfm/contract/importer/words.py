"""How alike two names are, by the words in them."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import TypedDict, cast

_WEIGHT_OF_WEAK = 0.25


class WordLists(TypedDict):
    """The content of `words.toml`."""

    synonyms: list[list[str]]
    weak: list[str]
    compounds: list[tuple[str, str, str]]
    fields: dict[str, list[str]]
    methods: dict[str, list[str]]
    endpoints: dict[str, list[str]]
    events: dict[str, list[str]]


@cache
def word_lists() -> WordLists:
    """The words as they stand in the package's data."""
    text = (resources.files(__package__) / "words.toml").read_text(encoding="utf-8")
    return cast(WordLists, tomllib.loads(text))


@cache
def _families() -> dict[str, frozenset[int]]:
    """The numbers of the groups of synonyms that each word belongs to."""
    families: dict[str, frozenset[int]] = {}
    for number, group in enumerate(word_lists()["synonyms"]):
        for word in group:
            families[word] = families.get(word, frozenset()) | {number}
    return families


@cache
def _compounds() -> dict[tuple[str, str], str]:
    return {(first, second): whole for first, second, whole in word_lists()["compounds"]}


@cache
def _weak() -> frozenset[str]:
    return frozenset(word_lists()["weak"])


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """`agentQueueReport`, `AGENT_QUEUE_REPORT`, `/agent-queue/report` -> agent, queue, report."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = re.findall(r"[a-z]+|[0-9]+", spaced.lower())
    for at in range(len(words) - 1, 0, -1):
        compound = _compounds().get((words[at - 1], words[at]))
        if compound is not None:
            words[at - 1 : at + 1] = [compound]
    return tuple(words)


@lru_cache(maxsize=65536)
def likeness(one: str, other: str) -> float:
    """How much the words of two names agree, from 0 to 1."""
    left, right = set(words_of(one)), set(words_of(other))
    if not left or not right:
        return 0.0
    if left == right:
        return 1.0
    shared = total = 0.0
    unmatched = set(right)
    for word in sorted(left):
        weight = _weight(word)
        partner = _partner(word, unmatched)
        total += weight
        if partner is not None:
            unmatched.discard(partner)
            shared += weight if partner == word else 0.9 * weight
    total += sum(_weight(word) for word in unmatched)
    return shared / total if total else 0.0


def _partner(word: str, among: set[str]) -> str | None:
    if word in among:
        return word
    family = _families().get(word, frozenset())
    alike = (
        one for one in sorted(among) if _singular(one) == _singular(word) or family & _families().get(one, frozenset())
    )
    return next(alike, None)


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def _weight(word: str) -> float:
    return _WEIGHT_OF_WEAK if word in _weak() else 1.0

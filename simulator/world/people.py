"""The people: agents and customers with names, telephone numbers, mail addresses and towns."""

from __future__ import annotations

import json
import random
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

from simulator.world.scenario.people import People
from simulator.world.sids import below, pick

_MAIL_HOSTS = ("example.com", "example.net", "example.org")


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who calls or writes."""

    name: str
    phone: str
    email: str
    city: str
    account_number: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who works here; `login` is unique in the workspace."""

    full_name: str
    login: str


class NameSource(Protocol):
    """Where names and towns of a locale come from."""

    def name(self, rng: random.Random) -> str:
        """First and last name, in the locale's order."""

    def city(self, rng: random.Random) -> str:
        """A town."""


class FrozenNames:
    """Names from the lists that come with the simulator: the same in every version."""

    def __init__(self, lists: dict[str, Any]) -> None:
        self._first, self._last, self._cities = lists["first"], lists["last"], lists["cities"]
        self._family_first = bool(lists["family_first"])

    def name(self, rng: random.Random) -> str:
        """First and last name, in the locale's order."""
        first, last = pick(rng, self._first), pick(rng, self._last)
        return f"{last} {first}" if self._family_first else f"{first} {last}"

    def city(self, rng: random.Random) -> str:
        """A town."""
        return str(pick(rng, self._cities))


class FakerNames:
    """Names from the installed version of Faker, in any locale that it knows."""

    def __init__(self, seed: int, locale: str) -> None:
        from faker import Faker

        self._faker = Faker(locale)
        self._faker.seed_instance(f"{seed}:{locale}")

    def name(self, rng: random.Random) -> str:  # noqa: ARG002  Faker draws for itself
        """First and last name, in the locale's order."""
        return str(self._faker.name())

    def city(self, rng: random.Random) -> str:  # noqa: ARG002
        """A town."""
        return str(self._faker.city())


class Crowd:
    """Draws people; the same seed and settings give the same ones."""

    def __init__(self, seed: int, people: People) -> None:
        self._rng = random.Random(f"{seed}:people")
        self._sources = {locale: _source(seed, people.source, locale) for locale in dict.fromkeys(people.locales)}
        self._locales = people.locales
        self._logins: set[str] = set()

    def hire(self) -> Person:
        """Somebody new; equal names are told apart by a number in the login."""
        name = self._draw_source().name(self._rng)
        base = _ascii(name).replace(" ", ".").lower().strip(".") or "agent"
        login, number = base, 2
        while login in self._logins:
            login, number = f"{base}{number}", number + 1
        self._logins.add(login)
        return Person(full_name=name, login=f"{login}@example.com")

    def customers(self, count: int) -> list[Customer]:
        """`count` customers, all reachable by telephone and mail."""
        rng, found = self._rng, []
        for number in range(count):
            source = self._draw_source()
            name = source.name(rng)
            box = _ascii(name).replace(" ", ".").lower().strip(".") or "customer"
            found.append(
                Customer(
                    name=name,
                    phone=f"+1555{below(rng, 10**7):07d}",
                    email=f"{box}.{number:05d}@{pick(rng, _MAIL_HOSTS)}",
                    city=source.city(rng),
                    account_number=f"C-{number:05d}-{below(rng, 10**6):06d}",
                )
            )
        return found

    def _draw_source(self) -> NameSource:
        return self._sources[pick(self._rng, self._locales)]


@cache
def _frozen() -> dict[str, Any]:
    file = resources.files("simulator.world") / "names.json"
    names: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return names


def _source(seed: int, source: str, locale: str) -> NameSource:
    return FakerNames(seed, locale) if source == "faker" else FrozenNames(_frozen()[locale])


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain if sign.isalnum() or sign == " ")

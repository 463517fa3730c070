"""The people: agents and customers with names, telephone numbers and mail addresses from Faker."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass

from faker import Faker

_LOCALES = ("en_US", "en_US", "de_DE", "es_ES", "ja_JP")


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


class People:
    """Draws people from seeded Faker instances, one per locale."""

    def __init__(self, seed: int) -> None:
        self._choice = random.Random(f"{seed}:people")
        self._fakers: dict[str, Faker] = {}
        for locale in dict.fromkeys(_LOCALES):
            faker = Faker(locale)
            faker.seed_instance(f"{seed}:{locale}")
            self._fakers[locale] = faker

    def staff(self, count: int) -> list[Person]:
        """`count` agents; equal names are told apart by a number in the login."""
        used: set[str] = set()
        staff = []
        for _ in range(count):
            name = self._fakers[self._choice.choice(_LOCALES[:4])].name()
            base = _ascii(name).replace(" ", ".").lower().strip(".") or "agent"
            login, number = base, 2
            while login in used:
                login, number = f"{base}{number}", number + 1
            used.add(login)
            staff.append(Person(full_name=name, login=f"{login}@example.com"))
        return staff

    def customers(self, count: int) -> list[Customer]:
        """`count` customers, all reachable by telephone and mail."""
        customers = []
        for number in range(count):
            faker = self._fakers[self._choice.choice(_LOCALES)]
            customers.append(
                Customer(
                    name=faker.name(),
                    phone=f"+1555{self._choice.randrange(10**7):07d}",
                    email=f"{self._choice.randrange(10**5):05d}.{faker.user_name()}@{faker.safe_domain_name()}",
                    city=faker.city(),
                    account_number=f"C-{number:05d}-{self._choice.randrange(10**6):06d}",
                )
            )
        return customers


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain if sign.isalnum() or sign == " ")

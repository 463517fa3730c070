"""Writes names.json: a sample of Faker's people and places that no later version of Faker changes.

Run by hand with `python -m simulator.world.freeze_names`; every event log looks different afterwards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faker import Faker

from simulator.world.scenario.people import FROZEN_LOCALES

PER_KIND = 160


def sample(locale: str) -> dict[str, Any]:
    """First names, last names and cities of one locale, each once, in Faker's seeded order."""
    faker = Faker(locale)
    faker.seed_instance(f"names:{locale}")
    kinds = {"first": faker.first_name, "last": faker.last_name, "cities": faker.city}
    found: dict[str, Any] = {}
    for kind, draw in kinds.items():
        names = dict.fromkeys(draw() for _ in range(PER_KIND * 20))
        found[kind] = list(names)[:PER_KIND]
    # Whether the family name comes first is the locale's habit.
    found["family_first"] = locale == "ja_JP"
    return found


def main() -> None:
    """Write the file beside this module."""
    names = {locale: sample(locale) for locale in FROZEN_LOCALES}
    text = json.dumps(names, ensure_ascii=False, indent=None, separators=(",", ":"))
    Path(__file__).with_name("names.json").write_text(text.replace("},", "},\n").replace("],", "],\n") + "\n", "utf-8")


if __name__ == "__main__":
    main()

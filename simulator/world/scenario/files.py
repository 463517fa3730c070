"""Scenario files: found by name or path, read, merged with what they are based on, and refused with all reasons."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.world.scenario.fields import Part, parts_in
from simulator.world.scenario.nearest import did_you_mean
from simulator.world.scenario.root import Scenario, merged

_SUFFIX = ".toml"
_BASE = "based_on"


class ScenarioError(ValueError):
    """A scenario that cannot be used.

    Attributes:
        source: the file, or where else the values came from.
        problems: all that is wrong, each with its place.
    """

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__(f"{source}: " + ("; ".join(problems)))
        self.source = source
        self.problems = problems


def ready_scenarios() -> dict[str, str]:
    """Names of the scenarios that come with the simulator, each with its title."""
    folder = resources.files("simulator") / "scenarios"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(_SUFFIX):
            found[file.name.removesuffix(_SUFFIX)] = str(tomllib.loads(file.read_text("utf-8")).get("title", ""))
    return found


def load_scenario(name: str, changes: Mapping[str, Any] | None = None) -> Scenario:
    """A ready scenario by its name, or a file by its path, with single values changed (see `Scenario.with_`).

    Raises:
        ScenarioError: there is no such scenario, or something in it is wrong.
    """
    scenario = checked(_tables(name, ()), name)
    if not changes:
        return scenario
    try:
        return scenario.with_(changes)
    except ValidationError as error:
        raise ScenarioError(name, problems_of(error)) from None
    except ValueError as error:
        raise ScenarioError(name, [str(error)]) from None


def checked(tables: Mapping[str, Any], source: str) -> Scenario:
    """The scenario of these tables; raises ScenarioError."""
    try:
        return Scenario.model_validate(tables)
    except ValidationError as error:
        raise ScenarioError(source, problems_of(error)) from None


def _tables(name: str, children: tuple[str, ...]) -> dict[str, Any]:
    """What a file says over what it is based on."""
    if name in children:
        raise ScenarioError(name, [f"{_BASE}: it is based on itself, by way of {', '.join(children[1:] or children)}"])
    own = _read(name)
    base = own.pop(_BASE, None)
    if base is None:
        return own
    if not isinstance(base, str):
        raise ScenarioError(name, [f"{_BASE}: must be the name or path of a scenario"])
    below = _tables(base, (*children, name))
    if "start" in own:
        below.pop("start_ms", None)
    tables: dict[str, Any] = merged(below, own)
    return tables


def _read(name: str) -> dict[str, Any]:
    file = resources.files("simulator") / "scenarios" / f"{name}{_SUFFIX}"
    if "/" in name or name.endswith(_SUFFIX) or not file.is_file():
        file = Path(name)
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        problem = f"there is no such scenario or file{did_you_mean(name, ready_scenarios())}"
    except tomllib.TOMLDecodeError as error:
        problem = f"is not TOML: {error}"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise ScenarioError(name, [problem])


def problems_of(error: ValidationError) -> list[str]:
    """What pydantic found, each with its path in the file and, for an unknown key, the nearest known one."""
    problems = []
    for one in error.errors(include_url=False):
        path, known = _walk(one["loc"])
        if one["type"] == "extra_forbidden":
            problems.append(f"{path}: unknown key{did_you_mean(str(one['loc'][-1]), known)}")
        elif one["type"] == "contradictions":
            problems.extend(one["ctx"]["found"])
        elif one["type"] == "union_tag_not_found":
            problems.append(f"{path}: kind is missing; it is one of constant, exponential, lognormal, weibull, never")
        else:
            message = str(one["msg"]).removeprefix("Value error, ")
            problems.append(f"{path}: {message}" if path else message)
    return problems


def _walk(loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """A location as a path, and the keys that the last table on the way knows."""
    parts: list[type[Part]] = [Scenario]
    shown: list[str] = []
    for step in loc:
        if isinstance(step, int):
            shown.append(str(step))
            continue
        kinds = [part for part in parts if part.model_fields.get("kind") and part.model_fields["kind"].default == step]
        if kinds:  # the word that tells the kinds of a table apart; it is no key of the file
            parts = kinds
            continue
        shown.append(step)
        holders = [part for part in parts if step in part.model_fields]
        if not holders:
            return ".".join(shown), sorted({name for part in parts for name in part.model_fields})
        parts = [inner for part in holders for inner in parts_in(part.model_fields[step].annotation)] or parts
    return ".".join(shown), []

"""Finds the faults: each file in a side's folder holds one, and nothing lists them by hand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from simulator.faults.fault import Fault, Side
from simulator.world.scenario.nearest import did_you_mean

_SIDES = ("twilio", "wfm", "host")
KEY = "fault"


class FaultError(ValueError):
    """A fault that cannot be set; the text says why."""


@lru_cache(maxsize=1)
def all_faults() -> Mapping[str, type[Fault]]:
    """The faults by name, those of a side together."""
    found: dict[str, type[Fault]] = {}
    for side in _SIDES:
        folder = importlib.import_module(f"simulator.faults.{side}")
        for one in pkgutil.iter_modules(folder.__path__):
            module = importlib.import_module(f"{folder.__name__}.{one.name}")
            for kind in vars(module).values():
                if isinstance(kind, type) and issubclass(kind, Fault) and kind.__module__ == module.__name__:
                    if kind.name in found:
                        raise TypeError(f"two faults are named {kind.name}")
                    found[kind.name] = kind
    order = list(Side)
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: order.index(one[1].side))))


def read_fault(table: Any) -> Fault:
    """The fault of a table such as `{"fault": "duplicate", "share": 0.1}`; raises FaultError."""
    if not isinstance(table, Mapping):
        raise FaultError(f'a fault is a table such as {{"{KEY}": "duplicate", "share": 0.1}}')
    rest = dict(table)
    name = rest.pop(KEY, None)
    if not isinstance(name, str):
        raise FaultError(f"{KEY} must name one; `flex-wfm-sim faults` lists them")
    kind = all_faults().get(name)
    if kind is None:
        raise FaultError(f"there is no fault {name!r}{did_you_mean(name, all_faults())}")
    try:
        return kind.model_validate(rest)
    except ValidationError as error:
        raise FaultError("; ".join(_problems(kind, error))) from None


def _problems(kind: type[Fault], error: ValidationError) -> list[str]:
    found = []
    for one in error.errors(include_url=False):
        place = ".".join(map(str, (kind.name, *one["loc"])))
        if one["type"] == "extra_forbidden":
            found.append(f"{place}: unknown key{did_you_mean(str(one['loc'][-1]), kind.model_fields)}")
        else:
            found.append(f"{place}: {str(one['msg']).removeprefix('Value error, ')}")
    return found

"""The cases of the fault matrix: each fault alone, mixtures, crashes at chosen points, and long outages."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.faults.fault import Fault, HostFault, LetterFault, Side
from simulator.faults.registry import all_faults, read_fault
from simulator.world.scenario import Scenario

BEFORE_MINUTES = 10.0
_TROUBLE_MINUTES = 30.0
# Long enough for what is late to come and for holes to be found and healed within two intervals.
_SETTLE_MINUTES = 45.0
_CALM_MINUTES = 30.0
_LATEST_S = 1200.0
_MOST_TOGETHER = 5
_CRASHES = 12
# How likely a fault strikes, by its side.
_SHARES = {Side.EVENTS: 0.2, Side.REST: 0.5, Side.WFM: 0.5, Side.HOST: 1.0}
# What differs from a fault's defaults, so that it fits into the time of a case.
_FITTED: Mapping[str, Mapping[str, Any]] = {
    "burst": {"share": 1.0},
    "delay": {"most_s": _LATEST_S},
    "duplicate": {"within_s": _LATEST_S},
    "replayed": {"least_s": 60.0, "most_s": _LATEST_S},
    "rest-down": {"share": 1.0},
    "wfm-answer": {"status": 422, "body": "", "times": 60},
    "wfm-down": {"share": 1.0},
    "wfm-tls": {"share": 1.0},
}
# Good rows that the WFM refuses are dead letters; one command sends them again.
_REFUSING = frozenset({"wfm-partial-reject", "wfm-answer"})
_COARSE = "seconds-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: a while without faults, the trouble, a while to settle, and a while in which all must be right.

    Attributes:
        scenario: what the floor is like; None: an ordinary one of so many `agents`.
        crashes: how many of the faults kill the connector at a point of its own choosing.
    """

    name: str
    faults: tuple[Fault, ...]
    seed: int
    agents: int = 5
    scenario: Scenario | None = None
    trouble_minutes: float = _TROUBLE_MINUTES
    settle_minutes: float = _SETTLE_MINUTES
    calm_minutes: float = _CALM_MINUTES
    crashes: int = 0

    @property
    def floor(self) -> Scenario:
        """The floor, without what goes wrong."""
        if self.scenario is not None:
            return self.scenario.with_({"faults": []})
        return Scenario(agents=self.agents, seed=self.seed)

    @property
    def hides(self) -> bool:
        """Whether the connector can know less than what happened while it lasts."""
        return any(isinstance(one, LetterFault | HostFault) for one in self.faults)

    @property
    def refuses(self) -> bool:
        """Whether the WFM refuses what is right, so that somebody has to send it again."""
        return any(one.name in _REFUSING for one in self.faults)

    @property
    def coarse(self) -> bool:
        """Whether events state their time in whole seconds."""
        return any(one.name == _COARSE for one in self.faults)


def singles(seed: int) -> Iterator[Case]:
    """Each fault alone."""
    for name, kind in all_faults().items():
        minutes = kind.model_fields["minutes"].default or _TROUBLE_MINUTES
        yield Case(name=name, faults=(_fitted(name, BEFORE_MINUTES, min(minutes, _TROUBLE_MINUTES)),), seed=seed)


def mixtures(number: int, seed: int) -> Iterator[Case]:
    """Faults together, drawn from the seed: two to five of them, each with a window of its own."""
    names = sorted(all_faults())
    for one in range(1, number + 1):
        chance = random.Random(f"{seed}:mixture:{one}")
        left, chosen = list(names), []
        for _ in range(2 + int(chance.random() * (_MOST_TOGETHER - 1))):
            chosen.append(left.pop(int(chance.random() * len(left))))
        faults = []
        for name in chosen:
            minutes = 5.0 + chance.random() * (_TROUBLE_MINUTES - 5.0)
            begins = BEFORE_MINUTES + chance.random() * (_TROUBLE_MINUTES - minutes)
            faults.append(_fitted(name, round(begins, 2), round(minutes, 2)))
        yield Case(name=f"mixture-{one}", faults=tuple(faults), seed=seed * 1_000 + one)


def crashes(number: int, seed: int) -> Iterator[Case]:
    """The connector dies again and again: before and after commits, before it hears an answer, and in power cuts."""
    kinds: tuple[dict[str, Any], ...] = (
        {"fault": "kill", "when": "before commit"},
        {"fault": "kill", "when": "after commit"},
        {"fault": "kill", "when": "before answer"},
        {"fault": "torn-write"},
    )
    for one in range(1, number + 1):
        chance = random.Random(f"{seed}:crash:{one}")
        faults = []
        for place in range(_CRASHES):
            kind = kinds[(place + one) % len(kinds)]
            nth = 1 + int(chance.random() * (4 if kind.get("when") == "before answer" else 12))
            begins = BEFORE_MINUTES + place * _TROUBLE_MINUTES / _CRASHES
            faults.append(read_fault({**kind, "nth": nth, "from_minutes": begins, "minutes": 1.5}))
        yield Case(name=f"crash-{one}", faults=tuple(faults), seed=seed * 1_000 + one, crashes=_CRASHES)


def outages(wfm_hours: float, intake_hours: float, seed: int) -> Iterator[Case]:
    """One side is away for hours or days; 0 hours: it is not."""
    for name, fault, hours in (("wfm", "wfm-down", wfm_hours), ("intake", "kill", intake_hours)):
        if not hours:
            continue
        table = {"fault": fault, "from_minutes": BEFORE_MINUTES, "minutes": hours * 60.0}
        yield Case(
            name=f"outage-{name}-{hours:g}h",
            faults=(read_fault(table),),
            seed=seed,
            trouble_minutes=hours * 60.0,
            settle_minutes=2 * _SETTLE_MINUTES,
        )


def scripted(scenario: Scenario, name: str) -> Case:
    """The faults of a scenario as they stand there, on its own floor; ValueError if one of them never ends."""
    ends_ms = [(one.name, one.window(0)[1]) for one in scenario.faults]
    endless = [name for name, end_ms in ends_ms if end_ms is None]
    if endless or not ends_ms:
        problem = f"minutes: {endless[0]} never ends" if endless else "faults: there are none"
        raise ValueError(f"{problem}, and a run is judged by what is left when its trouble is over")
    last_minutes = max(end_ms for _, end_ms in ends_ms if end_ms is not None) / 60_000
    return Case(
        name=name,
        faults=scenario.faults,
        seed=scenario.seed,
        scenario=scenario,
        trouble_minutes=max(0.0, last_minutes - BEFORE_MINUTES),
    )


def _fitted(name: str, from_minutes: float, minutes: float) -> Fault:
    share = _SHARES[all_faults()[name].side]
    table = {"fault": name, "share": share, "from_minutes": from_minutes, "minutes": minutes}
    return read_fault({**table, **_FITTED.get(name, {})})

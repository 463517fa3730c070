"""From what a floor is made, as often as it is asked for: scenario, show, and whether anybody acts there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from simulator.faults.fault import Side
from simulator.twilio.account import TwilioAccount
from simulator.twilio.show import Show, ShowSettings
from simulator.world.engine import World
from simulator.world.scenario import DEFAULT_START_MS, Scenario
from simulator.world.scenario.files import load_scenario
from simulator.world.service import WorldService

_MINUTE_MS = 60_000
_NOBODY_COMES: dict[str, Any] = {
    "channels": {name: {"per_agent_hour": 0.0} for name in ("voice", "chat", "sms", "web", "email", "fax")},
    "outbound": {"per_agent_hour": 0.0},
    "internal": {"per_agent_hour": 0.0},
    "direct": {"per_agent_hour": 0.0},
    "administration": {"attribute_updates_per_hour": 0.0, "capacity_updates_per_hour": 0.0},
    "personnel": {
        "hires_per_day": 0.0,
        "renames_per_day": 0.0,
        "deletions_per_day": 0.0,
        "activity_renames_per_day": 0.0,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What one floor is made of.

    Attributes:
        hold: the clock stands still until somebody starts it.
        by_hand: no customer comes, and nobody acts unless told to; everybody is logged out.
    """

    scenario: Scenario
    show: ShowSettings
    auth_token: str = ""
    hold: bool = False
    by_hand: bool = False

    def build(self) -> Show:
        """A new floor that has come to the start of the show, not started yet."""
        scenario = self.scenario.with_(_NOBODY_COMES) if self.by_hand else self.scenario
        service = WorldService(World(scenario))
        if self.by_hand:
            with service.present() as (world, _):
                for worker in world.floor.present():
                    world.hands.workers.lead(worker)
                    if worker.activity is not world.floor.offline:
                        world.hands.workers.set_activity(worker, world.floor.offline)
        service.advance_to(self.show.start_ms)
        own = tuple(one for one in scenario.faults if one.side in (Side.EVENTS, Side.REST))
        settings = replace(self.show, faults=(*own, *self.show.faults), fault_seed=scenario.seed)
        return Show(service, TwilioAccount.of(scenario, self.auth_token), settings)

    def with_seed(self, seed: int) -> Grounds:
        """The same with another seed."""
        return replace(self, scenario=self.scenario.with_({"seed": seed}))


def scenario_from(name: str, agents: int | None, seed: int, start_ms: int | None, warmup_ms: int) -> Scenario:
    """The floor asked for; its clock starts when it was told to, else when the scenario does plus the warm-up.

    Raises ScenarioError with all that is wrong.
    """
    if start_ms is None and not name:
        start_ms = DEFAULT_START_MS
    changes: dict[str, object] = {"seed": seed}
    if agents is not None:
        changes["agents"] = agents
    if start_ms is not None:
        changes["start_ms"] = start_ms - warmup_ms
    return load_scenario(name, changes) if name else Scenario().with_(changes)


def grounds_of(given: dict[str, Any], *, seed: int) -> Grounds:
    """Grounds from JSON: `scenario`, `agents`, `seed`, `start_ms`, `warmup_minutes`, `speed`, `callback_url`, `hold`,
    `by_hand`, all optional. ValueError says what is wrong with them.
    """
    unknown = given.keys() - _KINDS.keys()
    if unknown:
        raise ValueError(f"unknown field {min(unknown)}; known are {', '.join(_KINDS)}")
    for name, value in given.items():
        if not isinstance(value, _KINDS[name]) or (isinstance(value, bool) and bool not in _KINDS[name]):
            raise ValueError(f"{name} has the wrong type")
    warmup_ms = round(given.get("warmup_minutes", 60.0) * _MINUTE_MS)
    scenario = scenario_from(
        given.get("scenario", ""), given.get("agents"), given.get("seed", seed), given.get("start_ms"), warmup_ms
    )
    show = ShowSettings(
        callback_url=given.get("callback_url", ""),
        start_ms=scenario.start_ms + warmup_ms,
        speed=given.get("speed", 1.0),
    )
    return Grounds(scenario=scenario, show=show, hold=given.get("hold", False), by_hand=given.get("by_hand", False))


_KINDS: dict[str, tuple[type, ...]] = {
    "scenario": (str,),
    "agents": (int,),
    "seed": (int,),
    "start_ms": (int,),
    "warmup_minutes": (int, float),
    "speed": (int, float),
    "callback_url": (str,),
    "hold": (bool,),
    "by_hand": (bool,),
}

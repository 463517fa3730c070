"""The simulated floor as a source of events that never runs dry, and what its agents really did."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulator.audit import TruthAgent, TruthState
from simulator.load.letters import Told
from simulator.load.plan import LoadPlan
from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.scenario import DEFAULT_START_MS, Scenario
from simulator.world.scenario.files import load_scenario

_MINUTE_MS = 60_000
# The times of a load run are not the floor's, so an hour of wrap-up is over before its time comes.
_NEVER_S = 10.0**9


def scenario_of(plan: LoadPlan) -> Scenario:
    """The floor that a plan asks for, born so much before its first callback as the plan warms it up.

    Raises:
        ScenarioError: the scenario does not exist, or something in it is wrong.
    """
    changes: dict[str, object] = {"seed": plan.seed}
    if plan.floor_agents is not None:
        changes["agents"] = plan.floor_agents
    if plan.floor_scenario:
        return load_scenario(plan.floor_scenario, changes)
    return Scenario().with_({**changes, "start_ms": DEFAULT_START_MS - round(plan.floor_warm_up_minutes * _MINUTE_MS)})


class LoadFloor:
    """A world that is stepped for its events.

    Args:
        wanted: the types of events that are sent; all where it is empty.
    """

    def __init__(self, scenario: Scenario, *, warm_up_minutes: float, wanted: Collection[str]) -> None:
        self.scenario = scenario
        self.start_ms = scenario.start_ms + round(warm_up_minutes * _MINUTE_MS)
        self._wanted = frozenset(wanted)
        self._world = World(scenario, wrap_up_cap_s=_NEVER_S)
        self._world.advance_to(self.start_ms)
        self._world.log.forget_before(self.start_ms)
        # REST tells of these under the sids that they have.
        self.known = frozenset(self._known_sids())

    def _known_sids(self) -> Iterator[str]:
        for task in self._world.tasks(self.start_ms):
            yield task.sid
            yield from (one.sid for one in task.reservations)

    def events(self) -> Iterator[Event]:
        """What happens from the start on, in order, for ever."""
        world = self._world
        while (due_ms := world.next_ms()) is not None:
            for event in world.advance_to(due_ms):
                if not self._wanted or event.type in self._wanted:
                    yield event
            world.log.forget_before(due_ms - _MINUTE_MS)

    def truth(self, told: Mapping[str, Told]) -> list[TruthAgent]:
        """What every agent did, as far as callbacks were due for it, in the times that they told.

        States from before the start keep their own times.
        """
        return [
            TruthAgent(worker.sid, worker.name, tuple(self._states(worker.sid, told)))
            for worker in self._world.floor.workers
        ]

    def _states(self, worker_sid: str, told: Mapping[str, Told]) -> Iterator[TruthState]:
        for state in self._world.truth.states[worker_sid]:
            start_ms, cause_sid = state.start_ms, state.cause_sid
            if state.known_ms > self.start_ms and cause_sid is not None:
                if cause_sid not in told:
                    return  # what follows had not become known when the run ended
                start_ms, cause_sid = told[cause_sid].ms, told[cause_sid].sid
            channel, direction, reason = state.channel or None, state.direction or None, state.reason or None
            yield TruthState(start_ms, state.state, channel, direction, reason, cause_sid)

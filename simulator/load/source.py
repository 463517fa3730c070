"""Where the events of a run come from: a simulated floor, or an event log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from simulator.harness.config import EVENTS_FILTER
from simulator.load.floor import LoadFloor, scenario_of
from simulator.load.plan import LoadPlan
from simulator.twilio.account import TwilioAccount
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.signing import SigningKey
from simulator.world.events import Event
from simulator.world.log_file import LogFileError, read_log
from simulator.world.sids import sid_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Events in the order in which they were told, and whose they are.

    Attributes:
        start_ms: when the first of them may happen, in their own time.
        known: sids that REST tells of; they are kept.
        floor: knows what really happened; None for a log.
    """

    events: Callable[[], Iterator[Event]]
    start_ms: int
    agents: int
    account_sid: str
    workspace_sid: str
    workspace_name: str
    auth_token: str = field(repr=False)
    known: frozenset[str] = frozenset()
    floor: LoadFloor | None = None

    def sender(self, url: str) -> EmitterSettings:
        """Who posts to this address."""
        return EmitterSettings(
            callback_url=url,
            account_sid=self.account_sid,
            workspace_sid=self.workspace_sid,
            workspace_name=self.workspace_name,
            key=SigningKey(self.auth_token),
        )


def source_of(plan: LoadPlan) -> Source:
    """The source of a plan, under the credentials that the plan gives.

    Raises:
        ScenarioError: the floor cannot be built.
        LogFileError: the log cannot be used.
        OSError: it cannot be read.
    """
    found = _from_log(plan) if plan.log else _from_floor(plan)
    given = {name: getattr(plan, name) for name in ("account_sid", "workspace_sid", "auth_token")}
    return replace(found, **{name: value for name, value in given.items() if value})


def _from_floor(plan: LoadPlan) -> Source:
    scenario = scenario_of(plan)
    # A connector that is started for the run has the filter that its docs recommend; a target gets everything.
    wanted = [] if plan.target else EVENTS_FILTER.split(",")
    floor = LoadFloor(scenario, warm_up_minutes=plan.floor_warm_up_minutes, wanted=wanted)
    account = TwilioAccount.of(scenario)
    return Source(
        events=floor.events,
        start_ms=floor.start_ms,
        agents=scenario.agents,
        account_sid=account.account_sid,
        workspace_sid=account.workspace_sid,
        workspace_name=account.workspace_name,
        auth_token=account.auth_token,
        known=floor.known,
        floor=floor,
    )


def _from_log(plan: LoadPlan) -> Source:
    header, events = read_log(Path(plan.log))
    first = next(events, None)
    if first is None:
        raise LogFileError(plan.log, 2, "has no events")
    if header.seed is None and not plan.auth_token:
        raise LogFileError(plan.log, 1, "was recorded, so its callbacks can be signed only with --auth-token")
    return Source(
        events=lambda: chain([first], events),
        start_ms=first.at_ms,
        agents=header.agents or 0,
        account_sid=header.account_sid,
        workspace_sid=header.workspace_sid,
        workspace_name=header.workspace_name,
        auth_token="" if header.seed is None else sid_of("", header.seed, "auth token"),
    )

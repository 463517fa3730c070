"""run_soak: days of virtual time in one process, judged as they pass."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from simulator.audit import Verdict
from simulator.audit.reports import ReportVerdict
from simulator.faults.fault import Fault
from simulator.faults.twilio.delay import Delay
from simulator.faults.twilio.duplicate import Duplicate
from simulator.faults.twilio.reorder import Reorder
from simulator.harness.jury import Jury
from simulator.harness.result import versions
from simulator.harness.virtual import VirtualFloor, callback_route, stream_route
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import ScenarioError, load_scenario

RouteName = Literal["streams", "callbacks"]
ROUTES: tuple[RouteName, ...] = ("streams", "callbacks")
_ALWAYS = frozenset({"agents", "days", "route", "seed"})
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """The parameters of one run; two runs with the same plan do the same, event for event.

    Attributes:
        scenario: name or file of what the floor is like; empty: the defaults.
        days: virtual days for which events flow.
        route: the way in which events come to the connector.
        seed: of the floor and of the faults.
        warm_up_minutes: virtual minutes the floor has run before the connector starts; known to it by REST alone.
        duplicates: the share of events that arrives twice.
        reordered: the share of events that arrives up to `reorder_minutes` late.
        late: the share of events that arrives up to `late_hours` late.
        repair: the connector also reads Twilio's event history, so that late events are not late for long. Not together
            with delays: what the connector knows when could not be told from outside.
        directory: for the ledger; None makes one in the system's temporary directory.
    """

    scenario: str = ""
    agents: int = 1000
    days: float = 1.0
    route: RouteName = "streams"
    seed: int = 1
    warm_up_minutes: float = 30.0
    duplicates: float = 0.0
    reordered: float = 0.0
    reorder_minutes: float = 10.0
    late: float = 0.0
    late_hours: float = 2.0
    repair: bool = True
    directory: Path | None = None

    def __post_init__(self) -> None:
        for name in ("agents", "days", "reorder_minutes", "late_hours"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        for name in ("duplicates", "reordered", "late"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")
        if self.repair and (self.reordered or self.late):
            raise ValueError("repair must be off where events come late, or nothing would be late for long")
        if self.warm_up_minutes < 0:
            raise ValueError("warm_up_minutes must not be below 0")

    @property
    def command(self) -> str:
        """The one command that runs this plan again."""
        words = ["flex-wfm-sim", "soak"]
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "directory" or (value == one.default and one.name not in _ALWAYS):
                continue
            option = one.name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", f"{value:g}" if isinstance(value, float) else str(value)]
        return shlex.join(words)

    def faults(self) -> list[Fault]:
        """What goes wrong on the way."""
        found: list[Fault] = []
        if self.duplicates:
            found.append(Duplicate(share=self.duplicates))
        if self.reordered:
            found.append(Reorder(share=self.reordered, most_s=self.reorder_minutes * 60))
        if self.late:
            found.append(Delay(share=self.late, least_s=0.0, most_s=self.late_hours * 3600))
        return found

    @property
    def latest_s(self) -> float:
        """How late an event can be at most, virtual seconds."""
        return sum(
            seconds
            for share, seconds in (
                (self.duplicates, Duplicate().within_s),
                (self.reordered, self.reorder_minutes * 60),
                (self.late, self.late_hours * 3600),
            )
            if share
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakProgress:
    """One look at a running soak.

    Attributes:
        share: how much of the virtual time has passed, 0 to 1.
        speed: virtual seconds per wall second so far.
        events, rows: events taken by the connector, and states accepted by the WFM, so far.
        faults: what the audit has found so far.
    """

    share: float
    virtual_ms: int
    speed: float
    events: int
    rows: int
    faults: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakResult:
    """The outcome of one run.

    Attributes:
        drained: at the end the connector had nothing left to do.
        events: events of the floor that the connector took, each once; `requests` in so many requests.
        wall_s: of the run with its audit; `build_s`: of the world before it.
    """

    plan: SoakPlan
    verdict: Verdict
    reports: ReportVerdict
    drained: bool
    events: int
    requests: int
    contacts: int
    wall_s: float
    build_s: float
    wfm: dict[str, int]
    connector: dict[str, Any]
    directory: Path

    @property
    def clean(self) -> bool:
        """Both verdicts are clean, and nothing was left to do."""
        return self.verdict.clean and self.reports_clean and self.drained

    @property
    def reports_clean(self) -> bool:
        """No report is wrong; a run too short for an interval to be due has none to judge."""
        return self.reports.clean or self.reports.counts.intervals_expected == 0

    @property
    def speed(self) -> float:
        """Virtual seconds per wall second."""
        return self.plan.days * 86_400 / self.wall_s

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        plan = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self.plan).items()}
        return {
            **self.verdict.to_dict(),
            "clean": self.clean,
            "reports": self.reports.to_dict(),
            "drained": self.drained,
            "plan": plan,
            "command": self.plan.command,
            "versions": versions(),
            "events": self.events,
            "requests": self.requests,
            "contacts": self.contacts,
            "wall_s": round(self.wall_s, 2),
            "build_s": round(self.build_s, 2),
            "speed": round(self.speed),
            "wfm": self.wfm,
            "connector": self.connector,
            "directory": str(self.directory),
        }


def run_soak(plan: SoakPlan, *, tell: Callable[[SoakProgress], None] | None = None) -> SoakResult:
    """Let the floor run for the plan's days, judge what the WFM holds on the way, and end everything.

    `tell` hears of the progress after each virtual quarter of an hour.
    """
    began_s = time.perf_counter()
    directory = plan.directory or Path(tempfile.mkdtemp(prefix="flex-wfm-soak-"))
    directory.mkdir(parents=True, exist_ok=True)
    changes = {"agents": plan.agents, "seed": plan.seed}
    scenario = load_scenario(plan.scenario, changes) if plan.scenario else Scenario().with_(changes)
    if scenario.faults:
        raise ScenarioError(plan.scenario, ["faults: a soak judges each instant; see flex-wfm-sim matrix --scenario"])
    warm_up_ms = round(plan.warm_up_minutes * _MINUTE_MS)
    route = {"callbacks": callback_route, "streams": stream_route}[plan.route]
    with VirtualFloor(
        scenario, directory, warm_up_ms=warm_up_ms, faults=plan.faults(), route=route, repair=plan.repair
    ) as floor:
        build_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        end_ms = floor.start_ms + round(plan.days * 24 * _HOUR_MS)
        floor.service.end_ms = end_ms
        disturbed = bool(plan.faults())
        jury = Jury(floor, settle_ms=round(plan.latest_s * 1000) + 30 * _MINUTE_MS, by_knowledge=disturbed)
        while floor.now_ms < end_ms:
            floor.run_to(min(end_ms, floor.now_ms + 15 * _MINUTE_MS))
            jury.look()
            if tell is not None:
                tell(_progress(floor, jury, end_ms, time.perf_counter() - began_s))
        drained = _drain(floor, end_ms + round(plan.latest_s * 1000))
        jury.look()
        verdict, reports = jury.verdict(end_ms)
        with floor.service.present() as (world, _):
            contacts = world.contact_count
        return SoakResult(
            plan=replace(plan, directory=directory),
            verdict=verdict,
            reports=reports,
            drained=drained,
            events=floor.taken,
            requests=floor.route.requests,
            contacts=contacts,
            wall_s=time.perf_counter() - began_s,
            build_s=build_s,
            wfm=floor.wfm.inbox.counters(),
            connector=floor.health(),
            directory=directory,
        )


def _drain(floor: VirtualFloor, until_ms: int) -> bool:
    """Let everything on the way arrive and the last intervals be reported and corrected; whether nothing is left."""
    floor.run_to(until_ms + 30 * _MINUTE_MS)
    health = floor.health()
    return len(floor.mail) == 0 and not any(int(health[name]) for name in ("pending", "unprojected", "reports_waiting"))


def _progress(floor: VirtualFloor, jury: Jury, end_ms: int, wall_s: float) -> SoakProgress:
    passed_ms = floor.now_ms - floor.start_ms
    return SoakProgress(
        share=passed_ms / (end_ms - floor.start_ms),
        virtual_ms=floor.now_ms,
        speed=passed_ms / 1000 / wall_s,
        events=floor.taken,
        rows=jury.rows,
        faults=jury.faults,
    )

"""The jury of a run on virtual time: judges states and reports once they are settled, and lets go of what is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit import TruthAgent, TruthState, Verdict
from simulator.audit.reports import ReportAudit, ReportVerdict, ReportWindow, read_reports, read_true_reports
from simulator.harness.state_judges import ByKnowledge, ByTruth, Inflow
from simulator.harness.virtual import VirtualFloor
from simulator.world.engine import World
from simulator.world.figures_face import true_reports

_PAGE = 50_000
_DAY_MS = 86_400_000
# A contact or an activity that began so long before an interval may still end in it.
_REACH_MS = 2 * _DAY_MS


class StateJudge(Protocol):
    """Judges the states that the WFM is told."""

    @property
    def failures(self) -> dict[str, int]: ...

    def look(self, agents: Iterable[TruthAgent], until_ms: int, now_ms: int) -> None:
        """Take what has begun since the last look, and judge what began up to `until_ms`."""

    def verdict(self, now_ms: int) -> Verdict:
        """The verdict on the whole run."""


class Jury:
    """Looks at a floor now and then; call `look` in intervals of the grid."""

    def __init__(self, floor: VirtualFloor, *, settle_ms: int, by_knowledge: bool) -> None:
        """Set up; the floor has not been stepped yet.

        Args:
            settle_ms: so much later everything about an instant has come, states, reports and their corrections.
            by_knowledge: judge states by what the connector could know at each instant, because events come late.
        """
        self._floor = floor
        self._settle_ms = settle_ms
        self._profile = load_profile("default")
        self._inbox = Inflow(floor, self._profile)
        self._states: StateJudge = (ByKnowledge if by_knowledge else ByTruth)(floor, self._profile, self._inbox)
        self._reports = ReportAudit()
        self._seen_ms = 0
        self._judged_ms = floor.start_ms
        self._reports_after = 0

    @property
    def rows(self) -> int:
        """States that the WFM has accepted so far."""
        return self._inbox.after

    @property
    def faults(self) -> int:
        """What was found so far."""
        return sum(self._states.failures.values()) + sum(self._reports.failures.values())

    def look(self) -> None:
        """Take what is new, and judge what is settled."""
        with self._floor.service.present() as (world, _):
            agents = list(self._new_states(world))
            self._states.look(agents, self._floor.now_ms - self._settle_ms, self._floor.now_ms)
            self._take_reports()
            due_ms = world.now_ms - self._settle_ms
            # A day at once: the books of the model are gone through for each look at them.
            if due_ms - self._judged_ms >= _DAY_MS:
                self._judge_reports(world, due_ms // _DAY_MS * _DAY_MS)

    def verdict(self, end_ms: int) -> tuple[Verdict, ReportVerdict]:
        """The verdicts on the whole run, whose floor ended at `end_ms`."""
        with self._floor.service.present() as (world, _):
            self._judge_reports(world, end_ms)
        return self._states.verdict(self._floor.now_ms), self._reports.verdict(end_ms)

    def _new_states(self, world: World) -> Iterator[TruthAgent]:
        """The states of the model that have begun since the last look, of all whom the connector could come to know."""
        for worker in world.floor.workers:
            if not worker.is_known_at(self._floor.start_ms):
                continue
            states = [
                TruthState(
                    start_ms=one.start_ms,
                    state=one.state,
                    channel=one.channel or None,
                    direction=one.direction or None,
                    reason=one.reason or None,
                    cause_sid=one.cause_sid,
                )
                for one in world.truth.since(worker, self._seen_ms, world.now_ms)
            ]
            yield TruthAgent(worker.sid, worker.name, tuple(states))
        self._seen_ms = world.now_ms

    def _take_reports(self) -> None:
        inbox = self._floor.wfm.inbox
        while reports := inbox.reports(self._reports_after, _PAGE):
            self._reports_after = reports[-1]["seq"]
            end_ms = self._floor.service.end_ms
            # The connector's clock goes on after the floor's end; of what it reports then the truth knows nothing.
            self._reports.take(
                one
                for one in read_reports(reports, self._profile)
                if one.end_ms is None or end_ms is None or one.end_ms <= end_ms
            )

    def _judge_reports(self, world: World, until_ms: int) -> None:
        body = true_reports(world, from_ms=self._judged_ms, to_ms=until_ms, known_from_ms=self._floor.start_ms)
        # An interval that begins with the connector is not whole for it: its first look takes a moment.
        window = ReportWindow(from_ms=self._floor.start_ms + 1, until_ms=until_ms, delay_ms=0)
        self._reports.judge(read_true_reports(body), window)
        self._judged_ms = until_ms
        world.forget_before(until_ms - _REACH_MS)

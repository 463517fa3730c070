"""The jury of a run on virtual time: judges states and reports once they are settled, and lets go of what is judged."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract import load_profile
from simulator.audit import TruthAgent, TruthState, Verdict, Window, read_rows
from simulator.audit.reports import ReportAudit, ReportVerdict, ReportWindow, read_reports, read_true_reports
from simulator.audit.rolling import RollingAudit
from simulator.harness.virtual import VirtualFloor
from simulator.world.engine import World
from simulator.world.figures_face import true_reports

_PAGE = 50_000
_DAY_MS = 86_400_000
# A contact or an activity that began so long before an interval may still end in it.
_REACH_MS = 2 * _DAY_MS


class Jury:
    """Looks at a floor now and then; call `look` in intervals of the grid."""

    def __init__(self, floor: VirtualFloor, *, settle_ms: int) -> None:
        """`settle_ms`: so much later everything about an instant has come, states, reports and their corrections."""
        self._floor = floor
        self._settle_ms = settle_ms
        self._profile = load_profile("default")
        self._states = RollingAudit(self._profile, Window(from_ms=floor.start_ms))
        self._reports = ReportAudit()
        self._seen_ms = 0
        self._judged_ms = floor.start_ms
        self._rows_after = 0
        self._reports_after = 0

    @property
    def rows(self) -> int:
        """States that the WFM has accepted so far."""
        return self._rows_after

    @property
    def faults(self) -> int:
        """What was found so far."""
        return sum(self._states.failures.values()) + sum(self._reports.failures.values())

    def look(self) -> None:
        """Take what is new, and judge what is settled."""
        floor = self._floor
        with floor.service.present() as (world, _):
            self._take_states(world)
            self._take_reports()
            self._states.settle(world.now_ms - self._settle_ms)
            due_ms = world.now_ms - self._settle_ms
            # A day at once: the books of the model are gone through for each look at them.
            if due_ms - self._judged_ms >= _DAY_MS:
                self._judge_reports(world, due_ms // _DAY_MS * _DAY_MS)

    def verdict(self, end_ms: int) -> tuple[Verdict, ReportVerdict]:
        """The verdicts on the whole run, whose floor ended at `end_ms`."""
        with self._floor.service.present() as (world, _):
            self._judge_reports(world, end_ms)
        return self._states.verdict(), self._reports.verdict(end_ms)

    def _take_states(self, world: World) -> None:
        now_ms = world.now_ms
        agents = list(self._new_states(world, now_ms))
        self._seen_ms = now_ms
        inbox = self._floor.wfm.inbox
        self._states.take(agents, [])
        while rows := inbox.states(self._rows_after, _PAGE)["rows"]:
            self._rows_after = rows[-1]["seq"]
            self._states.take([], read_rows(rows, self._profile))

    def _new_states(self, world: World, now_ms: int) -> Iterator[TruthAgent]:
        for worker in world.floor.workers:
            states = [
                TruthState(
                    start_ms=one.start_ms,
                    state=one.state,
                    channel=one.channel or None,
                    direction=one.direction or None,
                    reason=one.reason or None,
                    cause_sid=one.cause_sid,
                )
                for one in world.truth.since(worker, self._seen_ms, now_ms)
            ]
            yield TruthAgent(worker.sid, worker.name, tuple(states))

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

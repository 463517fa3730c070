"""The two ways to judge states on a virtual floor: by the truth alone, and by what could be known at each instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flex_plugin_backend.wfm.contract import Profile
from simulator.audit import DeliveredRow, TruthAgent, Verdict, Window, read_rows
from simulator.audit.belief import Catalogue
from simulator.audit.by_knowledge import KnowledgeAudit
from simulator.audit.rolling import RollingAudit
from simulator.harness.virtual import VirtualFloor
from simulator.world.entities import Reservation
from simulator.world.events import Event

_PAGE = 50_000


class Inflow:
    """The states that the WFM has accepted since they were asked for last."""

    def __init__(self, floor: VirtualFloor, profile: Profile) -> None:
        self._inbox = floor.wfm.inbox
        self._floor = floor
        self._profile = profile
        self.after = 0

    def new(self) -> list[DeliveredRow]:
        """In the order of their arrival."""
        found: list[DeliveredRow] = []
        while rows := self._inbox.states(self.after, _PAGE)["rows"]:
            self.after = rows[-1]["seq"]
            found.extend(read_rows(rows, self._profile))
        end_ms = self._floor.service.end_ms
        if end_ms is not None and self._floor.now_ms > end_ms:
            # The connector's clock goes on after the floor's end: a wrap-up may reach its cap then. Of that the truth
            # knows nothing.
            found = [one for one in found if one.start_ms is None or one.start_ms <= end_ms]
        return found


class ByTruth:
    """For runs in which events come in order: the WFM must have been told the truth."""

    def __init__(self, floor: VirtualFloor, profile: Profile, inflow: Inflow) -> None:
        self._audit = RollingAudit(profile, Window(from_ms=floor.start_ms))
        self._inflow = inflow

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found so far."""
        return self._audit.failures

    def look(self, agents: Iterable[TruthAgent], until_ms: int, now_ms: int) -> None:  # noqa: ARG002
        """Take what has begun and what was told since the last look, and judge what began up to `until_ms`."""
        self._audit.take(agents, self._inflow.new())
        self._audit.settle(until_ms)

    def verdict(self, now_ms: int) -> Verdict:  # noqa: ARG002
        """The verdict on the whole run."""
        return self._audit.verdict()


class ByKnowledge:
    """For runs in which events come late: the WFM must have been told what could be known, when it could be known."""

    def __init__(self, floor: VirtualFloor, profile: Profile, inflow: Inflow) -> None:
        self._inflow = inflow
        with floor.service.present() as (world, _):
            activities = {one.sid: (one.name, one.available) for one in world.floor.activities.values()}
            catalogue = Catalogue(activities, world.floor.offline.sid)
            self._audit = KnowledgeAudit(profile, catalogue, Window(from_ms=floor.start_ms))
            for worker in world.floor.present():
                self._audit.open(worker.sid, worker.name, worker.activity.sid, _second(worker.activity_since_ms))
                for one in worker.open.values():
                    self._open_work(one)
        floor.on_taken = self._learn
        floor.on_step = self._step

    def _open_work(self, one: Reservation) -> None:
        data = {
            "task_sid": one.task.sid,
            "task_attributes": one.task.attributes_json,
            "task_channel_unique_name": one.task.channel.unique_name,
        }
        status = one.status.value
        self._audit.open_work(one.worker.sid, one.sid, _second(one.created_ms), "pending", data)
        if status != "pending":
            self._audit.open_work(one.worker.sid, one.sid, _second(one.updated_ms), status, data)

    def _learn(self, events: Sequence[Event], now_ms: int) -> None:
        self._audit.learn(events, now_ms)

    def _step(self, now_ms: int) -> None:
        self._audit.look(self._inflow.new(), now_ms)

    @property
    def failures(self) -> dict[str, int]:
        """How often each fault was found so far."""
        return self._audit.failures

    def look(self, agents: Iterable[TruthAgent], until_ms: int, now_ms: int) -> None:
        """Take what has begun since the last look; up to `until_ms` what is known must be the truth."""
        self._audit.settle(agents, until_ms, now_ms)

    def verdict(self, now_ms: int) -> Verdict:
        """The verdict on the whole run."""
        return self._audit.verdict(now_ms)


def _second(ms: int) -> int:
    """As Twilio's REST API tells times."""
    return ms // 1000 * 1000

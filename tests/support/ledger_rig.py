"""Two connectors on one ledger that die, fail and take over at any commit, before a WFM that answers by script."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flow_bench import FULL, T0, tenant_settings
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.agents import Rules
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.condition import ConditionBoard
from flex_plugin_backend.flow.forwarder import Forwarder, ForwardRules
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.leader import FileLease
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rules import derive_rules
from flex_plugin_backend.ledger.outbox import StateChange
from flex_plugin_backend.ledger.recent import Recent
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm import CXoneWfmException, FailureKind, RejectedRow, WFMReportResponseDTO
from flex_plugin_backend.wfm.contract import load_profile

PROFILE = load_profile("default")
# What may happen to a write transaction: the process dies before or after its commit, or the disk refuses it.
DIES_BEFORE, DIES_AFTER, REFUSED = "dies before the commit", "dies after the commit", "the disk refuses the commit"
TROUBLES = (DIES_BEFORE, DIES_AFTER, REFUSED)
# The settings that the connectors may be started with.
MAPPINGS: dict[str, dict[str, Any]] = {
    "usual": {},
    "by name": {"agent_id": "friendly_name"},
    "nobody has an agent id": {"agent_id": "attribute:wfm.id"},
    "another reason": {"activities": {"Break": {"reason": "Pause"}}},
    "another event id": {"activities": {"Lunch": {"event_id": "MEAL"}}},
}
SETTINGS: dict[str, TenantSettings] = {name: tenant_settings(mapping=table) for name, table in MAPPINGS.items()}


class Died(BaseException):
    """The process is gone; nothing of it runs any more."""


class MortalLedger(Ledger):
    """A ledger whose process can be made to die, or whose disk to refuse, at the n-th write from now."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.counts: Counter[str] = Counter()
        self.revive()

    def revive(self) -> None:
        """Another process opens it."""
        self.dead = False
        self.recent = Recent()
        self._plans: dict[int, str] = {}
        self._written = 0

    def arm(self, writes_from_now: int, trouble: str) -> None:
        """So happens it to that write; 0 is the next one."""
        self._plans[self._written + writes_from_now] = trouble

    @contextmanager
    def write(self) -> Iterator[Connection]:
        trouble = self._next()
        with super().write() as connection:
            yield connection
            self._before_commit(trouble)
        self._after_commit(trouble)

    @contextmanager
    def write_durably(self) -> Iterator[Connection]:
        trouble = self._next()
        with super().write_durably() as connection:
            yield connection
            self._before_commit(trouble)
        self._after_commit(trouble)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self.dead:
            raise Died
        with super().read() as connection:
            yield connection

    def _next(self) -> str | None:
        if self.dead:
            raise Died
        self._written += 1
        self.counts["commits"] += 1
        return self._plans.pop(self._written - 1, None)

    def _before_commit(self, trouble: str | None) -> None:
        if trouble == REFUSED:
            self.counts[trouble] += 1
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))
        if trouble == DIES_BEFORE:
            self._die(trouble)

    def _after_commit(self, trouble: str | None) -> None:
        if trouble == DIES_AFTER:
            self._die(trouble)

    def _die(self, trouble: str) -> None:
        self.counts[trouble] += 1
        self.dead = True
        raise Died


class ScriptedWfm:
    """Takes states or not, as it is told to, and remembers what it took in which order.

    Attributes:
        mood: how the next requests are answered, by the kinds of docs/states.md; `ok` for ever after.
        poison: event ids that it refuses.
        taken: (row, was the connector told so) of each agent in the order of taking.
    """

    MOODS = ("ok", "401", "403", "503", "429", "reset after taking", "partial", "took none", "dies while taking")

    def __init__(self) -> None:
        self.mood = "ok"
        self.poison: set[str] = set()
        self.taken: dict[str, list[StateChange]] = {}
        self.untold: set[int] = set()
        self.kill: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.on_taken: Callable[[StateChange], None] = lambda _one: None
        self.counts: Counter[str] = Counter()

    def __call__(self, changes: Sequence[StateChange]) -> WFMReportResponseDTO:
        mood, self.mood = self.mood, "ok"
        self.meanwhile()
        refused = [at for at, one in enumerate(changes) if one.event_id in self.poison]
        kind = mood if mood != "ok" or not refused else "422"
        self.counts[kind] += 1
        if mood == "401":
            raise _failure(FailureKind.UNAUTHORIZED, 401)
        if mood == "403":
            raise _failure(FailureKind.FORBIDDEN, 403)
        if mood in ("503", "429"):
            raise _failure(FailureKind.PASSING, int(mood), retry_after_s=7.0 if mood == "429" else None)
        if mood == "took none":
            return WFMReportResponseDTO(status=200, accepted=0, unplaced_rejections=len(changes))
        if mood == "partial":
            rows = tuple(RejectedRow(index=at, message="unknown event") for at in refused)
            self._take([one for at, one in enumerate(changes) if at not in refused])
            return WFMReportResponseDTO(status=200, rejected=rows)
        if refused:
            raise _failure(FailureKind.CONTENT, 422)
        self._take(changes)
        if mood == "dies while taking":
            self.untold.update(one.id for one in changes)
            self.kill()
            raise Died
        if mood == "reset after taking":
            self.untold.update(one.id for one in changes)
            raise _failure(FailureKind.PASSING, 0)
        return WFMReportResponseDTO(status=200)

    def _take(self, changes: Iterable[StateChange]) -> None:
        for one in changes:
            self.on_taken(one)
            self.taken.setdefault(one.agent_id or "", []).append(one)

    def holds(self, agent_id: str) -> tuple[str | None, str] | None:
        """The (event id, reason) that it shows of an agent."""
        rows = self.taken.get(agent_id)
        return rows[-1].pair if rows else None


def _failure(kind: FailureKind, status: int, **more: Any) -> CXoneWfmException:
    response = WFMReportResponseDTO(status=status)
    return CXoneWfmException(kind=kind, operation="agent_states", problem=f"status {status}", response=response, **more)


class Connector:
    """One process: it takes events always, and projects and forwards while it has the lease."""

    def __init__(
        self, tenant: str, ledger: MortalLedger, lease: Path, clock: ManualClock, wfm: ScriptedWfm, mapping: str
    ) -> None:
        self.tenant = tenant
        self.ledger = ledger
        self.clock = clock
        self.mapping = mapping
        self.leads = False
        self._wfm = wfm
        self._lease = FileLease(lease)
        self._intake = Intake(ledger, clock, ack_timeout_s=1.0, on_stored=lambda _tenant, _number: None, by_hand=True)
        self._intake.start()
        settings = SETTINGS[mapping]
        self.projector = Projector(
            tenant,
            ledger,
            clock,
            rules_for=lambda catalogue: derive_rules(settings, PROFILE, catalogue),
            reorder_window_s=60.0,
            on_changes=lambda: None,
        )
        self.forwarder = Forwarder(
            tenant,
            ledger,
            clock,
            wfm,
            ForwardRules(batch_limit=3, snapshot_after_outage_s=60.0),
            ConditionBoard(tenant, T0),
            on_recovered=self.projector.repeat_present_states,
            chance=random.Random(1),
        )

    @property
    def rules(self) -> Rules:
        """The rules by its settings and the whole catalogue."""
        return derive_rules(SETTINGS[self.mapping], PROFILE, FULL)

    def lead(self) -> bool:
        """Take the lease if it is free, and do what a start does; the disk may refuse, then it is tried again."""
        if not self.leads:
            self.leads = self._lease.acquire()
            if self.leads:
                self._begin()
        return self.leads

    def _begin(self) -> None:
        steps: list[Callable[[], object]] = [
            self.forwarder.resume,
            self.projector.load,
            lambda: self.projector.set_catalogue(FULL),
            self.projector.repeat_present_states,
        ]
        while steps:
            with suppress(OperationalError):
                steps[0]()
                steps.pop(0)

    def take(self, events: Sequence[TaskRouterEvent]) -> bool:
        """Events arrive at this process; tells whether they were acknowledged."""
        try:
            self._intake.submit(self.tenant, events)
        except IntakeUnavailable:
            return False
        return True

    def project(self) -> int:
        """One step of the projector; a disk that refuses costs the step and no more."""
        try:
            return self.projector.step() if self.leads else 0
        except OperationalError:
            return 1

    def forward(self) -> bool:
        """One step of the forwarder, as its duty does it; tells whether there may be more to do."""
        return self.leads and self.forwarder.duty.step().seconds is not None

    def stop(self) -> None:
        """An orderly end, or what the system does for a process that died."""
        self._lease.release()
        self.leads = False

"""The start-up snapshot: Twilio's catalogue, workers and open work by REST, through the same door as every event."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Activity
from flex_plugin_backend.errors import IntakeUnavailable, TwilioUnavailable
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.gone import reservation_gone, worker_gone
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rules import StoredCatalogue

# What changed this shortly before a snapshot may be missing from it, because its pages are read one after the other.
RACE_MARGIN_MS = 10_000
# What happened before a snapshot was begun must be in it, as far as Twilio's clock and ours agree.
SKEW_MARGIN_MS = 2_000
PER_SUBMIT = 200
# So far back an event may be missing although later ones came: what was on its way when this process ended.
HISTORY_OVERLAP_MS = 600_000
# More than this is not waited for; the present needs no more than what may still be open.
LONGEST_HISTORY_MS = 3_600_000
PROJECTED_POLL_S = 0.02

_log = structlog.get_logger(__name__)


class CatalogueEntry(Protocol):
    """One activity as the reader gives it."""

    @property
    def sid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def available(self) -> bool: ...


class CatalogueRead(Protocol):
    """Twilio's catalogue as the reader gives it."""

    @property
    def activities(self) -> Mapping[str, CatalogueEntry]: ...
    @property
    def offline_activity_sid(self) -> str | None: ...


class SnapshotRead(Protocol):
    """The floor as the reader gives it."""

    @property
    def events(self) -> tuple[TaskRouterEvent, ...]: ...
    @property
    def worker_sids(self) -> frozenset[str]: ...
    @property
    def open_reservation_sids(self) -> frozenset[str]: ...


class FloorReader(Protocol):
    """Reads Twilio by REST; raises TwilioUnavailable."""

    def catalogue(self) -> CatalogueRead: ...
    def snapshot(self) -> SnapshotRead: ...
    def history(self, from_ms: int, to_ms: int) -> Iterable[tuple[TaskRouterEvent, ...]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupRules:
    """The settings of the start.

    Attributes:
        snapshot: read workers and open work at all.
        gone_settle_s: how long an event that is still on its way may take before what REST does not show any more
            counts as ended.
    """

    snapshot: bool = True
    gone_settle_s: float = 120.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=2.0, cap_s=120.0))


class Startup:
    """Brings the floor up to the present before the first state is sent; keeps trying while Twilio does not answer."""

    def __init__(
        self,
        tenant: str,
        reader: FloorReader,
        projector: Projector,
        clock: Clock,
        rules: StartupRules,
        *,
        submit: Callable[[Iterable[TaskRouterEvent]], int],
        recover: Callable[[tuple[TaskRouterEvent, ...]], int],
        settled: Callable[[], None],
        last_stored: Callable[[], int],
        newest_ms: Callable[[], int | None] = lambda: None,
        since_ms: Callable[[], int] = lambda: 0,
        chance: random.Random | None = None,
    ) -> None:
        """Args:
        submit: stores events durably.
        recover: stores events of the history in the same way, and notes which were missing; returns how many.
        settled: called once the first attempt is over, whatever came of it: from then on states are sent.
        last_stored: the number of the newest stored event.
        newest_ms: the time of the newest event that Twilio told us; None before the first.
        since_ms: when this ledger began; what happened before is known from its first snapshot alone.
        """
        self._tenant = tenant
        self._reader = reader
        self._projector = projector
        self._clock = clock
        self._rules = rules
        self._submit = submit
        self._recover = recover
        self._settled = settled
        self._last_stored = last_stored
        self._newest_ms = newest_ms
        self._since_ms = since_ms
        self._chance = chance or random.Random()
        self.problem: str | None = None
        self.done = False

    def prepare(self) -> None:
        """Read the catalogue once, before events are projected: without it no activity can be named."""
        self._read_catalogue()

    def course(self) -> Iterator[Pause]:
        """Take the snapshot, let states flow, then look for what ended while nobody watched; yields its pauses."""
        shown = self._take_snapshot() if self.problem is None else None
        last = self._last_stored()
        while self._projector.cursor < last:
            yield Pause(PROJECTED_POLL_S)
        self._settled()
        failures = 0
        while self.problem is not None:
            failures += 1
            yield Pause(self._rules.backoff.delay_s(failures, self._chance), firm=True)
            if self._read_catalogue():
                shown = self._take_snapshot()
        self.done = True
        if shown is not None:
            _log.info("startup.snapshot_taken", tenant=self._tenant, workers=len(shown[1].worker_sids))
            yield from self._end_what_is_gone(*shown)

    def _read_catalogue(self) -> bool:
        try:
            read = self._reader.catalogue()
        except TwilioUnavailable as error:
            return self._failed(error)
        activities = {sid: Activity(sid, one.name, one.available) for sid, one in read.activities.items()}
        self._projector.set_catalogue(StoredCatalogue(activities, read.offline_activity_sid))
        self.problem = None
        return True

    def _take_snapshot(self) -> tuple[int, SnapshotRead] | None:
        if not self._rules.snapshot:
            return None
        try:
            self._catch_up_history()
            begun_ms = self._clock.now_ms()
            read = self._reader.snapshot()
            self._projector.note_snapshot(begun_ms - SKEW_MARGIN_MS, read.open_reservation_sids)
            self._store(read.events)
        except (TwilioUnavailable, IntakeUnavailable) as error:
            self._failed(error)
            return None
        self.problem = None
        return begun_ms, read

    def _catch_up_history(self) -> None:
        """What happened while this process was away, as events: a snapshot shows what is open, not what was.

        Before the first event there is nothing to catch up with.
        """
        newest_ms, now_ms = self._newest_ms(), self._clock.now_ms()
        if newest_ms is None:
            return
        overlap_ms, longest_ms = min(newest_ms, now_ms) - HISTORY_OVERLAP_MS, now_ms - LONGEST_HISTORY_MS
        from_ms = min(max(overlap_ms, longest_ms, self._since_ms()), now_ms)
        found = 0
        for page in self._reader.history(from_ms, now_ms):
            found += self._recover(page)
        if found:
            _log.info("startup.history_caught_up", tenant=self._tenant, events=found)

    def _failed(self, error: Exception) -> bool:
        self.problem = str(error)
        _log.warning("startup.failed", tenant=self._tenant, problem=self.problem)
        return False

    def _store(self, events: tuple[TaskRouterEvent, ...]) -> int:
        """Returns how many of them were new."""
        return sum(self._submit(events[at : at + PER_SUBMIT]) for at in range(0, len(events), PER_SUBMIT))

    def _end_what_is_gone(self, begun_ms: int, first: SnapshotRead) -> Iterator[Pause]:
        """What REST did not show at the start, and does not show later either, ended unseen."""
        if not self._missing(first, begun_ms):
            return
        yield Pause(self._rules.gone_settle_s, firm=True)
        suspects = self._missing(first, begun_ms)
        failures = 0
        while suspects and not self._second_look(begun_ms, suspects.keys()):
            failures += 1
            yield Pause(self._rules.backoff.delay_s(failures, self._chance), firm=True)
            suspects = self._missing(first, begun_ms)
        self.problem = None

    def _second_look(self, begun_ms: int, suspects: Set[str]) -> bool:
        """End those of the suspects that are missing again; False where Twilio or the ledger did not answer."""
        try:
            second = self._reader.snapshot()
            gone = {sid: one for sid, one in self._missing(second, begun_ms).items() if sid in suspects}
            self._store(tuple(gone.values()))
        except (TwilioUnavailable, IntakeUnavailable) as error:
            return self._failed(error)
        if gone:
            _log.warning("startup.ended_unseen", tenant=self._tenant, resources=len(gone))
        return True

    def _missing(self, shown: SnapshotRead, begun_ms: int) -> dict[str, TaskRouterEvent]:
        """What counts as open or employed here but was not shown, as the events that would end it."""
        missing: dict[str, TaskRouterEvent] = {}
        for sid, (worker_sid, task_sid, latest_ms) in self._projector.open_reservations().items():
            if sid not in shown.open_reservation_sids and latest_ms < begun_ms - RACE_MARGIN_MS:
                missing[sid] = reservation_gone(sid, worker_sid, task_sid, begun_ms)
        for worker_sid, (deleted, newest_ms) in self._projector.workers().items():
            if worker_sid not in shown.worker_sids and not deleted and newest_ms < begun_ms - RACE_MARGIN_MS:
                missing[worker_sid] = worker_gone(worker_sid, begun_ms)
        return missing

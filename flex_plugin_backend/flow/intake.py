"""Group commit: events that arrive together reach the disk together, and only then are acknowledged."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, SQLAlchemyError

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import IntakeUnavailable
from flex_plugin_backend.flow.disk import RETRY_AFTER_S as NEARLY_FULL_RETRY_S
from flex_plugin_backend.flow.disk import DiskGuard, is_disk_trouble
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.store import Ledger

MOST_PER_COMMIT = 500
MOST_WAITING = 20_000
# More than any clock that is set at all can be off.
MOST_AHEAD_MS = 3_600_000

# What else is written in the transaction that stores events; it is given the sids of those that are new.
Along = Callable[[Connection, frozenset[str]], None]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    arrivals: list[Arrival]
    along: Along | None = None
    stored: Future[set[tuple[str, str]]] = field(default_factory=Future)


class Intake:
    """One thread that commits whatever has gathered while the last commit was being synced."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        ack_timeout_s: float,
        on_stored: Callable[[str, int], None],
        is_past: Callable[[str, TaskRouterEvent], bool] = lambda _tenant, _event: False,
        by_hand: bool = False,
        guard: DiskGuard | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Set up.

        Args:
            guard: closes the door while the disk is nearly full.
            most_waiting: so many events may wait for the disk at a time.
            on_stored: called with tenant and number of new events after each commit, by the thread that commits.
            is_past: whether an event lies before all that the ledger still has; it is left out like a repetition.
            by_hand: no thread; whoever submits commits.
        """
        self._ledger = ledger
        self._clock = clock
        self._ack_timeout_s = ack_timeout_s
        self._on_stored = on_stored
        self._is_past = is_past
        self._by_hand = by_hand
        self._guard = guard
        self._most_waiting = most_waiting
        self._counting = threading.Lock()
        self.waiting = 0
        self.disk_to_blame = False
        self._queue: queue.Queue[_Waiting | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._open = False
        self.problem: str | None = None

    def start(self) -> None:
        """Begin to take events."""
        self._open = True
        if not self._by_hand:
            self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end; later submissions are refused."""
        if self._open:
            self._open = False
            if not self._by_hand:
                self._queue.put(None)
                self._thread.join()

    def probe(self) -> str | None:
        """Why events cannot be stored now, `None` where they can; after a failure the disk is tried anew."""
        if self.problem is not None:
            try:
                with self._ledger.write_durably() as connection:
                    eventlog.set_cursor(connection, "", "probe", self._clock.now_ms())
            except SQLAlchemyError as error:
                self._note(error)
            else:
                self.problem = None
        return self.problem or (self._guard.problem() if self._guard else None)

    def submit(self, tenant: str, events: Iterable[TaskRouterEvent], along: Along | None = None) -> int:
        """Store events; returns how many of them were new, once all are on the disk.

        Args:
            along: what to write in the same transaction, so that either both are there or neither.

        Raises:
            IntakeUnavailable: they could not be stored in time, or at all.
        """
        if not self._open:
            raise IntakeUnavailable(problem="the connector is stopping")
        full = self._guard.problem() if self._guard else None
        if full is not None:
            raise IntakeUnavailable(problem=full, disk=True, retry_after_s=NEARLY_FULL_RETRY_S)
        received_ms = self._clock.now_ms()
        taken = [event for event in events if not self._left_out(tenant, event)]
        waiting = _Waiting([Arrival(tenant, _not_ahead(event, received_ms), received_ms) for event in taken], along)
        if not waiting.arrivals and along is None:
            return 0
        if self._by_hand:
            self._commit([waiting])
            return len(waiting.stored.result())
        self._join_queue(waiting)
        try:
            return len(waiting.stored.result(timeout=self._ack_timeout_s))
        except FutureTimeout as error:
            # It may still be stored later; then Twilio's repetition is a duplicate and does no harm.
            raise IntakeUnavailable(problem=f"the disk did not answer within {self._ack_timeout_s:g} s") from error

    def _left_out(self, tenant: str, event: TaskRouterEvent) -> bool:
        """It happened before all that is kept: what it changed is gone, and whether it came before is not known."""
        if not self._is_past(tenant, event):
            return False
        _log.warning("intake.event_past", tenant=tenant, sid=event.sid, type=event.type, occurred_ms=event.occurred_ms)
        return True

    def _join_queue(self, waiting: _Waiting) -> None:
        number = len(waiting.arrivals)
        with self._counting:
            # A batch that is larger than the limit by itself is taken alone.
            if self.waiting and self.waiting + number > self._most_waiting:
                raise IntakeUnavailable(problem=f"{self.waiting} events wait for the disk already")
            self.waiting += number
        # Counted until it is stored or refused, not until its sender has lost patience: it takes up room so long.
        waiting.stored.add_done_callback(lambda _: self._leave_queue(number))
        self._queue.put(waiting)

    def _leave_queue(self, number: int) -> None:
        with self._counting:
            self.waiting -= number

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                self._refuse_rest()
                return
            group, stopping = self._gather(first)
            for part in _apart(group):
                self._commit(part)
            if stopping:
                self._refuse_rest()
                return

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        group, size = [first], len(first.arrivals)
        while size < MOST_PER_COMMIT:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return group, True
            group.append(more)
            size += len(more.arrivals)
        return group, False

    def _commit(self, group: list[_Waiting]) -> None:
        first_of: dict[tuple[str, str], Arrival] = {}
        for waiting in group:
            for one in waiting.arrivals:
                first_of.setdefault((one.tenant, one.event.sid), one)
        try:
            with self._ledger.write_durably() as connection:
                numbers = eventlog.store(connection, list(first_of.values()))
                new = set(numbers)
                for waiting in group:
                    if waiting.along is not None:
                        waiting.along(connection, frozenset(sid for _, sid in new))
        except (DataError, IntegrityError, InterfaceError, UnicodeError) as error:
            if len(group) == 1:
                self._refuse(group, error)
            else:
                # One of them cannot be stored; the others must not suffer for it.
                for waiting in group:
                    self._commit([waiting])
            return
        except Exception as error:  # noqa: BLE001 whatever it was: those who wait get an answer, the thread lives on
            if self.problem is None:
                _log.exception("intake.commit_failed", events=len(first_of))
            self._note(error)
            self._refuse(group, error)
            return
        if self.problem is not None:
            _log.info("intake.recovered", problem=self.problem)
            self.problem = None
        self._ledger.recent.keep((seq, first_of[key].event) for key, seq in numbers.items())
        self._announce(new)
        unclaimed = set(new)
        for waiting in group:
            own = {(one.tenant, one.event.sid) for one in waiting.arrivals} & unclaimed
            unclaimed -= own
            waiting.stored.set_result(own)

    def _note(self, error: Exception) -> None:
        self.problem = f"the ledger refuses events ({_cause(error)})"
        self.disk_to_blame = is_disk_trouble(error)

    @staticmethod
    def _refuse(group: list[_Waiting], error: Exception) -> None:
        disk = is_disk_trouble(error)
        for waiting in group:
            problem = f"the ledger refused it ({_cause(error)})"
            waiting.stored.set_exception(IntakeUnavailable(problem=problem, disk=disk))

    def _announce(self, new: set[tuple[str, str]]) -> None:
        for tenant in {tenant for tenant, _ in new}:
            try:
                self._on_stored(tenant, sum(1 for owner, _ in new if owner == tenant))
            except Exception:  # noqa: BLE001 the events are on the disk; this thread is the only one that stores
                _log.exception("intake.listener_failed", tenant=tenant)

    def _refuse_rest(self) -> None:
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is not None:
                waiting.stored.set_exception(IntakeUnavailable(problem="the connector is stopping"))


def _apart(group: list[_Waiting]) -> list[list[_Waiting]]:
    """What brings more to write than its events has a transaction of its own: its failure is nobody else's."""
    plain = [one for one in group if one.along is None]
    return ([plain] if plain else []) + [[one] for one in group if one.along is not None]


def _not_ahead(event: TaskRouterEvent, received_ms: int) -> TaskRouterEvent:
    """An event stamped far in the future would outlast every true one after it: take the time of its receipt."""
    if event.occurred_ms <= received_ms + MOST_AHEAD_MS:
        return event
    _log.warning(
        "intake.event_ahead", sid=event.sid, type=event.type, ahead_s=(event.occurred_ms - received_ms) // 1000
    )
    return replace(event, occurred_ms=received_ms)


def _cause(error: Exception) -> str:
    """The driver's words, without the statement and its values."""
    return str(getattr(error, "orig", None) or type(error).__name__)

"""Applies new events in order of arrival to the floor and writes the state changes that follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import Connection

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.agents import AgentTimeline, Rules, Segment
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.intervals import owner
from flex_plugin_backend.domain.mapping import Activity, MappingRules, Unmapped
from flex_plugin_backend.flow.floor import Floor, History, Touch, Worker
from flex_plugin_backend.flow.line import Author, changes_of, rewrite
from flex_plugin_backend.flow.rules import StoredCatalogue
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import eventlog, outbox, receipts
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.outbox import Delivery, Kind, StateChange
from flex_plugin_backend.ledger.segments import Changed
from flex_plugin_backend.ledger.store import Ledger

CURSOR = "states"
MOST_PER_STEP = 500
# Whether a state that begins this much earlier or later counts as short may depend on what changes.
SHORT_STATE_MS = 60_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Plan:
    """What one step writes.

    Attributes:
        mapped: workers that have another agent id than before.
        rewrites: workers whose history has changed: their segments from there on.
        changes: new states, in sending order.
        lines: new states at the end of raw lines.
        redrawn: raw lines that have changed, from their first state on.
        changed: the spans in which raw lines are others than before; an end of None is the present.
        rows: the timelines to keep.
    """

    mapped: dict[str, str] = field(default_factory=dict)
    rewrites: list[tuple[Worker, list[Segment], Author]] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    lines: list[tuple[str, list[Segment]]] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    redrawn: list[tuple[str, list[Segment]]] = field(default_factory=list)
    rows: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)


class Projector:
    """One tenant's events -> state changes, exactly once: changes, timelines and cursor are one transaction."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        *,
        rules_for: Callable[[StoredCatalogue], Rules],
        reorder_window_s: float,
        on_changes: Callable[[], None],
        complete_from_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._rules_for = rules_for
        self._reorder_window_ms = round(reorder_window_s * 1000)
        self._on_changes = on_changes
        self._complete_from_ms = complete_from_ms
        self._busy = threading.RLock()
        self.catalogue = StoredCatalogue()
        self.cursor = 0
        self._kept = self.catalogue
        # Memory may be ahead of the ledger, or half read: the ledger is right.
        self._stale = False
        self._floor = self._empty_floor()

    def load(self) -> None:
        """Build the floor from the ledger; whatever was in memory is dropped."""
        with self._busy:
            self._stale = True
            with self._ledger.read() as connection:
                stored = agent_rows.catalogue(connection, self._tenant)
                self.catalogue = self._kept = StoredCatalogue.from_record(stored) if stored else StoredCatalogue()
                self._floor = self._empty_floor()
                self.cursor = eventlog.cursor(connection, self._tenant, CURSOR)
                last = outbox.last_of_all(connection, self._tenant)
                newest = segment_rows.last_of_all(connection, self._tenant)
                since_ms = self._clock.now_ms() - self._reorder_window_ms
                ends = eventlog.recent_task_ends(connection, self._tenant, since_ms, self.cursor)
                self._floor.know_task_ends(ends)
                called: dict[str, str | None] = {}
                for worker_sid, agent_id, record in agent_rows.load(connection, self._tenant):
                    called[worker_sid] = agent_id
                    self._floor.put(AgentTimeline.from_record(record), last.get(worker_sid), newest.get(worker_sid))
            self._remap_all(called)
            self._name_again()
            self._stale = False

    def _empty_floor(self) -> Floor:
        return Floor(
            self._rules_for(self.catalogue),
            reorder_window_ms=self._reorder_window_ms,
            complete_from_ms=self._complete_from_ms,
        )

    @property
    def knows_activities(self) -> bool:
        """Has Twilio's catalogue ever been read."""
        return bool(self.catalogue.activities)

    def step(self) -> int:
        """Apply the next events and the timers that are due; returns how many events were applied."""
        with self._busy:
            self._refresh()
            self._stale = True
            applied = self._step()
            self._stale = False
            return applied

    def _refresh(self) -> None:
        """After a failure, before anything is derived from memory again."""
        if self._stale:
            self.load()

    def _step(self) -> int:
        now_ms = self._clock.now_ms()
        touched: dict[str, Touch] = {}
        with self._ledger.read() as connection:
            arrivals = eventlog.after(connection, self._tenant, self.cursor, MOST_PER_STEP, self._ledger.recent)
            late = self._late_tasks(arrivals, now_ms)
            self._floor.know_task_ends(eventlog.task_ends(connection, self._tenant, late, self.cursor))
            for seq, event in arrivals:
                self._learn_activity(event, touched)
                self._floor.apply(event, now_ms, self._history(connection, seq), touched)
        if arrivals or touched or self._floor.is_due(now_ms):
            self._write(touched, arrivals[-1][0] if arrivals else self.cursor, now_ms)
        return len(arrivals)

    def _late_tasks(self, arrivals: Sequence[tuple[int, TaskRouterEvent]], now_ms: int) -> set[str]:
        """The tasks of reservations told so late that memory has let go of their tasks' ends."""
        before_ms = now_ms - self._reorder_window_ms
        late = (event for _, event in arrivals if event.reservation_sid and event.occurred_ms < before_ms)
        return {event.task_sid for event in late if event.task_sid is not None}

    def _replay_pruned(self, touched: dict[str, Touch], cursor: int, now_ms: int) -> None:
        """Where history is rewritten from before what memory keeps, read it again first."""
        with self._ledger.read() as connection:
            for worker_sid, touch in touched.items():
                worker = self._floor.workers[worker_sid]
                if touch.from_ms is not None and worker.timeline.too_old(touch.from_ms):
                    self._floor.replay(worker, touch.from_ms, now_ms, self._history(connection, cursor))

    def _history(self, connection: Connection, up_to_seq: int) -> History:
        def read(worker_sid: str, from_ms: int) -> tuple[list[TaskRouterEvent], dict[str, int]]:
            found = eventlog.of_worker(connection, self._tenant, worker_sid, from_ms, up_to_seq)
            tasks = {one.task_sid for one in found if one.task_sid is not None}
            # An end that arrived later is applied in its turn, with its grace; taken in here it would touch nothing.
            return found, eventlog.task_ends(connection, self._tenant, tasks, up_to_seq)

        return read

    def _plan(self, touched: dict[str, Touch], now_ms: int) -> _Plan:
        """What these touches change, worked out before the ledger is held: others wait for it."""
        plan = _Plan()
        rules = self._floor.rules
        for worker_sid, touch in touched.items():
            worker = self._floor.workers[worker_sid]
            called = worker.agent_id
            if self._floor.remap(worker) and worker.agent_id is not None:
                plan.mapped[worker_sid] = worker.agent_id
                if called is not None and worker.last is not None and worker.last.event_id is not None:
                    # The WFM knows nothing of the agent under the new id yet.
                    plan.changes.append(_for_agent(worker.last, worker.agent_id, now_ms))
            if touch.from_ms is None:
                continue
            author = Author(worker_sid, worker.agent_id, worker.agent_problem, touch.causes, now_ms)
            # Not just now: where our clock is behind Twilio's, the newest states lie in our future.
            as_of_ms = max(now_ms, touch.last_ms, worker.timeline.newest_ms)
            segments = worker.timeline.segments(touch.from_ms, as_of_ms, rules)
            if segments:
                self._draw(plan, worker, segments)
            last = worker.last
            if last is not None and segments and (touch.from_ms < last.start_ms or last.event_id is None):
                plan.rewrites.append((worker, segments, author))
                continue
            changes = changes_of(segments, rules.mapping, author, last.pair if last else None)
            if changes:
                worker.last = changes[-1]
                plan.changes.extend(changes)
        self._floor.prune(touched, now_ms)
        plan.rows = [_row(self._floor.workers[worker_sid]) for worker_sid in touched]
        return plan

    @staticmethod
    def _draw(plan: _Plan, worker: Worker, segments: list[Segment]) -> None:
        """Continue the worker's raw line, or draw it again from where it has changed."""
        last, worker_sid = worker.segment, worker.timeline.worker_sid
        if last is not None and segments[0].start_ms <= last.start_ms:
            plan.redrawn.append((worker_sid, segments))
        else:
            if last is not None and segments[0].state == last.state:
                segments = segments[1:]
            plan.lines.append((worker_sid, segments))
            if segments:
                alike = last is not None and segments[-1].state == last.state
                plan.changed.append((segments[0].start_ms, segments[-1].start_ms if alike else None))
        if segments:
            worker.segment = segments[-1]

    def _write(self, touched: dict[str, Touch], cursor: int, now_ms: int) -> None:
        # A timer that fell due meanwhile (while the process was down, say) is forgotten below unless it rings here.
        self._floor.ring(now_ms, touched)
        self._replay_pruned(touched, cursor, now_ms)
        plan = self._plan(touched, now_ms)
        with self._ledger.write() as connection:
            if self.catalogue != self._kept:
                agent_rows.save_catalogue(connection, self._tenant, self.catalogue.to_record(), now_ms)
            for worker_sid, agent_id in plan.mapped.items():
                outbox.map_worker(connection, self._tenant, worker_sid, agent_id)
            for worker, segments, author in plan.rewrites:
                worker.last = rewrite(connection, self._tenant, segments, self._floor.rules.mapping, author)
            outbox.record(connection, self._tenant, plan.changes)
            segment_rows.append(connection, self._tenant, plan.lines)
            for worker_sid, line in plan.redrawn:
                changed = segment_rows.rewrite(connection, self._tenant, worker_sid, line)
                if changed is not None:
                    plan.changed.append(changed)
            receipts.mark_dirty(connection, self._tenant, _touched(plan.changed, now_ms), receipts.KINDS)
            agent_rows.save(connection, self._tenant, plan.rows, now_ms)
            eventlog.set_cursor(connection, self._tenant, CURSOR, cursor)
        for worker_sid in touched:
            self._floor.set_timer(self._floor.workers[worker_sid], now_ms)
        self.cursor, self._kept = cursor, self.catalogue
        self._floor.forget_task_ends(now_ms)
        self._on_changes()

    def next_timer_ms(self) -> int | None:
        """When time alone may next change a state."""
        return self._floor.next_timer_ms()

    def set_catalogue(self, catalogue: StoredCatalogue) -> None:
        """Twilio's activities as just read: keep them, and look again at every agent whose state they change."""
        with self._busy:
            self._refresh()
            if catalogue == self.catalogue and self.knows_activities:
                return
            self._stale = True
            self.catalogue = catalogue
            touched: dict[str, Touch] = {}
            self._change_rules(touched)
            self._write(touched, self.cursor, self._clock.now_ms())
            self._stale = False

    def _name_again(self) -> None:
        """After a start: settings may give states other names than before, or names where there were none."""
        touched: dict[str, Touch] = {}
        self._change_rules(touched)
        if touched:
            self._write(touched, self.cursor, self._clock.now_ms())

    def _change_rules(self, touched: dict[str, Touch]) -> None:
        self._floor.rules = self._rules_for(self.catalogue)
        with self._ledger.read() as connection:
            unnamed = outbox.first_unnamed(connection, self._tenant)
        for worker_sid, worker in self._floor.workers.items():
            worker.timeline.activity.forget_spans()
            # The present and what could not be named are looked at again: what was sent stays as it was sent.
            from_ms = worker.last.start_ms if worker.last else worker.timeline.newest_ms
            if worker_sid not in unnamed and self._is_called_as_before(worker):
                continue
            from_ms = min(from_ms, unnamed.get(worker_sid, from_ms))
            touched.setdefault(worker_sid, Touch()).add(from_ms, None, from_ms)

    def _is_called_as_before(self, worker: Worker) -> bool:
        """Has the worker's present state the name under which it was told last; without a look at history."""
        if worker.last is None or worker.segment is None:
            return False
        as_of_ms = max(self._clock.now_ms(), worker.timeline.newest_ms)
        state = worker.timeline.effective_at(as_of_ms, as_of_ms, self._floor.rules)
        found = self._floor.rules.mapping.wfm_state(state)
        pair = (None, "") if isinstance(found, Unmapped) else (found.event_id, found.reason)
        return state == worker.segment.state and pair == worker.last.pair

    def _learn_activity(self, event: TaskRouterEvent, touched: dict[str, Touch]) -> None:
        """`activity.*` events change the catalogue without a look at REST."""
        if not event.type.startswith("activity.") or event.activity_sid is None:
            return
        known = self.catalogue.activities.get(event.activity_sid)
        available = event.activity_available
        if available is None and known is not None:
            available = known.available
        name = event.activity_name or (known.name if known else None)
        if name is None or available is None:
            return
        activity = Activity(event.activity_sid, name, available)
        if activity != known:
            self.catalogue = self.catalogue.with_activity(activity)
            self._change_rules(touched)

    def _remap_all(self, called: Mapping[str, str | None]) -> None:
        """After a start: agent ids may be mapped otherwise than before; what was held for want of one goes out."""
        with self._ledger.write() as connection:
            for worker_sid, worker in self._floor.workers.items():
                if worker.agent_id != called.get(worker_sid):
                    agent_rows.call(connection, self._tenant, worker_sid, worker.agent_id)
                if worker.agent_id is not None:
                    outbox.map_worker(connection, self._tenant, worker_sid, worker.agent_id)

    @contextmanager
    def looking(self) -> Iterator[Floor]:
        """The floor as it is now; nobody moves it meanwhile, so look quickly."""
        with self._busy:
            self._refresh()
            yield self._floor

    def open_reservations(self) -> dict[str, tuple[str, str | None, int]]:
        """Every reservation that counts as open: sid -> (worker sid, task sid, open since ms)."""
        with self._busy:
            now_ms = self._clock.now_ms()
            return {
                one.sid: (worker_sid, one.task_sid, one.latest_ms())
                for worker_sid, worker in self._floor.workers.items()
                for one in worker.timeline.open_reservations(now_ms, self._floor.rules)
            }

    @property
    def mapping(self) -> MappingRules:
        """The names as they are known now."""
        return self._floor.rules.mapping

    def deleted_workers(self) -> dict[str, int]:
        """The workers that were deleted, and when (ms) they left."""
        with self._busy:
            found = ((sid, worker.timeline.deleted_ms) for sid, worker in self._floor.workers.items())
            return {sid: at_ms for sid, at_ms in found if at_ms is not None}

    def workers(self) -> dict[str, tuple[bool, int]]:
        """Every worker: is it deleted, and the time (ms) of its newest event."""
        with self._busy:
            return {
                sid: (worker.timeline.deleted, worker.timeline.newest_ms) for sid, worker in self._floor.workers.items()
            }

    def note_snapshot(self, seen_ms: int, open_sids: frozenset[str]) -> None:
        """REST showed exactly these reservations open at `seen_ms`."""
        with self._busy:
            self._floor.note_snapshot(seen_ms, open_sids)

    def repeat_present_states(self) -> int:
        """Queue the present state of every agent once more; returns how many."""
        with self._busy:
            with self._ledger.write() as connection:
                called = {sid: worker.agent_id for sid, worker in self._floor.workers.items()}
                number = outbox.repeat_present_states(connection, self._tenant, self._clock.now_ms(), called)
            self._on_changes()
            return number


def _for_agent(present: StateChange, agent_id: str, now_ms: int) -> StateChange:
    """The present state once more, for the id that the worker is called by now."""
    return replace(
        present, id=0, agent_id=agent_id, recorded_ms=now_ms, kind=Kind.SNAPSHOT, status=Delivery.PENDING, note=None
    )


def _touched(changed: Iterable[Changed], now_ms: int) -> list[int]:
    """The starts of the intervals, of those that have ended, whose reports may be others by these changes."""
    starts: set[int] = set()
    for from_ms, to_ms in changed:
        end_ms = now_ms if to_ms is None else min(now_ms, to_ms + SHORT_STATE_MS)
        one = owner(from_ms - SHORT_STATE_MS)
        while one.end_ms <= now_ms and one.start_ms <= end_ms:
            starts.add(one.start_ms)
            one = one.next
    return sorted(starts)


def _row(worker: Worker) -> tuple[str, str | None, dict[str, Any]]:
    return worker.timeline.worker_sid, worker.agent_id, worker.timeline.to_record()

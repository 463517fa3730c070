"""The floor in memory: every worker's timeline, which task belongs to whom, and what an event touches."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from flex_plugin_backend.domain.agents import AgentTimeline, Rules, Segment, ends_task
from flex_plugin_backend.domain.events import FINDING, SNAPSHOT_RESERVATION, SNAPSHOT_WORKER, TaskRouterEvent
from flex_plugin_backend.domain.mapping import Unmapped
from flex_plugin_backend.domain.reservations import least
from flex_plugin_backend.ledger.outbox import StateChange

# Reads a worker's whole history again: (worker sid, from ms) -> events oldest first, and the ends of their tasks.
History = Callable[[str, int], tuple[list[TaskRouterEvent], dict[str, int]]]

# Twilio ends an assigned task after 24 hours, so nothing older can still be open (Twilio reference 3.1).
LONGEST_CONTACT_MS = 26 * 3_600_000


@dataclass(slots=True)
class Worker:
    """One worker on the floor.

    `last` is the newest state change in the agent's line, `segment` the newest state of its raw line; `agent_id` is
    None while unmapped.
    """

    timeline: AgentTimeline
    agent_id: str | None = None
    agent_problem: str | None = None
    last: StateChange | None = None
    segment: Segment | None = None


@dataclass(slots=True)
class Touch:
    """What a batch of events did to one worker: the state may be another from `from_ms` on.

    `causes` names the event of each instant.
    """

    from_ms: int | None = None
    last_ms: int = 0
    causes: dict[int, str] = field(default_factory=dict)

    def add(self, from_ms: int | None, cause_sid: str | None, at_ms: int) -> None:
        """One more event of the batch."""
        self.from_ms = least(self.from_ms, from_ms)
        self.last_ms = max(self.last_ms, at_ms)
        if cause_sid is not None:
            self.causes[at_ms] = cause_sid


class Floor:
    """All workers of one tenant."""

    def __init__(
        self, rules: Rules, *, reorder_window_ms: int, complete_from_ms: Callable[[], int] = lambda: 0
    ) -> None:
        """`complete_from_ms`: from when on a worker's history can be read again."""
        self.rules = rules
        self._complete_from_ms = complete_from_ms
        self.workers: dict[str, Worker] = {}
        self._reorder_window_ms = reorder_window_ms
        self._workers_of_task: dict[str, set[str]] = {}
        self._task_ends: dict[str, int] = {}
        self._task_ends_checked = 1_000
        self._seen_ms = 0
        self._open_sids: frozenset[str] = frozenset()
        self._timers: list[tuple[int, str, int]] = []
        self._timer_of: dict[str, tuple[int, int]] = {}

    def put(self, timeline: AgentTimeline, last: StateChange | None, segment: Segment | None) -> None:
        """Set up one worker from what the ledger holds."""
        worker = Worker(timeline, last=last, segment=segment)
        self.workers[timeline.worker_sid] = worker
        self.remap(worker)
        for reservation in timeline.reservations.values():
            if reservation.task_sid:
                self._workers_of_task.setdefault(reservation.task_sid, set()).add(timeline.worker_sid)
        self.set_timer(worker, 0)

    def remap(self, worker: Worker) -> bool:
        """Find the worker's agent id anew; tells whether it is another than before."""
        timeline = worker.timeline
        found = self.rules.mapping.agent_for(timeline.worker_sid, timeline.worker_name, timeline.agent_key)
        before = worker.agent_id
        worker.agent_id = None if isinstance(found, Unmapped) else found
        worker.agent_problem = found.problem if isinstance(found, Unmapped) else None
        return worker.agent_id != before

    def note_snapshot(self, seen_ms: int, open_sids: frozenset[str]) -> None:
        """At `seen_ms` exactly these reservations were open."""
        self._seen_ms, self._open_sids = seen_ms, open_sids

    def apply(self, event: TaskRouterEvent, now_ms: int, history: History, touched: dict[str, Touch]) -> None:
        """Merge one event; what it touched is noted in `touched`."""
        if event.worker_sid is not None:
            self._apply_to_worker(event, event.worker_sid, now_ms, history, touched)
        if ends_task(event) and event.task_sid is not None:
            self._end_task(event.task_sid, event, now_ms, touched)

    def _apply_to_worker(
        self, event: TaskRouterEvent, worker_sid: str, now_ms: int, history: History, touched: dict[str, Touch]
    ) -> None:
        worker = self.workers.get(worker_sid)
        if worker is None:
            worker = self.workers[worker_sid] = Worker(AgentTimeline(worker_sid))
            self.remap(worker)
        timeline = worker.timeline
        if event.type in (SNAPSHOT_WORKER, SNAPSHOT_RESERVATION) and timeline.already_shows(event, self.rules):
            from_ms = None
        elif timeline.too_old(event.occurred_ms) and event.occurred_ms < self._complete_from_ms():
            # Nothing can be read again from there on; a deletion with its old stamp is about the present all the same.
            from_ms = timeline.apply(event, self.rules) if event.type == "worker.deleted" else None
        elif timeline.too_old(event.occurred_ms):
            self.replay(worker, event.occurred_ms, now_ms, history)
            timeline = worker.timeline
            from_ms = event.occurred_ms - max(0, event.previous_activity_ms or 0)
            reservation = timeline.reservations.get(event.reservation_sid or "")
            if reservation is not None:
                # One that a snapshot did not show counts as never open until its end is known, then from its start on.
                from_ms = min(from_ms, reservation.open_since_ms() or from_ms)
        else:
            shown_ms = timeline.expect_unseen_end(event, self._seen_ms, self._open_sids)
            from_ms = least(shown_ms, timeline.apply(event, self.rules))
        if event.task_sid is not None and event.reservation_sid is not None:
            self._workers_of_task.setdefault(event.task_sid, set()).add(worker_sid)
            ended_ms = self._task_ends.get(event.task_sid)
            if ended_ms is not None:
                due_ms = now_ms + self.rules.states.task_end_grace_ms
                from_ms = least(from_ms, timeline.end_task(event.task_sid, ended_ms, due_ms))
        touched.setdefault(worker_sid, Touch()).add(from_ms, event.sid, event.occurred_ms)

    def replay(self, worker: Worker, from_ms: int, now_ms: int, history: History) -> None:
        """Something from before what is kept in memory matters: read the worker's history since then again."""
        old, fresh = worker.timeline, AgentTimeline(worker.timeline.worker_sid)
        events, task_ends = history(fresh.worker_sid, from_ms - LONGEST_CONTACT_MS)
        # A snapshot's finding adds only what no event tells, so the findings come last, as if they had come late.
        for one in sorted(events, key=lambda event: event.sid.startswith(FINDING)):
            if not (one.sid.startswith(FINDING) and fresh.already_shows(one, self.rules)):
                fresh.apply(one, self.rules)
        due_ms = {one.task_sid: one.task_end_due_ms for one in old.reservations.values() if one.task_end_due_ms}
        for task_sid, ended_ms in task_ends.items():
            fresh.end_task(task_sid, ended_ms, max(due_ms.get(task_sid) or now_ms, ended_ms))
        if old.activity.base is not None and not fresh.activity.observations:
            fresh.activity = old.activity
        for sid in fresh.reservations.keys() & old.reservations.keys():
            fresh.reservations[sid].unseen_end = old.reservations[sid].unseen_end
        fresh.worker_name = fresh.worker_name or old.worker_name
        fresh.agent_key = fresh.agent_key or old.agent_key
        # A deletion bears an old stamp (Twilio reference 13, row 1), so it may lie before what was read.
        fresh.deleted = fresh.deleted or old.deleted
        fresh.newest_ms = max(fresh.newest_ms, old.newest_ms)
        worker.timeline = fresh

    def _end_task(self, task_sid: str, event: TaskRouterEvent, now_ms: int, touched: dict[str, Touch]) -> None:
        self._task_ends[task_sid] = min(event.occurred_ms, self._task_ends.get(task_sid, event.occurred_ms))
        due_ms = now_ms + self.rules.states.task_end_grace_ms
        for worker_sid in self._workers_of_task.get(task_sid, ()):
            from_ms = self.workers[worker_sid].timeline.end_task(task_sid, event.occurred_ms, due_ms)
            touched.setdefault(worker_sid, Touch()).add(from_ms, event.sid, event.occurred_ms)

    def set_timer(self, worker: Worker, now_ms: int) -> None:
        """Note when time alone may next change this worker's state."""
        worker_sid = worker.timeline.worker_sid
        due = worker.timeline.next_due(now_ms, self.rules)
        if due is None:
            self._timer_of.pop(worker_sid, None)
        elif self._timer_of.get(worker_sid) != due:
            self._timer_of[worker_sid] = due
            heapq.heappush(self._timers, (due[0], worker_sid, due[1]))

    def next_timer_ms(self) -> int | None:
        """When the next timer falls due."""
        return self._timers[0][0] if self._timers else None

    def is_due(self, now_ms: int) -> bool:
        """Has a timer fallen due."""
        return bool(self._timers) and self._timers[0][0] <= now_ms

    def ring(self, now_ms: int, touched: dict[str, Touch]) -> None:
        """Let every timer that is due, and still means something, touch its worker."""
        while self._timers and self._timers[0][0] <= now_ms:
            due_ms, worker_sid, from_ms = heapq.heappop(self._timers)
            if self._timer_of.get(worker_sid) != (due_ms, from_ms):
                continue
            del self._timer_of[worker_sid]
            worker = self.workers[worker_sid]
            # All that fell due up to now: a worker has one timer, and the next one may be past already.
            changed_ms = worker.timeline.due_from_ms(due_ms - 1, now_ms, self.rules)
            if changed_ms is not None:
                touched.setdefault(worker_sid, Touch()).add(changed_ms, None, due_ms)
            else:
                self.set_timer(worker, now_ms)

    def prune(self, worker_sids: Iterable[str], now_ms: int) -> None:
        """Let go of what is older than the reorder window."""
        for worker_sid in worker_sids:
            timeline = self.workers[worker_sid].timeline
            # Counted from the worker's own newest event: a backlog that is worked off late is not "too old".
            before_ms = min(now_ms, timeline.newest_ms) - self._reorder_window_ms
            tasks = {one.task_sid for one in timeline.reservations.values()}
            timeline.prune(before_ms, now_ms, self.rules)
            for task_sid in tasks - {one.task_sid for one in timeline.reservations.values()}:
                if task_sid is not None:
                    owners = self._workers_of_task.get(task_sid, set())
                    owners.discard(worker_sid)
                    if not owners:
                        self._workers_of_task.pop(task_sid, None)

    def know_task_ends(self, task_ends: dict[str, int]) -> None:
        """These tasks have ended, whenever that became known."""
        self._task_ends.update(task_ends)

    def forget_task_ends(self, now_ms: int) -> None:
        """Drop the ends of tasks too old to matter to an event still on its way."""
        if len(self._task_ends) < self._task_ends_checked:
            return
        before_ms = now_ms - 2 * self._reorder_window_ms
        self._task_ends = {sid: at_ms for sid, at_ms in self._task_ends.items() if at_ms >= before_ms}
        # Looking at all of them again pays only once they have doubled.
        self._task_ends_checked = max(1_000, 2 * len(self._task_ends))

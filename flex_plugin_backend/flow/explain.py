"""Why the WFM shows an agent so: event, rule, mapping, delivery and answer, out of a ledger alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from flex_plugin_backend.domain.agents import AgentTimeline, Rules, Segment, ends_task
from flex_plugin_backend.domain.events import SNAPSHOT_WORKER_GONE, TaskRouterEvent
from flex_plugin_backend.domain.mapping import Unmapped
from flex_plugin_backend.flow.explain_rules import DELETED, Ruling, ruling
from flex_plugin_backend.flow.floor import Floor, Worker
from flex_plugin_backend.flow.leader import is_held, lease_path
from flex_plugin_backend.flow.projector import CURSOR
from flex_plugin_backend.flow.roster import Person
from flex_plugin_backend.flow.rules import StoredCatalogue, derive_rules
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import eventlog, lookups
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.lookups import Received, StoredAnswer, StoredState
from flex_plugin_backend.ledger.outbox import Delivery
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm.contract import load_profile


@dataclass(frozen=True, slots=True)
class Cause:
    """What began a state: an event, or in words why there is none."""

    event: Received | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Naming:
    """From our words to the WFM's, by the settings of now.

    Attributes:
        told: (event id, reason) for the state; None where it has no name.
        problem: why the state or the agent has no name.
        by: where the event id comes from; `agent_by` where the agent id does.
    """

    told: tuple[str, str] | None
    problem: str | None
    by: str
    agent_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is known of one agent at one instant; times are epoch milliseconds.

    Attributes:
        shown: what the WFM held at the instant; None where it had not been told anything.
        state: the state that the agent was in, by all that is known now, and what became of it.
        ruling, cause, naming: why that state; None where nothing is known of the instant.
        answer: the WFM's to `state`, or to `shown` where only that was delivered.
        before: how many states wait to be sent before `state`, where it waits.
        unapplied: events of the worker that are stored and not applied yet.
        running: does a connector work on this ledger; None where nothing waits for one.
        first_ms: when the first state known of the worker began.
    """

    person: Person
    at_ms: int
    now_ms: int
    shown: StoredState | None
    state: StoredState | None
    segment: Segment | None
    ruling: Ruling | None
    cause: Cause | None
    naming: Naming | None
    answer: StoredAnswer | None
    before: int
    unapplied: int
    running: bool | None
    first_ms: int | None

    @property
    def agrees(self) -> bool:
        """Did the WFM hold what the agent was doing."""
        return self.shown is not None and self.state is not None and self.shown.pair == self.state.pair


class Explainer:
    """Explains agents of one tenant; it reads the ledger and writes nothing."""

    def __init__(self, tenant: str, settings: TenantSettings, ledger: Ledger) -> None:
        self._tenant = tenant
        self._settings = settings
        self._ledger = ledger
        with ledger.read() as connection:
            stored = agent_rows.catalogue(connection, tenant)
        catalogue = StoredCatalogue.from_record(stored) if stored else StoredCatalogue()
        self._rules: Rules = derive_rules(settings, load_profile(settings.wfm.profile), catalogue)

    def explain(self, person: Person, at_ms: int, now_ms: int) -> Explanation:
        """What the WFM showed of this person at `at_ms`, and why."""
        worker_sid, tenant = person.worker_sid, self._tenant
        with self._ledger.read() as connection:
            state = lookups.in_force(connection, tenant, worker_sid, at_ms)
            segment = self._segment(connection, worker_sid, at_ms)
            shown = self._shown(connection, person, at_ms)
            timeline = self._timeline(connection, person, at_ms, now_ms)
            as_of_ms = max(now_ms, timeline.newest_ms)
            found = naming = cause = None
            if segment is not None:
                found = ruling(segment, at_ms, as_of_ms, timeline, self._rules, self._offline_source())
                naming = self._naming(segment, person)
            if state is not None:
                cause = self._cause(connection, state, segment, found, timeline)
            waits = _waits(state)
            unapplied = lookups.unapplied(connection, tenant, worker_sid, eventlog.cursor(connection, tenant, CURSOR))
            return Explanation(
                person=person,
                at_ms=at_ms,
                now_ms=now_ms,
                shown=shown,
                state=state,
                segment=segment,
                ruling=found,
                cause=cause,
                naming=naming,
                answer=self._answer(connection, state, shown),
                before=lookups.number_before(connection, tenant, state.id) if waits and state else 0,
                unapplied=unapplied,
                running=self._running() if waits or unapplied else None,
                first_ms=lookups.first_ms(connection, tenant, worker_sid),
            )

    def _shown(self, connection: Connection, person: Person, at_ms: int) -> StoredState | None:
        """What the WFM held under the agent id in question; where it was never told that, under the id of then."""
        called = person.called or person.agent_id
        if called is not None:
            workers = {person.worker_sid, *person.others}
            shown = lookups.told(connection, self._tenant, workers, called, at_ms)
            if shown is not None or person.called is not None:
                return shown
        return lookups.told(connection, self._tenant, [person.worker_sid], None, at_ms)

    def _running(self) -> bool:
        """Does a process hold the lease; the file is not made for the question."""
        lease = lease_path(self._ledger.path, self._tenant)
        return lease.exists() and is_held(lease)

    def _segment(self, connection: Connection, worker_sid: str, at_ms: int) -> Segment | None:
        found = segment_rows.line(connection, self._tenant, worker_sid, at_ms + 1, at_ms + 1, 1)
        return found[0] if found else None

    def _timeline(self, connection: Connection, person: Person, at_ms: int, now_ms: int) -> AgentTimeline:
        """The worker's timeline; where it has let go of the instant, read again as the connector itself would."""
        if not person.timeline.too_old(at_ms):
            return person.timeline
        floor = Floor(self._rules, reorder_window_ms=0)
        worker = Worker(person.timeline)
        up_to = eventlog.cursor(connection, self._tenant, CURSOR)

        def history(worker_sid: str, from_ms: int) -> tuple[list[TaskRouterEvent], dict[str, int]]:
            events = eventlog.of_worker(connection, self._tenant, worker_sid, from_ms, up_to)
            tasks = {one.task_sid for one in events if one.task_sid is not None}
            return events, eventlog.task_ends(connection, self._tenant, tasks, up_to)

        floor.replay(worker, at_ms, now_ms, history)
        return worker.timeline

    def _offline_source(self) -> str:
        by_setting = self._settings.mapping.offline_activity_sid is not None
        return "by the setting offline_activity_sid" if by_setting else "by the Flex configuration"

    def _naming(self, segment: Segment, person: Person) -> Naming:
        state, mapping = segment.state, self._rules.mapping
        override = mapping.override(state.activity_sid, state.activity_name) if state.activity_sid else None
        found = mapping.wfm_state(state)
        if override is not None and (override.event_id is not None or override.reason is not None):
            by = f"the setting [mapping.activities] for {state.activity_name or state.activity_sid}"
        else:
            by = f"contract profile {self._settings.wfm.profile}"
        agent_by = self._settings.mapping.agent_id.replace("_", " ").replace("attribute:", "attribute ")
        timeline = person.timeline
        agent = mapping.agent_for(timeline.worker_sid, timeline.worker_name, timeline.agent_key)
        problem = next((one.problem for one in (found, agent) if isinstance(one, Unmapped)), None)
        told = None if isinstance(found, Unmapped) else (found.event_id, found.reason)
        return Naming(told, problem, by, agent_by)

    def _answer(
        self, connection: Connection, state: StoredState | None, shown: StoredState | None
    ) -> StoredAnswer | None:
        for one in (state, shown):
            if one is not None and one.answer_id is not None:
                return lookups.answer(connection, one.answer_id)
        return None

    # -- what began a state -------------------------------------------------------------------------------------

    def _cause(
        self,
        connection: Connection,
        state: StoredState,
        segment: Segment | None,
        found: Ruling | None,
        timeline: AgentTimeline,
    ) -> Cause:
        if found is not None and found.rule is DELETED:
            gone = ("worker.deleted", SNAPSHOT_WORKER_GONE)
            return Cause(lookups.newest_of_types(connection, self._tenant, state.worker_sid, gone))
        if state.cause_sid is not None:
            event = lookups.received(connection, self._tenant, state.cause_sid)
            return Cause(event, "" if event else f"event {state.cause_sid}, which the ledger does not hold any more")
        at_once = lookups.of_worker_at(connection, self._tenant, state.worker_sid, state.start_ms)
        if at_once:
            return Cause(at_once[-1])
        return (
            self._task_end(connection, state, timeline)
            or self._by_time(state, timeline)
            or self._lost_change(connection, state, segment)
            or Cause(None, "not in the ledger any more, or from before the connector's first start")
        )

    def _task_end(self, connection: Connection, state: StoredState, timeline: AgentTimeline) -> Cause | None:
        tasks = {
            one.task_sid
            for one in timeline.reservations.values()
            if one.task_sid is not None and one.task_ended_ms == state.start_ms
        }
        ends = _ends(
            one for sid in sorted(tasks) for one in lookups.of_task_at(connection, self._tenant, sid, state.start_ms)
        )
        if not ends:
            return None
        return Cause(ends[0], "the task ended, and no end of the reservation itself came within task_end_grace_s")

    def _by_time(self, state: StoredState, timeline: AgentTimeline) -> Cause | None:
        cap_ms = self._rules.states.wrap_up_cap_ms
        for one in timeline.reservations.values():
            if one.wrapup_ms is not None and one.wrapup_ms + cap_ms == state.start_ms:
                return Cause(None, f"no event: wrap-up of {one.sid} had lasted wrap_up_cap_s ({cap_ms // 1000} s)")
        if timeline.due_from_ms(state.start_ms - 1, state.start_ms, self._rules) is not None:
            return Cause(None, "no event: time alone, by parked_messaging = limited")
        return None

    def _lost_change(self, connection: Connection, state: StoredState, segment: Segment | None) -> Cause | None:
        """A change whose own event never came, told by the next one."""
        later = lookups.next_activity_change(connection, self._tenant, state.worker_sid, state.start_ms)
        if later is None or segment is None or later.event.previous_activity_sid != segment.state.activity_sid:
            return None
        return Cause(later, "its own event never came; the next activity change tells of it")


def _ends(events: Iterable[Received]) -> list[Received]:
    return [one for one in events if ends_task(one.event)]


def _waits(state: StoredState | None) -> bool:
    return state is not None and state.status in (Delivery.PENDING, Delivery.SENDING)

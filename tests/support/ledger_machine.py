"""A state machine over ledger and forwarder: whatever happens in whatever order, what was acknowledged is delivered.

`python tests/support/ledger_machine.py [EXAMPLES]` runs it by itself and prints what was tried.
"""

from __future__ import annotations

import itertools
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from flow_bench import T0
from histories import NAMES, activity, reservation, task
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ledger_oracle import line_of, lines_of
from ledger_rig import MAPPINGS, TROUBLES, Connector, Died, MortalLedger, ScriptedWfm
from sqlalchemy import select

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.agents import Rules, Segment
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import State, Unmapped
from flex_plugin_backend.ledger import eventlog, letters, outbox
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.outbox import Delivery, Kind, StateChange
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import state_changes

WORKERS = ("WK1", "WK2")
STEPS = {"created": ("accepted", "rejected", "timeout"), "accepted": ("wrapup", "completed"), "wrapup": ("completed",)}
MOODS = st.lists(st.sampled_from(ScriptedWfm.MOODS), min_size=1, max_size=3)
# Later than every timer of what may have happened.
LONG_MS = 10_000_000
_tenants = itertools.count()


def brief(one: TaskRouterEvent) -> str:
    """An event in a few letters, for a failing course."""
    what = one.activity_name or one.reservation_sid or one.task_sid or ""
    return f"{one.worker_sid or ''}:{one.type}:{what}@{(one.occurred_ms - T0) / 1000:g}"


def told(line: Sequence[Segment]) -> list[str]:
    """A line in a few letters."""
    return [f"{(one.start_ms - T0) / 1000:g} {one.state.state} {one.state.activity_name or ''}" for one in line]


class Stand:
    """What outlives an example: the ledger file with the connections of two processes and of a command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        url = f"sqlite:///{folder / 'ledger.sqlite3'}"
        self.ledgers = (MortalLedger(url), MortalLedger(url))
        self.command = Ledger(url)
        self.tried: Counter[str] = Counter()

    def close(self) -> None:
        for one in (*self.ledgers, self.command):
            one.close()

    def summary(self) -> str:
        """What was tried, one line each."""
        return "\n".join(f"{number:>8}  {what}" for what, number in sorted(self.counts().items()))

    def counts(self) -> Counter[str]:
        """How often each was tried: answers by name, troubles of a commit, and what else happened."""
        return self.tried + sum((one.counts for one in self.ledgers), Counter())


class LedgerMachine(RuleBasedStateMachine):
    """Two processes on one ledger, one of them leading, two agents, and a WFM with moods."""

    stand: Stand

    def __init__(self) -> None:
        super().__init__()
        self.tenant = f"m{next(_tenants)}"
        self.clock = ManualClock(T0)
        self.wfm = ScriptedWfm()
        self.wfm.on_taken = self._check_taken
        self.wfm.counts = self.stand.tried
        self.acknowledged: set[str] = set()
        self.happened: dict[str, TaskRouterEvent] = {}
        self.held: list[TaskRouterEvent] = []
        self.in_order = True
        self.mapping = "usual"
        self.rules_used: dict[str, Rules] = {}
        self.may_be: dict[str, set[Segment]] = {worker: set() for worker in WORKERS}
        self.replayed: set[int] = set()
        self.marked: set[int] = set()
        self.broken: list[str] = []
        self.course: list[str] = []
        self.current: dict[str, tuple[int, str]] = {}
        self.open: dict[int, tuple[str, str, dict[str, str]]] = {}
        self.numbers = itertools.count(1)
        self.processes: list[Connector | None] = [None, None]
        self._count("courses")

    def _log(self, what: str) -> None:
        """For a failing course: shorter than what Hypothesis prints."""
        self.course.append(f"{(self.clock.now_ms() - T0) / 1000:g} {what}")

    def _count(self, what: str) -> None:
        self.stand.tried[what] += 1

    # -- processes ----------------------------------------------------------------------------------------------

    @initialize()
    def both_start(self) -> None:
        for slot in (0, 1):
            self._start(slot)

    def _start(self, slot: int) -> None:
        ledger = self.stand.ledgers[slot]
        ledger.revive()
        lease = self.stand.folder / f"{self.tenant}.lease"
        one = Connector(self.tenant, ledger, lease, self.clock, self.wfm, self.mapping)
        self.rules_used[self.mapping] = one.rules
        self.processes[slot] = one
        self._lead()

    def _lead(self) -> Connector | None:
        """Whoever finds the lease free takes it; a start can be the moment at which a process dies."""
        for slot, one in enumerate(self.processes):
            if one is not None:
                try:
                    if one.lead():
                        return one
                except Died:
                    self._bury(slot)
        return None

    def _bury(self, slot: int) -> None:
        self._count("processes that died")
        one = self.processes[slot]
        if one is not None:
            one.stop()
            one.ledger.close()
        self.processes[slot] = None

    def _leader(self) -> Connector:
        """The process that leads; where none is left, the machine starts one."""
        while True:
            found = self._lead()
            if found is not None:
                return found
            self._start(0)

    def _run(self, one: Connector, step: Any) -> Any:
        """A step of this process, which may die in it."""
        slot = self.processes.index(one)
        self.wfm.kill = lambda: setattr(one.ledger, "dead", True)
        try:
            return step()
        except Died:
            self._bury(slot)
            return None

    @rule(slot=st.integers(0, 1), mapping=st.sampled_from([None, None, *MAPPINGS]))
    def restarted(self, slot: int, mapping: str | None) -> None:
        """A process is killed or ended between two steps and started, perhaps with other settings."""
        self._count("restarts")
        self._log(f"restart of {slot} with {mapping or self.mapping}")
        self.mapping = mapping or self.mapping
        one = self.processes[slot]
        if one is not None:
            one.stop()
        self._start(slot)

    @rule(slot=st.integers(0, 1), writes=st.integers(0, 5), trouble=st.sampled_from(TROUBLES))
    def in_for_trouble(self, slot: int, writes: int, trouble: str) -> None:
        """One of the next commits of this process goes wrong."""
        if self.processes[slot] is not None:
            self._log(f"{slot}: in {writes} writes {trouble}")
            self.stand.ledgers[slot].arm(writes, trouble)

    # -- what happens on the floor ------------------------------------------------------------------------------

    # Twice, because most of a course is to be about events.
    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        self._events(data)

    @rule(data=st.data())
    def more_happens(self, data: st.DataObject) -> None:
        self._events(data)

    def _events(self, data: st.DataObject, most: int = 4) -> None:
        """Some events in a row, each of which arrives at once or is on its way for a while."""
        for _ in range(data.draw(st.integers(1, most))):
            self._moment(data)
            what = data.draw(st.sampled_from(["activity", "offer", "work", "work"]))
            if what == "activity":
                self._activity(data.draw(st.sampled_from(WORKERS)), data.draw(st.sampled_from(sorted(NAMES))), data)
            elif what == "offer" or not self.open:
                self._offer(data.draw(st.sampled_from(WORKERS)), data)
            else:
                self._work(data.draw(st.sampled_from(sorted(self.open))), data)

    def _activity(self, worker: str, to: str, data: st.DataObject) -> None:
        before = self.current.get(worker)
        now_ms = self.clock.now_ms()
        more: dict[str, Any] = {"worker_name": f"name of {worker}"}
        if before is not None:
            more["previous_activity_sid"], more["previous_activity_ms"] = before[1], now_ms - before[0]
        if before is None or before[1] != to:
            self.current[worker] = (now_ms, to)
            self._happens(activity(now_ms, to, worker=worker, **more), data)

    def _offer(self, worker: str, data: st.DataObject) -> None:
        words = {"direction": data.draw(st.sampled_from(["inbound", "outbound"])), "task_channel": "voice"}
        words["worker_name"] = f"name of {worker}"
        number = next(self.numbers)
        self.open[number] = (worker, "created", words)
        self._happens(reservation("created", self.clock.now_ms(), number, worker=worker, **words), data)

    def _work(self, number: int, data: st.DataObject) -> None:
        worker, at, words = self.open[number]
        step = data.draw(st.sampled_from([*STEPS[at], *STEPS[at], "the task ends"]))
        if step in STEPS:
            self.open[number] = (worker, step, words)
        else:
            del self.open[number]
        if step == "the task ends":
            self.in_order = False  # it ends what lies behind, and is believed only after a grace
            self._happens(task("completed", self.clock.now_ms(), number), data)
        else:
            self._happens(reservation(step, self.clock.now_ms(), number, worker=worker, **words), data)

    def _moment(self, data: st.DataObject) -> None:
        self.clock.advance(data.draw(st.sampled_from([0.4, 2.0, 11.0])))

    def _happens(self, event: TaskRouterEvent, data: st.DataObject) -> None:
        self.happened[event.sid] = event
        if data.draw(st.integers(0, 4)) == 0:
            self.held.append(event)
        else:
            self._arrives([event], data.draw(st.integers(0, 1)))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def arrives_late(self, data: st.DataObject) -> None:
        """What was on its way, in any order, alone or together."""
        events = [self.held.pop(data.draw(st.integers(0, len(self.held) - 1))) for _ in range(min(2, len(self.held)))]
        self._arrives(events, data.draw(st.integers(0, 1)))

    @precondition(lambda self: self.happened)
    @rule(data=st.data())
    def arrives_again(self, data: st.DataObject) -> None:
        """Twilio repeats an event, or another route brings it too."""
        self._count("duplicates")
        self._arrives([self.happened[data.draw(st.sampled_from(sorted(self.happened)))]], data.draw(st.integers(0, 1)))

    def _arrives(self, events: list[TaskRouterEvent], slot: int) -> None:
        one = self.processes[slot] or self.processes[1 - slot]
        if one is None:
            self.held += events  # nobody answers: Twilio may try again
            self.in_order = False
            return
        with self.stand.command.read() as connection:
            newest_ms = eventlog.newest_ms(connection, self.tenant) or 0
        self.in_order = self.in_order and all(event.occurred_ms >= newest_ms for event in events)
        taken = self._run(one, lambda: one.take(events))
        self._log(f"{' '.join(map(brief, events))} -> process {slot}: {'acknowledged' if taken else 'refused'}")
        if taken:
            self._count("acknowledged")
            self.acknowledged.update(event.sid for event in events)

    # -- what the connector does --------------------------------------------------------------------------------

    @rule(moods=MOODS, busy=st.booleans(), data=st.data())
    def the_connector_works(self, moods: list[str], busy: bool, data: st.DataObject) -> None:
        self._work_on(moods, busy, data)

    @rule(moods=MOODS, busy=st.booleans(), writes=st.integers(0, 4), trouble=st.sampled_from(TROUBLES), data=st.data())
    def the_connector_works_and_has_trouble(
        self, moods: list[str], busy: bool, writes: int, trouble: str, data: st.DataObject
    ) -> None:
        leader = self._lead()
        if leader is not None:
            self.in_for_trouble(self.processes.index(leader), writes, trouble)
        self._work_on(moods, busy, data)

    def _work_on(self, moods: list[str], busy: bool, data: st.DataObject) -> None:
        """The leader projects, and makes requests that are answered so; meanwhile it may project again."""
        for mood in moods:
            self._events(data, most=1)
            leader = self._lead()
            if leader is None:
                return
            self._run(leader, leader.project)
            self._note_what_may_be()
            self.wfm.mood = mood
            self.wfm.meanwhile = leader.project if busy else lambda: None
            if leader.leads:
                self._run(leader, leader.forward)
            self._log(f"works, {mood}{', busy' if busy else ''}{'' if leader.leads else ', and dies'}")
            self.wfm.mood, self.wfm.meanwhile = "ok", lambda: None

    @rule(seconds=st.sampled_from([3, 31, 61, 1_000, 3_700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(event_id=st.sampled_from(["UNAVAILABLE", "CONTACT_VOICE", "AVAILABLE"]))
    def the_wfm_dislikes(self, event_id: str) -> None:
        """From now on it refuses this event, or no longer."""
        self.wfm.poison ^= {event_id}

    @rule()
    def dead_letters_are_replayed(self) -> None:
        """By the command, beside the processes."""
        self._count("replays")
        with self.stand.command.write_durably() as connection:
            refused = letters.states(connection, self.tenant)
            letters.replay(connection, self.tenant, refused)
        self.replayed |= {one.id for one in refused if one.status is Delivery.DEAD}

    @rule()
    def all_is_quiet(self) -> None:
        """The WFM is well and the disk too: whatever was acknowledged is delivered, and the WFM shows the present."""
        self._count("times of quiet")
        self._log("quiet")
        self._settle()
        leader = self._leader()
        with self.stand.command.read() as connection:
            present = segment_rows.last_of_all(connection, self.tenant)
        for worker, segment in present.items():
            if segment.state.state is State.UNKNOWN:
                continue  # nobody has seen the worker yet, so since when is nobody's knowledge either
            may_be = [line[-1] for line in self._lines(worker)]
            assert segment in may_be, f"{told([segment])} is none of {told(may_be)}\n{self._shown(worker, segment)}"
            self._check_shown(leader, worker, segment)

    # -- the laws -----------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """No more trouble; everything is taken back, projected and sent."""
        for ledger in self.stand.ledgers:
            ledger._plans.clear()
        leader = self._leader()
        while leader.project():
            pass
        self._note_what_may_be()
        for _ in range(200):
            if not leader.forward():
                return
        raise AssertionError("the forwarder comes to no end")

    def _note_what_may_be(self) -> None:
        """Remember every state that the events applied so far may mean."""
        for worker in WORKERS:
            for line in self._lines(worker):
                self.may_be[worker].update(line)

    def _lines(self, worker: str) -> Iterator[list[Segment]]:
        """The worker's lines that the events applied so far may mean."""
        with self.stand.command.read() as connection:
            cursor = eventlog.cursor(connection, self.tenant, "states")
            events = [event for seq, event in eventlog.after(connection, self.tenant, 0, 10_000) if seq <= cursor]
        tasks = {one.task_sid for one in events if one.worker_sid == worker}
        own = [one for one in events if one.worker_sid == worker or one.task_sid in tasks]
        return lines_of(own, worker, self.clock.now_ms(), self.rules_used["usual"])

    def _check_taken(self, one: StateChange) -> None:
        """What the WFM takes was derivable, and comes in the order of the rows."""
        try:
            self._check_origin(one)
            self._check_order(one)
        except AssertionError as error:  # the forwarder would take it for an answer of the WFM
            self.broken.append(str(error))

    def _check_origin(self, one: StateChange) -> None:
        if not any(self._is(one, segment) for segment in self.may_be[one.worker_sid]):
            self._note_what_may_be()
        assert any(self._is(one, segment) for segment in self.may_be[one.worker_sid]), f"invented: {one}"

    def _check_order(self, one: StateChange) -> None:
        before = self.wfm.taken.get(one.agent_id or "", [])
        last = before[-1] if before else None
        if one.id in {row.id for row in before}:
            assert one.id not in self.marked, f"told again, though its delivery had been written down: {one}"
        elif last is not None and one.id not in self.replayed:
            assert one.id > last.id, f"{one} after {last}"
            if self.in_order:
                assert one.start_ms >= last.start_ms, f"{one} after {last}"

    def _is(self, one: StateChange, segment: Segment) -> bool:
        if segment.start_ms != one.start_ms:
            return False
        named = (rules.mapping.wfm_state(segment.state) for rules in self.rules_used.values())
        return any(not isinstance(told, Unmapped) and (told.event_id, told.reason) == one.pair for told in named)

    def _check_shown(self, leader: Connector, worker: str, segment: Segment) -> None:
        """The WFM shows this agent's present state, unless it has no name or the WFM does not want it."""
        mapping = leader.rules.mapping
        name = mapping.wfm_state(segment.state)
        agent = mapping.agent_for(worker, f"name of {worker}", None)
        if isinstance(name, Unmapped) or isinstance(agent, Unmapped) or name.event_id in self.wfm.poison:
            return
        with self.stand.command.read() as connection:
            newest = outbox.last_of_worker(connection, self.tenant, worker)
        if newest is not None and newest.status is Delivery.DEAD:
            return  # refused when it was told; it waits for the replay
        assert self.wfm.holds(agent) == (name.event_id, name.reason), self._shown(worker, segment)

    def _shown(self, worker: str, segment: Segment) -> str:
        with self.stand.command.read() as connection:
            rows = [
                (row.id, row.start_ms - T0, row.event_id, row.agent_id, row.kind, row.status)
                for row in self._rows(connection)
                if row.worker_sid == worker
            ]
        taken = [(one.id, one.pair) for found in self.wfm.taken.values() for one in found if one.worker_sid == worker]
        return "\n".join([worker, str(told([segment])), f"rows {rows}", f"taken {taken}", *self.course])

    def _rows(self, connection: Any) -> list[Any]:
        c = state_changes.c
        return list(connection.execute(select(state_changes).where(c.tenant == self.tenant).order_by(c.id)))

    @invariant()
    def the_laws_hold(self) -> None:
        """One leads at most; acknowledged is stored, once, and nothing else is; nothing invented or out of order."""
        self._count("steps")
        assert not self.broken, self.broken
        assert sum(one is not None and one.leads for one in self.processes) <= 1
        with self.stand.command.read() as connection:
            self.marked.update(row.id for row in self._rows(connection) if row.status == Delivery.DELIVERED)
            stored = [event.sid for _, event in eventlog.after(connection, self.tenant, 0, 10_000)]
        assert len(stored) == len(set(stored))
        assert self.acknowledged <= set(stored) <= set(self.happened)

    def teardown(self) -> None:
        """In the end every cause is mended: each agent's line is the true one, and the WFM shows its end."""
        if all(one is None for one in self.processes) and not self.happened:
            return
        self.mapping = "usual"
        self.wfm.poison.clear()
        for ledger in self.stand.ledgers:
            ledger._plans.clear()
        for slot in (0, 1):
            self.restarted(slot, None)
        self._settle()
        self.clock.advance(LONG_MS / 1000)
        self._settle()
        self.dead_letters_are_replayed()
        self.restarted(0, None)
        self.restarted(1, None)
        self._settle()
        self._check_end(self._leader())
        assert not self.broken, self.broken
        for slot in (0, 1):
            one = self.processes[slot]
            if one is not None:
                one.stop()

    def _check_end(self, leader: Connector) -> None:
        with self.stand.command.read() as connection:
            events = [event for _, event in eventlog.after(connection, self.tenant, 0, 10_000)]
            rows = self._rows(connection)
            for worker in WORKERS:
                truth = line_of(events, worker, self.clock.now_ms(), leader.rules)
                line = segment_rows.line(connection, self.tenant, worker, 0, 2**62, 0)
                known = [one for at, one in enumerate(line) if at or one.state.state != "UNKNOWN"]
                assert known == truth, f"{worker}\n{told(known)}\n{told(truth)}\n" + "\n".join(self.course)
                if truth:
                    self._check_shown(leader, worker, truth[-1])
        taken = {row.id for found in self.wfm.taken.values() for row in found}
        assert {row.id for row in rows if row.status == Delivery.DELIVERED} <= taken
        # What the activity was before it was first told nobody will ever know: such a state is held for good.
        named = [row for row in rows if row.state != State.UNKNOWN]
        assert {row.status for row in named} <= {"delivered", "skipped", "late", "replaced"}, named
        assert {row.kind for row in rows} <= set(Kind)
        self._count("ends that were right")


def run(stand: Stand, *, examples: int, steps: int, derandomize: bool = False) -> None:
    """Try so many courses of at most so many steps each; raises what it finds wrong.

    Nothing is shrunk, which would take minutes: a failure tells its course in short.
    """
    one = type("LedgerMachine", (LedgerMachine,), {"stand": stand})
    phases = (Phase.generate,) if derandomize else (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        one,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=phases,
            derandomize=derandomize,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def main() -> None:
    """Print what was tried."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand(Path(folder))
        try:
            run(stand, examples=examples, steps=40)
        finally:
            stand.close()
            sys.stdout.write(stand.summary() + "\n")


if __name__ == "__main__":
    main()

"""However events arrive and whenever states are sent: the line is the in-order one, and the WFM ends up right."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flow_bench import FULL, T0, line_of, tenant_settings
from histories import NAMES, activity, reservation, task
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.testing import capture_logs

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.agents import AgentTimeline, ends_task
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Unmapped
from flex_plugin_backend.flow.condition import ConditionBoard
from flex_plugin_backend.flow.forwarder import Forwarder, ForwardRules
from flex_plugin_backend.flow.projector import Projector
from flex_plugin_backend.flow.rules import derive_rules
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.outbox import StateChange
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.ledger.tables import state_changes
from flex_plugin_backend.wfm import CXoneWfmException, FailureKind, WFMReportResponseDTO
from flex_plugin_backend.wfm.contract import load_profile

SPAN_MS = 3_000_000
# Long after the last event every timer (task end, wrap-up cap) has rung.
END_MS = T0 + SPAN_MS + 10_000_000
SETTINGS = tenant_settings()
PROFILE = load_profile("default")
RULES = derive_rules(SETTINGS, PROFILE, FULL)
PATHS = (
    ("created", "accepted", "wrapup", "completed"),
    ("created", "accepted", "completed"),
    ("created", "accepted", "wrapup"),
    ("created", "accepted"),
    ("created", "rejected"),
    ("created", "timeout"),
    ("created", "rescinded"),
)
ACTIONS = (
    "project",
    "project",
    "send",
    "fail",
    "project while sending",
    "project, then fail",
    "restart",
    "wait",
    "repeat",
)
# How far the connector's clock may be behind Twilio's.
SKEW_MS = 2_000

_tenants = itertools.count()
Line = list[tuple[int, str | None, str]]


@st.composite
def histories(draw: st.DrawFn) -> list[TaskRouterEvent]:
    """A legal history of two workers, oldest first; some of its events may be lost."""
    events: list[TaskRouterEvent] = []
    moments = st.integers(1, SPAN_MS).map(lambda at: T0 + at)
    numbers = itertools.count(1)
    for worker in ("WK1", "WK2"):
        current: tuple[int, str] | None = None
        for at_ms in sorted(draw(st.lists(moments, min_size=1, max_size=5, unique=True))):
            to = draw(st.sampled_from([sid for sid in NAMES if current is None or sid != current[1]]))
            before: dict[str, Any] = {}
            if current is not None:
                before = {
                    "previous_activity_sid": current[1],
                    "previous_activity_name": NAMES[current[1]],
                    "previous_activity_ms": at_ms - current[0],
                }
            events.append(activity(at_ms, to, worker=worker, **before))
            current = (at_ms, to)
        for _ in range(draw(st.integers(0, 3))):
            events += draw(contacts(worker, next(numbers) + (0 if worker == "WK1" else 100)))
        if draw(st.integers(0, 12)) == 0:
            events.append(
                TaskRouterEvent(sid=f"EVdel{worker}", type="worker.deleted", occurred_ms=T0, worker_sid=worker)
            )
    lost = draw(st.sets(st.integers(0, len(events) - 1), max_size=2))
    kept = [one for at, one in enumerate(events) if at not in lost] or events
    return sorted(kept, key=lambda one: one.occurred_ms)


@st.composite
def contacts(draw: st.DrawFn, worker: str, number: int) -> list[TaskRouterEvent]:
    """One reservation of a worker; the task may end without the reservation saying so."""
    path = draw(st.sampled_from(PATHS))
    count = len(path) + 1
    moments = sorted(draw(st.lists(st.integers(1, SPAN_MS), min_size=count, max_size=count, unique=True)))
    near = draw(st.booleans())
    if near:  # a flicker: steps that follow one another within seconds
        moments = [moments[0] + 700 * step for step in range(count)]
    words = {
        "direction": draw(st.sampled_from(["inbound", "outbound"])),
        "task_channel": draw(st.sampled_from(["voice", "chat"])),
    }
    found = [
        reservation(step, T0 + at, number, worker=worker, **words) for step, at in zip(path, moments, strict=False)
    ]
    if draw(st.booleans()):
        found.append(task(draw(st.sampled_from(["completed", "canceled"])), T0 + moments[-1], number))
    return found


@dataclass
class World:
    """One tenant of its own in the shared ledger."""

    ledger: Ledger
    reorder_window_s: float
    catch_up_s: float

    def __post_init__(self) -> None:
        self.tenant = f"t{next(_tenants)}"
        self.clock = ManualClock(T0)
        self.received: dict[str, StateChange] = {}
        self.action = "send"
        self.restart()
        self.projector.set_catalogue(FULL)

    def restart(self) -> None:
        """A new process on the same ledger."""
        self.projector = Projector(
            self.tenant,
            self.ledger,
            self.clock,
            rules_for=lambda catalogue: derive_rules(SETTINGS, PROFILE, catalogue),
            reorder_window_s=self.reorder_window_s,
            on_changes=lambda: None,
        )
        self.forwarder = Forwarder(
            self.tenant,
            self.ledger,
            self.clock,
            self.send,
            ForwardRules(batch_limit=3, catch_up_s=self.catch_up_s, snapshot_after_outage_s=1e9),
            ConditionBoard(self.tenant, T0),
        )
        self.projector.load()
        self.forwarder.resume()

    def send(self, changes: Sequence[StateChange]) -> WFMReportResponseDTO:
        """The WFM: takes the states, or not; meanwhile events may be projected."""
        if "project" in self.action:
            self.projector.step()
        if "fail" in self.action:
            raise CXoneWfmException(kind=FailureKind.PASSING, operation="agent_states", problem="down")
        for one in changes:
            self.received[one.worker_sid] = one
        return WFMReportResponseDTO(status=204)

    def store(self, events: Sequence[TaskRouterEvent]) -> None:
        """Events arrive, each after it happened."""
        newest_ms = max((one.occurred_ms for one in events), default=0)
        self.clock.set_ms(max(self.clock.now_ms(), newest_ms - SKEW_MS))
        with self.ledger.write() as connection:
            eventlog.append(connection, [Arrival(self.tenant, one, self.clock.now_ms()) for one in events])

    def act(self, action: str) -> None:
        """Something happens between two arrivals."""
        self.action = action
        if action == "project":
            self.projector.step()
        elif action == "restart":
            self.restart()
        elif action == "repeat":
            self.projector.repeat_present_states()
        elif action == "wait":
            self.clock.advance(40)
        else:
            self.forwarder.step()

    def finish(self) -> None:
        """All is projected, every timer has rung, all is sent."""
        while self.projector.step():
            pass
        self.clock.set_ms(END_MS)
        while self.projector.step():
            pass
        self.action = "send"
        while self.forwarder.step() is not None:
            pass

    def rows(self, worker: str) -> list[Any]:
        """The stored state changes of a worker, in sending order."""
        c = state_changes.c
        query = select(state_changes).where(c.tenant == self.tenant, c.worker_sid == worker).order_by(c.id)
        with self.ledger.read() as connection:
            return list(connection.execute(query))


def derived(events: Sequence[TaskRouterEvent], worker: str) -> Line:
    """The line straight from the domain, all events known and in order."""
    timeline = AgentTimeline(worker)
    for one in events:
        if one.worker_sid == worker:
            timeline.apply(one, RULES)
    for one in events:
        if ends_task(one) and one.task_sid is not None:
            timeline.end_task(one.task_sid, one.occurred_ms, one.occurred_ms)
    line: Line = []
    for segment in timeline.segments(0, END_MS, RULES):
        found = RULES.mapping.wfm_state(segment.state)
        pair = (None, "") if isinstance(found, Unmapped) else (found.event_id, found.reason)
        if not line or line[-1][1:] != pair:
            line.append((segment.start_ms, *pair))
    return known(line)


def known(line: Line) -> Line:
    """Without the unknown at its beginning: nothing is invented before the worker was first seen."""
    return line[1:] if line and line[0][1] is None else line


def shown(rows: Sequence[Any], truth: Line) -> str:
    """Rows and truth, for a failing example."""
    told = [(row.id, row.start_ms - T0, row.event_id, row.kind, row.status) for row in rows]
    return f"\nrows  {told}\ntruth {[(at - T0, *pair) for at, *pair in truth]}"


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """Thousands of conditions are not worth a line each."""
    with capture_logs():
        yield


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One ledger for all examples; each example is a tenant of its own."""
    found = Ledger(f"sqlite:///{Path(tmp_path_factory.mktemp('line')) / 'ledger.sqlite3'}")
    yield found
    found.close()


class Day:
    """A history, oldest first, and how it arrives: batches, each followed by something that happens."""

    def __init__(self, history: list[TaskRouterEvent], steps: list[tuple[list[TaskRouterEvent], str]]) -> None:
        self.history = history
        self.steps = steps

    def __repr__(self) -> str:
        told = [(" ".join(map(brief, batch)), action) for batch, action in self.steps]
        return f"Day({[brief(one) for one in self.history]}, arriving: {told})"


def brief(one: TaskRouterEvent) -> str:
    """An event in a few letters, for a failing example."""
    what = one.activity_name or one.reservation_sid or one.task_sid or ""
    back = f"<-{one.previous_activity_name}:{one.previous_activity_ms}" if one.previous_activity_sid else ""
    return f"{one.worker_sid or ''}:{one.type.rpartition('.')[2]}:{what}{back}@{one.occurred_ms - T0}"


@st.composite
def days(draw: st.DrawFn) -> Day:
    """A history and how it arrives: in batches, in any order, some twice, with something happening in between."""
    history = draw(histories())
    order = list(draw(st.permutations(history))) if draw(st.booleans()) else swapped(draw, history)
    order += draw(st.lists(st.sampled_from(history), max_size=2))
    steps: list[tuple[list[TaskRouterEvent], str]] = []
    while order:
        size = draw(st.integers(1, 4))
        batch, order = order[:size], order[size:]
        steps.append((batch, draw(st.sampled_from(ACTIONS))))
        steps += [([], action) for action in draw(st.lists(st.sampled_from(ACTIONS), max_size=2))]
    return Day(history, steps)


def swapped(draw: st.DrawFn, history: list[TaskRouterEvent]) -> list[TaskRouterEvent]:
    """In order but for a few neighbours: what a network really does."""
    order = list(history)
    for at in draw(st.lists(st.integers(0, max(0, len(order) - 2)), max_size=4)):
        if at + 1 < len(order):
            order[at], order[at + 1] = order[at + 1], order[at]
    return order


# Without shrinking: it would take minutes, and a day's text is short enough to read.
@settings(max_examples=150, deadline=None, phases=[Phase.generate, Phase.explicit, Phase.reuse])
@given(day=days(), window_s=st.sampled_from([0.0, 60.0, 900.0]), catch_up_s=st.sampled_from([5.0, 900.0]))
def test_the_line_is_the_in_order_one_and_the_wfm_ends_up_right(
    ledger: Ledger,
    day: Day,
    window_s: float,
    catch_up_s: float,
) -> None:
    """The stored line equals the one derived in order; the last state the WFM received is the true present one."""
    check(World(ledger, window_s, catch_up_s), day)


def check(world: World, day: Day) -> None:
    """Let the day happen, then compare lines and what the WFM holds."""
    for batch, action in day.steps:
        world.store(batch)
        world.act(action)
    world.finish()
    for worker in ("WK1", "WK2"):
        truth = derived(day.history, worker)
        rows = world.rows(worker)
        assert known(line_of(rows)) == truth, shown(rows, truth)
        if not truth or truth[-1][1] is None:
            continue
        held = world.received[worker]
        assert (held.event_id, held.reason) == truth[-1][1:], shown(rows, truth)


# Days that once went wrong, cut down to what was needed: (reorder window in seconds, history, arrivals).
_OUT = {"direction": "outbound"}


def _timer_overdue_at_the_restart() -> tuple[float, list[TaskRouterEvent], list[tuple[list[int], str]]]:
    first, end = reservation("accepted", T0 + 1_766, 2, **_OUT), task("canceled", T0 + 3_166, 2)
    later = reservation("accepted", T0 + 9_438, 1)
    change = activity(T0 + 549_122, "WA3", previous_activity_sid="WA2", previous_activity_ms=176_052)
    steps = [([0], "restart"), ([1], "repeat"), ([2], "project"), ([3], "restart")]
    return 900.0, [first, end, later, change], steps


def _timer_rings_beside_a_look_at_names() -> tuple[float, list[TaskRouterEvent], list[tuple[list[int], str]]]:
    lunch = activity(T0 + 1_869, "WA3", previous_activity_sid="WA0", previous_activity_ms=1_555)
    wrap, end = reservation("wrapup", T0 + 10_682, 2), task("completed", T0 + 28_058, 2)
    back = activity(T0 + 72_686, "WA1", previous_activity_sid="WA3", previous_activity_ms=70_817)
    steps: list[tuple[list[int], str]] = [([], "wait"), ([0], "fail"), ([], "wait"), ([1, 2], "project")]
    return 0.0, [lunch, wrap, end, back], [*steps, ([3], "project"), ([], "wait"), ([], "restart")]


def _end_later_in_the_batch_that_is_replayed() -> tuple[float, list[TaskRouterEvent], list[tuple[list[int], str]]]:
    contact, end = reservation("accepted", T0 + 784, 1, **_OUT), task("completed", T0 + 1_484, 1)
    off = activity(T0 + 661_891, "WA0", previous_activity_sid="WA3", previous_activity_ms=433_219)
    pause = activity(T0 + 1_641_078, "WA2", previous_activity_sid="WA0", previous_activity_ms=979_187)
    steps = [([0], "project, then fail"), ([], "project"), ([3], "project while sending"), ([2, 1], "send")]
    return 0.0, [contact, end, off, pause], steps


def _present_state_held_up_by_another_reservation() -> tuple[float, list[TaskRouterEvent], list[tuple[list[int], str]]]:
    first, second = reservation("created", T0 + 134, 4, **_OUT), reservation("created", T0 + 613, 5, **_OUT)
    missed = reservation("timeout", T0 + 834, 4, **_OUT)
    pause = activity(T0 + 6_550, "WA2", previous_activity_sid="WA0", previous_activity_ms=3_189)
    steps = [([0], "send"), ([1], "project"), ([2, 3], "repeat"), ([], "project"), ([], "restart")]
    return 0.0, [first, second, missed, pause], steps


def _two_timers_overdue_at_once() -> tuple[float, list[TaskRouterEvent], list[tuple[list[int], str]]]:
    ringing, contact = reservation("created", T0 + 96, 2, **_OUT), reservation("accepted", T0 + 848, 1)
    end, late_end = task("canceled", T0 + 1_548, 1), task("canceled", T0 + 228_916, 2)
    steps = [([1], "restart"), ([3], "project"), ([0, 2], "project while sending")]
    return 0.0, [ringing, contact, end, late_end], steps


@pytest.mark.parametrize(
    "pinned",
    [
        _timer_overdue_at_the_restart,
        _timer_rings_beside_a_look_at_names,
        _end_later_in_the_batch_that_is_replayed,
        _present_state_held_up_by_another_reservation,
        _two_timers_overdue_at_once,
    ],
)
def test_days_that_once_went_wrong(ledger: Ledger, pinned: Any) -> None:
    """Each of these days found a fault in what a restart, a replay or a timer takes for known."""
    window_s, history, steps = pinned()
    check(World(ledger, window_s, 900.0), Day(history, [([history[at] for at in batch], act) for batch, act in steps]))

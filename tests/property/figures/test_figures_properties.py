"""What holds for the true figures of every world, and an independent reading of the events that arrives at them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

import pytest

from simulator.world.engine import World
from simulator.world.events import Event
from simulator.world.figures import AGENT_QUEUE_FIELDS, PERFORMANCE_EXTRAS, PERFORMANCE_FIELDS, Figures
from simulator.world.figures_face import true_reports
from simulator.world.figures_rules import FigureRules
from simulator.world.scenario import Scenario

_SUMMED = (
    "contacts_received", "contacts_handled", "contacts_abandoned", "contacts_answered_in_sl",
    "contacts_abandoned_in_sl", "handle_time_s", "work_time_s", "queue_delay_s", "contacts_diverted",
)  # fmt: skip
_HOURS = 5
# A crowd that hangs up, refuses, hands on and forgets, so that every kind of ending is among the contacts.
_CROWD = (("voice", 9.0, 60.0), ("chat", 4.0, 250.0), ("sms", 2.0, 900.0), ("web", 2.0, 250.0))
_UNRULY: dict[str, Any] = {
    "channels": {
        medium: {"per_agent_hour": rate, "patience": {"kind": "exponential", "mean_s": mean_s}}
        for medium, rate, mean_s in _CROWD
    },
    "transfers": {"to_queue_share": 0.2, "to_worker_share": 0.2},
    "answering": {"rejects_share": 0.1, "times_out_share": 0.1, "hangs_up_ringing_share": 0.1},
    "outbound": {"per_agent_hour": 1.0}, "internal": {"per_agent_hour": 1.0},
    "adherence": {"short_pauses_per_hour": 6.0},
}  # fmt: skip


@pytest.fixture(scope="module", params=[(1, {}), (2, {}), (3, _UNRULY), (4, _UNRULY)], ids=lambda p: f"seed{p[0]}")
def world(request: pytest.FixtureRequest) -> World:
    """A small floor after five hours."""
    seed, temper = request.param
    scenario = Scenario.model_validate({"agents": 15, "seed": seed, **temper})
    world = World(scenario)
    world.advance_to(scenario.start_ms + _HOURS * 3_600_000)
    return world


@pytest.fixture(scope="module")
def reports(world: World) -> dict[str, Any]:
    return true_reports(world)


def _added_up(intervals: list[dict[str, Any]], part: str, key: tuple[str, ...], fields: tuple[str, ...]) -> Any:
    sums: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for one in intervals:
        for row in one[part]:
            sums[tuple(row[name] for name in key)].update({name: row[name] for name in fields})
    return {where: {name: row[name] for name in fields} for where, row in sums.items() if any(row.values())}


@pytest.mark.parametrize(
    ("part", "key", "fields"),
    [
        ("queue_report", ("queue_id",), _SUMMED),
        ("agent_queue_report", ("queue_id", "agent_id"), AGENT_QUEUE_FIELDS),
        ("agent_system_performance_report", ("agent_id",), PERFORMANCE_FIELDS + PERFORMANCE_EXTRAS),
    ],
)
def test_the_intervals_add_up_to_the_day(
    reports: dict[str, Any], part: str, key: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    """The figures of the whole stretch at once are the sums over its intervals, to the second."""
    assert _added_up(reports["intervals"], part, key, fields) == _added_up([reports["totals"]], part, key, fields)


def test_every_activity_of_the_day_is_in_exactly_one_interval(reports: dict[str, Any]) -> None:
    """The rows of all intervals are the rows of the whole, and each lies where it ends."""
    rows = [row for one in reports["intervals"] for row in one["report_data"]]
    assert sorted(map(json.dumps, rows)) == sorted(map(json.dumps, reports["totals"]["report_data"]))
    for one in reports["intervals"]:
        assert all(one["start_ms"] <= row["end_ms"] < one["end_ms"] for row in one["report_data"])
    assert all(row["end_ms"] - row["start_ms"] >= 3_000 for row in rows)


def test_received_is_handled_abandoned_and_diverted_and_agents_add_up_to_queues(reports: dict[str, Any]) -> None:
    """In every row; and what the agents of a queue handled is what the queue handled."""
    for one in [*reports["intervals"], reports["totals"]]:
        by_queue: Counter[str] = Counter()
        for row in one["agent_queue_report"]:
            by_queue[row["queue_id"]] += row["handle_time_s"]
        for row in one["queue_report"]:
            assert row["contacts_received"] == (
                row["contacts_handled"] + row["contacts_abandoned"] + row["contacts_diverted"]
            )
            assert row["contacts_abandoned"] == row["contacts_abandoned_short"] + row["contacts_abandoned_long"]
            assert row["backlog"] == row["backlog_not_expired"] + row["backlog_expired"]
            assert row["handle_time_s"] == by_queue[row["queue_id"]]
            assert row["work_time_s"] <= row["handle_time_s"]


def test_login_is_ready_idle_and_busy_and_never_more_than_the_interval(reports: dict[str, Any]) -> None:
    """In every row."""
    for one in reports["intervals"]:
        for row in one["agent_system_performance_report"]:
            assert row["login_time_s"] == row["ready_time_s"] + row["idle_time_s"] + row["busy_time_s"] <= 900


def test_littles_law(world: World) -> None:
    """The backlog looked at every 10 s, times 10 s, is the time waited, but for 10 s per stay."""
    figures = Figures(world.truth.ledger, FigureRules(), until_ms=world.now_ms)
    start_ms, length_ms = world.scenario.start_ms, 10_000
    looks = figures.cut(start_ms, length_ms, _HOURS * 360)
    seen_s = sum(row.sums["backlog"] for one in looks for row in one.queues.values()) * length_ms / 1000
    stays = [stay for stay in world.truth.ledger.stays if stay.start_ms <= world.now_ms]
    waited_s = sum((min(stay.end_ms or world.now_ms, world.now_ms) - stay.start_ms) / 1000 for stay in stays)
    assert len(stays) > 100
    assert abs(seen_s - waited_s) <= 10 * len(stays) ** 0.5 * 3  # each look is off by up to 10 s either way


def test_the_states_behind_the_figures_are_the_states_of_the_truth(world: World) -> None:
    """Laid out anew from activities and reservations, they are what the model told of itself."""
    figures = Figures(world.truth.ledger, FigureRules(wrap_up_cap_s=1e9), until_ms=world.now_ms)
    for worker in world.floor.workers:
        told = [(state.start_ms, *state.value) for state in world.truth.until(worker, world.now_ms)]
        spans = figures.spans(worker.sid)
        assert [(span.start_ms, span.state, span.channel, span.direction, span.reason) for span in spans] == told


class _Reader:
    """Counts queue figures from events alone; written for this test, shares nothing with the books."""

    def __init__(self) -> None:
        self.sums: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        self.waits: dict[str, tuple[int, str]] = {}
        self.legs: dict[str, dict[str, Any]] = {}
        self.talking: dict[str, str] = {}

    def read(self, event: Event) -> None:
        data, kind, task = event.data(), event.type, event.task_sid
        if not task or json.loads(data["task_attributes"])["direction"] != "inbound":
            return
        sid = data.get("reservation_sid", "")
        if kind in ("task-queue.entered", "task.transfer-initiated"):
            self.waits[task] = (event.ms, data["task_queue_sid"])
        elif kind == "reservation.accepted":
            since_ms, queue = self.waits.pop(task, (event.ms, data["task_queue_sid"]))
            self.legs[sid] = {"queue": queue, "since": since_ms, "accepted": event.ms, "wrapped": event.ms}
            self.talking[sid] = task
        elif kind == "reservation.wrapup":
            self.legs[sid]["wrapped"] = event.ms
            self.talking.pop(sid)
        elif kind == "reservation.completed":
            self._handled(self.legs.pop(sid), event.ms, wrapped=self.talking.pop(sid, None) is None)
        elif kind == "task.canceled" or (kind == "task.transfer-failed" and task not in self.talking.values()):
            self._lost(task, event.ms, data.get("task_canceled_reason", ""))
        elif kind == "task.transfer-failed":
            self.waits.pop(task, None)

    def _handled(self, leg: dict[str, Any], ms: int, *, wrapped: bool) -> None:
        row = self.sums[ms // 900_000, leg["queue"]]
        wait_ms = leg["accepted"] - leg["since"]
        row["contacts_handled"] += 1
        row["queue_delay_s"] += leg["accepted"] // 1000 - leg["since"] // 1000
        row["contacts_answered_in_sl"] += wait_ms <= 20_000
        row["handle_time_s"] += ms // 1000 - leg["accepted"] // 1000
        row["work_time_s"] += ms // 1000 - leg["wrapped"] // 1000 if wrapped else 0

    def _lost(self, task: str, ms: int, reason: str) -> None:
        waiting = self.waits.pop(task, None)
        if waiting is not None:
            row = self.sums[ms // 900_000, waiting[1]]
            row["contacts_diverted" if reason in ("Callback requested", "voicemail") else "contacts_abandoned"] += 1


def test_events_alone_lead_to_the_same_queue_figures(world: World, reports: dict[str, Any]) -> None:
    """An independent count over the event log equals the figures that were computed without events."""
    reader = _Reader()
    for event in world.log:
        reader.read(event)
    fields = (
        "contacts_handled", "contacts_abandoned", "contacts_diverted", "contacts_answered_in_sl", "handle_time_s",
        "work_time_s", "queue_delay_s",
    )  # fmt: skip
    told = {
        (one["start_ms"] // 900_000, row["queue_id"]): {name: row[name] for name in fields if row[name]}
        for one in reports["intervals"]
        for row in one["queue_report"]
    }
    read = {where: {name: row[name] for name in fields if row[name]} for where, row in reader.sums.items()}
    last = reports["to_ms"] // 900_000
    assert {where: row for where, row in told.items() if row} == {
        where: row for where, row in read.items() if row and where[0] < last
    }

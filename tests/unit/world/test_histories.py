"""The event log tells only histories that TaskRouter allows."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise

from simulator.world.engine import World
from simulator.world.events import Event, callback_parameters
from simulator.world.scenario import Scenario
from simulator.world.transitions import KEEPS_ENDED_TASKS_MS

_NEXT = {
    "": {"created"},
    "created": {"accepted", "rejected", "timeout", "canceled", "rescinded"},
    "accepted": {"wrapup", "completed"},
    "wrapup": {"completed"},
}
_OPEN = {"created", "accepted", "wrapup"}

# As seen on the wire (Twilio reference 1.3).
_WORKER_KEYS = """
AccountSid EventDescription EventType OperatingUnitSid ResourceSid ResourceType Sid Timestamp TimestampMs
WorkerActivityName WorkerActivitySid WorkerAttributes WorkerName WorkerPreviousActivityName WorkerPreviousActivitySid
WorkerSid WorkerTimeInPreviousActivity WorkerTimeInPreviousActivityMs WorkerVersion WorkspaceName WorkspaceSid
"""
_RESERVATION_KEYS = """
AccountSid EventDescription EventType OperatingUnitSid ReservationSid ReservationVersion ResourceSid ResourceType Sid
TaskAge TaskAssignmentStatus TaskAttributes TaskChannelSid TaskChannelUniqueName TaskDateCreated TaskIgnoreCapacity
TaskPriority TaskQueueEnteredDate TaskQueueName TaskQueueSid TaskQueueTargetExpression TaskSid TaskVersion
TaskVirtualStartTime Timestamp TimestampMs WorkerActivityName WorkerActivitySid WorkerAttributes WorkerName WorkerSid
WorkerVersion WorkflowName WorkflowSid WorkspaceName WorkspaceSid WorkerChannelCapacity WorkerChannelConsumedCapacity
"""


def _by(day: World, prefix: str, field: str) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in day.log:
        if event.type.startswith(prefix):
            groups[event.data()[field] if field != "resource" else event.resource_sid].append(event)
    return groups


def test_events_lie_in_order_of_time_and_have_sids_of_their_own(day: World) -> None:
    """The log never steps back, and no two events share a sid."""
    events = list(day.log)
    assert all(a.ms <= b.ms for a, b in pairwise(events))
    assert len({event.sid for event in events}) == len(events)


def test_the_events_of_a_worker_never_share_a_millisecond(day: World) -> None:
    """Whoever sorts one worker's events by time has them in the only order."""
    last: dict[str, int] = {}
    for event in day.log:
        if event.worker_sid:
            assert event.ms > last.get(event.worker_sid, 0)
            last[event.worker_sid] = event.ms


def test_events_of_different_resources_do_share_milliseconds(day: World) -> None:
    """A task and its reservation often end in the same millisecond, in either order."""
    first: Counter[str] = Counter()
    ends: dict[str, tuple[str, int]] = {}
    for event in day.log:
        if event.type in {"task.completed", "reservation.completed"}:
            before = ends.setdefault(event.task_sid, (event.type, event.ms))
            if before[0] != event.type:
                first["tie" if before[1] == event.ms else before[0]] += 1
    assert min(first["tie"], first["task.completed"], first["reservation.completed"]) > 10


def test_reservations_live_as_taskrouter_lets_them(day: World) -> None:
    """Created, then accepted or refused; accepted, then wrap-up or completed; versions count from nought."""
    kinds: Counter[str] = Counter()
    for events in _by(day, "reservation.", "resource").values():
        state = ""
        for number, event in enumerate(events):
            kind = event.type.split(".")[1]
            assert kind in _NEXT[state], (state, kind)
            assert event.data()["reservation_version"] == str(number)
            state = kind
            kinds[kind] += 1
    assert set(kinds) >= {"created", "accepted", "wrapup", "completed", "rejected", "timeout", "canceled"}


def test_a_task_ends_once_and_after_its_reservations(day: World) -> None:
    """The end of a task and the end of its last reservation lie within a few milliseconds; nothing opens afterwards."""
    open_now: dict[str, set[str]] = defaultdict(set)
    ended: dict[str, int] = {}
    for event in day.log:
        if event.type in {"task.completed", "task.canceled"}:
            assert event.task_sid not in ended
            ended[event.task_sid] = event.ms
        if event.type.startswith("reservation."):
            kind = event.type.split(".")[1]
            if event.task_sid in ended:
                assert kind not in _OPEN
                assert event.ms - ended[event.task_sid] <= 10
            if kind in _OPEN:
                open_now[event.task_sid].add(event.resource_sid)
            else:
                open_now[event.task_sid].discard(event.resource_sid)
    late = [sid for sid, ms in ended.items() if open_now[sid] and ms < day.now_ms - 1000]
    assert late == []


def test_a_worker_is_offered_no_second_call(day: World) -> None:
    """Voice has room for one; a routed call never rings where another voice reservation is open."""
    open_calls: dict[str, set[str]] = defaultdict(set)
    for event in day.log:
        if not event.type.startswith("reservation.") or event.task["task_channel_unique_name"] != "voice":
            continue
        calls = open_calls[event.worker_sid]
        if event.type.split(".")[1] in _OPEN:
            calls.add(event.resource_sid)
        else:
            calls.discard(event.resource_sid)
        assert len(calls) <= 1


def test_routed_work_goes_to_available_workers_only(day: World) -> None:
    """Only a task with a routing target may ring at an unavailable worker."""
    unavailable = {activity.sid for activity in day.floor.activities.values() if not activity.available}
    targeted = 0
    for event in day.log:
        if event.type == "reservation.created" and event.worker["worker_activity_sid"] in unavailable:
            assert event.task["task_ignore_capacity"] == "true"
            targeted += 1
    assert targeted > 0


def test_worker_versions_rise_with_every_change(day: World) -> None:
    """A worker's version grows by one with each worker event; capacity events raise it without telling."""
    for events in _by(day, "worker.", "worker_sid").values():
        version: int | None = None
        for event in events:
            told = event.data().get("worker_version")
            if event.type == "worker.capacity.update":
                assert told is None
                version = None if version is None else version + 1
            else:
                assert version is None or int(told or "") == version + 1
                version = int(told or "")


def test_activity_updates_tell_of_the_activity_before(day: World) -> None:
    """Previous activity and the time in it continue the update before."""
    for events in _by(day, "worker.activity.update", "worker_sid").values():
        for before, after in pairwise(events):
            data = after.data()
            assert data["worker_previous_activity_sid"] == before.data()["worker_activity_sid"]
            assert data["worker_activity_sid"] != data["worker_previous_activity_sid"]
            assert int(data["worker_time_in_previous_activity_ms"]) == after.ms - before.ms
            assert int(data["worker_time_in_previous_activity"]) == (after.ms - before.ms) // 1000


def test_a_timed_out_reservation_is_followed_by_the_timeout_activity(day: World) -> None:
    """After the timeout TaskRouter moves the worker, within half a second, and the worker comes back later."""
    moves = _by(day, "worker.activity.update", "worker_sid")
    timeouts = [event for event in day.log if event.type == "reservation.timeout" and event.ms < day.now_ms - 600_000]
    followed = 0
    for event in timeouts:
        after = [move for move in moves[event.worker_sid] if 0 < move.ms - event.ms <= 500]
        followed += any(
            move.data()["worker_activity_name"] == day.scenario.workspace.timeout_activity for move in after
        )
        assert any(move.ms > event.ms + 500 for move in moves[event.worker_sid])
    assert timeouts
    # A worker who had gone unavailable before the timeout is left where it is.
    assert followed >= len(timeouts) * 0.9


def test_the_day_holds_what_makes_a_floor_difficult(day: World) -> None:
    """Warm and cold transfers, hang-ups while ringing, refusals by leaving, parked chats, contacts left at night."""
    events = list(day.log)
    modes = Counter(event.extra.get("transfer_mode") for event in events if event.type == "task.transfer-completed")
    assert modes["WARM"] > 0 < modes["COLD"]
    ringing = {event.task_sid for event in events if event.type == "reservation.canceled"}
    assert ringing & {event.task_sid for event in events if event.type == "task.canceled"}
    offline = day.truth.offline_activity_sid
    left = [
        event
        for event in events
        if event.type == "reservation.completed" and event.worker["worker_activity_sid"] == offline
    ]
    assert left
    refused = {event.worker_sid: event.ms for event in events if event.type == "reservation.rejected"}
    assert any(
        event.type == "worker.activity.update" and abs(event.ms - refused.get(event.worker_sid, 0)) <= 100
        for event in events
    )


def test_a_warm_transfer_has_two_agents_on_one_task(day: World) -> None:
    """The target accepts while the initiator is still accepted, and the task ends with the last of them."""
    for event in day.log:
        if event.type == "reservation.accepted" and event.extra.get("transfer_mode") == "WARM":
            initiator = event.extra["transfer_initiating_reservation_sid"]
            wraps = [one.ms for one in day.log if one.resource_sid == initiator and one.type == "reservation.wrapup"]
            assert all(ms > event.ms for ms in wraps)
            assert event.extra["transfer_to"] == event.worker_sid
            return
    raise AssertionError("no warm transfer was accepted")


def test_callbacks_carry_the_keys_seen_on_the_wire(day: World) -> None:
    """The parameters of the two kinds that matter most are exactly those observed."""
    worker_keys, reservation_keys = set(_WORKER_KEYS.split()), set(_RESERVATION_KEYS.split())
    for event in day.log:
        parameters = callback_parameters(event, account_sid="AC1", workspace_sid="WS1", workspace_name="W")
        assert all(isinstance(value, str) for value in parameters.values())
        assert parameters["TimestampMs"] == str(event.ms)
        if event.type == "worker.activity.update":
            assert set(parameters) == worker_keys
        elif event.type.startswith("reservation.") and "transfer_mode" not in event.extra:
            assert set(parameters) == reservation_keys
        elif event.type == "task.created":
            assert "TaskQueueSid" not in parameters


def test_customers_stand_in_the_task_attributes(day: World) -> None:
    """Names, numbers and addresses of customers travel in the attributes, so that a leak could be found."""
    texts = " ".join({event.task["task_attributes"] for event in day.log if event.type == "task.created"})
    found = [customer for customer in day.customers if customer.phone in texts and customer.name in texts]
    assert len(found) > len(day.customers) // 3
    assert any(customer.email in texts for customer in found)
    assert any(not customer.name.isascii() for customer in day.customers)


def test_attributes_are_json_of_a_size_that_twilio_takes(day: World) -> None:
    """Worker and task attributes parse and keep below 4096 characters."""
    for event in day.log:
        for block, key in ((event.task, "task_attributes"), (event.worker, "worker_attributes")):
            if block:
                assert len(block[key]) <= 4096
                assert isinstance(json.loads(block[key]), dict)


def test_ended_tasks_are_forgotten_after_five_minutes() -> None:
    """A terminal task is known for five minutes and not a millisecond longer."""
    scenario = Scenario(agents=10, seed=1)
    world = World(scenario)
    world.advance_to(scenario.start_ms + 3_600_000)
    ended = next(task for task in world.tasks(world.now_ms) if task.terminal_ms is not None)
    assert ended.terminal_ms is not None
    assert world.task(ended.sid, ended.terminal_ms + KEEPS_ENDED_TASKS_MS) is ended
    assert world.task(ended.sid, ended.terminal_ms + KEEPS_ENDED_TASKS_MS + 1) is None
    world.advance_to(world.now_ms + 3_600_000)
    assert world.task(ended.sid, world.now_ms) is None

"""What holds for every world, whatever its seed and temper."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.engine import World
from simulator.world.scenario import Scenario

_HOUR_MS = 3_600_000


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Small floors, from calm to unbearable."""
    share = st.floats(0, 0.3)
    return Scenario.model_validate(
        {
            "agents": draw(st.integers(1, 9)),
            "seed": draw(st.integers(0, 2**31)),
            "channels": {
                medium: {"per_agent_hour": draw(st.floats(0, 12)), "capacity": draw(st.integers(1, 3))}
                for medium in ("voice", "chat", "sms", "web")
            },
            "queues": _queues(draw),
            "outbound": {"per_agent_hour": draw(st.floats(0, 4))},
            "internal": {"per_agent_hour": draw(st.floats(0, 4))},
            "direct": {"per_agent_hour": draw(st.floats(0, 4))},
            "answering": {
                name: draw(share)
                for name in (
                    "rejects_share", "rejects_by_leaving_share", "times_out_share", "hangs_up_ringing_share",
                )
            },
            "transfers": {
                **{name: draw(share) for name in ("to_queue_share", "to_worker_share", "recalled_share")},
                **{name: draw(st.floats(0, 1)) for name in ("warm_to_queue_share", "cold_to_worker_share")},
                "channels": draw(st.sampled_from([("voice",), ("voice", "chat", "sms")])),
            },
            "wrap_up": {name: draw(share) for name in ("skips_share", "forgets_share", "never_closes_share")},
            "callbacks": {"requested_share": draw(share), "voicemail_share": draw(share)},
            "shifts": [
                {
                    "name": "one", "starts": draw(st.sampled_from(["06:00", "07:40", "08:30"])),
                    "hours": draw(st.sampled_from([0.5, 1.5, 9.0])),
                }
            ],
            "adherence": {
                "short_pauses_per_hour": draw(st.floats(0, 6)), "absent_share": draw(share), "late_share": draw(share),
                "overtime_share": draw(share),
            },
            "browser": {
                "closes_per_hour": draw(st.floats(0, 3)), "forgets_log_out_share": draw(st.floats(0, 1)),
                "auto_offline": draw(st.booleans()),
            },
            "plugin": {"activity_handler": draw(st.booleans()), "flaps_share": draw(share)},
            "personnel": {
                **{f"{what}_per_day": draw(st.floats(0, 60)) for what in ("hires", "renames", "deletions")},
                "deletes_at_work_share": draw(st.floats(0, 1)),
                "deletion_stamp": draw(st.sampled_from(["now", "created"])),
                "activity_renames_per_day": draw(st.floats(0, 20)),
            },
        }
    )  # fmt: skip


def _queues(draw: st.DrawFn) -> list[dict[str, object]]:
    """The usual queues, with overflow, several offers at once and time-outs."""
    rules = {
        "offers": st.integers(1, 3), "overflow_event": st.sampled_from(["moved", "timeout"]),
        "overflow_after_s": st.floats(1, 200), "timeout_s": st.floats(0, 300),
    }  # fmt: skip
    queues: list[dict[str, object]] = [
        {"name": "Support", "skill": "support", "overflow_to": draw(st.sampled_from(["", "Sales"]))},
        {"name": "Sales", "skill": "sales", "overflow_to": draw(st.sampled_from(["", "Billing"]))},
        {"name": "Billing", "skill": "billing"},
        *({"name": name, "skill": name, "channel": name} for name in ("chat", "web", "sms")),
    ]
    return [{**queue, **{name: draw(values) for name, values in rules.items()}} for queue in queues]


@settings(max_examples=25, deadline=None)
@given(scenarios(), st.lists(st.integers(1, _HOUR_MS), max_size=6))
def test_a_world_is_the_same_however_it_is_advanced_and_its_truth_tiles_time(
    scenario: Scenario, stops: list[int]
) -> None:
    """Stops on the way change nothing; each timeline starts at a birth, moves forward and never repeats a state."""
    whole, stepped = World(scenario), World(scenario)
    end_ms = scenario.start_ms + _HOUR_MS
    whole.advance_to(end_ms)
    for stop in sorted(stops):
        stepped.advance_to(scenario.start_ms + stop)
    stepped.advance_to(end_ms)
    assert list(whole.log) == list(stepped.log)
    assert whole.truth.states == stepped.truth.states
    for states in whole.truth.states.values():
        # Who was hired on the way begins with the event that tells of it.
        assert (states[0].start_ms == scenario.start_ms) == (states[0].cause_sid is None)
        for before, after in pairwise(states):
            assert before.start_ms <= after.start_ms
            assert before.value != after.value


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_what_is_open_fits_together_and_nothing_is_told_of_what_is_over(scenario: Scenario) -> None:
    """At a worker and at its task the same is open, and nothing of an ended task.

    Nothing is told of a worker after its deletion, and of a task after its end only updates and, a moment later, the
    end of its last reservation.
    """
    world = World(scenario)
    world.advance_to(scenario.start_ms + 2 * _HOUR_MS)
    for worker in world.floor.workers:
        for sid, reservation in worker.open.items():
            assert reservation.sid == sid
            assert reservation.is_open
            assert reservation in reservation.task.reservations
            assert not reservation.task.ended
        assert sum(worker.load.values()) == len(worker.open)
    for task in world.tasks(world.now_ms):
        for reservation in task.open_reservations():
            assert reservation.worker.open[reservation.sid] is reservation
    gone: set[str] = set()
    ended: dict[str, int] = {}
    for event in world.log:
        assert event.worker_sid not in gone
        if event.type == "worker.deleted":
            gone.add(event.worker_sid)
        if event.task_sid in ended:
            assert event.type == "task.updated" or event.at_ms - ended[event.task_sid] <= 500
        if event.type in ("task.completed", "task.canceled", "task.system-deleted"):
            assert event.task_sid not in ended
            ended[event.task_sid] = event.at_ms

"""What is told of agents, and what is true of them: browsers, the plug-in, hires, new names and deletions."""

from __future__ import annotations

import json

import pytest
from world_bench import FloorBench

from simulator.world.engine import World
from simulator.world.entities import Worker
from simulator.world.figures_face import true_states
from simulator.world.floor import PSEUDO_ACTIVITIES
from simulator.world.scenario.files import load_scenario


def test_a_browser_that_closes_on_a_call_leaves_it_in_wrap_up() -> None:
    """The call drops at 50; logged out after 90 s by Flex; back at 200, and the paperwork is closed then."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20)
    floor.close_browser(floor.ana, 50, opened=200)
    floor.run(400)
    assert floor.story()[4:] == [
        "50 reservation.wrapup Ana", "50 task.wrapup", "140 worker.activity.update Ana Offline",
        "200 worker.activity.update Ana Available", "203 task.completed", "203 reservation.completed Ana",
    ]  # fmt: skip
    # What is open counts before what the activity says: wrap-up all the time, and not logged out.
    assert floor.states(floor.ana)[3:] == ["50 WRAPUP", "203 AVAILABLE"]
    assert floor.figures()["Calls"]["work_time_s"] == 153


def test_without_auto_offline_an_agent_whose_browser_closed_stays_available() -> None:
    """Until something rings in vain: TaskRouter then moves the worker, who stays there."""
    floor = FloorBench(browser__auto_offline=False)
    floor.close_browser(floor.ana, 5)
    floor.away(floor.ben, floor.eva)
    floor.call(1_000, patience=60)
    floor.run(10_000)
    assert floor.story()[4:] == [
        "1000 reservation.created Ana", "1025 reservation.timeout Ana", "1025 worker.activity.update Ana Unavailable",
        "1060 task.canceled hangup",
    ]  # fmt: skip
    assert floor.states(floor.ana)[:2] == ["0 AVAILABLE", "1000 RESERVED"]
    assert floor.states(floor.ana)[-1].endswith("UNAVAILABLE Unavailable")


def test_with_auto_offline_an_idle_agent_whose_browser_closed_is_logged_out() -> None:
    """After the threshold; nothing is offered from then on."""
    floor = FloorBench(browser__offline_after_s=60.0)
    floor.close_browser(floor.ana, 10, opened=500)
    floor.run(1_000)
    assert floor.states(floor.ana) == ["0 AVAILABLE", "70 OFFLINE", "500 AVAILABLE"]


def test_a_browser_that_is_back_in_time_is_not_noticed() -> None:
    """Less than the threshold away: no event at all."""
    floor = FloorBench(browser__offline_after_s=60.0)
    floor.close_browser(floor.ana, 10, opened=30)
    floor.run(1_000)
    assert floor.story() == []


def test_a_chat_stays_open_while_its_agents_browser_is_closed() -> None:
    """Nobody ends it until the agent is back; contact counts before logged out."""
    floor = FloorBench(
        queues=[{"name": "Chat", "skill": "calls", "channel": "chat"}], channels__chat__per_agent_hour=0.0
    )
    floor.call(10, "Chat", talk=100, wrap=5)
    floor.close_browser(floor.ana, 50, opened=5_000)
    floor.run(6_000)
    assert floor.states(floor.ana) == [
        "0 AVAILABLE", "10 RESERVED", "14 CONTACT chat", "5003 WRAPUP", "5008 AVAILABLE",
    ]  # fmt: skip


def test_the_plug_in_shows_reservations_as_activities_and_they_say_nothing() -> None:
    """On a Task, Wrap Up, and back; the true states are those of the reservations."""
    floor = FloorBench(plugin__activity_handler=True)
    floor.call(10, talk=100, wrap=20)
    floor.run(400)
    shown = [event.data()["worker_activity_name"] for event in floor.events("worker.activity.update")]
    assert shown == ["On a Task", "Wrap Up", "Available"]
    assert floor.states(floor.ana) == ["0 AVAILABLE", "10 RESERVED", "14 CONTACT voice", "114 WRAPUP", "134 AVAILABLE"]
    assert [name for name, _ in PSEUDO_ACTIVITIES] == [one.name for one in floor.world.floor.pseudo_activities]


def test_the_plug_in_sets_back_what_the_agent_had_chosen() -> None:
    """Who goes on a break with a chat open is on a break afterwards."""
    floor = FloorBench(
        plugin__activity_handler=True, channels__chat__per_agent_hour=0.0,
        queues=[{"name": "Chat", "skill": "calls", "channel": "chat"}],
    )  # fmt: skip
    floor.call(10, "Chat", talk=100, wrap=20)
    floor.away(floor.ana, second=50)
    floor.run(400)
    shown = [event.data()["worker_activity_name"] for event in floor.events("worker.activity.update")]
    assert shown == ["On a Task", "Break", "Wrap Up, No ACD", "Break"]
    assert floor.states(floor.ana)[2:] == ["14 CONTACT chat", "114 WRAPUP", "134 UNAVAILABLE Break"]


def test_an_agent_who_asks_for_more_time_is_offered_nothing_in_extended_wrap_up() -> None:
    """15 s after the plug-in showed the wrap-up; to the truth it is wrap-up all the same."""
    floor = FloorBench(plugin__activity_handler=True, plugin__extends_share=1.0)
    floor.away(floor.ben, floor.eva)
    floor.call(10, talk=100, wrap=60)
    floor.call(140, talk=10, wrap=0)
    floor.run(400)
    shown = [event.data()["worker_activity_name"] for event in floor.events("worker.activity.update")]
    assert shown[2:6] == ["On a Task", "Wrap Up", "Extended Wrap Up", "Available"]
    assert floor.states(floor.ana)[2:5] == ["14 CONTACT voice", "114 WRAPUP", "174 AVAILABLE"]
    _, second = floor.events("reservation.created")
    assert second.ms > floor.start_ms + 174_000


def test_to_a_newcomer_a_pseudo_activity_is_the_truth_until_the_agent_chooses_again() -> None:
    """Ana is available, though the plug-in shows otherwise at 50; after a call it sets back what she had chosen."""
    floor = FloorBench(plugin__activity_handler=True)
    activities = floor.world.floor.activities
    floor.at(20, floor._set, floor.ana, activities["On a Task, No ACD"])
    floor.at(50, floor.world.begin_to_be_heard)
    floor.call_directly(100, floor.ana, talk=20, wrap=0)
    floor.away(floor.ana, second=200)
    floor.run(400)
    *before, back, last = floor.states(floor.ana)
    assert before == [
        "0 AVAILABLE", "50 UNAVAILABLE On a Task, No ACD", "100 RESERVED", "104 CONTACT voice",
        "124 UNAVAILABLE On a Task, No ACD",
    ]  # fmt: skip
    assert 124 < float(back.split()[0]) < 125
    assert (back.split()[1], last) == ("AVAILABLE", "200 UNAVAILABLE Break")
    assert floor.states(floor.ben) == ["0 AVAILABLE"]


def test_a_flapping_plug_in_changes_nothing_that_is_true() -> None:
    """Hundreds of updates to pseudo-activities while the agent is available all the time."""
    scenario = load_scenario(
        "single-queue",
        {"channels.voice.per_agent_hour": 0.0, "agents": 1, "plugin": {"activity_handler": True, "flaps_share": 1.0},
         "shifts": [{"name": "Day", "starts": "01:00"}], "hours": 3.0},
    )  # fmt: skip
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    (worker,) = world.floor.workers
    updates = [event for event in world.log if event.type == "worker.activity.update"]
    assert len(updates) > 500
    assert updates[-1].data()["worker_activity_name"] == "Available"
    told = [state.state for state in world.truth.until(worker, world.now_ms)]
    assert told in (["OFFLINE", "AVAILABLE"], ["OFFLINE", "UNAVAILABLE", "AVAILABLE"])


# -- who comes and goes


@pytest.mark.parametrize("stamped", [True, False])
def test_a_deleted_agent_is_gone_from_the_newest_time_of_any_of_its_events(stamped: bool) -> None:
    """Deleted at 50 with a call open since 14: with the stamp of its creation it is gone at 14, else at 50."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20)
    floor.delete(floor.ana, 50, stamped_with_creation=stamped)
    floor.run(400)
    (deleted,) = floor.events("worker.deleted")
    assert deleted.at_ms == floor.start_ms + 50_000
    assert deleted.ms == (floor.ana.created_ms if stamped else deleted.at_ms)
    assert floor.states(floor.ana)[-1] == f"{14 if stamped else 50} OFFLINE"
    assert floor.figures()["Calls"].get("handle_time_s", 0) == (0 if stamped else 36)
    assert floor.story()[-1] == "50 task.completed"
    assert floor.world.worker(floor.ana.sid) is None
    assert floor.ana not in floor.world.floor.present()


def test_what_a_deletion_ended_was_changed_when_it_happened() -> None:
    """Whatever stamp the event bears, REST says 50: whoever compares must see that it is news."""
    floor = FloorBench()
    floor.call(10, talk=100, wrap=20)
    floor.delete(floor.ana, 50, stamped_with_creation=True)
    floor.run(60)
    (reservation,) = floor.ana.history
    assert (reservation.updated_ms - floor.start_ms) // 1000 == 50


def test_who_came_after_a_deletion_need_not_know_the_agent() -> None:
    """Told at 50, whatever stamp the event bears: until then the agent belongs to the truth of a listener."""
    floor = FloorBench()
    floor.delete(floor.ana, 50, stamped_with_creation=True)
    floor.run(100)
    told = [
        [one["worker_sid"] for one in true_states(floor.world, floor.start_ms + ms)] for ms in (49_999, 50_000, 90_000)
    ]
    assert [floor.ana.sid in sids for sids in told] == [True, False, False]
    assert [len(sids) for sids in told] == [3, 2, 2]
    assert len(true_states(floor.world)) == 3


def test_what_rings_at_a_deleted_agent_is_offered_to_the_next() -> None:
    """The offer is withdrawn first."""
    floor = FloorBench()
    floor.call(10, talk=60)
    floor.delete(floor.ana, 12, stamped_with_creation=False)
    floor.run(400)
    assert floor.story()[3:6] == [
        "12 reservation.canceled Ana", "12.001 worker.deleted Ana", "12 reservation.created Ben",
    ] or floor.story()[3:6] == [
        "12 reservation.canceled Ana", "12 reservation.created Ben", "12.001 worker.deleted Ana",
    ]  # fmt: skip
    assert floor.figures()["Calls"]["handled"] == 1


def _with_personnel(**personnel: float | str) -> World:
    scenario = load_scenario(
        "ordinary-day",
        {"agents": 10, "hours": 30.0, "personnel": personnel, "workspace.offline_activity": "Logged Out"},
    )
    world = World(scenario)
    world.advance_to(scenario.end_ms)
    return world


def test_a_hired_agent_begins_logged_out_and_works_later() -> None:
    """`worker.created` is stamped with a whole second, and the truth begins there."""
    world = _with_personnel(hires_per_day=20.0)
    created = [event for event in world.log if event.type == "worker.created"]
    assert len(created) > 5
    works = 0
    for event in created:
        worker = world.worker(event.worker_sid)
        assert isinstance(worker, Worker)
        assert event.ms % 1000 == 0
        assert event.data()["worker_version"] == "0"
        states = world.truth.until(worker, world.now_ms)
        assert (states[0].start_ms, states[0].state, states[0].cause_sid) == (event.ms, "OFFLINE", event.sid)
        works += any(state.state == "CONTACT" for state in states)
    assert works > 0


def test_a_new_name_of_an_agent_is_told_with_its_attributes() -> None:
    """The sid stays, the name is another one in every event from then on."""
    world = _with_personnel(renames_per_day=20.0)
    names: dict[str, list[str]] = {}
    for event in world.log:
        if event.worker_sid:
            told = names.setdefault(event.worker_sid, [])
            name = event.data()["worker_name"]
            if not told or told[-1] != name:
                assert not told or event.type == "worker.attributes.update"
                told.append(name)
    assert sum(len(told) > 1 for told in names.values()) > 3


def test_the_logged_out_activity_keeps_its_sid_under_another_name() -> None:
    """`activity.updated` tells the name; events of workers bear it from then on."""
    world = _with_personnel(activity_renames_per_day=6.0)
    renames = [event for event in world.log if event.type == "activity.updated"]
    assert renames
    offline = world.floor.offline
    assert {event.resource_sid for event in renames} == {offline.sid}
    assert renames[-1].data()["activity_name"] == offline.name != "Logged Out"
    told = {event.data()["worker_activity_name"] for event in world.log if event.type == "worker.activity.update"
            and event.data()["worker_activity_sid"] == offline.sid}  # fmt: skip
    assert told <= {"Logged Out", *(event.data()["activity_name"] for event in renames)}
    assert {state.reason for states in world.truth.states.values() for state in states if state.state == "OFFLINE"} == {
        ""
    }


def test_an_outage_throws_agents_out_and_they_come_back() -> None:
    """Most are logged out within minutes; calls drop into wrap-up; half an hour later everybody is back."""
    scenario = load_scenario("outage-day", {"agents": 60, "hours": 5.0})
    world = World(scenario)
    outage = scenario.outages[0]
    begins_ms = scenario.start_ms + round(outage.starts_min * 60_000)
    ends_ms = begins_ms + round(outage.minutes * 60_000)

    def offline() -> int:
        return sum(worker.activity is world.floor.offline for worker in world.floor.workers)

    world.advance_to(begins_ms)
    before = offline()
    world.advance_to(begins_ms + 300_000)
    during = offline()
    world.advance_to(ends_ms + 900_000)
    after = offline()
    assert during - before > 35
    assert abs(after - before) < 12
    arrivals = [event.ms for event in world.log if event.type == "task.created"
                and json.loads(event.data()["task_attributes"])["direction"] == "inbound"]  # fmt: skip
    quiet = sum(begins_ms <= ms < ends_ms for ms in arrivals)
    echo = sum(ends_ms <= ms < ends_ms + 900_000 for ms in arrivals)
    assert quiet < echo / 4

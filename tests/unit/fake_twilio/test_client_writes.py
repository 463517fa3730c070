"""The unmodified official client changes workers, tasks, reservations and activities, and the events tell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from wsgi_http import WsgiHttpClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario

QUIET: dict[str, Any] = {
    "agents": 6,
    "seed": 21,
    "channels": {medium: {"per_agent_hour": 0.0} for medium in ("voice", "chat", "sms", "web")},
    "outbound": {"per_agent_hour": 0.0},
    "internal": {"per_agent_hour": 0.0},
    "direct": {"per_agent_hour": 0.0},
}


class Floor:
    """A quiet floor that stands still, the client's entry to it, and what it told."""

    def __init__(self, show: Show, http: Any) -> None:
        self.show = show
        client = Client(show.account.account_sid, show.account.auth_token, http_client=http)
        self.client = client
        self.workspace = client.taskrouter.v1.workspaces(show.account.workspace_sid)
        self.offline, self.available, self.unpaid = (
            next(one.sid for one in self.workspace.activities.list() if one.friendly_name == name)
            for name in ("Offline", "Available", "Break")
        )

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.show.service.advance_to(self.show.service.now_ms() + round(seconds * 1000))

    def told(self, **filters: str) -> list[str]:
        """The types of the last minutes' events."""
        return [event.event_type for event in self.workspace.events.list(**filters)]

    def led(self, name: str, **more: Any) -> Any:
        """A worker of ours, ready for everything."""
        attributes = json.dumps({"routing": {"skills": ["support"]}, "full_name": name})
        return self.workspace.workers.create(name, attributes=attributes, activity_sid=self.available, **more)


@pytest.fixture
def floor() -> Iterator[Floor]:
    scenario = Scenario.model_validate(QUIET)
    show = build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 60_000))
    with show.service.present() as (world, _):
        for worker in world.floor.workers:
            world.hands.workers.lead(worker)
            if worker.activity is not world.floor.offline:
                world.hands.workers.set_activity(worker, world.floor.offline)
    show.service.advance_to(show.service.now_ms() + 1000)
    yield Floor(show, WsgiHttpClient(create_twilio_app(show)))
    show.stop()


def refusal(call: Any, *arguments: Any, **named: Any) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as caught:
        call(*arguments, **named)
    return caught.value


# -- workers


def test_a_worker_is_created_moved_renamed_and_deleted(floor: Floor) -> None:
    """Each step is answered with the new state and told by its event."""
    worker = floor.led("ana@example.com")
    assert (worker.activity_name, worker.available) == ("Available", True)
    entry = floor.workspace.workers(worker.sid)
    assert entry.update(activity_sid=floor.unpaid).activity_name == "Break"
    renamed = entry.update(friendly_name="ana.maria@example.com", attributes='{"routing":{"skills":["sales"]}}')
    assert renamed.friendly_name == "ana.maria@example.com"
    sales = floor.workspace.task_queues.list(friendly_name="Sales")[0]
    assert worker.sid in [row.sid for row in floor.workspace.workers.list(task_queue_sid=sales.sid)]
    assert entry.delete() is True
    assert refusal(entry.fetch).status == 404
    assert sorted(floor.told(worker_sid=worker.sid)) == [
        "worker.activity.update", "worker.attributes.update", "worker.created", "worker.deleted",
    ]  # fmt: skip


def test_what_a_worker_cannot_be_is_refused_and_changes_nothing(floor: Floor) -> None:
    """A name that is taken, attributes that are no JSON or too long, an activity of nowhere, a pointless switch."""
    ana = floor.led("ana@example.com")
    entry, before = floor.workspace.workers(ana.sid), len(floor.told())
    clash = refusal(floor.workspace.workers.create, "ana@example.com")
    assert (clash.status, clash.code) == (400, 20001)
    assert "already exists" in clash.msg
    assert "JSON" in refusal(entry.update, attributes="{no").msg
    assert "4096" in refusal(entry.update, attributes=json.dumps({"x": "y" * 5000})).msg
    assert "WA" in refusal(entry.update, activity_sid="WA" + "0" * 32).msg
    assert "RejectPending" in refusal(entry.update, activity_sid=floor.available, reject_pending_reservations=True).msg
    assert len(floor.told()) == before


def test_channels_of_a_worker(floor: Floor) -> None:
    """Capacity and availability, by sid or by the channel's name, each with its event."""
    worker = floor.led("ana@example.com")
    channels = floor.workspace.workers(worker.sid).worker_channels
    assert channels("chat").update(capacity=4).configured_capacity == 4
    assert channels("chat").update(available=False).available is False
    assert channels(channels("chat").fetch().sid).fetch().configured_capacity == 4
    assert floor.told(worker_sid=worker.sid)[1:] == ["worker.capacity.update", "worker.channel.availability.update"]


def test_a_version_that_has_passed_is_a_failed_precondition(floor: Floor) -> None:
    """If-Match with the present ETag works, with an older one it is 412."""
    worker = floor.led("ana@example.com")
    entry = floor.workspace.workers(worker.sid)
    fetched = entry.fetch_with_http_info()
    etag = fetched.headers["ETag"]
    entry.update(activity_sid=floor.unpaid, if_match=etag)
    late = refusal(entry.update, activity_sid=floor.available, if_match=etag)
    assert late.status == 412
    assert "ETag" in late.details["what_to_do"]
    assert entry.fetch().activity_name == "Break"
    # The client of version 9.13 drops If-Match from a delete, so it is sent by hand.
    account, path = floor.show.account, worker.url.partition("localhost")[2]
    answer = (
        create_twilio_app(floor.show)
        .test_client()
        .delete(path, auth=(account.account_sid, account.auth_token), headers={"If-Match": etag})
    )
    assert (answer.status_code, entry.fetch().sid) == (412, worker.sid)


# -- tasks


def test_a_task_goes_through_its_life_by_hand(floor: Floor) -> None:
    """Created, offered by the router, accepted, wrapped up and completed by the client, with events of each step."""
    worker = floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    assert (task.assignment_status, task.task_queue_friendly_name) == ("pending", "Support")
    floor.wait(1)
    offered = floor.workspace.tasks(task.sid).reservations.list()
    assert [(one.worker_sid, one.reservation_status) for one in offered] == [(worker.sid, "pending")]
    reservation = floor.workspace.workers(worker.sid).reservations(offered[0].sid)
    assert reservation.update(reservation_status="accepted").reservation_status == "accepted"
    floor.wait(3600)
    assert floor.workspace.tasks(task.sid).fetch().assignment_status == "assigned"
    assert floor.workspace.tasks(task.sid).update(assignment_status="wrapping").assignment_status == "wrapping"
    done = floor.workspace.tasks(task.sid).update(assignment_status="completed", reason="solved")
    assert (done.assignment_status, done.reason) == ("completed", "solved")
    floor.wait(1)
    told = floor.told(task_sid=task.sid, minutes="120")
    steps = [kind for kind in told if kind.startswith("reservation.")]
    assert steps == ["reservation.created", "reservation.accepted", "reservation.wrapup", "reservation.completed"]
    assert {"task.created", "task-queue.entered", "task.wrapup", "task.completed"} <= set(told)
    floor.wait(301)
    assert refusal(floor.workspace.tasks(task.sid).fetch).status == 404


def test_a_task_can_be_refused_cancelled_and_deleted(floor: Floor) -> None:
    """A rejected reservation leads to another offer; cancel and delete end what nobody has taken."""
    worker = floor.led("ana@example.com")
    tasks = floor.workspace.tasks
    task = tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    floor.wait(1)
    first = tasks(task.sid).reservations.list()[0]
    entry = tasks(task.sid).reservations(first.sid)
    entry.update(reservation_status="rejected", worker_activity_sid=floor.unpaid)
    assert floor.workspace.workers(worker.sid).fetch().activity_name == "Break"
    floor.workspace.workers(worker.sid).update(activity_sid=floor.available)
    floor.wait(10)
    assert len(tasks(task.sid).reservations.list(reservation_status="pending")) == 1
    canceled = tasks(task.sid).update(assignment_status="canceled", reason="Callback requested")
    assert (canceled.assignment_status, canceled.reason) == ("canceled", "Callback requested")
    assert "not pending or reserved" in refusal(tasks(task.sid).update, assignment_status="canceled").msg
    other = tasks.create(task_queue_sid=task.task_queue_sid)
    assert tasks(other.sid).delete() is True
    floor.wait(1)
    assert floor.told(task_sid=other.sid)[-1] == "task.deleted"
    assert "task.canceled" in floor.told(task_sid=task.sid)


@pytest.mark.parametrize(
    ("step", "word"),
    [
        ({"assignment_status": "wrapping"}, "Cannot wrap up a task"),
        ({"assignment_status": "completed"}, "Cannot complete task"),
        ({"assignment_status": "assigned"}, "AssignmentStatus"),
        ({"attributes": '{"direction":"outbound"}'}, "direction"),
        ({"task_channel": "chat"}, "TaskChannel"),
        ({"priority": -1}, "Priority"),
    ],
)
def test_a_step_against_the_rules_is_refused(floor: Floor, step: dict[str, Any], word: str) -> None:
    """400 with 20001, in Twilio's words where they are known; the task stays as it was."""
    task = floor.workspace.tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    error = refusal(floor.workspace.tasks(task.sid).update, **step)
    assert (error.status, error.code) == (400, 20001)
    assert word in error.msg
    assert floor.workspace.tasks(task.sid).fetch().assignment_status == "pending"


def test_a_task_for_one_worker_rings_there_alone(floor: Floor) -> None:
    """A routing target needs no queue; without an answer TaskRouter cancels the task after its timeout."""
    ana, ben = floor.led("ana@example.com"), floor.led("ben@example.com")
    task = floor.workspace.tasks.create(routing_target=ben.sid, task_channel="chat", timeout=45)
    floor.wait(1)
    assert [one.worker_sid for one in floor.workspace.tasks(task.sid).reservations.list()] == [ben.sid]
    assert floor.workspace.workers(ana.sid).reservations.list() == []
    assert floor.workspace.tasks(task.sid).fetch().task_queue_sid is None
    floor.wait(60)
    ended = floor.workspace.tasks(task.sid).fetch()
    assert (ended.assignment_status, ended.reason) == ("canceled", "Task TTL Exceeded")


def test_a_task_without_a_queue_of_its_own_is_everybody_s(floor: Floor) -> None:
    """The workflow's default is a queue that everyone serves, on every channel."""
    worker = floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"topic":"anything"}', task_channel="sms", priority=7)
    assert (task.task_queue_friendly_name, task.priority) == ("Everyone", 7)
    floor.wait(1)
    assert [one.worker_sid for one in floor.workspace.tasks(task.sid).reservations.list()] == [worker.sid]
    written = floor.workspace.tasks(task.sid).update(attributes='{"topic":"refund"}', priority=9)
    assert (json.loads(written.attributes), written.priority) == ({"topic": "refund"}, 9)
    assert floor.told(task_sid=task.sid)[-1] == "task.updated"


def test_going_away_refuses_what_rings(floor: Floor) -> None:
    """RejectPendingReservations with an unavailable activity ends the pending reservation as rejected."""
    worker = floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    floor.wait(1)
    floor.workspace.workers(worker.sid).update(activity_sid=floor.unpaid, reject_pending_reservations=True)
    assert [one.reservation_status for one in floor.workspace.tasks(task.sid).reservations.list()] == ["rejected"]


def test_instructions_for_telephone_calls_are_not_simulated(floor: Floor) -> None:
    """The answer says so, and what to do instead."""
    floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    floor.wait(1)
    reservation = floor.workspace.tasks(task.sid).reservations.list()[0]
    entry = floor.workspace.tasks(task.sid).reservations(reservation.sid)
    assert "set ReservationStatus" in refusal(entry.update, instruction="conference").msg
    assert "accepted, rejected" in refusal(entry.update, reservation_status="pending").msg
    assert "Cannot wrap up" in refusal(entry.update, reservation_status="wrapping").msg


def test_a_request_is_carried_out_as_a_whole_or_not_at_all(floor: Floor) -> None:
    """Where one of several changes is refused, the others are not made either."""
    worker = floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"queue":"Support"}', task_channel="voice")
    before = len(floor.told())
    refusal(floor.workspace.tasks(task.sid).update, attributes='{"queue":"x"}', assignment_status="wrapping")
    refusal(floor.workspace.tasks(task.sid).update, attributes="{no", assignment_status="canceled")
    entry = floor.workspace.workers(worker.sid)
    refusal(entry.update, friendly_name="ben", activity_sid=floor.available, reject_pending_reservations=True)
    refusal(entry.update, attributes="{no", activity_sid=floor.unpaid)
    assert (len(floor.told()), entry.fetch().friendly_name) == (before, "ana@example.com")


# -- catalogue and workspace


def test_activities_are_created_renamed_and_deleted(floor: Floor) -> None:
    """A new reason code can be used at once; available never changes; what is in use stays."""
    activities = floor.workspace.activities
    made = activities.create("Coaching", available=False)
    assert activities(made.sid).update(friendly_name="Coaching 1:1").friendly_name == "Coaching 1:1"
    worker = floor.led("ana@example.com")
    floor.workspace.workers(worker.sid).update(activity_sid=made.sid)
    assert "workers in it" in refusal(activities(made.sid).delete).msg
    floor.workspace.workers(worker.sid).update(activity_sid=floor.offline)
    assert activities(made.sid).delete() is True
    assert "already exists" in refusal(activities.create, "Break").msg
    assert refusal(activities(floor.offline).delete).status == 400
    kinds = [kind for kind in floor.told() if kind.startswith("activity.")]
    assert kinds == ["activity.created", "activity.updated", "activity.deleted"]


def test_the_workspace_takes_another_callback_address(floor: Floor) -> None:
    """Address and filter are kept; a filter with a typing error and an address of nowhere are refused."""
    updated = floor.workspace.update(event_callback_url="http://127.0.0.1:9/events", events_filter="task.created")
    assert (updated.event_callback_url, updated.events_filter) == ("http://127.0.0.1:9/events", "task.created")
    assert "task.canceled" in refusal(floor.workspace.update, events_filter="task.cancelled").msg
    assert "http" in refusal(floor.workspace.update, event_callback_url="ftp://x").msg
    assert [one.sid for one in floor.client.taskrouter.v1.workspaces.list()] == [floor.show.account.workspace_sid]


def test_lists_filtered_by_an_expression(floor: Floor) -> None:
    """Workers and tasks by their attributes; three such requests in a second, then 429 with 20429."""
    ana = floor.led("ana@example.com")
    task = floor.workspace.tasks.create(attributes='{"queue":"Support","vip":true,"age":7}', task_channel="voice")
    listed = floor.workspace.workers.list(target_workers_expression='routing.skills HAS "support" AND full_name != "x"')
    assert ana.sid in [row.sid for row in listed]
    found = floor.workspace.tasks.list(evaluate_task_attributes="vip == true AND (age > 5 OR NOT queue IN ['Sales'])")
    assert [row.sid for row in found] == [task.sid]
    assert floor.workspace.tasks.list(evaluate_task_attributes="age > 'x'") == []
    with pytest.raises(Exception, match="Unable to fetch page") as caught:
        floor.workspace.tasks.list(evaluate_task_attributes="vip == true")
    answer = caught.value.args[1]
    assert (answer.status_code, json.loads(answer.text)["code"]) == (429, 20429)
    assert answer.headers["X-Rate-Limit-Remaining"] == "0"

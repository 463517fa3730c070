"""What the simulator answers to the official client fits Twilio's own OpenAPI file, reads and writes alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from twilio.rest import Client
from twilio_contract import contract, faults_of, operation_of, operations
from wsgi_http import WsgiHttpClient

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario

# What the scenario alone makes: there is no REST call for it here.
NOT_SIMULATED = {
    (method, path)
    for path, methods in {
        "/v1/Workspaces": ("POST",),
        "/v1/Workspaces/{Sid}": ("DELETE",),
        "/v1/Workspaces/{WorkspaceSid}/TaskChannels": ("POST",),
        "/v1/Workspaces/{WorkspaceSid}/TaskChannels/{Sid}": ("POST", "DELETE"),
        "/v1/Workspaces/{WorkspaceSid}/TaskQueues": ("POST",),
        "/v1/Workspaces/{WorkspaceSid}/TaskQueues/{Sid}": ("POST", "DELETE"),
        "/v1/Workspaces/{WorkspaceSid}/Workflows": ("POST",),
        "/v1/Workspaces/{WorkspaceSid}/Workflows/{Sid}": ("POST", "DELETE"),
    }.items()
    for method in methods
}


@pytest.fixture
def floor() -> Iterator[Any]:
    """A busy floor of 60 agents that stands still, its client, and the transport that keeps the answers."""
    contract()
    scenario = Scenario(agents=60, seed=12)
    show = build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 5_400_000))
    http = WsgiHttpClient(create_twilio_app(show))
    client = Client(show.account.account_sid, show.account.auth_token, http_client=http)
    workspace = client.taskrouter.v1.workspaces(show.account.workspace_sid)
    yield SimpleNamespace(show=show, http=http, client=client, workspace=workspace)
    show.stop()


def judge(http: WsgiHttpClient) -> set[tuple[str, str]]:
    """The operations that were called; every answer fits."""
    called = set()
    for method, path, status, body in http.answers:
        template = operation_of(method, path)
        if template is not None:
            called.add((method, template))
            assert faults_of(method, template, status, body) == [], f"{method} {path}"
    return called


def _read_everything(floor: Any) -> None:
    workspace = floor.workspace
    floor.client.taskrouter.v1.workspaces.list()
    workspace.fetch()
    for name in ("activities", "task_queues", "task_channels", "workflows", "workers", "tasks", "events"):
        collection = getattr(workspace, name)
        for row in collection.list(page_size=1000)[:20]:
            collection(row.sid).fetch()
    tasks = workspace.tasks.list(assignment_status=["assigned"])
    below_task = workspace.tasks(tasks[0].sid).reservations
    reservation = below_task.list()[0]
    below_task(reservation.sid).fetch()
    worker = workspace.workers(reservation.worker_sid)
    worker.reservations(worker.reservations.list()[0].sid).fetch()
    worker.worker_channels(worker.worker_channels.list()[0].sid).fetch()


def _read_statistics(floor: Any) -> None:
    workspace = floor.workspace
    queue, workflow = workspace.task_queues.list()[0], workspace.workflows.list()[0]
    worker = workspace.workers.list()[0]
    workspace.task_queues.statistics.list(minutes=60)
    workspace.task_queues.bulk_real_time_statistics.create(
        body=SimpleNamespace(to_dict=lambda: {"queueSids": [queue.sid, "WQ" + "0" * 32]})
    )
    for of in (workspace, workspace.task_queues(queue.sid), workspace.workflows(workflow.sid), workspace.workers):
        of.cumulative_statistics().fetch(minutes=60)
        of.real_time_statistics().fetch()
        of.statistics().fetch()
    workspace.workers(worker.sid).statistics().fetch(minutes=60)


def _write_everything(floor: Any) -> None:
    workspace, show = floor.workspace, floor.show

    def wait(seconds: int) -> None:
        show.service.advance_to(show.service.now_ms() + seconds * 1000)

    workspace.update(event_callback_url="https://example.com/events", events_filter="")
    activity = workspace.activities.create("Coaching", available=False)
    workspace.activities(activity.sid).update(friendly_name="Mentoring")
    workspace.activities(activity.sid).delete()
    available = workspace.activities.list(friendly_name="Available")[0].sid
    worker = workspace.workers.create("ana", activity_sid=available, attributes=json.dumps({"a": 1}))
    entry = workspace.workers(worker.sid)
    entry.update(friendly_name="ana maria", attributes="{}")
    entry.worker_channels("chat").update(capacity=2)
    for below in ("task", "worker"):
        task = workspace.tasks.create(task_channel="chat", routing_target=worker.sid)
        workspace.tasks(task.sid).update(priority=3)
        wait(1)
        sid = workspace.tasks(task.sid).reservations.list()[0].sid
        reservation = (workspace.tasks(task.sid) if below == "task" else entry).reservations(sid)
        for status in ("accepted", "wrapping", "completed"):
            reservation.update(reservation_status=status)
    workspace.tasks(workspace.tasks.create(task_channel="voice").sid).delete()
    entry.delete()


@pytest.mark.parametrize("drive", [_read_everything, _read_statistics, _write_everything])
def test_every_answer_fits(floor: Any, drive: Callable[[Any], None]) -> None:
    """Status, shape, and all the fields that the file names."""
    drive(floor)
    assert judge(floor.http)


def test_every_operation_of_the_file_is_called_or_named_as_not_simulated(floor: Any) -> None:
    """The three drives together cover the file; the list of what is missing is exact."""
    for drive in (_read_everything, _read_statistics, _write_everything):
        drive(floor)
    assert operations() - judge(floor.http) == NOT_SIMULATED


@pytest.mark.parametrize(("method", "path"), sorted(NOT_SIMULATED))
def test_what_is_not_simulated_says_so(show: Show, method: str, path: str) -> None:
    """405 in Twilio's shape, with the closest call that there is."""
    account = show.account
    auth = (account.account_sid, account.auth_token)
    answer = create_twilio_app(show).test_client().open(re.sub(r"{\w+}", "XX1", path), method=method, auth=auth)
    assert (answer.status_code, answer.json["status"]) == (405, 405)
    assert answer.json["details"]["closest_route"]


def test_the_check_would_notice() -> None:
    """A body with a wrong type, one without a field, and a wrong status do not pass."""
    path = "/v1/Workspaces/{WorkspaceSid}/Workers/{Sid}"
    assert faults_of("GET", path, 200, {"sid": 5})
    assert "available is missing" in faults_of("GET", path, 200, {})
    assert faults_of("DELETE", path, 200, None)

"""The unmodified official client reads everything a connector needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from simulator.twilio.show import Show


def _sids(rows: list[Any]) -> list[str]:
    return [row.sid for row in rows]


def test_workers_come_page_by_page(show: Show, workspace: Any, http: Any) -> None:
    """Every worker once, over as many pages as their number needs, with the model's state."""
    rows = workspace.workers.list(page_size=25)
    assert len(http.requests) == 5
    with show.service.present() as (world, _):
        assert sorted(_sids(rows)) == sorted(worker.sid for worker in world.floor.present())
        for row in rows:
            worker = world.worker(row.sid)
            assert (row.friendly_name, row.activity_sid) == (worker.name, worker.activity.sid)
            assert row.available is worker.activity.available
            assert row.attributes == worker.attributes
            assert int(row.date_status_changed.timestamp()) == worker.activity_since_ms // 1000


@pytest.mark.parametrize("collection", ["activities", "task_queues", "task_channels", "workers", "tasks", "events"])
def test_every_list_pages_without_loss(workspace: Any, http: Any, collection: str) -> None:
    """Small pages give the same rows as one large page, none twice, over three pages or more."""
    whole = _sids(getattr(workspace, collection).list(page_size=1000))
    http.requests.clear()
    rows = _sids(getattr(workspace, collection).list(page_size=max(1, len(whole) // 3 - 1)))
    assert rows == whole
    assert len(set(rows)) == len(rows)
    assert len(http.requests) >= 3


def test_worker_channels_and_reservations_page_too(show: Show, workspace: Any, http: Any) -> None:
    """The lists below a worker are paged like the others."""
    with show.service.present() as (world, _):
        worker = max(world.floor.workers, key=lambda one: len(one.history))
        history = {reservation.sid: reservation.status.value for reservation in worker.history}
    assert len(workspace.workers(worker.sid).worker_channels.list(page_size=2)) == 5
    assert len(http.requests) == 3
    rows = workspace.workers(worker.sid).reservations.list(page_size=2)
    assert {row.sid: row.reservation_status for row in rows} == history
    accepted = workspace.workers(worker.sid).reservations.list(reservation_status="completed")
    assert _sids(accepted) == [row.sid for row in rows if row.reservation_status == "completed"]


def test_open_tasks_lead_to_their_reservations(show: Show, workspace: Any) -> None:
    """What a restarted connector reads: open tasks, and for each of them the reservations."""
    tasks = workspace.tasks.list(assignment_status=["reserved", "assigned", "wrapping"], page_size=1000)
    found = {
        reservation.sid: (reservation.worker_sid, reservation.reservation_status)
        for task in tasks
        for reservation in workspace.tasks(task.sid).reservations.list()
        if reservation.reservation_status in {"pending", "accepted", "wrapping"}
    }
    with show.service.present() as (world, _):
        expected = {
            reservation.sid: (worker.sid, reservation.status.value)
            for worker in world.floor.workers
            for reservation in worker.open.values()
        }
    assert found == expected
    assert len(expected) > 20


def test_task_filters_take_repeated_and_comma_separated_values(app: Flask, show: Show) -> None:
    """Both spellings of several statuses mean the same."""
    account = show.account
    browser, path = app.test_client(), f"/v1/Workspaces/{account.workspace_sid}/Tasks"
    auth = (account.account_sid, account.auth_token)
    answers = [
        browser.get(f"{path}?{query}&PageSize=1000", auth=auth).json["tasks"]
        for query in ("AssignmentStatus=assigned&AssignmentStatus=wrapping", "AssignmentStatus=assigned,wrapping")
    ]
    assert answers[0] == answers[1]
    assert {task["assignment_status"] for task in answers[0]} == {"assigned", "wrapping"}


def test_workers_can_be_filtered_and_ordered(show: Show, workspace: Any) -> None:
    """By activity, by queue, by the time of the last change."""
    offline = show_offline(show)
    assert all(row.activity_sid == offline for row in workspace.workers.list(activity_sid=offline))
    queue = workspace.task_queues.list(friendly_name="Sales")[0]
    members = workspace.workers.list(task_queue_sid=queue.sid, page_size=1000)
    assert 0 < len(members) < 120
    changed = [row.date_status_changed for row in workspace.workers.list(ordering="DateStatusChanged:desc")]
    assert changed == sorted(changed, reverse=True)


def show_offline(show: Show) -> str:
    """The sid of the logged-out activity."""
    with show.service.present() as (world, _):
        return world.floor.offline.sid


def test_events_repeat_the_log(show: Show, workspace: Any) -> None:
    """Events of a window are the log's, with the same sids, times and texts."""
    with show.service.present() as (world, now_ms):
        log = {event.sid: event for event in world.log if now_ms - 1_800_000 <= event.ms <= now_ms}
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    rows = workspace.events.list(start_date=now - timedelta(minutes=30), end_date=now, page_size=200)
    assert set(_sids(rows)) == set(log)
    assert [row.event_date_ms for row in rows] == sorted(row.event_date_ms for row in rows)
    for row in rows:
        event = log[row.sid]
        assert (row.event_type, row.event_date_ms, row.resource_sid) == (event.type, event.ms, event.resource_sid)
        assert all(isinstance(value, str) for value in row.event_data.values())
        assert event.data().items() <= row.event_data.items()


def test_events_without_a_window_are_those_of_fifteen_minutes(show: Show, workspace: Any) -> None:
    """The default window, and the filters by type, worker and task."""
    with show.service.present() as (world, now_ms):
        recent = [event for event in world.log if event.ms >= now_ms - 900_000]
        everything = list(world.log)
    assert len(workspace.events.list(page_size=1000)) == len(recent)
    kind = "reservation.accepted"
    assert _sids(workspace.events.list(event_type=kind)) == [event.sid for event in recent if event.type == kind]
    worker_sid = next(event.worker_sid for event in recent if event.worker_sid)
    rows = workspace.events.list(worker_sid=worker_sid, minutes=120)
    assert _sids(rows) == [event.sid for event in everything if event.worker_sid == worker_sid]
    task_sid = next(event.task_sid for event in recent if event.task_sid)
    rows = workspace.events.list(task_sid=task_sid, minutes=120)
    assert _sids(rows) == [event.sid for event in everything if event.task_sid == task_sid]
    assert workspace.events(rows[0].sid).fetch().event_type == rows[0].event_type


def test_both_dates_of_a_window_are_inclusive_whole_seconds(show: Show, workspace: Any) -> None:
    """An event at the last millisecond of EndDate's second is in the window."""
    with show.service.present() as (world, now_ms):
        event = next(event for event in reversed(list(world.log)) if event.ms % 1000 > 900 and event.ms < now_ms - 2000)
    second = datetime.fromtimestamp(event.ms // 1000, UTC)
    rows = workspace.events.list(start_date=second, end_date=second)
    assert event.sid in _sids(rows)
    assert all(row.event_date_ms // 1000 == event.ms // 1000 for row in rows)


def test_flex_configuration_and_account(show: Show, client: Client) -> None:
    """The configuration names workspace and logged-out activity; the account answers its own sid."""
    configuration = client.flex_api.v1.configuration().fetch()
    assert configuration.taskrouter_workspace_sid == show.account.workspace_sid
    assert configuration.taskrouter_offline_activity_sid == show_offline(show)
    assert client.api.v2010.accounts(show.account.account_sid).fetch().status == "active"


def test_single_resources_and_the_workspace(show: Show, workspace: Any) -> None:
    """What lists show can be fetched by sid; the workspace tells its two special activities."""
    fetched = workspace.fetch()
    assert fetched.default_activity_sid == show_offline(show)
    assert fetched.timeout_activity_name == "Unavailable"
    for collection in ("activities", "task_queues", "task_channels", "workflows", "workers", "tasks"):
        first = getattr(workspace, collection).list(limit=1)[0]
        assert getattr(workspace, collection)(first.sid).fetch().sid == first.sid


def test_an_api_key_is_as_good_as_the_account(show: Show, http: Any) -> None:
    """Basic authentication takes the key pair too."""
    account = show.account
    keyed = Client(account.api_key_sid, account.api_key_secret, account_sid=account.account_sid, http_client=http)
    assert keyed.taskrouter.v1.workspaces(account.workspace_sid).activities.list()


def test_wrong_credentials_are_refused(show: Show, http: Any) -> None:
    """401 with code 20003, for a fetch as the SDK's REST exception, for a list as its plain one."""
    wrong = Client(show.account.account_sid, "not the token", http_client=http)
    workspace = wrong.taskrouter.v1.workspaces(show.account.workspace_sid)
    with pytest.raises(TwilioRestException) as caught:
        workspace.fetch()
    assert (caught.value.status, caught.value.code, caught.value.msg) == (
        401,
        20003,
        "Unable to fetch record: Authenticate",
    )
    with pytest.raises(TwilioException) as listed:
        workspace.workers.list()
    assert listed.value.args[1].status_code == 401


def test_what_does_not_exist_is_not_found(workspace: Any, client: Client) -> None:
    """404 with code 20404, for resources and for a foreign workspace."""
    for missing in (
        workspace.workers("WK" + "0" * 32),
        workspace.tasks("WT" + "0" * 32),
        workspace.events("EV" + "0" * 32),
    ):
        with pytest.raises(TwilioRestException) as caught:
            missing.fetch()
        assert (caught.value.status, caught.value.code) == (404, 20404)
    with pytest.raises(TwilioRestException) as foreign:
        client.taskrouter.v1.workspaces("WS" + "0" * 32).fetch()
    assert foreign.value.status == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Workers?Page=1", 70002),
        ("Events?Page=3&PageSize=10", 70002),
        ("Workers?PageSize=0", 20001),
        ("Workers?PageSize=1001", 20001),
        ("Workers?PageSize=many", 20001),
        ("Workers?Page=1&PageToken=PAnonsense", 20001),
        ("Workers?Ordering=Name:asc", 20001),
        ("Events?StartDate=2020-01-01T00:00:00Z", 20001),
        ("Events?StartDate=yesterday", 20001),
        ("Events?Minutes=10&EndDate=2026-01-05T09:00:00Z", 20001),
        ("Events?Minutes=50000", 20001),
    ],
)
def test_impossible_lists_are_refused(app: Flask, show: Show, query: str, code: int) -> None:
    """A page without its token, a size out of range and an impossible window are 400 with Twilio's code."""
    account = show.account
    answer = app.test_client().get(
        f"/v1/Workspaces/{account.workspace_sid}/{query}", auth=(account.account_sid, account.auth_token)
    )
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert answer.json["more_info"] == f"https://www.twilio.com/docs/errors/{code}"


def test_pages_can_be_walked_back(app: Flask, show: Show) -> None:
    """The previous page's address leads to the rows that were there."""
    account = show.account
    auth, browser = (account.account_sid, account.auth_token), app.test_client()
    first = browser.get(f"/v1/Workspaces/{account.workspace_sid}/Workers?PageSize=10", auth=auth).json
    second = browser.get(first["meta"]["next_page_url"], auth=auth).json
    back = browser.get(second["meta"]["previous_page_url"], auth=auth).json
    assert first["meta"]["previous_page_url"] is None
    assert back["workers"] == first["workers"]
    assert second["meta"]["page"] == 1


def test_next_pages_lie_under_the_address_that_was_asked(app: Flask, show: Show) -> None:
    """The simulator does not send its clients to twilio.com."""
    account = show.account
    answer = app.test_client().get(
        f"/v1/Workspaces/{account.workspace_sid}/Workers?PageSize=1",
        base_url="http://127.0.0.1:4711",
        auth=(account.account_sid, account.auth_token),
    )
    assert answer.json["meta"]["next_page_url"].startswith("http://127.0.0.1:4711/v1/Workspaces/")

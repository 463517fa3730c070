"""Statistics are counted from the same log as everything else, and large workspaces get none of their workers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from twilio.base.exceptions import TwilioRestException

from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario

FIGURES = {
    "tasks_entered": "task-queue.entered",
    "tasks_canceled": "task.canceled",
    "reservations_created": "reservation.created",
    "reservations_accepted": "reservation.accepted",
    "reservations_timed_out": "reservation.timeout",
}


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_each_queue_s_figures_are_those_of_its_events(show: Show, workspace: Any) -> None:
    """The list of all queues, over half an hour, as the official client reads it; ends are inclusive."""
    end_ms = show.service.now_ms() // 1000 * 1000 - 600_000
    start_ms = end_ms - 1_800_000
    rows = workspace.task_queues.statistics.list(start_date=moment(start_ms), end_date=moment(end_ms - 1000))
    with show.service.present() as (world, _):
        told = world.log.between(start_ms, end_ms - 1)
        queues = {queue.sid for queue in world.floor.all_queues()}
    counts = Counter((event.task.get("task_queue_sid"), event.type) for event in told)
    assert {row.task_queue_sid for row in rows} == queues
    for row in rows:
        for figure, kind in FIGURES.items():
            assert row.cumulative[figure] == counts[row.task_queue_sid, kind]
        tasks = row.realtime["tasks_by_status"]
        assert row.realtime["total_tasks"] == sum(tasks.values())
    assert sum(row.cumulative["reservations_accepted"] for row in rows) > 20


def test_a_queue_s_own_figures_are_the_same(show: Show, workspace: Any) -> None:
    """With the waits: from the entry into the queue never longer than from the creation of the task."""
    listed = {row.task_queue_sid: row for row in workspace.task_queues.statistics.list(minutes=30)}
    for sid, row in listed.items():
        found = workspace.task_queues(sid).cumulative_statistics().fetch(minutes=30, split_by_wait_time="5,20")
        assert found.tasks_entered == row.cumulative["tasks_entered"]
        assert found.reservations_accepted == row.cumulative["reservations_accepted"]
        in_queue, since_created = found.wait_duration_in_queue_until_accepted, found.wait_duration_until_accepted
        assert in_queue["total"] <= since_created["total"]
        for side in found.split_by_wait_time.values():
            both = side["above"]["reservations_accepted"] + side["below"]["reservations_accepted"]
            assert both == found.reservations_accepted


def test_figures_of_a_channel_are_its_own(show: Show, workspace: Any) -> None:
    """By its unique name."""
    every = workspace.task_queues.statistics.list(minutes=60)
    voice = workspace.task_queues.statistics.list(minutes=60, task_channel="voice")
    entered = [sum(row.cumulative["tasks_entered"] for row in rows) for rows in (every, voice)]
    assert entered[0] > entered[1] > 0


def test_worker_statistics_are_refused_to_a_large_workspace(workspace: Any) -> None:
    """This one has 120 workers."""
    with pytest.raises(TwilioRestException) as caught:
        workspace.workers.cumulative_statistics().fetch(minutes=15)
    assert caught.value.status == 403


def test_worker_statistics_of_a_small_workspace_are_counted() -> None:
    """Reservations, and the stays in each activity that have ended."""
    scenario = Scenario(agents=8, seed=4)
    show = build_show(scenario, ShowSettings(start_ms=scenario.start_ms + 7_200_000))
    account = show.account
    answer = (
        create_twilio_app(show)
        .test_client()
        .get(
            f"/v1/Workspaces/{account.workspace_sid}/Workers/CumulativeStatistics?Minutes=120",
            auth=(account.account_sid, account.auth_token),
        )
    )
    body = answer.get_json()
    assert answer.status_code == 200
    assert body["reservations_created"] >= body["reservations_accepted"] > 0
    assert sum(one["total"] for one in body["activity_durations"]) > 0
    show.stop()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("TaskQueues/WQnobody/CumulativeStatistics", 404),
        ("TaskQueues/Statistics?SplitByWaitTime=soon", 400),
        ("TaskQueues/Statistics?Minutes=5&StartDate=2026-01-05T10:00:00Z", 400),
        ("TaskQueues/Statistics?StartDate=2025-01-05T10:00:00Z", 400),
    ],
)
def test_impossible_questions_are_refused(app: Flask, show: Show, path: str, status: int) -> None:
    """In Twilio's way."""
    account = show.account
    auth = (account.account_sid, account.auth_token)
    answer = app.test_client().get(f"/v1/Workspaces/{account.workspace_sid}/{path}", auth=auth)
    assert answer.status_code == status

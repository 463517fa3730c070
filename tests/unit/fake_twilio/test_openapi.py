"""What the simulator answers fits the schemas of Twilio's own OpenAPI file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from simulator.twilio.show import Show

_FILE = Path(__file__).parents[3].parent / "shared" / "reference" / "twilio_taskrouter_v1.json"


def _translate(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema; properties that Twilio does not name are let through."""
    if isinstance(node, list):
        return [_translate(item) for item in node]
    if not isinstance(node, dict):
        return node
    translated = {key: _translate(value) for key, value in node.items() if key not in {"nullable", "example"}}
    if node.get("nullable"):
        return {"anyOf": [translated, {"type": "null"}]}
    return translated


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """Twilio's file, translated to JSON Schema."""
    if not _FILE.exists():
        pytest.skip("Twilio's OpenAPI file is not at hand")
    translated: dict[str, Any] = _translate(json.loads(_FILE.read_text()))
    return translated


def _check(contract: dict[str, Any], path: str, body: Any) -> None:
    content = contract["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for({**content, "components": contract["components"]})
    errors = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(body)]
    assert errors == []


def _named(contract: dict[str, Any], path: str) -> set[str]:
    content = contract["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = content
    if "$ref" in schema:
        schema = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


_LISTS = {
    "Activities": "activities",
    "TaskQueues": "task_queues",
    "TaskChannels": "channels",
    "Workflows": "workflows",
    "Workers": "workers",
    "Tasks": "tasks",
    "Events": "events",
}


@pytest.mark.parametrize("collection", sorted(_LISTS))
def test_lists_and_their_members_fit_the_schema(
    contract: dict[str, Any], app: Flask, show: Show, collection: str
) -> None:
    """Each list fits, each member fits when fetched alone, and a member has all the fields that Twilio names."""
    account = show.account
    browser, auth = app.test_client(), (account.account_sid, account.auth_token)
    base, path = f"/v1/Workspaces/{account.workspace_sid}", f"/v1/Workspaces/{{WorkspaceSid}}/{collection}"
    body = browser.get(f"{base}/{collection}?PageSize=1000", auth=auth).json
    assert body[_LISTS[collection]]
    _check(contract, path, body)
    for row in body[_LISTS[collection]][:20]:
        single = browser.get(f"{base}/{collection}/{row['sid']}", auth=auth).json
        _check(contract, path + "/{Sid}", single)
        assert _named(contract, path + "/{Sid}") <= set(single)


def test_what_lies_below_workers_and_tasks_fits_the_schema(contract: dict[str, Any], app: Flask, show: Show) -> None:
    """Channels and reservations of a worker, reservations of a task, and the workspace itself."""
    account = show.account
    browser, auth = app.test_client(), (account.account_sid, account.auth_token)
    base = f"/v1/Workspaces/{account.workspace_sid}"
    with show.service.present() as (world, _):
        worker = next(one for one in world.floor.workers if one.open)
        reservation = next(iter(worker.open.values()))
    for path, address in {
        "/v1/Workspaces/{Sid}": base,
        "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Channels": f"{base}/Workers/{worker.sid}/Channels",
        "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations": f"{base}/Workers/{worker.sid}/Reservations",
        "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations/{Sid}": (
            f"{base}/Workers/{worker.sid}/Reservations/{reservation.sid}"
        ),
        "/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations": (
            f"{base}/Tasks/{reservation.task.sid}/Reservations"
        ),
        "/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations/{Sid}": (
            f"{base}/Tasks/{reservation.task.sid}/Reservations/{reservation.sid}"
        ),
    }.items():
        answer = browser.get(address, auth=auth)
        assert answer.status_code == 200
        _check(contract, path, answer.json)


def test_statistics_fit_the_schema(contract: dict[str, Any], app: Flask, show: Show) -> None:
    """The list of all queues, and one queue's own."""
    account = show.account
    browser, auth = app.test_client(), (account.account_sid, account.auth_token)
    base, path = f"/v1/Workspaces/{account.workspace_sid}/TaskQueues", "/v1/Workspaces/{WorkspaceSid}/TaskQueues"
    body = browser.get(f"{base}/Statistics?PageSize=1000", auth=auth).json
    _check(contract, f"{path}/Statistics", body)
    for row in body["task_queues_statistics"]:
        single = browser.get(f"{base}/{row['task_queue_sid']}/CumulativeStatistics", auth=auth).json
        _check(contract, f"{path}/{{TaskQueueSid}}/CumulativeStatistics", single)
        assert _named(contract, f"{path}/{{TaskQueueSid}}/CumulativeStatistics") <= set(single)


def test_the_check_would_notice(contract: dict[str, Any]) -> None:
    """A body with a wrong type does not pass."""
    with pytest.raises(AssertionError):
        _check(contract, "/v1/Workspaces/{WorkspaceSid}/Workers/{Sid}", {"sid": 5})

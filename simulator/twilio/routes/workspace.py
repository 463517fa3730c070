"""The workspace: what it is called, and where it sends its events."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from simulator.twilio.asking import WORKSPACE, Form, keep
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show

_OF_SCENARIO = "the scenario says it, once and for all (docs/scenarios.md)"
_UNKNOWN = {
    "DefaultActivitySid": _OF_SCENARIO,
    "TimeoutActivitySid": _OF_SCENARIO,
    "FriendlyName": _OF_SCENARIO,
    "MultiTaskEnabled": "a Flex workspace is always multitasking",
    "PrioritizeQueueOrder": "queues are first in, first out",
}


def add_workspace_routes(blueprint: Blueprint, show: Show) -> None:
    """The list, which has this one workspace, the fetch, and the update of callback address and events filter."""

    def body() -> dict[str, Any]:
        with show.service.present() as (world, _):
            return resources_of(show).workspace(world.floor, show.callback_url, show.events_filter)

    @blueprint.get("/v1/Workspaces")
    def list_workspaces() -> Response:
        rows = keep([show.account], "FriendlyName", lambda row: row.workspace_name)
        return jsonify(page("workspaces", rows, lambda row: (0, row.workspace_sid), lambda _: body()))

    @blueprint.get(WORKSPACE)
    def fetch_workspace(workspace_sid: str) -> Response:  # noqa: ARG001
        return jsonify(body())

    @blueprint.post(WORKSPACE)
    def update_workspace(workspace_sid: str) -> Response:  # noqa: ARG001
        form = Form("EventCallbackUrl", "EventsFilter", unknown=_UNKNOWN)
        url, events_filter = form.text("EventCallbackUrl"), form.text("EventsFilter")
        try:
            show.send_callbacks(
                show.callback_url if url is None else url,
                show.events_filter if events_filter is None else events_filter,
            )
        except ValueError as error:
            raise RestProblem.invalid(str(error)) from error
        return jsonify(body())

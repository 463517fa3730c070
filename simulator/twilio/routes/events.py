"""The history of the workspace."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from simulator.twilio.asking import WORKSPACE, one_of
from simulator.twilio.history import EventWindows, kept_events, place
from simulator.twilio.paging import page
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show


def add_event_routes(blueprint: Blueprint, show: Show) -> None:
    """Reads of the log, as far back as Twilio keeps it."""

    windows = EventWindows()

    @blueprint.get(f"{WORKSPACE}/Events")
    def list_events(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = windows.rows(world.log, now_ms)
            body = page("events", rows, place, resources_of(show).event, in_order=True)
        return jsonify(body)

    @blueprint.get(f"{WORKSPACE}/Events/<sid>")
    def fetch_event(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            return jsonify(resources_of(show).event(one_of(kept_events(world.log, now_ms), sid)))

"""The history of the workspace."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from simulator.twilio.asking import WORKSPACE, one_of
from simulator.twilio.history import kept_events, wanted_events
from simulator.twilio.paging import page
from simulator.twilio.resources import resources_of
from simulator.twilio.show import Show


def add_event_routes(blueprint: Blueprint, show: Show) -> None:
    """Reads of the log, as far back as Twilio keeps it."""

    @blueprint.get(f"{WORKSPACE}/Events")
    def list_events(workspace_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = wanted_events(world.log, now_ms)
            # A row's place is its time and its number in the log; both never change.
            body = page("events", rows, lambda row: (row.ms, f"{row.seq:012d}"), resources_of(show).event)
        return jsonify(body)

    @blueprint.get(f"{WORKSPACE}/Events/<sid>")
    def fetch_event(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            return jsonify(resources_of(show).event(one_of(kept_events(world.log, now_ms), sid)))

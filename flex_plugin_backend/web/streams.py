"""POST /twilio/<tenant>/streams: takes Twilio Event Streams and answers 204 once the whole batch is durable."""

from __future__ import annotations

import time

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from flex_plugin_backend.errors import EventError, ForeignEvent, IntakeUnavailable, MalformedEvent, UnsupportedBody
from flex_plugin_backend.taskrouter.signature import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER
from flex_plugin_backend.taskrouter.streams import Delivery, read_delivery
from flex_plugin_backend.web.arrivals import check_open, note_refusal, read_body, requested_url
from flex_plugin_backend.web.problems import request_id
from flex_plugin_backend.web.state import Door, PluginState, current_state

_JSON = frozenset(("application/json", "application/cloudevents+json", "application/cloudevents-batch+json"))
_log = structlog.get_logger(__name__)


def add_streams(blueprint: Blueprint) -> None:
    """Add the door for Event Streams."""

    @blueprint.post("/twilio/<tenant>/streams", provide_automatic_options=False)
    def streams(tenant: str) -> Response:
        started_s = time.perf_counter()
        state = current_state()
        door = state.doors.get(tenant)
        if door is None:
            raise NotFound("There is no such tenant.")
        try:
            delivery = _read(state, door)
            check_open(state)
            stored = state.runtime.submit_all(tenant, delivery.events) if delivery.events else 0
        except (EventError, IntakeUnavailable) as error:
            note_refusal(state, door, error)
            raise
        _keep_count(state, tenant, delivery, stored)
        state.metrics.ack_seconds.labels(tenant).observe(time.perf_counter() - started_s)
        return Response(status=204, content_type="application/json")


def _read(state: PluginState, door: Door) -> Delivery:
    """What this request brought, after every check.

    Raises:
        EventError: nothing of it can ever be taken. Twilio discards what is answered with 400, so where a single event
            is good the answer is not that, and the others are set aside.
    """
    if request.mimetype not in _JSON:
        raise UnsupportedBody(content_type=repr(request.mimetype[:80]), expected="application/json")
    body = read_body(request, state.settings.intake.max_stream_bytes)
    door.checker.check_json(
        requested_url(door.streams_url, request),
        body,
        request.headers.get(SIGNATURE_HEADER),
        request.headers.get(SIGNATURE_SETTINGS_HEADER),
    )
    delivery = read_delivery(body, door.owner)
    if not delivery.is_of_use:
        if delivery.foreign == delivery.refused:
            raise ForeignEvent(what="account or workspace")
        raise MalformedEvent(problem=delivery.problems[0])
    return delivery


def _keep_count(state: PluginState, tenant: str, delivery: Delivery, stored: int) -> None:
    for outcome, number in delivery.counts(stored).items():
        state.metrics.requests.labels(tenant, outcome).inc(number)
    if delivery.refused:
        number, problems = delivery.refused, delivery.problems
        _log.error("events set aside", tenant=tenant, events=number, problems=problems, request_id=request_id())
    for test in delivery.tests:
        _log.info("event stream tested", tenant=tenant, test_id=test)

"""POST /twilio/<tenant>/events: takes TaskRouter event callbacks and answers 204 once they are durable."""

from __future__ import annotations

import time

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import BodyTooLarge, EventError, ForeignEvent, IntakeUnavailable, UnsupportedBody
from flex_plugin_backend.taskrouter.callbacks import FormFields, event_from_form
from flex_plugin_backend.taskrouter.fields import sid
from flex_plugin_backend.taskrouter.signature import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER
from flex_plugin_backend.web.arrivals import check_open, note_refusal, read_body, requested_url
from flex_plugin_backend.web.state import Door, PluginState, current_state

_FORM = "application/x-www-form-urlencoded"
_EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_DOORS = ("events", "streams")


def add_webhooks(blueprint: Blueprint) -> None:
    """Add the event doors, and an answer in JSON for whatever else is asked below /twilio."""

    @blueprint.post("/twilio/<tenant>/events", provide_automatic_options=False)
    def events(tenant: str) -> Response:
        started_s = time.perf_counter()
        state = current_state()
        door = state.doors.get(tenant)
        if door is None:
            raise NotFound("There is no such tenant.")
        outcome = _take(state, door)
        state.metrics.requests.labels(tenant, outcome).inc()
        state.metrics.ack_seconds.labels(tenant).observe(time.perf_counter() - started_s)
        # Twilio asks for this content type, although the body is empty (reference 1.2).
        return Response(status=204, content_type="application/json")

    # Routing errors never reach a blueprint's handlers, so a host application would answer them in its own way.
    @blueprint.route("/twilio/<path:rest>", methods=_EVERY_METHOD, provide_automatic_options=False)
    def elsewhere(rest: str) -> Response:
        tenant, _, door = rest.partition("/")
        if door in _DOORS and tenant in current_state().doors:
            raise MethodNotAllowed(["POST"])
        raise NotFound("There is nothing here.")


def _take(state: PluginState, door: Door) -> str:
    """Judge, read and store the event of this request; the outcome as the metrics call it."""
    try:
        event = _read(state, door)
        check_open(state)
        stored = state.runtime.submit(door.tenant, event)
    except (EventError, IntakeUnavailable) as error:
        note_refusal(state, door, error)
        raise
    return "stored" if stored else "duplicate"


def _read(state: PluginState, door: Door) -> TaskRouterEvent:
    """The event of this request, after every check.

    Raises:
        EventError: one of its kinds, each with its status.
    """
    if request.mimetype != _FORM:
        raise UnsupportedBody(content_type=repr(request.mimetype[:80]), expected=_FORM)
    fields = _fields(request, state.settings.intake.max_body_bytes)
    door.checker.check_form(
        requested_url(door.callback_url, request),
        fields,
        request.headers.get(SIGNATURE_HEADER),
        request.headers.get(SIGNATURE_SETTINGS_HEADER),
    )
    event = event_from_form(fields, door.owner.agent_path)
    for what, name, own in (
        ("account", "AccountSid", door.owner.account_sid),
        ("workspace", "WorkspaceSid", door.owner.workspace_sid),
    ):
        # Twilio leaves out, or sends empty, what it does not say; whatever else stands there must be ours.
        if any(value and sid(value) != own for value in fields.getall(name)):
            raise ForeignEvent(what=what)
    return event


def _fields(incoming: Request, limit: int) -> FormFields:
    if "form" in incoming.__dict__:  # a before_request hook of the host has read the form; the body is gone
        pairs = list(incoming.form.items(multi=True))
        # The length is not told for a chunked body; decoded it is never longer than it was encoded.
        size = incoming.content_length or sum(len(name.encode()) + len(value.encode()) for name, value in pairs)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        return FormFields(pairs)
    return FormFields.parse(read_body(incoming, limit))

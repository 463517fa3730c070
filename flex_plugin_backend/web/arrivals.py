"""What both event doors share: reading a body within its limit, the address that was signed, and keeping count."""

from __future__ import annotations

import structlog
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from flex_plugin_backend.errors import (
    BodyTooLarge,
    EventError,
    ForeignEvent,
    IntakeUnavailable,
    MalformedEvent,
    SignatureRejected,
    UnsupportedBody,
)
from flex_plugin_backend.web.problems import request_id
from flex_plugin_backend.web.state import Door, PluginState

_OUTCOMES: dict[type[EventError], str] = {
    SignatureRejected: "signature_rejected",
    ForeignEvent: "foreign",
    MalformedEvent: "malformed",
    BodyTooLarge: "too_large",
    UnsupportedBody: "unsupported",
}
_log = structlog.get_logger(__name__)


def note_refusal(state: PluginState, door: Door, error: Exception) -> None:
    """Count a request that brought nothing, and log why it was refused."""
    if isinstance(error, EventError):
        state.metrics.requests.labels(door.tenant, _OUTCOMES.get(type(error), "refused")).inc()
        _log.warning(
            "event refused", tenant=door.tenant, status=error.status, problem=str(error), request_id=request_id()
        )
    else:
        state.metrics.requests.labels(door.tenant, "unavailable").inc()


def check_open(state: PluginState) -> None:
    """Raises IntakeUnavailable where this process cannot take events."""
    if state.obstacle is not None:
        raise IntakeUnavailable(problem=state.obstacle)


def read_body(incoming: Request, limit: int) -> bytes:
    """The whole body; raises BodyTooLarge."""
    # Enforced while reading, so it also holds for a chunked body and for a Content-Length that is not true; one byte
    # more than allowed, because a stream that reaches its limit just ends there.
    incoming.max_content_length = limit + 1
    try:
        body = incoming.get_data()
    except RequestEntityTooLarge as error:
        raise BodyTooLarge(limit=limit) from error
    if len(body) > limit:
        raise BodyTooLarge(limit=limit)
    return body


def requested_url(base: str | None, incoming: Request) -> str:
    """The address as Twilio requested it: the configured one, else what this server sees of it."""
    if base is None:
        base = f"{incoming.scheme}://{incoming.host}{incoming.root_path}{incoming.path}"
    query = incoming.query_string
    return f"{base}?{query.decode('latin-1')}" if query else base

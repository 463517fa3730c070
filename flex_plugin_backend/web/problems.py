"""Answers that are errors: short JSON bodies (RFC 9457) that say what is wrong and nothing about the content."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

import structlog
from flask import Response, g, json, request
from flask.sansio.scaffold import Scaffold
from werkzeug.exceptions import HTTPException

from flex_plugin_backend.errors import EventError, IntakeUnavailable

_log = structlog.get_logger(__name__)
_RETRY_AFTER_S = 5
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID_HEADER = "X-Request-Id"


def request_id() -> str:
    """The id of this request: the proxy's if it sent a plain one, else a new one."""
    known: str | None = g.get("flex_wfm_request_id")
    if known is None:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        known = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.flex_wfm_request_id = known
    return known


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """A problem body with this status."""
    title = HTTPStatus(status).phrase
    body = json.dumps({"status": status, "title": title, "detail": detail, "request_id": request_id()})
    answer = Response(body, status=status, content_type="application/problem+json")
    answer.headers[REQUEST_ID_HEADER] = request_id()
    answer.headers.update(headers or {})
    return answer


def event_refused(error: EventError) -> Response:
    """The answer to an event that cannot be taken."""
    return problem(error.status, str(error))


def intake_unavailable(error: IntakeUnavailable) -> Response:
    """The answer when the event could not be made durable."""
    detail = "The event could not be stored; send it again."
    if error.facts.get("disk"):
        # The alarm has told it once; a line for each event would fill the disk further.
        _log.debug("intake unavailable", problem=str(error), request_id=request_id())
        detail = "The disk of the ledger is full, or nearly so. " + detail
    else:
        _log.error("intake unavailable", problem=str(error), request_id=request_id())
    retry_after_s = error.facts.get("retry_after_s", _RETRY_AFTER_S)
    return problem(503, detail, {"Retry-After": str(retry_after_s)})


def http_error(error: HTTPException) -> Response:
    """The answer to an error of the protocol: unknown address, wrong method, broken body."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return problem(status, error.description or HTTPStatus(status).phrase, headers)


def unexpected(error: Exception) -> Response:
    """The answer to a fault of ours; the cause is in the log under the same request id."""
    _log.error("request failed", request_id=request_id(), exc_info=error)
    return problem(500, "The connector failed; its log has the cause under this request id.")


def answer_errors_as_json(target: Scaffold) -> None:
    """Answer every error raised inside `target`, an application or a blueprint, with a problem body."""
    target.register_error_handler(EventError, event_refused)
    target.register_error_handler(IntakeUnavailable, intake_unavailable)
    target.register_error_handler(HTTPException, http_error)
    target.register_error_handler(Exception, unexpected)

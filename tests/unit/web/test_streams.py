"""The door for Event Streams: signature, limits, what is answered, and that one bad event never costs the others."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask import Flask
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from flex_plugin_backend.errors import IntakeUnavailable

PUBLIC, PATH = "https://flex.example.com", "/twilio/acme/streams"
TOKEN = "0123456789abcdef0123456789abcdef"


def event(sid: str = "EV1", **payload: Any) -> dict[str, Any]:
    """One CloudEvent of the tenant's workspace."""
    return {
        "specversion": "1.0",
        "type": "com.twilio.taskrouter.worker.activity.update",
        "id": "EZ" + sid,
        "data": {
            "sid": sid,
            "account_sid": "AC1",
            "timestamp": "2026-01-05T10:00:45.123Z",
            "payload": {"worker_sid": "WK1", "worker_activity_sid": "WA1", "workspace_sid": "WS1", **payload},
        },
    }


def post(
    app: Flask,
    body: bytes | object,
    *,
    token: str = TOKEN,
    query: str | None = None,
    signature: str | None = None,
    content_type: str = "application/json",
    signed_body: bytes | None = None,
) -> TestResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = content if signed_body is None else signed_body
    query = f"bodySHA256={hashlib.sha256(signed).hexdigest()}" if query is None else query
    url = f"{PUBLIC}{PATH}" + (f"?{query}" if query else "")
    header = RequestValidator(token).compute_signature(url, {}) if signature is None else signature
    headers = {"X-Twilio-Signature": header} if header else {}
    return app.test_client().post(
        PATH + (f"?{query}" if query else ""), data=content, headers=headers, content_type=content_type
    )


@pytest.mark.parametrize("body", [event(), [event(), event("EV2")], []], ids=["single", "batch", "empty"])
def test_one_event_or_a_batch_is_answered_204_once_stored(app: Flask, runtime: Any, body: Any) -> None:
    """A single object, a batch and an empty batch are taken."""
    answer = post(app, body)
    assert (answer.status_code, answer.data, answer.content_type) == (204, b"", "application/json")
    wanted = [body] if isinstance(body, dict) else body
    assert [stored.sid for _, stored in runtime.events] == [one["data"]["sid"] for one in wanted]


def test_a_repeated_delivery_changes_nothing(app: Flask, runtime: Any) -> None:
    """At least once is what Twilio promises; the second time is answered alike."""
    assert post(app, [event()]).status_code == post(app, [event()]).status_code == 204
    assert len(runtime.events) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"token": "f" * 32},
        {"signature": ""},
        {"signature": "nonsense"},
        {"query": ""},
        {"query": "bodySHA256="},
        {"query": "bodySHA256=" + hashlib.sha256(b"other").hexdigest()},
        {"query": "bodySHA256=" + hashlib.sha256(json.dumps([event()]).encode()).hexdigest().upper()},
        {"signed_body": b"{}"},
    ],
)
def test_what_is_not_signed_for_this_body_is_refused(app: Flask, runtime: Any, options: dict[str, Any]) -> None:
    """A wrong secret, no signature, no hash, a hash of another body or in capitals: 403, and nothing is stored."""
    assert post(app, [event()], **options).status_code == 403
    assert runtime.events == []


def test_one_bad_event_never_costs_the_others(app: Flask, runtime: Any) -> None:
    """The good ones of a batch are stored and answered 204; the bad ones are counted."""
    foreign = event("EV3", workspace_sid="WS2")
    answer = post(app, [event(), {"type": "com.twilio.taskrouter.task.created"}, foreign, event("EV2")])
    assert answer.status_code == 204
    assert [stored.sid for _, stored in runtime.events] == ["EV1", "EV2"]
    metrics = app.test_client().get("/metrics").text
    assert 'flex_wfm_webhook_requests_total{outcome="malformed",tenant="acme"} 1.0' in metrics
    assert 'flex_wfm_webhook_requests_total{outcome="foreign",tenant="acme"} 1.0' in metrics
    assert 'flex_wfm_webhook_requests_total{outcome="stored",tenant="acme"} 2.0' in metrics


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"7", 400),
        ([{"type": "com.twilio.taskrouter.task.created"}], 400),
        ([event("EV1", workspace_sid="WS2")], 403),
    ],
)
def test_what_can_never_be_taken_is_discarded(app: Flask, runtime: Any, body: Any, status: int) -> None:
    """Where nothing in a body is of use the answer says so in a short problem, and Twilio does not repeat it."""
    answer = post(app, body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert runtime.events == []


def test_a_test_event_is_answered_and_counted(app: Flask, runtime: Any) -> None:
    """The test of a sink is answered 204 and visible to the operator."""
    test = {"specversion": "1.0", "type": "com.twilio.eventstreams.test-event", "data": {"test_id": "abc"}}
    assert post(app, [test]).status_code == 204
    assert runtime.events == []
    assert 'outcome="test",tenant="acme"} 1.0' in app.test_client().get("/metrics").text


def test_while_the_disk_is_busy_twilio_is_asked_to_come_again(app: Flask, runtime: Any) -> None:
    """A batch that cannot be stored is answered 503 with Retry-After; Twilio repeats it for four hours."""
    runtime.failure = IntakeUnavailable(problem="full")
    answer = post(app, [event()])
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_other_types_and_too_large_bodies(app: Flask, runtime: Any) -> None:
    """A form is 415, a body above the limit 413, another method 405."""
    assert post(app, [event()], content_type="application/x-www-form-urlencoded").status_code == 415
    assert post(app, [event(), "x" * 5_000_000]).status_code == 413
    assert app.test_client().get(PATH).status_code == 405
    assert runtime.events == []

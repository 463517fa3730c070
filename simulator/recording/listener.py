"""A callback endpoint that records what a workspace sends to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from simulator.recording.writer import Heard, Recorder

# What stands beside the data in a callback (Twilio reference 1.3).
_ENVELOPE = frozenset(
    {
        "AccountSid", "WorkspaceSid", "WorkspaceName", "EventDescription", "EventType", "ResourceType", "ResourceSid",
        "Sid", "Timestamp", "TimestampMs",
    }
)  # fmt: skip
_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`WorkerActivitySid` -> `worker_activity_sid`."""
    return _BREAK.sub("_", name).lower()


def heard_callback(parameters: Mapping[str, str]) -> Heard | None:
    """The event in a callback's parameters; None if it is none."""
    kind, sid = parameters.get("EventType", ""), parameters.get("Sid", "")
    ms, seconds = parameters.get("TimestampMs", ""), parameters.get("Timestamp", "")
    if not kind or not sid or not (ms.isdigit() or seconds.isdigit()):
        return None
    return Heard(
        sid=sid,
        type=kind,
        ms=int(ms) if ms.isdigit() else int(seconds) * 1000,
        resource_type=parameters.get("ResourceType", "").lower(),
        resource_sid=parameters.get("ResourceSid", ""),
        data={snake(name): value for name, value in parameters.items() if name not in _ENVELOPE},
    )


def create_listener(recorder: Recorder, *, auth_token: str = "", public_url: str = "") -> Flask:
    """An application that records every callback posted to it, whatever the path.

    Args:
        auth_token: refuse what is not signed with it; empty: take everything.
        public_url: scheme and host under which Twilio reaches this endpoint, if a proxy stands before it.
    """
    app = Flask("simulator.recording")
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    validator = RequestValidator(auth_token) if auth_token else None

    @app.post("/", defaults={"path": ""})
    @app.post("/<path:path>")
    def callback(path: str) -> tuple[str, int] | Response:  # noqa: ARG001
        parameters = request.form.to_dict()
        signature = request.headers.get("X-Twilio-Signature", "")
        url = request.url if not public_url else f"{public_url.rstrip('/')}{request.full_path.rstrip('?')}"
        if validator is not None and not (signature and validator.validate(url, parameters, signature)):
            return "the signature does not fit; check the auth token and --public-url\n", 403
        heard = heard_callback(parameters)
        if heard is None:
            return "this is no event callback: EventType, Sid or Timestamp is missing\n", 400
        recorder.take(heard)
        return Response(status=204, content_type="application/json")

    return app

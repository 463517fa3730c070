"""Takes TaskRouter's event callbacks, checks their signature, and prints what happened."""

from __future__ import annotations

import os

from flask import Flask, request
from twilio.request_validator import RequestValidator

app = Flask(__name__)


@app.post("/events")
def take() -> tuple[str, int]:
    """204 for a callback that Twilio, or the fake, has signed with the auth token; else 403."""
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
    if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
        return "", 403
    print(request.form["EventType"], request.form["EventDescription"], flush=True)
    return "", 204

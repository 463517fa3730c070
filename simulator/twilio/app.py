"""The Flask application of the fake Twilio."""

from __future__ import annotations

from flask import Flask

from simulator.twilio.control import control_blueprint
from simulator.twilio.show import Show


def create_twilio_app(show: Show) -> Flask:
    """REST as the official client reads it, and the control face /sim."""
    app = Flask("simulator.twilio")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(control_blueprint(show))
    return app

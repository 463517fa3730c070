"""The Flask application of the fake Twilio."""

from __future__ import annotations

from flask import Flask

from simulator.fast_json import FastJson
from simulator.twilio.control import Anew, control_blueprint
from simulator.twilio.mishaps import strike_reads
from simulator.twilio.problems import install_problems
from simulator.twilio.rest import rest_blueprint
from simulator.twilio.show import Show


def create_twilio_app(show: Show, anew: Anew | None = None) -> Flask:
    """REST as the official client speaks it, and the control face /sim, behind one address.

    The hosts of Twilio that the client speaks to can share it, because their paths do not collide.
    `anew` lets the floor begin again; without it a reset takes off faults alone.
    """
    app = Flask("simulator.twilio")
    app.json = FastJson(app)
    rest = rest_blueprint(show)
    strike_reads(rest, show)
    app.register_blueprint(rest)
    app.register_blueprint(control_blueprint(show, anew))
    install_problems(app)
    return app

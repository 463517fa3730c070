"""The control face under /sim: truth, emissions, progress and the start; nothing of it exists at Twilio."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.faults.control import add_fault_routes
from simulator.faults.fault import Side
from simulator.twilio.floor_control import add_floor_routes
from simulator.twilio.show import Show
from simulator.world.figures_face import true_reports, true_states
from simulator.world.figures_rules import FigureRules
from simulator.world.figures_schedule import planned_schedule

_LONGEST_STEP_S = 7 * 86_400
Anew = Callable[[int | None], Show]


def control_blueprint(show: Show, anew: Anew | None = None) -> Blueprint:
    """The routes of /sim for this show."""
    blueprint = Blueprint("control", __name__, url_prefix="/sim")
    service = show.service

    @blueprint.get("/truth")
    def truth() -> tuple[Response, int] | Response:
        known_from = request.args.get("known_from_ms")
        if known_from is not None and not known_from.isdecimal():
            return jsonify(problem="known_from_ms must be a whole number of milliseconds"), 400
        with service.present() as (world, now_ms):
            return jsonify(
                now_ms=now_ms,
                end_ms=service.end_ms,
                offline_activity_sid=world.truth.offline_activity_sid,
                agents=true_states(world, None if known_from is None else int(known_from)),
            )

    @blueprint.get("/truth/reports")
    def reports() -> tuple[Response, int] | Response:
        try:
            asked = _asked_reports(request.args)
        except ValueError as error:
            return jsonify(problem=str(error)), 400
        with service.present() as (world, _):
            return jsonify(true_reports(world, **asked))

    @blueprint.get("/schedule")
    def schedule() -> Response:
        with service.present() as (world, _):
            return jsonify(planned_schedule(world))

    @blueprint.get("/emissions")
    def emissions() -> Response:
        callbacks = show.emissions()
        return jsonify(
            callbacks=[
                {
                    "sid": one.sid,
                    "type": one.type,
                    "occurred_ms": one.occurred_ms,
                    "planned_s": one.planned_s,
                    "sent_s": one.sent_s,
                    "acked_s": one.acked_s,
                    "status": one.status,
                    "attempts": one.attempts,
                }
                for one in callbacks
            ],
            streams=[
                {
                    "sid": one.sid,
                    "type": one.type,
                    "occurred_ms": one.at_ms,
                    "acked_s": one.acked_s,
                    "status": one.status,
                    "attempts": one.attempts,
                }
                for one in show.streams.shipments()
            ],
        )

    @blueprint.get("/status")
    def status() -> Response:
        with service.present() as (world, now_ms):
            events, contacts, agents = len(world.log), world.contact_count, len(world.floor.workers)
        sent, failed = show.callback_counts()
        return jsonify(
            now_ms=now_ms,
            end_ms=service.end_ms,
            started=service.clock is not None,
            finished=show.has_finished(),
            events=events,
            callbacks_sent=sent,
            callbacks_failed=failed,
            agents=agents,
            contacts=contacts,
        )

    @blueprint.post("/reset")
    def reset() -> tuple[Response, int] | Response:
        """Take all faults off; with `{"floor": true}` the floor begins anew, with another `seed` if given."""
        given = request.get_json(silent=True) or {}
        floor, seed = (given.get("floor", False), given.get("seed")) if isinstance(given, dict) else (None, None)
        if not isinstance(floor, bool) or isinstance(seed, bool) or not isinstance(seed, int | None):
            return jsonify(problem='send nothing, or {"floor": true} and perhaps a whole number as seed'), 400
        show.faults.clear()
        if floor and anew is not None:
            account = anew(seed).account
            return jsonify(ok=True, account_sid=account.account_sid, workspace_sid=account.workspace_sid)
        return jsonify(ok=True)

    @blueprint.post("/advance")
    def advance() -> tuple[Response, int] | Response:
        """Move a floor on whose clock stands still."""
        given = request.get_json(silent=True)
        seconds = given.get("seconds") if isinstance(given, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_STEP_S:
            return jsonify(problem=f'send {{"seconds": N}} with N above 0 and at most {_LONGEST_STEP_S}'), 400
        if service.clock is not None:
            return jsonify(problem="the clock of this floor runs; --hold keeps it still"), 409
        service.advance_to(service.now_ms() + round(seconds * 1000))
        return jsonify(now_ms=service.now_ms())

    @blueprint.post("/start")
    def start() -> tuple[Response, int] | Response:
        given = request.get_json(silent=True) or {}
        problem = _problem_with(given)
        if problem:
            return jsonify(problem=problem), 400
        try:
            clock = show.start(**given)
        except ValueError as error:
            return jsonify(problem=str(error)), 400
        except RuntimeError as error:
            return jsonify(problem=str(error)), 409
        return jsonify(start_ms=clock.start_ms, anchor_ms=clock.anchor_ms, speed=clock.speed, end_ms=service.end_ms)

    add_floor_routes(blueprint, show)
    add_fault_routes(blueprint, show.faults, service.now_ms, (Side.EVENTS, Side.REST))
    return blueprint


def _asked_reports(given: Mapping[str, str]) -> dict[str, Any]:
    """The query of /sim/truth/reports; ValueError says what is wrong with it."""
    asked: dict[str, Any] = {}
    for name, text in given.items():
        if name in ("from_ms", "to_ms", "known_from_ms"):
            try:
                asked[name] = int(text)
            except ValueError:
                raise ValueError(f"{name} must be a whole number of milliseconds") from None
        elif name == "rules":
            rules = json.loads(text)  # its error is a ValueError too
            if not isinstance(rules, dict):
                raise ValueError("rules must be a JSON object")
            asked["rules"] = FigureRules.of(rules)
        else:
            raise ValueError(f"unknown parameter {name}; known are from_ms, to_ms, known_from_ms and rules")
    return asked


_START_FIELDS: dict[str, tuple[type, ...]] = {
    "anchor_ms": (int,),
    "start_ms": (int,),
    "speed": (int, float),
    "end_ms": (int,),
    "callback_url": (str,),
}


def _problem_with(given: Any) -> str:
    if not isinstance(given, dict):
        return "the body must be a JSON object"
    for name, value in given.items():
        kinds = _START_FIELDS.get(name)
        if kinds is None:
            return f"unknown field {name}; known are {', '.join(_START_FIELDS)}"
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            return f"{name} has the wrong type"
    return ""

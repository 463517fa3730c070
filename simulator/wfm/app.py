"""The Flask face of the fake WFM: the endpoints of the profile and the control face under /sim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from flex_plugin_backend.wfm.contract import ContractError, Endpoint
from simulator.fast_json import FastJson
from simulator.faults.carrier import carry_out, written
from simulator.faults.fault import Side
from simulator.faults.mishap import Mishap
from simulator.wfm.control import create_control
from simulator.wfm.options import WfmOptions
from simulator.wfm.replies import Reply, spring_error
from simulator.wfm.service import FakeWfm
from simulator.wfm.uses import Planner

_MAX_BODY_BYTES = 64 * 1024 * 1024


def create_wfm_app(options: WfmOptions | None = None, *, now_ms: Callable[[], int] | None = None) -> Flask:
    """A fake WFM as a WSGI application; its service is `app.extensions["fake_wfm"]`, its schedule `["planner"]`.

    All its state lives in the process that made it. `now_ms` replaces its clock.
    """
    wfm = FakeWfm(options or WfmOptions(), now_ms)
    app = Flask("simulator.wfm", static_folder=None)
    app.json = FastJson(app)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.extensions["fake_wfm"] = wfm
    app.extensions["planner"] = planner = Planner()
    app.register_blueprint(create_control(wfm, planner))
    places: dict[tuple[str, str], str] = {}
    for endpoint in wfm.profile.endpoints.values():
        place = (endpoint.method, endpoint.path)
        if place in places:
            raise ContractError(
                profile=wfm.profile.name,
                problem=f"endpoints {places[place]} and {endpoint.name} share {endpoint.method} {endpoint.path}",
                repair="The fake WFM tells them apart by path; give each its own.",
            )
        places[place] = endpoint.name
        app.add_url_rule(endpoint.path, endpoint.name, _view(wfm, endpoint), methods=[endpoint.method])
    app.register_error_handler(HTTPException, _http_error)
    return app


def _view(wfm: FakeWfm, endpoint: Endpoint) -> Callable[[], Response]:
    def view() -> Response:
        mishap = wfm.faults.mishap(Side.WFM, endpoint.name, wfm.now_ms())
        if mishap is None:
            return _response(_answer(wfm, endpoint))
        wfm.inbox.count("mishaps")
        if mishap.revoke:
            wfm.tokens.revoke(refresh=mishap.revoke == "all")
        return carry_out(mishap, lambda: _response(_answer(wfm, endpoint, mishap)))

    return view


def _answer(wfm: FakeWfm, endpoint: Endpoint, mishap: Mishap | None = None) -> Reply:
    payload: Any = None
    if endpoint.request is not None:
        payload = _json()
        if payload is None:
            reply = spring_error(wfm.profile, 400, "the body is not JSON", endpoint.path)
            wfm.inbox.reject(endpoint.name, reply.status, reply.problem)
            return reply
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return wfm.handle(endpoint.name, payload, bearer, None if mishap is None else mishap.refused)


def _json() -> Any:
    try:
        return request.get_json(silent=True, force=True)
    except RecursionError:  # brackets nested by the thousand
        return None


def _response(reply: Reply) -> Response:
    return written(reply.status, reply.body, reply.headers)


def _http_error(error: HTTPException) -> Response:
    wfm: FakeWfm = current_app.extensions["fake_wfm"]
    status = error.code or 500
    if not request.path.startswith("/sim/"):
        wfm.inbox.reject(request.path[:200], status, error.name)
    return _response(spring_error(wfm.profile, status, error.name, request.path[:200]))

"""The control face of the fake WFM under /sim: what it holds, and levers for tests; not CXone-like."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.faults.control import add_fault_routes
from simulator.faults.fault import Side
from simulator.wfm.service import FakeWfm
from simulator.wfm.uses import Planner, add_uses

_PAGE = 50_000


def create_control(wfm: FakeWfm, planner: Planner) -> Blueprint:
    """The control face of one fake WFM and of who plans in it."""
    control = Blueprint("sim", __name__, url_prefix="/sim")
    _add_reading(control, wfm)
    _add_levers(control, wfm)
    add_fault_routes(control, wfm.faults, wfm.now_ms, (Side.WFM,), tuple(wfm.profile.endpoints))
    add_uses(control, wfm, planner)
    return control


def _add_reading(control: Blueprint, wfm: FakeWfm) -> None:
    @control.get("/inbox/states")
    def states() -> Response:
        """Accepted states after `after`, at most `limit`; go on from `next` until no rows come."""
        return jsonify(wfm.inbox.states(_number("after", 0), _number("limit", _PAGE)))

    @control.get("/inbox/reports")
    def reports() -> Response:
        """Accepted reports after `after`, at most `limit`."""
        return jsonify(reports=wfm.inbox.reports(_number("after", 0), _number("limit", _PAGE)))

    @control.get("/rejections")
    def rejections() -> Response:
        """Refused requests and rows after `after`, at most `limit`."""
        return jsonify(rows=wfm.inbox.rejections(_number("after", 0), _number("limit", _PAGE)))

    @control.get("/capture")
    def captured() -> Response:
        """Captured requests after `after`, at most `limit`, one on each line, as `flex-wfm validate` reads them."""
        rows = wfm.inbox.captured(_number("after", 0), _number("limit", _PAGE))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        return Response(lines, mimetype="application/x-ndjson")

    @control.get("/counters")
    def counters() -> Response:
        """How many of what."""
        return jsonify(wfm.inbox.counters())

    @control.get("/status")
    def status() -> Response:
        """Time and mode."""
        return jsonify(
            now_ms=wfm.now_ms(),
            profile=wfm.profile.name,
            partial=wfm.partial,
            faults=len(wfm.faults.on()),
            last_heartbeat_s=wfm.last_heartbeats(),
        )


def _add_levers(control: Blueprint, wfm: FakeWfm) -> None:
    @control.post("/reset")
    def reset() -> Response:
        """Forget what came in, and take all faults off; tokens stay valid."""
        wfm.inbox.clear()
        wfm.faults.clear()
        return jsonify(ok=True)

    @control.post("/capture")
    def capture() -> Response:
        """{"on": bool}: keep whole requests, or stop keeping them."""
        on = _body().get("on") is True
        wfm.inbox.capture(on=on)
        return jsonify(on=on)

    @control.post("/start")
    def start() -> tuple[Response, int] | Response:
        """Set the virtual time: start_ms, anchor_ms, speed."""
        body = _body()
        numbers = [body[name] for name in ("start_ms", "anchor_ms", "speed") if _is_number(body.get(name))]
        if len(numbers) != 3 or numbers[2] <= 0:
            return jsonify(problem="send the numbers start_ms, anchor_ms and speed (above 0)"), 400
        wfm.anchor(int(numbers[0]), int(numbers[1]), float(numbers[2]))
        return jsonify(now_ms=wfm.now_ms())

    @control.post("/revoke")
    def revoke() -> Response:
        """Make every access token invalid; with {"refresh": true} the refresh tokens too."""
        wfm.tokens.revoke(refresh=_body().get("refresh") is True)
        return jsonify(ok=True)

    @control.post("/mode")
    def mode() -> Response:
        """{"partial": bool}: refuse bad rows alone, or the whole batch."""
        wfm.partial = _body().get("partial") is True
        return jsonify(partial=wfm.partial)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True, force=True)
    return body if isinstance(body, dict) else {}


def _number(name: str, default: int) -> int:
    value = request.args.get(name, default, type=int)
    return max(0, min(value, 2**53))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

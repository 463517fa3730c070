"""Faults of Twilio's REST answers: each read may be answered otherwise than it should."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, request

from simulator.faults.carrier import carry_out
from simulator.faults.fault import Side
from simulator.twilio.show import Show


def strike_reads(blueprint: Blueprint, show: Show) -> None:
    """Let the faults of the show's board strike the reads of this blueprint; call it when its routes are there."""

    def strike(state: Any) -> None:
        for name, view in state.app.view_functions.items():
            if name.startswith(f"{blueprint.name}."):
                state.app.view_functions[name] = _struck(view, show)

    blueprint.record(strike)


def _struck(view: Callable[..., Any], show: Show) -> Callable[..., Any]:
    @wraps(view)
    def struck(**arguments: Any) -> Any:
        mishap = show.faults.mishap(Side.REST, request.path.rpartition("/")[2], show.service.now_ms())
        if mishap is None:
            return view(**arguments)
        return carry_out(mishap, lambda: _response(view(**arguments)))

    return struck


def _response(answer: Any) -> Response:
    made: Response = current_app.make_response(answer)
    return made

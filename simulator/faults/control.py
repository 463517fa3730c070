"""The control face of faults, the same on every fake server: GET, POST and DELETE /faults."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.faults.board import Board
from simulator.faults.fault import AnswerFault, Fault, Side
from simulator.faults.registry import FaultError, all_faults, read_fault

Answer = Response | tuple[Response, int]


def add_fault_routes(
    blueprint: Blueprint,
    board: Board,
    now_ms: Callable[[], int],
    sides: Collection[Side],
    endpoints: Collection[str] = (),
) -> None:
    """Add the routes to a blueprint.

    Args:
        sides: of which faults can be set here.
        endpoints: the names that a fault's `endpoint` may have; any where it is empty.
    """

    @blueprint.get("/faults")
    def listed() -> Response:
        """What is set, with how often it struck, and the names of what can be set here."""
        known = [name for name, kind in all_faults().items() if kind.side in sides]
        return jsonify(faults=[one.to_dict(now_ms()) for one in board.on()], known=known)

    @blueprint.post("/faults")
    def set_faults() -> Answer:
        """Set one fault, or all of `{"faults": [...]}`; their windows count from now."""
        body = request.get_json(silent=True, force=True)
        tables = body.get("faults", [body]) if isinstance(body, dict) else [body]
        try:
            faults = [_checked(table, sides, endpoints) for table in (tables if isinstance(tables, list) else [tables])]
        except FaultError as error:
            return jsonify(problem=str(error)), 400
        at_ms = now_ms()
        return jsonify(faults=[one.to_dict(at_ms) for one in board.set(faults, at_ms)])

    @blueprint.delete("/faults")
    def clear() -> Response:
        """Take all off."""
        board.clear()
        return jsonify(faults=[])

    @blueprint.delete("/faults/<int:number>")
    def take(number: int) -> Answer:
        """Take one off."""
        if not board.take(number):
            return jsonify(problem=f"no fault with the id {number} is set"), 404
        return jsonify(faults=[one.to_dict(now_ms()) for one in board.on()])


def _checked(table: Any, sides: Collection[Side], endpoints: Collection[str]) -> Fault:
    fault = read_fault(table)
    if fault.side not in sides:
        raise FaultError(f"{fault.name} happens on the side {fault.side}; here are {', '.join(sorted(sides))}")
    if isinstance(fault, AnswerFault) and endpoints and fault.endpoint not in ("*", *endpoints):
        raise FaultError(
            f"{fault.name}.endpoint: there is no {fault.endpoint!r}; endpoints are *, {', '.join(endpoints)}"
        )
    return fault

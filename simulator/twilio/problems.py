"""Errors as Twilio's REST API words them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from simulator.twilio.nearest import closest_route
from simulator.twilio.sinks import StreamProblem
from simulator.world.hands import Refused


class RestProblem(Exception):
    """An answer other than success: HTTP status, Twilio's error code and its text."""

    def __init__(self, status: int, code: int, message: str, details: Mapping[str, Any] | None = None) -> None:
        """`details` says more for whoever develops against the simulator; the client shows it beside the message."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers: Mapping[str, str] = {}

    @classmethod
    def not_found(cls) -> RestProblem:
        """The resource of this request does not exist."""
        path = request.path.removeprefix("/v1").removeprefix("/2010-04-01")
        return cls(404, 20404, f"The requested resource {path} was not found")

    @classmethod
    def invalid(cls, message: str, details: Mapping[str, Any] | None = None) -> RestProblem:
        """A parameter cannot be taken."""
        return cls(400, 20001, message, details)

    def response(self) -> Response:
        """The JSON answer (Twilio reference 3.1)."""
        answer = jsonify(
            code=self.code,
            message=self.message,
            more_info=f"https://www.twilio.com/docs/errors/{self.code}",
            status=self.status,
            **({} if self.details is None else {"details": self.details}),
        )
        answer.status_code = self.status
        answer.headers.update(self.headers)
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return answer


def unknown_call(status: int) -> RestProblem:
    """No route takes this call: in Twilio's shape, with the closest one, the difference, and what to do."""
    near = closest_route(request.method, request.path)
    text = RestProblem.not_found().message if status == 404 else f"Method {request.method} is not allowed here"
    return RestProblem(status, 20_000 + status, f"{text}. {near['what_to_do']}", near)


def install_problems(app: Flask) -> None:
    """Answer every error of this application in Twilio's way."""

    @app.errorhandler(RestProblem)
    def answer_problem(problem: RestProblem) -> Response:
        return problem.response()

    @app.errorhandler(Refused)
    @app.errorhandler(StreamProblem)
    def answer_refusal(refusal: Exception) -> Response:
        return RestProblem.invalid(str(refusal)).response()

    @app.errorhandler(RecursionError)
    def answer_depth(_: RecursionError) -> Response:
        return RestProblem.invalid("What was sent is nested too deeply").response()

    @app.errorhandler(HTTPException)
    def answer_http(error: HTTPException) -> Response:
        if error.code in (404, 405):
            return unknown_call(error.code).response()
        # The code of other errors is not established; Twilio's codes of this kind repeat the status (assumed).
        status = error.code or 500
        return RestProblem(status, 20_000 + status % 1000, error.name).response()

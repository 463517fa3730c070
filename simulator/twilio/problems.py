"""Errors as Twilio's REST API words them."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException


class RestProblem(Exception):
    """An answer other than success: HTTP status, Twilio's error code and its text."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @classmethod
    def not_found(cls) -> RestProblem:
        """The resource of this request does not exist."""
        path = request.path.removeprefix("/v1").removeprefix("/2010-04-01")
        return cls(404, 20404, f"The requested resource {path} was not found")

    @classmethod
    def invalid(cls, message: str) -> RestProblem:
        """A parameter cannot be taken."""
        return cls(400, 20001, message)

    def response(self) -> Response:
        """The JSON answer (Twilio reference 3.1)."""
        answer = jsonify(
            code=self.code,
            message=self.message,
            more_info=f"https://www.twilio.com/docs/errors/{self.code}",
            status=self.status,
        )
        answer.status_code = self.status
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return answer


def install_problems(app: Flask) -> None:
    """Answer every error of this application in Twilio's way."""

    @app.errorhandler(RestProblem)
    def answer_problem(problem: RestProblem) -> Response:
        return problem.response()

    @app.errorhandler(HTTPException)
    def answer_http(error: HTTPException) -> Response:
        if error.code == 404:
            return RestProblem.not_found().response()
        # The code of other errors is not established; Twilio's codes of this kind repeat the status (assumed).
        status = error.code or 500
        return RestProblem(status, 20_000 + status % 1000, error.name).response()

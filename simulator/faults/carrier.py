"""Carries a mishap out: in Flask, over an httpx transport in one process, and on a server with real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx
from flask import Response, current_app, request

from simulator.faults.mishap import Mishap

_BREAK, _WAIT = "X-Simulated-Break", "X-Simulated-Wait"
_IN_PROCESS = "X-Simulated-In-Process"
_PATIENCE_S = 15.0
_MOST_WAIT_S = 120.0


def carry_out(mishap: Mishap, true_answer: Callable[[], Response]) -> Response:
    """The answer of a Flask view whose request a fault strikes."""
    in_process = _IN_PROCESS in request.headers
    if mishap.wait_s and not in_process:
        threading.Event().wait(min(mishap.wait_s, _MOST_WAIT_S))
    if mishap.status is None and not mishap.broken:
        response = true_answer()
    else:
        response = true_answer() if mishap.applied else current_app.response_class()
        if mishap.status is not None:
            response = written(mishap.status, mishap.body, mishap.headers)
    if mishap.broken:
        response.headers[_BREAK] = mishap.broken
    if mishap.wait_s and in_process:
        response.headers[_WAIT] = f"{mishap.wait_s:g}"
    return response


def written(status: int, body: Any, headers: Mapping[str, str]) -> Response:
    """An answer: a text as it is, nothing as nothing, anything else as JSON."""
    if isinstance(body, str):
        response = current_app.response_class(body, mimetype="text/plain")
    elif body is None:
        response = current_app.response_class()
    else:
        response = current_app.response_class(current_app.json.dumps(body), mimetype="application/json")
    response.status_code = status
    response.headers.update(headers)
    return response


class CarriedTransport(httpx.BaseTransport):
    """A WSGI application in this process, whose connections break as its faults say; a wait takes no time, but where it
    is longer than the caller's patience no answer comes.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; raises what httpx raises when a connection breaks so."""
        request.headers[_IN_PROCESS] = "1"
        # Made anew, so that whoever stands before the application may come and go.
        answer = httpx.WSGITransport(self.app).handle_request(request)
        patience_s = request.extensions.get("timeout", {}).get("read") or _PATIENCE_S
        if float(answer.headers.get(_WAIT, 0)) >= patience_s:
            raise httpx.ReadTimeout("simulated: the answer takes too long", request=request)
        match answer.headers.get(_BREAK, ""):
            case "refused":
                raise httpx.ConnectError("simulated: connection refused", request=request)
            case "tls":
                raise httpx.ConnectError("simulated: certificate verify failed", request=request)
            case "reset":
                raise httpx.ReadError("simulated: connection reset by peer", request=request)
            case "hang":
                raise httpx.ReadTimeout("simulated: no answer", request=request)
            case "half":
                raise httpx.RemoteProtocolError("simulated: peer closed connection in the body", request=request)
        return answer


def cut_broken(app: WSGIApplication) -> WSGIApplication:
    """The application for a server with sockets: a broken answer announces more than it sends, and the connection ends.

    A web application cannot refuse or reset a connection; to the caller each kind of break is one that ends too soon.
    """

    def cutting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        broken = False

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal broken
            broken = any(name == _BREAK for name, _ in headers)
            if broken:
                headers = [(name, value) for name, value in headers if name.lower() not in ("content-length", "etag")]
                headers.append(("Content-Length", "1000000"))
            return start_response(status, headers, exc_info)

        answer = app(environ, start)
        return _half(answer) if broken else answer

    return cutting


def _half(answer: Iterable[bytes]) -> Iterator[bytes]:
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    yield body[: len(body) // 2] or b"{"
    raise ConnectionError("simulated: the connection ends here")

"""Calls a WSGI application in this process, without a server and without a client library's cost."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication


class Door:
    """One address of an application, ready to be posted to."""

    def __init__(self, app: WSGIApplication, url: str) -> None:
        self._app = app
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "SERVER_NAME": parts.hostname,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": parts.scheme,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def post(self, body: bytes, headers: Mapping[str, str], query: str | None = None) -> int:
        """Post a body; returns the status of the answer."""
        environ = self._environ.copy()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        if query is not None:
            environ["QUERY_STRING"] = query
        for name, value in headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        status: list[int] = []

        def start(line: str, _headers: object, exc_info: Any = None) -> Any:
            if exc_info is not None:
                raise exc_info[1]
            status.append(int(line[:3]))
            return lambda _data: None

        answer: Iterable[bytes] = self._app(environ, _as_start_response(start))
        try:
            for _ in answer:
                pass
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return status[0]


def _as_start_response(start: Any) -> StartResponse:
    found: StartResponse = start
    return found

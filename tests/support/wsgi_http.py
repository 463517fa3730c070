"""A transport for the official Twilio client that carries its requests into a WSGI application."""

from __future__ import annotations

from typing import Any
from wsgiref.types import WSGIApplication

from twilio.http import HttpClient
from twilio.http.response import Response
from werkzeug.test import Client


class WsgiHttpClient(HttpClient):
    """Carries the client's requests into a WSGI application instead of to twilio.com.

    `requests` are the addresses; `answers` method, path, status and JSON body of each.
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__(logger=None, is_async=False, timeout=None)
        self._client = Client(app)
        self.requests: list[str] = []
        self.answers: list[tuple[str, str, int, Any]] = []

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        path = "/" + url.split("://", 1)[1].split("/", 1)[1]
        self.requests.append(url)
        given: Any = params
        body: Any = {"json": data} if "json" in (headers or {}).get("Content-Type", "") else {"data": data or None}
        answer = self._client.open(path, method=method, query_string=given or None, auth=auth, headers=headers, **body)
        self.answers.append(
            (method, path.partition("?")[0], answer.status_code, answer.json if answer.is_json else None)
        )
        return Response(answer.status_code, answer.text, dict(answer.headers))

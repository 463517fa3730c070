"""Lets an httpx transport, a WSGI application behind it for example, stand for the network below the Twilio client."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NotConnected


class TransportAdapter(BaseAdapter):
    """Carries a prepared request of `requests` over an httpx transport."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        super().__init__()
        self._transport = transport

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002 the signature is the base class's
        timeout: float | tuple[float | None, float | None] | None = None,  # noqa: ARG002
        verify: bool | str = True,  # noqa: ARG002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """The answer, read to its end."""
        headers = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in request.headers.items()
        }
        # The Twilio client sends forms and JSON, never streams.
        body = request.body if isinstance(request.body, str | bytes) else None
        asked = httpx.Request(request.method or "GET", request.url or "", headers=headers, content=body)
        try:
            answer = self._transport.handle_request(asked)
            content = answer.read()
        except httpx.TransportError as error:
            raise NotConnected(str(error), request=request) from error
        found = Response()
        found.status_code = answer.status_code
        found.headers.update(answer.headers)
        found._content = content  # what `requests` itself keeps of a body that was read
        found.encoding = answer.encoding
        found.request = request
        found.url = request.url or ""
        return found

    def close(self) -> None:
        """Let go of the transport."""
        self._transport.close()

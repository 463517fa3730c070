"""One HTTP exchange with the service: sends, reads a bounded answer, calls what goes wrong on the way PASSING."""

from __future__ import annotations

import json
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from flex_plugin_backend.errors import WfmError
from flex_plugin_backend.wfm.answers import Answer
from flex_plugin_backend.wfm.config import WFMConnectionConfig, is_loopback
from flex_plugin_backend.wfm.contract import Endpoint
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind

_MAX_BODY_BYTES = 4 * 1024 * 1024


class Exchange:
    """Sends requests to one service; many threads may share it.

    Timeouts are wall time. An answer whose body breaks off is no answer (sending again is safe, believing half a list
    of rejected rows is not); one whose body cannot be decoded still has its status. A TLS failure passes too: it heals
    without us when the service renews its certificate.
    """

    def __init__(self, config: WFMConnectionConfig, transport: httpx.BaseTransport | None = None) -> None:
        self._base = config.service_url
        self._timeout_s = config.timeout_s
        self._client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(config.timeout_s, connect=config.connect_timeout_s),
            follow_redirects=False,
            # The environment's proxies are for the way out, not for a simulator on this machine.
            trust_env=not is_loopback(config.service_url),
            headers={"Accept": "application/json", "User-Agent": f"flex-wfm/{_version()}"},
        )

    def send(self, endpoint: Endpoint, payload: dict[str, Any] | None, access_token: str | None = None) -> Answer:
        """The service's answer, whatever its status.

        Raises:
            CXoneWfmException: PASSING, no answer came.
            WfmError: `close` was called before.
        """
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        content = None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            # Escaped to ASCII: a lone surrogate in a name must reach the service's validation, not break the sender.
            content = json.dumps(payload, separators=(",", ":")).encode("ascii")
        try:
            with self._client.stream(
                endpoint.method, self._base + endpoint.path, content=content, headers=headers
            ) as response:
                text = self._read(response)
                fields = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, fields, text)
        except RuntimeError as error:
            if not self._client.is_closed:
                raise
            raise WfmError(problem="this connection was closed; get a new one") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise CXoneWfmException(
                kind=FailureKind.PASSING, operation=endpoint.name, problem=f"no answer: {_reason(error)}"
            ) from error

    def _read(self, response: httpx.Response) -> str:
        deadline_s = time.monotonic() + self._timeout_s
        parts: list[bytes] = []
        size = 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > _MAX_BODY_BYTES:
                    break
                if time.monotonic() > deadline_s:
                    raise httpx.ReadTimeout("the answer's body takes too long", request=response.request)
        except httpx.DecodingError:
            return ""
        return b"".join(parts).decode("utf-8", errors="replace")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _reason(error: Exception) -> str:
    """The class and text of a failure; httpx's texts name hosts and system errors, not headers or bodies."""
    return f"{type(error).__name__}: {str(error)[:300]}" if str(error) else type(error).__name__


def _version() -> str:
    try:
        return version("flex-wfm")
    except PackageNotFoundError:  # run from a source tree
        return "0"

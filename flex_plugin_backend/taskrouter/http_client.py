"""The HTTP client below the official Twilio client: never without a timeout, patient in bounds, known hosts only."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.transport import TransportAdapter

_TWILIO_DOMAIN = ".twilio.com"
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_ORIGINAL_HOST_HEADER = "X-Forwarded-Host"

Waiter = Callable[[float], bool]


class PatientHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Repeats a read that failed for a passing reason, and reads only from Twilio or the address given instead.

    The client's own retries do nothing on plain http, nor without a Retry-After header; and its default is to wait
    for ever (Twilio reference 3.5). One instance serves one thread: the base class keeps the last response in itself.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        base_url: str | None = None,
        attempts: int = 3,
        first_pause_s: float = 0.5,
        longest_pause_s: float = 30.0,
        wait: Waiter | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Set the bounds.

        Args:
            timeout_s: for one attempt.
            base_url: scheme, host and perhaps a path to read from instead of `*.twilio.com`.
            attempts: how often in all.
            first_pause_s, longest_pause_s: the pause doubles from the first to the longest, with jitter downwards.
            wait: waits that many seconds; True means: stop trying, we are shutting down.
            transport: replaces the network.
        """
        super().__init__(timeout=timeout_s)
        if transport is not None:
            for scheme in ("https://", "http://"):
                self.session.mount(scheme, TransportAdapter(transport))
        # Its INFO lines print URLs and query parameters; names of people are in there.
        logger = logging.getLogger("twilio.http_client")
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
        self._base = urlsplit(base_url.rstrip("/")) if base_url else None
        self._attempts = max(1, attempts)
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._wait: Waiter = wait or threading.Event().wait

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make the request; the answer may be an error the caller has to look at.

        Raises:
            TwilioUnavailable: no attempt was answered, or the address is not Twilio's.
        """
        target = self.target_of(url)
        sent_headers = dict(headers or {})
        if target != url:
            sent_headers[_ORIGINAL_HOST_HEADER] = urlsplit(url).netloc
        attempts = self._attempts if method.upper() == "GET" else 1
        for attempt in range(1, attempts + 1):
            answer: Response | None = None
            failure = ""
            try:
                answer = super().request(method, target, params, data, sent_headers, auth, timeout, allow_redirects)
            except OSError as error:  # what `requests` raises is one: refused, reset, DNS, TLS, timeout
                failure = type(error).__name__
            if answer is not None and (answer.status_code not in _PASSING or attempt == attempts):
                return answer
            if attempt == attempts:
                break
            if self._wait(self._pause_s(attempt, answer)):
                raise TwilioUnavailable(what=_where(target), problem="stopped while waiting to try again")
        raise TwilioUnavailable(what=_where(target), problem=f"{failure} in each of {attempts} attempts")

    def target_of(self, url: str) -> str:
        """The address to ask for `url`: the configured one in place of Twilio's.

        Raises:
            TwilioUnavailable: a page points to a host that is neither; our credentials do not go there.
        """
        parts = urlsplit(url)
        base = self._base
        if base is None:
            if parts.scheme == "https" and (parts.hostname or "").endswith(_TWILIO_DOMAIN):
                return url
            raise TwilioUnavailable(what=_where(url), problem="the answer points to a host that is not Twilio's")
        if (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
            return url
        if not (parts.hostname or "").endswith(_TWILIO_DOMAIN):
            raise TwilioUnavailable(what=_where(url), problem="the answer points to a host that was not configured")
        return urlunsplit((base.scheme, base.netloc, base.path + parts.path, parts.query, ""))

    def _pause_s(self, attempt: int, answer: Response | None) -> float:
        asked_s = retry_after_s(answer)
        if asked_s is not None:
            return min(asked_s, self._longest_pause_s)
        pause_s = min(self._first_pause_s * 2 ** (attempt - 1), self._longest_pause_s)
        return float(pause_s * (0.5 + random.random() / 2))


def retry_after_s(answer: Response | None) -> float | None:
    """The seconds that a Retry-After asks for; None where there is none that can be read."""
    if answer is None:
        return None
    value: Any = (answer.headers or {}).get("Retry-After")
    try:
        seconds = float(value)
    except (TypeError, ValueError):  # absent, or the form with a date: our own pause will do
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _where(url: str) -> str:
    """Host and last word of the path: enough to know what was asked, without sids and names."""
    parts = urlsplit(url)
    return f"{parts.hostname}, {parts.path.rsplit('/', 1)[-1]}"

"""Session: the access token of one connection, renewed before it expires and replaced when the service drops it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.answers import Answer, kind_of, read_response, retry_after_s
from flex_plugin_backend.wfm.config import WFMConnectionConfig
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind
from flex_plugin_backend.wfm.http import Exchange

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, from a login or a refresh.

    Attributes:
        renew_ms: when to renew it, `expires_ms` less the margin; epoch milliseconds of the connection's clock.
        refresh_token: None when the service gave none.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    renew_ms: int
    expires_ms: int
    refresh_expires_ms: int


class Session:
    """Keeps one valid token for all threads of a connection."""

    def __init__(self, config: WFMConnectionConfig, exchange: Exchange, clock: Clock) -> None:
        self._config = config
        self._profile = config.profile
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._retired: deque[str] = deque(maxlen=8)  # a service may still complain about a token of before

    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text."""
        token = self._token
        found = [self._config.secret_key.get_secret_value(), *self._retired]
        if token is not None:
            found += [token.access_token, token.refresh_token or ""]
        return tuple(found)

    def login(self) -> Token:
        """A new token with the access key, whatever there was before."""
        with self._lock:
            return self._login()

    def token(self) -> Token:
        """A token that is valid by the clock: the one at hand, else refreshed, else by a new login."""
        with self._lock:
            token = self._token
            now_ms = self._clock.now_ms()
            if token is None:
                return self._login()
            if now_ms < token.renew_ms:
                return token
            if token.refresh_token is not None and now_ms < token.refresh_expires_ms:
                try:
                    return self._refresh(token.refresh_token)
                except CXoneWfmException as error:
                    _log.warning("the token could not be refreshed, logging in again: %s", error)
            return self._login()

    def replace(self, refused: Token) -> Token:
        """A token other than `refused`, which the service answered with 401; another thread may have one already."""
        with self._lock:
            if self._token is not None and self._token is not refused:
                return self._token
            return self._login()

    def _login(self) -> Token:
        keys = {
            "access_key": self._config.access_key,
            "secret_key": self._config.secret_key.get_secret_value(),
        }
        plain: dict[str, Any] = {"access_key_token_request": keys}
        if self._config.tenant_name is not None:
            plain["tenant_name"] = self._config.tenant_name
        token = self._obtain("token", plain)
        _log.info("logged in to CXone WFM")
        return token

    def _refresh(self, refresh_token: str) -> Token:
        token = self._obtain("refresh", {"refresh_token": refresh_token})
        _log.debug("the access token was refreshed")
        return token

    def _obtain(self, operation: str, plain: dict[str, Any]) -> Token:
        endpoint = self._profile.endpoint(operation)
        payload = self._profile.encode(endpoint.request or "", plain)
        asked_ms = self._clock.now_ms()  # before sending, so that the way there shortens the life, never lengthens it
        answer = self._exchange.send(endpoint, payload)
        if not answer.ok:
            raise failure(self._config, operation, answer, self.secrets())
        token = self._read(endpoint.response or "", answer, asked_ms)
        if token is None:
            # Nothing of this answer is repeated: it may hold half a token.
            raise CXoneWfmException(
                kind=FailureKind.PASSING, operation=operation, problem=f"status {answer.status} without an access token"
            )
        if self._token is not None:
            self._retired.extend((self._token.access_token, self._token.refresh_token or ""))
        self._token = token
        return token

    def _read(self, dto: str, answer: Answer, asked_ms: int) -> Token | None:
        try:
            plain = self._profile.decode(dto, answer.json())
        except ContractError:
            return None
        access_token = plain.get("access_token")
        if not isinstance(access_token, str) or not access_token or not access_token.isascii():
            return None
        limits = self._profile.limits
        life_ms = _seconds(plain.get("expires_in_s"), limits.token_life_s) * 1000
        refresh_life_ms = _seconds(plain.get("refresh_expires_in_s"), limits.refresh_token_life_s) * 1000
        refresh_token = plain.get("refresh_token")
        margin_ms = min(limits.refresh_margin_s * 1000, life_ms // 4)  # a short life must not be all margin
        return Token(
            access_token=access_token,
            refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
            renew_ms=asked_ms + life_ms - margin_ms,
            expires_ms=asked_ms + life_ms,
            refresh_expires_ms=asked_ms + refresh_life_ms,
        )


def _seconds(value: Any, default: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


# A 400 or 404 on these calls says nothing about a record, so no record may be blamed for it.
_INSTEAD_OF_CONTENT = {
    "token": FailureKind.UNAUTHORIZED,
    "refresh": FailureKind.UNAUTHORIZED,
    "acd_details": FailureKind.FORBIDDEN,
}


def failure(
    config: WFMConnectionConfig, operation: str, answer: Answer, secrets: tuple[str, ...], rows: int | None = None
) -> CXoneWfmException:
    """The exception for an answer outside 2xx."""
    response = read_response(config.profile, answer, secrets, rows)
    kind = kind_of(answer.status)
    if kind is FailureKind.CONTENT:
        kind = _INSTEAD_OF_CONTENT.get(operation, kind)
    said = response.message or response.details or response.code
    problem = f"status {answer.status}" + (f", {said[:300].rstrip('. ')}" if said else "")
    if answer.status in (301, 308):
        problem += "; set the service URL to where it moved"
    return CXoneWfmException(
        kind=kind,
        operation=operation,
        problem=problem,
        response=response,
        retry_after_s=retry_after_s(answer.headers, time.time()),
    )

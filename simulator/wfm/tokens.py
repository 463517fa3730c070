"""The tokens that the fake WFM gave out: access tokens that expire, refresh tokens that rotate."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens with their lives in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    life_s: int
    refresh_life_s: int


class TokenBook:
    """Every valid token with its end; the oldest are forgotten beyond a bound.

    Args:
        now_ms: the time by which tokens expire.
        life_s, refresh_life_s: seconds.
    """

    def __init__(self, now_ms: Callable[[], int], life_s: int, refresh_life_s: int) -> None:
        self._now_ms = now_ms
        self._life_s = life_s
        self._refresh_life_s = refresh_life_s
        self._lock = threading.Lock()
        self._access: OrderedDict[str, int] = OrderedDict()
        self._refresh: OrderedDict[str, int] = OrderedDict()

    def grant(self) -> Grant:
        """A new pair."""
        with self._lock:
            return self._grant()

    def refresh(self, refresh_token: str) -> Grant | None:
        """A new pair for a valid refresh token, which is used up by it; None for any other."""
        with self._lock:
            until_ms = self._refresh.pop(refresh_token, None)
            if until_ms is None or self._now_ms() >= until_ms:
                return None
            return self._grant()

    def holds(self, access_token: str) -> bool:
        """Whether the access token is valid now."""
        with self._lock:
            until_ms = self._access.get(access_token)
            return until_ms is not None and self._now_ms() < until_ms

    def revoke(self, *, refresh: bool) -> None:
        """Forget all access tokens, and the refresh tokens too when asked to."""
        with self._lock:
            self._access.clear()
            if refresh:
                self._refresh.clear()

    def _grant(self) -> Grant:
        now_ms = self._now_ms()
        grant = Grant(secrets.token_urlsafe(32), secrets.token_urlsafe(32), self._life_s, self._refresh_life_s)
        self._access[grant.access_token] = now_ms + self._life_s * 1000
        self._refresh[grant.refresh_token] = now_ms + self._refresh_life_s * 1000
        for book in (self._access, self._refresh):
            while len(book) > _MAX_TOKENS:
                book.popitem(last=False)
        return grant
